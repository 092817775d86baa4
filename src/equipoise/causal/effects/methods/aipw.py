"""Augmented inverse propensity weighting, cross-fitted: right if either nuisance is (doubly robust).

Source: Robins, Rotnitzky and Zhao (1994), "Estimation of regression coefficients when some regressors are not
always observed"; cross-fitted by Chernozhukov et al. (2018), section 5.1 (ATE and ATT scores).
"""

from __future__ import annotations

from equipoise.causal.effects.design import Design
from equipoise.causal.effects.methods.fitted import Fitted
from equipoise.causal.effects.nuisances import cross_fit
from equipoise.causal.effects.overlap import lack_of_overlap
from equipoise.causal.effects.settings import Settings
from equipoise.statistics.interval import Estimate, Floats


def aipw(design: Design, settings: Settings) -> Fitted:
    """Mean of `μ1 − μ0 + t(y − μ1)/e − (1 − t)(y − μ0)/(1 − e)`, or of the treated's part of it."""
    nuisances = cross_fit(design, settings)
    if refusal := lack_of_overlap(design, nuisances, settings):
        return Fitted(settings.estimand, refusal=refusal, nuisances=nuisances)
    assert nuisances.mu0 is not None
    assert nuisances.mu1 is not None
    scores, influence = combine(design, nuisances.propensity, nuisances.mu0, nuisances.mu1, settings.estimand)
    estimate = Estimate(float(scores.mean()), influence, design.clusters)
    return Fitted(settings.estimand, estimate, None, nuisances, scores)


def combine(
    design: Design, propensity: Floats, mu0: Floats, mu1: Floats, estimand: str
) -> tuple[Floats, Floats]:
    """Uncentred scores and influence values from given nuisances, each (n,).

    Args:
        design: The data.
        propensity: (n,), in (0, 1).
        mu0: (n,), expected outcome without treatment.
        mu1: (n,), expected outcome with treatment; not used for `att`.
        estimand: `ate` or `att`.
    """
    t, y, e = design.treatment, design.outcome, propensity
    if estimand == "att":
        scores = (t - (1 - t) * e / (1 - e)) * (y - mu0) / t.mean()
        return scores, scores - t / t.mean() * scores.mean()
    scores = mu1 - mu0 + t * (y - mu1) / e - (1 - t) * (y - mu0) / (1 - e)
    return scores, scores - scores.mean()
