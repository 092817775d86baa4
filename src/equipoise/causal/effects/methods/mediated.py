"""Effects through a mediator: the front-door effect, and natural direct and indirect effects.

Both are means of efficient influence functions made of regressions only: densities of the mediator enter as
ratios, which Bayes' rule turns into propensities with and without the mediator, so that mediators may be
numbers, categories or several columns. Cross-fitted. Sources: Fulcher et al. (2020), "Robust inference on
population indirect causal effects: the generalized front door criterion", theorem 1; Tchetgen Tchetgen and
Shpitser (2012), "Semiparametric theory for causal mediation analysis", theorem 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.causal.effects.design import BINARY, Design
from equipoise.causal.effects.methods.fitted import Fitted
from equipoise.causal.effects.nuisances import Nuisances, make_folds
from equipoise.causal.effects.overlap import lack_of_overlap
from equipoise.causal.effects.propensity_weights import clip_of
from equipoise.causal.effects.regressions import fit
from equipoise.causal.effects.settings import Settings
from equipoise.errors import ConfigError
from equipoise.statistics.interval import Estimate, Floats


@dataclass(frozen=True)
class _Mediated:
    """Out-of-fold nuisances.

    Attributes:
        given_covariates: Nuisances without the mediator: e(c) and E[y | t, c].
        given_mediator: (n,), e(m, c), clipped.
        outcome: (2, n), E[y | t = a, m, c].
        carried: (2, 2, n): [a, b] is E[ E[y | t = b, m, c] | t = a, c ].
    """

    given_covariates: Nuisances
    given_mediator: Floats
    outcome: Floats
    carried: Floats


def front_door(design: Design, settings: Settings) -> Fitted:
    """`Σ_m P(m | do t) Σ_t' P(y | m, t') P(t')` for t = 1 minus t = 0, within covariates.

    Raises:
        ConfigError: if no mediator is named.
    """
    found = _cross_fit(design, settings)
    if refusal := _refusal(design, found, settings):
        return Fitted("ate", refusal=refusal, nuisances=found.given_covariates)
    t, y = design.treatment, design.outcome
    with_, without = _arms(found.given_mediator), _arms(found.given_covariates.propensity)
    own = t.astype(np.int64)
    rows = np.arange(design.n)
    residual = y - found.outcome[own, rows]
    mixed = (without * found.outcome).sum(axis=0)
    means = []
    for a in (0, 1):
        # p(m | a, c) / p(m | t, c)
        ratio = (with_[a] / without[a]) / (with_[own, rows] / without[own, rows])
        expected = (without * found.carried[a]).sum(axis=0)
        means.append(
            residual * ratio + (t == a) / without[a] * (mixed - expected) + found.carried[a][own, rows]
        )
    scores = means[1] - means[0]
    value = float(scores.mean())
    estimate = Estimate(value, scores - value, design.clusters)
    return Fitted(
        "ate",
        estimate,
        None,
        found.given_covariates,
        scores,
        details={"mediator": list(design.mediator_names)},
    )


def mediation(design: Design, settings: Settings) -> Fitted:
    """Total effect, and the natural direct and indirect effects `E Y(1, M(0)) − E Y(0)` and
    `E Y(0, M(1)) − E Y(0)`; these add up to the total only where treatment and mediator do not interact.

    Raises:
        ConfigError: if no mediator is named.
    """
    found = _cross_fit(design, settings)
    if refusal := _refusal(design, found, settings):
        return Fitted(settings.estimand, refusal=refusal, nuisances=found.given_covariates)
    plain = found.given_covariates
    assert plain.mu0 is not None
    assert plain.mu1 is not None
    t, y, e, with_ = design.treatment, design.outcome, plain.propensity, found.given_mediator
    neither = (1 - t) / (1 - e) * (y - plain.mu0) + plain.mu0
    both = t / e * (y - plain.mu1) + plain.mu1
    # treated, with the mediator as it would be without treatment; and the other way round
    treated_alone = (
        t * (1 - with_) / (with_ * (1 - e)) * (y - found.outcome[1])
        + (1 - t) / (1 - e) * (found.outcome[1] - found.carried[0, 1])
        + found.carried[0, 1]
    )
    mediator_alone = (
        (1 - t) * with_ / ((1 - with_) * e) * (y - found.outcome[0])
        + t / e * (found.outcome[0] - found.carried[1, 0])
        + found.carried[1, 0]
    )
    parts = {"total": both - neither, "direct": treated_alone - neither, "indirect": mediator_alone - neither}
    estimates = {
        name: Estimate(float(part.mean()), part - part.mean(), design.clusters)
        for name, part in parts.items()
    }
    chosen = {"nde": "direct", "nie": "indirect"}.get(settings.estimand, "total")
    return Fitted(
        settings.estimand,
        estimates[chosen],
        None,
        plain,
        parts[chosen],
        parts={name: one.interval(settings.level) for name, one in estimates.items()},
        details={"mediator": list(design.mediator_names)},
    )


def _cross_fit(design: Design, settings: Settings) -> _Mediated:
    if design.mediator is None:
        raise ConfigError(
            f"The method '{settings.method}' needs a mediator", todo="Name its column: mediator='...'."
        )
    c, binary = design.covariates, design.outcome_kind == BINARY
    mc = np.hstack([design.mediator, c])
    t, y, folds = design.treatment, design.outcome, make_folds(design, settings.folds, settings.seed)
    outcome_model, propensity_model, seed = settings.outcome_model, settings.propensity_model, settings.seed
    raw, raw_m = np.empty(design.n), np.empty(design.n)
    mu, outcome, carried = np.empty((2, design.n)), np.empty((2, design.n)), np.empty((2, 2, design.n))
    for fold in range(settings.folds):
        inside, learn = folds == fold, folds != fold
        raw[inside] = fit(propensity_model, c[learn], t[learn], binary=True, seed=seed).predict(c[inside])
        raw_m[inside] = fit(propensity_model, mc[learn], t[learn], binary=True, seed=seed).predict(mc[inside])
        for b in (0, 1):
            arm = learn & (t == b)
            mu[b, inside] = fit(outcome_model, c[arm], y[arm], binary=binary, seed=seed).predict(c[inside])
            model = fit(outcome_model, mc[arm], y[arm], binary=binary, seed=seed)
            outcome[b, inside] = model.predict(mc[inside])
            for a in (0, 1):
                rows = learn & (t == a)
                onwards = fit(outcome_model, c[rows], model.predict(mc[rows]), binary=False, seed=seed)
                carried[a, b, inside] = onwards.predict(c[inside])
    clip = clip_of(t, settings.overlap.clip)
    plain = Nuisances(np.clip(raw, clip, 1 - clip), raw, mu[0], mu[1], folds)
    return _Mediated(plain, np.clip(raw_m, clip, 1 - clip), outcome, carried)


def _refusal(design: Design, found: _Mediated, settings: Settings) -> str | None:
    """Overlap of the treated and the others given covariates, and given the mediator too."""
    without = lack_of_overlap(design, found.given_covariates, settings, "ate")
    if without:
        return without
    e = found.given_mediator
    given = lack_of_overlap(
        design, Nuisances(e, e, None, None, found.given_covariates.folds), settings, "ate"
    )
    return f"Given the mediator: {given[0].lower()}{given[1:]}" if given else None


def _arms(propensity: Floats) -> Floats:
    """Probabilities (2, n) of each arm."""
    return np.stack([1 - propensity, propensity])
