"""The DR-learner: a regression of cross-fitted doubly robust scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from equipoise.causal.heterogeneity.learner import Learner
from equipoise.causal.heterogeneity.regressors import classifier, fold_of, predicted, regressor
from equipoise.causal.heterogeneity.t_learner import Arms
from equipoise.errors import DataError
from equipoise.statistics.interval import Floats


@dataclass(frozen=True)
class Regression:
    """One regression of the effect itself.

    Attributes:
        model: A fitted estimator.
    """

    model: Any

    def effect(self, x: Floats) -> Floats:
        """E[score | x] of rows (n, p)."""
        return predicted(self.model, x)


class DRLearner(Learner):
    """Regress the AIPW scores on the features: an error of one nuisance is made good by the other.

    Scores come from nuisances fitted on other folds, `μ₁ − μ₀ + t (y − μ₁)/e − (1 − t)(y − μ₀)/(1 − e)`.
    Source: Kennedy (2023), "Towards optimal doubly robust estimation of heterogeneous causal effects",
    Electronic Journal of Statistics 17, algorithm 1.
    """

    name: ClassVar[str] = "dr"

    outcome_model: Any = "linear"
    """First stage: as in the T-learner."""
    effect_model: Any = "linear"
    """Second stage: regression of the scores, of the same kinds."""
    propensity_model: Any = "linear"
    """`linear` (logistic), `boosting`, or a scikit-learn classifier."""
    folds: int = Field(5, ge=2)
    """Folds of cross-fitting."""
    clip: float = Field(0.01, gt=0, lt=0.5)
    """Propensities are held within [clip, 1 − clip]."""

    def learn(self, x: Floats, t: Floats, y: Floats, clusters: np.ndarray[Any, Any] | None) -> Regression:
        """Scores, and their regression."""
        scores = self.scores(x, t, y, clusters)
        return Regression(regressor(self.effect_model, len(x), self.seed).fit(x, scores))

    def scores(self, x: Floats, t: Floats, y: Floats, clusters: np.ndarray[Any, Any] | None = None) -> Floats:
        """Cross-fitted doubly robust scores (n,); their mean estimates the average effect.

        Raises:
            DataError: if an arm is missing outside some fold.
        """
        fold, scores = fold_of(len(x), self.folds, self.seed, clusters), np.empty(len(x))
        for k in range(self.folds):
            inside, outside = fold != k, fold == k
            if len(np.unique(t[inside])) < 2:
                raise DataError("One arm lies in one fold alone", todo="Use fewer folds, or more rows.")
            arms = Arms.of(self.outcome_model, x[inside], t[inside], y[inside], self.seed)
            share = predicted(
                classifier(self.propensity_model, self.seed).fit(x[inside], t[inside]), x[outside]
            )
            share = np.clip(share, self.clip, 1 - self.clip)
            control, treated = arms.outcomes(x[outside])
            taken, seen = t[outside], y[outside]
            scores[outside] = (
                treated
                - control
                + taken * (seen - treated) / share
                - (1 - taken) * (seen - control) / (1 - share)
            )
        return scores
