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
    if estimand == "att":
        return np.where(treatment == 1, 1.0, propensity / (1 - propensity))
    if estimand == "ato":
        return np.where(treatment == 1, 1 - propensity, propensity)
    return np.where(treatment == 1, 1 / propensity, 1 / (1 - propensity))


def mediator_ratio(given_mediator: Floats, propensity: Floats, treatment: Floats) -> Floats:
    """How much likelier each row's mediators are in the other arm, p(m | 1 − t, c) / p(m | t, c), (n,).

    Its mean over each arm is 1 where every value of the mediators occurs in both.

    Args:
        given_mediator: (n,), probability of treatment given mediators and covariates, in (0, 1).
        propensity: (n,), the same given covariates alone.
        treatment: (n,), 0 or 1.
    """
    with_, without = given_mediator / (1 - given_mediator), propensity / (1 - propensity)
    return np.where(treatment == 1, without / with_, with_ / without)


def clip_of(treatment: Floats, clip: float | None) -> float:
    """The clip that was asked for; else a fiftieth of the rarer arm's share, so that no weight is over 50 times
    what it would be in an experiment with arms of these sizes.
    """
    share = float(treatment.mean())
    return min(share, 1 - share) / 50 if clip is None else clip


def clipped(raw: Floats, clip: float, estimand: str) -> Floats:
    """Propensities (n,) held within what the estimand divides by.

    The average effect divides by e and by 1 − e, the effect on the treated by 1 − e alone; overlap weights
    divide by nothing.
    """
    low = clip if estimand not in ("att", "ato") else 0.0
    high = 1 - clip if estimand != "ato" else 1.0
    return np.clip(raw, low, high)
