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
from equipoise.causal.effects.nuisances import Nuisances, empty_arm, make_folds
from equipoise.causal.effects.overlap import lack_of_overlap, too_little_weight
from equipoise.causal.effects.propensity_weights import clip_of, mediator_ratio
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
        ratio: (n,), p(m | 1 − t, c) / p(m | t, c).
        outcome: (2, n), E[y | t = a, m, c].
        carried: (2, 2, n): [a, b] is E[ E[y | t = b, m, c] | t = a, c ].
    """

    given_covariates: Nuisances
    given_mediator: Floats
    ratio: Floats
    outcome: Floats
    carried: Floats


def front_door(design: Design, settings: Settings) -> Fitted:
    """`Σ_m P(m | do t) Σ_t' P(y | m, t') P(t')` for t = 1 minus t = 0, within covariates.

    Raises:
        ConfigError: if no mediator is named.
    """
    found = _cross_fit(design, settings)
    if refusal := _refusal(design, found, settings, found.ratio):
        return Fitted("ate", refusal=refusal, nuisances=found.given_covariates)
    t, y = design.treatment, design.outcome
    e, own = found.given_covariates.propensity, t.astype(np.int64)
    without = np.stack([1 - e, e])
    rows = np.arange(design.n)
    residual = y - found.outcome[own, rows]
    mixed = (without * found.outcome).sum(axis=0)
    means = []
    for a in (0, 1):
        ratio = np.where(t == a, 1.0, found.ratio)  # p(m | a, c) / p(m | t, c)
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
    plain = found.given_covariates
    assert plain.mu0 is not None
    assert plain.mu1 is not None
    t, y, e = design.treatment, design.outcome, plain.propensity
    of_arm = np.where(t == 1, e, 1 - e)
    if refusal := _refusal(design, found, settings, found.ratio / of_arm):
        return Fitted(settings.estimand, refusal=refusal, nuisances=plain)
    neither = (1 - t) / (1 - e) * (y - plain.mu0) + plain.mu0
    both = t / e * (y - plain.mu1) + plain.mu1
    # treated, with the mediator as it would be without treatment; and the other way round
    treated_alone = (
        t * found.ratio / of_arm * (y - found.outcome[1])
        + (1 - t) / (1 - e) * (found.outcome[1] - found.carried[0, 1])
        + found.carried[0, 1]
    )
    mediator_alone = (
        (1 - t) * found.ratio / of_arm * (y - found.outcome[0])
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
        for level in (0, 1):
            if not (learn & (t == level)).any():
                raise empty_arm(fold, int((t == level).sum()))
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
    plain = Nuisances(np.clip(raw, clip, 1 - clip), raw, mu[0], mu[1], folds, raw_m)
    given = np.clip(raw_m, clip, 1 - clip)
    return _Mediated(plain, given, mediator_ratio(given, plain.propensity, t), outcome, carried)


def _refusal(design: Design, found: _Mediated, settings: Settings, weights: Floats) -> str | None:
    """Overlap of the arms given covariates, given the mediator too, and under the weights (n,) that carry each
    arm's mediators over to the other.
    """
    plain, t = found.given_covariates, design.treatment
    assert plain.given_mediator is not None
    if without := lack_of_overlap(design, plain, settings, "ate"):
        return without
    with_ = Nuisances(found.given_mediator, plain.given_mediator, None, None, plain.folds)
    given = lack_of_overlap(design, with_, settings, "ate") or too_little_weight(
        design, weights, settings.overlap
    )
    if given:
        return f"Given the mediator: {given[0].lower()}{given[1:]}"
    for arm, said in ((1.0, "treated"), (0.0, "untreated")):
        mean = float(found.ratio[t == arm].mean())
        if not 1 / _FARTHEST_MEAN <= mean <= _FARTHEST_MEAN:
            return (
                f"Given the mediator: no overlap: the weights that carry the {said} over to the others' mediators have "
                f"mean {mean:.2g} where 1 is expected"
            )
    return None


_FARTHEST_MEAN = 2.0  # with 30 effective rows, the fewest allowed, five standard errors from 1
