"""How strong hidden confounding would have to be to explain an effect: the card's field `sensitivity`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from equipoise.causal.effects import Effect
from equipoise.causal.effects.nuisances import Nuisances
from equipoise.causal.effects.propensity_weights import arm_weights
from equipoise.causal.refutation.e_value import EValue, e_value, risk_ratio_of_difference
from equipoise.causal.refutation.pairs import pair_differences
from equipoise.causal.refutation.partial_r2 import OmittedVariable, omitted_variable_bias
from equipoise.causal.refutation.rosenbaum import RosenbaumBounds, rosenbaum_bounds
from equipoise.errors import DataError

ADJUSTING = ("aipw", "ipw", "overlap", "regression", "matching", "plr")
"""Methods that a hidden common cause of treatment and outcome would mislead."""

_FEWEST_PAIRS = 10


def effect_e_value(effect: Effect) -> EValue | None:
    """E-value of an effect; None where its risk ratio cannot be told.

    For a binary outcome the risk ratio is that of the mean outcome with and without treatment, its limit that of
    the end of the interval nearer 0; otherwise the effect in standard deviations of the outcome (of one
    standard deviation of a continuous treatment) is turned into a ratio, `exp(0.91 d)`.
    """
    design = effect.design
    if effect.value is None or effect.low is None or effect.high is None:
        return None
    ends = effect.value, effect.low if effect.value >= 0 else effect.high
    if design.outcome_kind == "binary" and effect.nuisances is not None:
        base = _untreated_risk(effect, effect.nuisances)
        ratios = [(base + end) / base if base > 0 else 0.0 for end in ends]
    else:
        spread = float(design.outcome.std())
        unit = float(design.treatment.std()) if design.continuous else 1.0
        ratios = [risk_ratio_of_difference(end * unit / spread) if spread > 0 else 0.0 for end in ends]
    if not all(math.isfinite(ratio) and ratio > 0 for ratio in ratios):
        return None
    return e_value(ratios[0], ratios[1])


def effect_rosenbaum(effect: Effect, seed: int = 0) -> RosenbaumBounds | None:
    """Rosenbaum bounds of pairs matched on the propensity; None without propensities or with under ten pairs."""
    if effect.nuisances is None or effect.design.continuous:
        return None
    gaps = pair_differences(effect.design, effect.nuisances.propensity, seed)
    if int((gaps != 0).sum()) < _FEWEST_PAIRS:
        return None
    side = "greater" if (effect.value or 0.0) >= 0 else "less"
    return rosenbaum_bounds(gaps, alternative=side)


def effect_partial_r2(effect: Effect) -> OmittedVariable | None:
    """Robustness values of the linear regression on treatment and covariates, with each covariate as a benchmark;
    None where there is no such regression.
    """
    design = effect.design
    columns = [f"{place}" for place in range(len(design.names))]  # names may be those of levels, too
    groups = {source: [columns[at] for at in design.columns_of(source)] for source in design.sources}
    try:
        return omitted_variable_bias(
            design.outcome,
            design.treatment,
            design.covariates,
            columns,
            groups={source: own for source, own in groups.items() if own},
            clusters=design.clusters,
            alpha=1 - effect.settings.level,
        )
    except DataError:
        return None


def sensitivity(effect: Effect, seed: int = 0) -> dict[str, Any]:
    """The card's field; parts that do not apply are None."""
    if effect.value is None or effect.method not in ADJUSTING:
        return {"e_value": None, "rosenbaum": None, "partial_r2": None}
    ratio, bounds, omitted = effect_e_value(effect), effect_rosenbaum(effect, seed), effect_partial_r2(effect)
    return {
        "e_value": None if ratio is None else vars(ratio).copy(),
        "rosenbaum": None
        if bounds is None
        else {
            "gamma": bounds.gamma,
            "pairs": bounds.pairs,
            "curve": [{"gamma": g, "p_low": low, "p_high": high} for g, low, high in bounds.curve],
        },
        "partial_r2": None
        if omitted is None
        else {
            "estimate": omitted.estimate,
            "robustness_value": omitted.robustness_value,
            "robustness_value_significance": omitted.robustness_value_significance,
            "treatment_outcome": omitted.treatment_outcome,
            "benchmarks": [vars(one).copy() for one in omitted.benchmarks],
        },
    }


def _untreated_risk(effect: Effect, found: Nuisances) -> float:
    """Mean outcome without treatment in the population of the estimand."""
    t, y = effect.design.treatment, effect.design.outcome
    assert effect.value is not None
    if effect.estimand == "att":  # what the treated would have had is what they have without the effect
        return float(y[t == 1].mean()) - effect.value
    if found.mu0 is not None:
        return float(np.mean(found.mu0 + (1 - t) * (y - found.mu0) / (1 - found.propensity)))
    weights = (1 - t) * arm_weights(found.propensity, t, effect.estimand)
    return float(np.average(y, weights=weights))
