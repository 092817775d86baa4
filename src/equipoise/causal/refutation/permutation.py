"""A treatment that does nothing, and depends on the covariates just as the true one does.

Permuting treatments freely would break their dependence on the covariates, and with it the confounding that the
estimator has to remove. Here pairs of rows trade treatments with the odds that their propensities give
(conditional permutation): the permuted treatment has the same numbers of treated, follows the same propensities,
and is independent of the outcome given the covariates. Where propensities are constant this is plain
permutation. Source: Berrett, Wang, Barber and Samworth (2020), "The conditional permutation test for
independence while controlling for confounders", Journal of the Royal Statistical Society B 82, algorithm 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri
from scipy.stats import binom

from equipoise.causal.effects import Design, Effect
from equipoise.causal.effects.regressions import regress
from equipoise.causal.refutation.finding import FAILED, PASSED, Finding, quantiles, refit, unanswered
from equipoise.errors import ConfigError, DataError
from equipoise.statistics.interval import Floats

Ints = NDArray[np.int64]

_NAME = "permutation_placebo"
_MEANING = "The estimator finds effects in noise: something leaks, or the standard error is wrong. Stop here."
_ROUNDS = 21  # of trading: each about halves what is left of the true assignment
_BLURS = (0.1, 0.5, 2.0)  # in logits
_FEWEST = 20
_FALSE_ALARM = 0.01


def permutation_placebo(
    effect: Effect, n_permutations: int = 100, seed: int = 0, *, show: bool = True
) -> Finding:
    """Estimate the effect of permuted treatments, which is 0.

    Fails where the estimates are surely off 0 by more than a quarter of a standard error, or where intervals
    miss 0 significantly more than twice as often as they may. The p-value is the share of permutations (and the
    estimate itself) whose z-score is at least as large as the estimate's.

    Args:
        effect: An effect that was not refused.
        n_permutations: Refits; at least 20, better 100.
        seed: Root of the permutations.
        show: Whether work over two seconds shows a bar.

    Raises:
        ConfigError: if there are too few permutations to tell anything.
    """
    if n_permutations < _FEWEST:
        raise ConfigError(
            f"{n_permutations} permutations show nothing", todo=f"Ask for {_FEWEST} at least, better 100."
        )
    design, rng = effect.design, np.random.default_rng([seed, 11])
    moved: list[float] = []

    def designs() -> Iterator[Design]:
        for _ in range(n_permutations):
            placebo = permuted(design, effect.nuisances.raw if effect.nuisances else None, rng)
            moved.append(float((placebo.treatment != design.treatment).mean()))
            yield placebo

    null = refit(effect, designs(), "permuting the treatment", n_permutations, show=show)
    if not null.enough:
        return unanswered(_NAME, _MEANING, null)
    scores = np.abs(null.values / null.errors)
    assert effect.value is not None
    own = abs(effect.value) / (effect.standard_error or np.inf)
    p_value = float((1 + (scores >= own).sum()) / (1 + null.fits))
    miss = 1 - effect.settings.level
    wrong = int((scores > ndtri(0.5 + effect.settings.level / 2)).sum())
    often = bool(binom.sf(wrong - 1, null.fits, min(0.5, 2 * miss)) < _FALSE_ALARM)
    bias = null.bias()
    low, high = quantiles(null.values)
    failed = bias.material or often
    if bias.material:
        says = f"It finds {bias.size:+.4g} where there is nothing, {abs(bias.in_errors):.1f} standard errors off 0"
    elif often:
        says = f"Its interval misses 0 on {wrong} of {null.fits} permuted treatments ({miss:.0%} were due)"
    else:
        says = (
            f"On permuted treatments it finds {bias.size:+.4g} on average, and its interval misses 0 "
            f"{wrong} of {null.fits} times"
        )
    return Finding(
        _NAME,
        FAILED if failed else PASSED,
        says,
        _MEANING,
        float(null.values.mean()),
        low,
        high,
        p_value,
        0.0,
        {
            "fits": null.fits,
            "refused": null.refused,
            "spread": float(null.values.std(ddof=1)),
            "standard_error": float(np.median(null.errors)),
            "missed": wrong,
            "share_moved": float(np.mean(moved)),
            "bias_in_errors": bias.in_errors,
        },
        grave=often or bias.grave,
    )


def permuted(design: Design, propensity: Floats | None, rng: np.random.Generator) -> Design:
    """The design with a treatment permuted given the covariates.

    A treatment that is the same for all rows of every cluster is permuted between clusters; an instrument
    travels with its treatment; amounts are permuted as what a linear regression on the covariates leaves.

    Args:
        design: The data.
        propensity: (n,), probabilities of treatment; None fits a logistic regression.
        rng: Source of the permutation.

    Raises:
        DataError: if the permuted treatment does not vary.
    """
    t = design.treatment
    if design.instrument is not None:
        order = rng.permutation(design.n)
        placebo = design.with_treatment(t[order])
        return _varying(replace(placebo, instrument=design.instrument[order]))
    if design.continuous:
        x = np.column_stack([np.ones(design.n), design.covariates])
        said = x @ np.linalg.lstsq(x, t, rcond=None)[0]
        return _varying(design.with_treatment(said + rng.permutation(t - said)))
    if propensity is None:
        propensity = regress(design.covariates, t, binary=True).predict(design.covariates)
    unit = _assigned_to(design)
    size = np.bincount(unit)
    of_unit = np.bincount(unit, t) / size > 0.5
    likely = np.clip(np.bincount(unit, propensity) / size, 1e-9, 1 - 1e-9)
    return _varying(design.with_treatment(_traded(of_unit, likely, rng)[unit].astype(np.float64)))


def _traded(treated: NDArray[np.bool_], propensity: Floats, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Treatments (units,) after rounds of trading between pairs, at the odds of their propensities.

    Pairs are neighbours in an order of the propensities that is blurred anew, little or much, in each round, so
    that trades are likely even where few rows have much of a chance; pairing never looks at the treatments.
    """
    now, place = treated.copy(), logit(propensity)
    for number in range(_ROUNDS):
        blur = _BLURS[number % len(_BLURS)]
        order = np.argsort(place + blur * rng.normal(size=len(place)))[rng.integers(0, 2) :]
        one, two = order[: 2 * (len(order) // 2) : 2], order[1 : 2 * (len(order) // 2) : 2]
        differ = now[one] != now[two]
        one, two = one[differ], two[differ]
        now[one] = rng.random(len(one)) < expit(place[one] - place[two])
        now[two] = ~now[one]
    return now


def _assigned_to(design: Design) -> Ints:
    """What treatment was given to, as a number per row: clusters where it is the same within each, else rows."""
    if design.clusters is not None:
        unit = np.unique(design.clusters, return_inverse=True)[1].ravel()
        share = np.bincount(unit, design.treatment) / np.bincount(unit)
        if np.isin(share, (0.0, 1.0)).all():
            return unit
    return np.arange(design.n)


def _varying(design: Design) -> Design:
    if np.ptp(design.treatment) == 0:
        raise DataError("The permuted treatment does not vary, so that it tests nothing")
    return design
