"""Outcomes that the treatment cannot have changed, because they are made up."""

from __future__ import annotations

import numpy as np

from equipoise.causal.effects import Design, Effect
from equipoise.causal.effects.nuisances import make_folds, predict
from equipoise.causal.refutation.finding import (
    FAILED,
    GRAVE,
    MATERIAL,
    PASSED,
    Finding,
    few_threads,
    quantiles,
    refit,
    unanswered,
)
from equipoise.statistics.interval import Floats

_NAME = "dummy_outcome"
_MEANING = (
    "The estimator does not remove confounding that is known: its models are too simple for these covariates."
)
_ALPHA = 0.01
_BINARY = "binary"


def dummy_outcome(effect: Effect, n_draws: int = 30, seed: int = 0, *, show: bool = True) -> Finding:
    """Replace the outcome by noise, and by a known function of the covariates; the effect on both is 0.

    The function is a boosted regression of the outcome on the covariates, each row's from other rows: as intricate
    a confounder as the data show, without noise, so that an estimator whose models are too simple for it is found
    out. Fails where the estimate on noise is surely off 0 by more than a quarter of its standard error; and where
    that on the function differs from 0 (p below 0.01) by more than a quarter of the effect's standard error.

    Args:
        effect: An effect that was not refused.
        n_draws: Refits on noise: shuffled outcomes.
        seed: Root of the noise.
        show: Whether work over two seconds shows a bar.

    Returns:
        The finding; value, interval and p-value are those on the known function, or on noise where nothing is
        adjusted for.
    """
    design, rng = effect.design, np.random.default_rng([seed, 14])
    designs = (design.with_outcome(rng.permutation(design.outcome), "noise") for _ in range(n_draws))
    noise = refit(effect, designs, "replacing the outcome by noise", n_draws, show=show)
    if not noise.enough:
        return unanswered(_NAME, _MEANING, noise)
    bias = noise.bias()
    low, high = quantiles(noise.values)
    value, p_value, failed, grave = float(noise.values.mean()), None, bias.material, bias.grave
    details: dict[str, float | int] = {
        "noise_fits": noise.fits,
        "noise_bias": bias.size,
        "noise_bias_in_errors": bias.in_errors,
    }
    says = (
        f"On an outcome of noise it finds {bias.size:+.4g}, {abs(bias.in_errors):.1f} standard errors off 0"
    )
    known = None
    if design.covariates.shape[1]:
        function = known_function(design, seed)
        known = effect.again(design.with_outcome(function, "known function"))
        details["function_spread"] = float(function.std())
    if known is not None and known.value is not None and known.low is not None and known.high is not None:
        value, low, high, p_value = known.value, known.low, known.high, known.p_value
        own = effect.standard_error or 0.0
        off = p_value is not None and p_value < _ALPHA and abs(value) > MATERIAL * own
        if not failed:
            says = f"On a known function of the covariates it finds {value:+.4g}, on noise {bias.size:+.4g}"
        if off:
            failed, grave = True, grave or abs(value) > GRAVE * own
            says = (
                f"On a known function of the covariates, where there is nothing, it finds {value:+.4g} "
                f"[{low:+.4g}, {high:+.4g}]"
            )
    return Finding(
        _NAME,
        FAILED if failed else PASSED,
        says,
        _MEANING,
        value,
        low,
        high,
        p_value,
        0.0,
        details,
        grave,
    )


def known_function(design: Design, seed: int = 0) -> Floats:
    """A boosted regression of the outcome on the covariates, out of fold, (n,)."""
    folds = make_folds(design, 5, seed + 1)
    binary = design.outcome_kind == _BINARY
    with few_threads(design.n):
        return predict("boosting", design.covariates, design.outcome, folds, binary, seed)
