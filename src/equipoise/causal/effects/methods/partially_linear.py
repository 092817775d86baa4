"""Continuous treatments: the slope of the outcome on the amount, given covariates (partially linear model).

Source: Robinson (1988), "Root-N-consistent semiparametric regression"; cross-fitted by Chernozhukov et al.
(2018), "Double/debiased machine learning", section 4.1 (the partialling-out score).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from equipoise.causal.effects.design import BINARY, Design
from equipoise.causal.effects.methods.fitted import Fitted
from equipoise.causal.effects.nuisances import cross_fit, make_folds, predict
from equipoise.causal.effects.overlap import lack_of_overlap
from equipoise.causal.effects.settings import Settings
from equipoise.statistics.interval import Estimate


def partially_linear(design: Design, settings: Settings) -> Fitted:
    """Residual on residual: `Σ (t − m(x)) (y − l(x)) / Σ (t − m(x))²`."""
    folds = make_folds(design, settings.folds, settings.seed)
    binary = design.outcome_kind == BINARY
    expected = predict(
        settings.outcome_model, design.covariates, design.outcome, folds, binary, settings.seed
    )
    amount = predict(
        settings.propensity_model, design.covariates, design.treatment, folds, False, settings.seed
    )
    t, y = design.treatment - amount, design.outcome - expected
    left = float((t**2).mean() / design.treatment.var())
    limit = settings.overlap.minimum_treatment_variance
    details = {"treatment_variance_left": left}
    if left < limit:
        return Fitted(
            "slope",
            refusal=f"No overlap: the covariates leave {left:.1%} of the treatment's variance "
            f"(at least {limit:.1%} is needed)",
            details=details,
        )
    if refusal := _arms_apart(design, settings):
        return Fitted("slope", refusal=refusal, details=details)
    value = float(t @ y / (t @ t))
    influence = t * (y - value * t) / (t @ t / design.n)
    return Fitted("slope", Estimate(value, influence, design.clusters), details=details)


def _arms_apart(design: Design, settings: Settings) -> str | None:
    """Lack of overlap of a treatment of two values, in words; its weights are those of overlap weighting, up to
    the fit of the amount.
    """
    if len(np.unique(design.treatment)) != 2:
        return None
    treated = (design.treatment == design.treatment.max()).astype(np.float64)
    model = settings.propensity_model
    known = model if isinstance(model, str) or hasattr(model, "predict_proba") else "linear"
    of_two = replace(design, treatment=treated, treated=1, control=0)
    found = cross_fit(
        of_two, settings.model_copy(update={"propensity_model": known}), outcomes=False, estimand="ato"
    )
    return lack_of_overlap(of_two, found, settings, "ato")
