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
from equipoise.statistics.interval import Estimate


def aipw(design: Design, settings: Settings) -> Fitted:
    """Mean of `μ1 − μ0 + t(y − μ1)/e − (1 − t)(y − μ0)/(1 − e)`, or of the treated's part of it."""
    nuisances = cross_fit(design, settings)
    if refusal := lack_of_overlap(design, nuisances, settings):
        return Fitted(settings.estimand, refusal=refusal, nuisances=nuisances)
    assert nuisances.mu0 is not None
    assert nuisances.mu1 is not None
    t, y, e = design.treatment, design.outcome, nuisances.propensity
    without = y - nuisances.mu0
    if settings.estimand == "att":
        scores = (t * without - (1 - t) * e / (1 - e) * without) / t.mean()
        value = float(scores.mean())
        return Fitted(
            "att", Estimate(value, scores - t / t.mean() * value, design.clusters), None, nuisances, scores
        )
    scores = nuisances.mu1 - nuisances.mu0 + t * (y - nuisances.mu1) / e - (1 - t) * without / (1 - e)
    value = float(scores.mean())
    return Fitted("ate", Estimate(value, scores - value, design.clusters), None, nuisances, scores)
