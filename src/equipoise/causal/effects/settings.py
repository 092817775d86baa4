"""Settings of an estimate: the method, its models, and the thresholds by which overlap is judged."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from equipoise.component import Component

Method = Literal[
    "aipw", "ipw", "overlap", "regression", "matching", "iv", "frontdoor", "mediation", "plr",
    "formula",
]  # fmt: skip
Target = Literal["ate", "att", "nde", "nie"]


class Overlap(Component):
    """Thresholds of refusal and of doubt; each is printed with the estimate it refuses."""

    name: ClassVar[str] = "overlap"

    clip: float | None = Field(None, gt=0, lt=0.5)
    """Propensities are held within [clip, 1 − clip]; the share that had to be moved is reported. None: a fiftieth
    of the rarer arm's share, which is 0.01 where half are treated. However small it is, propensities under 1/n
    count as beyond it."""
    largest_share_clipped: float = Field(0.02, ge=0, le=1)
    """Refuse above this share of clipped propensities (counted where the estimand uses them)."""
    smallest_arm: int = Field(20, ge=2)
    """Refuse with fewer treated or fewer untreated rows (clusters, where there are any)."""
    minimum_effective_sample_size: float = Field(30.0, ge=1)
    """Refuse where the weights leave either arm fewer effective rows, (Σw)²/Σw²."""
    largest_weight_share: float = Field(0.1, gt=0, le=1)
    """Refuse where one row (cluster) carries a larger share of its arm's weight."""
    minimum_overlap_share: float = Field(0.02, ge=0, le=1)
    """Refuse where the covariates leave less of the treatment's variance, Σe(1 − e) / nē(1 − ē), or less than half of
    `smallest_arm` rows of it."""
    fewest_rows_per_covariate: float = Field(5.0, ge=0)
    """Refuse propensities fitted to the rows they are used for where the rarer arm has fewer rows for each of the
    model's columns."""
    minimum_events: float = Field(10.0, ge=0)
    """Doubt the interval where an arm holds fewer effective cases of the rarer outcome, (Σwy)²/Σ(wy)²."""
    largest_unseen_share: float = Field(0.25, ge=0, le=1)
    """Doubt the interval where rows so unlikely in their arm that less than one is expected there carry a larger
    share of the variance: the sample cannot show it."""
    largest_variance_share: float = Field(0.25, gt=0, le=1)
    """Doubt the interval where one row (cluster) carries a larger share of the variance."""
    largest_coverage_error: float = Field(0.01, ge=0)
    """Doubt the interval where skewness is expected to cost it more coverage."""
    minimum_first_stage: float = Field(10.0, ge=0)
    """Refuse an instrument whose first-stage F, robust to clusters, is smaller."""
    minimum_treatment_variance: float = Field(0.01, ge=0, le=1)
    """Refuse a continuous treatment of which the covariates leave a smaller share of the variance."""


class Settings(Component):
    """All that `estimate_effect` is told beside the data and the graph."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    name: ClassVar[str] = "effect"

    method: Method = "aipw"
    """Estimator."""
    estimand: Target = "ate"
    """Whose effect: everybody's (`ate`), the treated's (`att`); for mediation also the natural direct (`nde`)
    and indirect (`nie`) effect."""
    outcome_model: Any = "linear"
    """`linear` (logistic for a binary outcome), `quadratic`, `boosting`, or a scikit-learn estimator."""
    propensity_model: Any = "linear"
    """`linear` (logistic), `quadratic`, `boosting`, or a scikit-learn classifier."""
    folds: int = Field(5, ge=2)
    """Folds of cross-fitting; a cluster is never divided."""
    neighbours: int = Field(4, ge=1)
    """Matches of each row, for matching."""
    level: float = Field(0.95, gt=0, lt=1)
    """Confidence level."""
    seed: int = 0
    """Root of the folds."""
    overlap: Overlap = Overlap()
    """Thresholds."""
