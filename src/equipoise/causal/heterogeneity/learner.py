"""What all learners of heterogeneous effects share: `fit` takes rows, `effect` answers for rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike
from pydantic import ConfigDict, Field
from threadpoolctl import threadpool_limits

from equipoise.causal.heterogeneity.features import Features, cluster_labels, numbers
from equipoise.causal.heterogeneity.regressors import fold_of
from equipoise.component import Component, Registry
from equipoise.errors import DataError
from equipoise.statistics.interval import Floats

_SMALLEST_ARM = 5
_FEW_ROWS = 20_000  # below, threads wait for each other longer than they work


class EffectModel(Protocol):
    """Effects of rows: what a learner has learnt."""

    def effect(self, x: Floats) -> Floats:
        """E[Y(1) − Y(0) | x] of rows (n, p)."""


@dataclass(frozen=True)
class FittedLearner:
    """A fitted learner.

    Attributes:
        features: How rows are coded.
        model: Effects of coded rows.
    """

    features: Features
    model: EffectModel

    def effect(self, rows: Any) -> Floats:
        """Expected difference that treatment makes to each row, in units of the outcome, (n,).

        Args:
            rows: Frame of any engine with the columns fitted on, or a matrix (n, p).
        """
        x = self.features.matrix(rows)
        with threadpool_limits(1 if len(x) < _FEW_ROWS else None):
            return self.model.effect(x)


class Learner(Component, ABC):
    """Learner of E[Y(1) − Y(0) | x] for a treatment of 0 and 1; all confounders must be among the features."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    seed: int = Field(0, ge=0)
    """Root of folds and of regressions that draw."""

    def fit(
        self,
        rows: Any,
        treatment: ArrayLike,
        outcome: ArrayLike,
        *,
        features: str | Sequence[str] | None = None,
        clusters: ArrayLike | None = None,
    ) -> FittedLearner:
        """Learn the effects.

        Args:
            rows: Frame of any engine, or a matrix (n, p).
            treatment: (n,), 0 or 1.
            outcome: (n,).
            features: Columns of the frame to use; all without.
            clusters: (n,) labels of users; rows of one are never divided between folds.

        Raises:
            DataError: if there is no feature, lengths differ, a value or label is missing, the treatment is not 0
                and 1, or fewer than five rows have either.
        """
        coding = Features.of(rows, features)
        x = coding.matrix(rows)
        if not x.shape[1]:
            raise DataError(
                "There is no feature for effects to vary by", where=", ".join(coding.columns) or None
            )
        t, y = checked(treatment, outcome, len(x))
        labels = cluster_labels(clusters)
        with threadpool_limits(1 if len(x) < _FEW_ROWS else None):
            return FittedLearner(coding, self.learn(x, t, y, labels))

    @abstractmethod
    def learn(self, x: Floats, t: Floats, y: Floats, clusters: np.ndarray[Any, Any] | None) -> EffectModel:
        """Effects from coded rows (n, p), treatments (n,) and outcomes (n,)."""


LEARNERS: Registry[Learner] = Registry(
    "learner",
    "equipoise.learners",
    {
        "t": "equipoise.causal.heterogeneity.t_learner:TLearner",
        "x": "equipoise.causal.heterogeneity.x_learner:XLearner",
        "dr": "equipoise.causal.heterogeneity.dr_learner:DRLearner",
        "econml": "equipoise.causal.heterogeneity.econml:EconMLLearner",
    },
)


def cross_fitted_effects(
    learner: Learner,
    rows: Any,
    treatment: ArrayLike,
    outcome: ArrayLike,
    *,
    features: str | Sequence[str] | None = None,
    clusters: ArrayLike | None = None,
    folds: int = 5,
) -> Floats:
    """Effects (n,) of each row by a learner that saw neither the row nor its cluster.

    What `qini`, `auuc` and `rate` need as their ranking when it is judged on the rows it was learnt from.
    """
    coding = Features.of(rows, features)
    x = coding.matrix(rows)
    t, y = checked(treatment, outcome, len(x))
    labels = cluster_labels(clusters)
    fold, found = fold_of(len(x), folds, learner.seed, labels), np.empty(len(x))
    for k in range(folds):
        inside = fold != k
        part = None if labels is None else labels[inside]
        fitted = learner.fit(x[inside], t[inside], y[inside], clusters=part)
        found[~inside] = fitted.effect(x[~inside])
    return found


def checked(treatment: ArrayLike, outcome: ArrayLike, rows: int) -> tuple[Floats, Floats]:
    """Treatments and outcomes as float64.

    Raises:
        DataError: as `Learner.fit` says.
    """
    t, y = numbers("treatments", treatment), numbers("outcomes", outcome)
    if t.shape != (rows,) or y.shape != (rows,):
        raise DataError(f"Treatments {t.shape} and outcomes {y.shape} do not fit {rows} rows")
    strange = int((~np.isin(t, (0.0, 1.0))).sum())
    if strange:
        raise DataError(
            "The treatment is not 0 or 1 everywhere",
            where=f"{strange} of {rows} rows",
            todo="Code the two values as 0 and 1; several treatments are learnt one against one.",
        )
    arms = int((t == 0).sum()), int((t == 1).sum())
    if min(arms) < _SMALLEST_ARM:
        raise DataError(
            f"{arms[1]} rows are treated and {arms[0]} are not; each needs at least {_SMALLEST_ARM}"
        )
    return t, y
