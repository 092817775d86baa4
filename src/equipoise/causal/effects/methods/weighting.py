"""Weighting by inverse propensities (self-normalised) and by overlap weights.

The propensities are estimated, which makes these estimators more precise than they would be with known ones.
Where the propensity model is a logistic regression, it is fitted to all rows and its score is stacked with
the estimator's, so that the standard error accounts for it; where it is a learner, propensities are
cross-fitted and taken as known, which is conservative for the average effect. Sources: Hirano, Imbens and
Ridder (2003), "Efficient estimation of average treatment effects using the estimated propensity score";
Lunceford and Davidian (2004), "Stratification and weighting via the propensity score", section 3; Li, Morgan
and Zaslavsky (2018), "Balancing covariates via propensity score weighting".
"""

from __future__ import annotations

import numpy as np

from equipoise.causal.effects.design import Design
from equipoise.causal.effects.methods.fitted import Fitted
from equipoise.causal.effects.nuisances import Nuisances, cross_fit
from equipoise.causal.effects.overlap import lack_of_overlap
from equipoise.causal.effects.propensity_weights import arm_weights, clip_of, clipped
from equipoise.causal.effects.regressions import Regression, regress
from equipoise.causal.effects.settings import Settings
from equipoise.statistics.interval import Estimate, Floats

STACKED, KNOWN = "propensities estimated (stacked)", "propensities taken as known"
CONSERVATIVE = f"{KNOWN} (conservative)"


def ipw(design: Design, settings: Settings) -> Fitted:
    """Difference of weighted means, `Σ w t y / Σ w t − Σ w (1 − t) y / Σ w (1 − t)`, w inverse propensities
    (for the treated's effect: 1 and the odds).
    """
    return _weighted(design, settings, settings.estimand)


def overlap_weighting(design: Design, settings: Settings) -> Fitted:
    """The same with weights 1 − e for the treated and e for the others: the effect where both arms meet."""
    return _weighted(design, settings, "ato")


def _weighted(design: Design, settings: Settings, estimand: str) -> Fitted:
    nuisances, model = propensities(design, settings, estimand)
    if refusal := lack_of_overlap(design, nuisances, settings, estimand):
        return Fitted(estimand, refusal=refusal, nuisances=nuisances)
    t, y, e = design.treatment, design.outcome, nuisances.propensity
    w = arm_weights(e, t, estimand)
    value, influence, residuals = 0.0, np.zeros(design.n), np.zeros(design.n)
    for arm, sign in ((1.0, 1.0), (0.0, -1.0)):
        rows = w * (t == arm)
        mean = float(rows @ y / rows.sum())
        value += sign * mean
        away = rows * (y - mean) / rows.mean()
        influence += sign * away
        residuals += sign * away / np.where(rows > 0, rows, 1.0)  # what a change of the row's weight adds
    said = CONSERVATIVE if estimand == "ate" else KNOWN
    if model is not None:
        # d weight / d logit, and the logistic model's own influence on its coefficients
        slope = _weight_slope(e, t, estimand) * ~nuisances.clipped
        x = model.basis(design.covariates)
        raw = nuisances.raw
        ridge = np.diag([0.0, *[model.penalty] * (x.shape[1] - 1)])
        hessian = (x * (raw * (1 - raw))[:, None]).T @ x + ridge + 1e-10 * np.eye(x.shape[1])
        moved = np.linalg.solve(hessian, x.T @ (slope * residuals))
        influence = influence + (x @ moved) * (t - raw)
        said = STACKED
    return Fitted(
        estimand,
        Estimate(value, influence, design.clusters),
        None,
        nuisances,
        details={"standard_error": said},
    )


def propensities(design: Design, settings: Settings, estimand: str) -> tuple[Nuisances, Regression | None]:
    """Propensities of a logistic model fitted to all rows (all in one fold), with the model; or cross-fitted
    propensities of a learner, and None.
    """
    if settings.propensity_model not in ("linear", "quadratic"):
        return cross_fit(design, settings, outcomes=False, estimand=estimand), None
    model = regress(
        design.covariates,
        design.treatment,
        binary=True,
        quadratic=settings.propensity_model == "quadratic",
    )
    raw = model.predict(design.covariates)
    whole = np.zeros(design.n, dtype=np.int64)
    held = clipped(raw, clip_of(design.treatment, settings.overlap.clip), estimand)
    return Nuisances(held, raw, None, None, whole), model


def _weight_slope(e: Floats, t: Floats, estimand: str) -> Floats:
    """Derivative of each row's weight by its logit propensity."""
    if estimand == "att":
        return np.asarray(np.where(t == 1, 0.0, e / (1 - e)))
    if estimand == "ato":
        return np.asarray(np.where(t == 1, -1.0, 1.0) * e * (1 - e))
    return np.asarray(np.where(t == 1, -(1 - e) / e, e / (1 - e)))
