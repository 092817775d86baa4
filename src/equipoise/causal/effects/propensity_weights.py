"""From propensities to the weights of an estimand."""

from __future__ import annotations

import numpy as np

from equipoise.statistics.interval import Floats


def arm_weights(propensity: Floats, treatment: Floats, estimand: str) -> Floats:
    """Weights (n,) that make both arms look like the population of the estimand.

    Args:
        propensity: (n,), in (0, 1).
        treatment: (n,), 0 or 1.
        estimand: `ate` (inverse propensities), `att` (the treated as they are, the others by odds) or `ato`
            (overlap weights; Li, Morgan and Zaslavsky 2018, "Balancing covariates via propensity score
            weighting").
    """
    odds = propensity / (1 - propensity)
    if estimand == "att":
        return np.where(treatment == 1, 1.0, odds)
    if estimand == "ato":
        return np.where(treatment == 1, 1 - propensity, propensity)
    return np.where(treatment == 1, 1 / propensity, 1 / (1 - propensity))


def clipped(raw: Floats, clip: float, estimand: str) -> Floats:
    """Propensities (n,) held within what the estimand divides by.

    The average effect divides by e and by 1 − e, the effect on the treated by 1 − e alone; overlap weights
    divide by nothing.
    """
    low = clip if estimand not in ("att", "ato") else 0.0
    high = 1 - clip if estimand != "ato" else 1.0
    return np.clip(raw, low, high)
