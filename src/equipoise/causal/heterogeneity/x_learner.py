"""The X-learner: effects imputed in each arm by the other arm's regression, then regressed and blended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from equipoise.causal.heterogeneity.learner import Learner
from equipoise.causal.heterogeneity.regressors import classifier, predicted, regressor
from equipoise.causal.heterogeneity.t_learner import Arms
from equipoise.statistics.interval import Floats


@dataclass(frozen=True)
class Blend:
    """Two regressions of the effect, blended by the propensity.

    Attributes:
        control: Effects imputed for the untreated.
        treated: Effects imputed for the treated.
        propensity: P(t = 1 | x).
    """

    control: Any
    treated: Any
    propensity: Any

    def effect(self, x: Floats) -> Floats:
        """`e(x) τ₀(x) + (1 − e(x)) τ₁(x)`: each arm's regression counts where the other arm is the larger."""
        share = predicted(self.propensity, x)
        return share * predicted(self.control, x) + (1 - share) * predicted(self.treated, x)


class XLearner(Learner):
    """Effects imputed from the other arm, then regressed: for arms of very different size.

    Source: Künzel et al. (2019), "Metalearners for estimating heterogeneous treatment effects using machine
    learning", section 2, algorithm 3.
    """

    name: ClassVar[str] = "x"

    outcome_model: Any = "linear"
    """First stage: as in the T-learner."""
    effect_model: Any = "linear"
    """Second stage: regression of the imputed effects, of the same kinds."""
    propensity_model: Any = "linear"
    """`linear` (logistic), `boosting`, or a scikit-learn classifier."""

    def learn(self, x: Floats, t: Floats, y: Floats, clusters: np.ndarray[Any, Any] | None) -> Blend:
        """Regressions of outcomes, of imputed effects, and of the treatment."""
        control, treated = Arms.of(self.outcome_model, x, t, y, self.seed).outcomes(x)
        imputed = np.where(t == 1, y - control, treated - y)
        second = [
            regressor(self.effect_model, int((t == arm).sum()), self.seed).fit(x[t == arm], imputed[t == arm])
            for arm in (0, 1)
        ]
        return Blend(second[0], second[1], classifier(self.propensity_model, self.seed).fit(x, t))
