"""The T-learner: one regression of the outcome per arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from equipoise.causal.heterogeneity.learner import Learner
from equipoise.causal.heterogeneity.regressors import predicted, regressor
from equipoise.statistics.interval import Floats


@dataclass(frozen=True)
class Arms:
    """Regressions of the outcome, one of each arm.

    Attributes:
        control: Of the untreated.
        treated: Of the treated.
    """

    control: Any
    treated: Any

    @classmethod
    def of(cls, model: Any, x: Floats, t: Floats, y: Floats, seed: int) -> Arms:
        """Fit a regression in each arm."""
        fits = [regressor(model, int((t == arm).sum()), seed).fit(x[t == arm], y[t == arm]) for arm in (0, 1)]
        return cls(*fits)

    def outcomes(self, x: Floats) -> tuple[Floats, Floats]:
        """E[Y | x, t = 0] and E[Y | x, t = 1] of rows (n, p)."""
        return predicted(self.control, x), predicted(self.treated, x)

    def effect(self, x: Floats) -> Floats:
        """Their difference, (n,)."""
        control, treated = self.outcomes(x)
        return treated - control


class TLearner(Learner):
    """Effect as the difference of two outcome regressions.

    Simple, and right where both surfaces are; with a small arm its noise goes into the effect undiminished.
    Source: Künzel et al. (2019), "Metalearners for estimating heterogeneous treatment effects using machine
    learning", section 2.
    """

    name: ClassVar[str] = "t"

    outcome_model: Any = "linear"
    """`linear`, `quadratic`, `forest`, `boosting`, `gaussian_process`, `best`, or a scikit-learn estimator."""

    def learn(self, x: Floats, t: Floats, y: Floats, clusters: np.ndarray[Any, Any] | None) -> Arms:
        """Two regressions."""
        return Arms.of(self.outcome_model, x, t, y, self.seed)
