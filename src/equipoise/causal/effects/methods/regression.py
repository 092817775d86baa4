"""Regression adjustment: a model of the outcome per arm, averaged over the population (g-computation).

Linear for numbers (Lin 2013, "Agnostic notes on regression adjustments to experimental data": interacted
least squares) and logistic for binary outcomes. Right only if the outcome models are.
"""

from __future__ import annotations

import numpy as np

from equipoise.causal.effects.design import BINARY, Design
from equipoise.causal.effects.methods.fitted import Fitted
from equipoise.causal.effects.methods.weighting import propensities
from equipoise.causal.effects.nuisances import Nuisances
from equipoise.causal.effects.overlap import lack_of_overlap
from equipoise.causal.effects.regressions import regress
from equipoise.causal.effects.settings import Settings
from equipoise.errors import ConfigError
from equipoise.statistics.interval import Estimate


def regression(design: Design, settings: Settings) -> Fitted:
    """Mean of `μ1(x) − μ0(x)` over everybody, or over the treated.

    The standard error counts both the spread of the effect over the population and the error of the
    coefficients (stacked estimating equations).

    Raises:
        ConfigError: if the outcome model is a learner, for which no such standard error is known.
    """
    if settings.outcome_model not in ("linear", "quadratic"):
        raise ConfigError(
            "Regression adjustment has no honest interval with a learner as outcome model",
            todo="Use 'linear' or 'quadratic', or method='aipw', which takes any learner.",
        )
    found, _ = propensities(design, settings, settings.estimand)
    if refusal := lack_of_overlap(design, found, settings):
        return Fitted(settings.estimand, refusal=refusal, nuisances=found)
    t, y = design.treatment, design.outcome
    counted = t if settings.estimand == "att" else np.ones(design.n)
    predicted, influence = [], np.zeros(design.n)
    for arm, sign in ((0.0, -1.0), (1.0, 1.0)):
        rows = t == arm
        model = regress(
            design.covariates[rows],
            y[rows],
            binary=design.outcome_kind == BINARY,
            quadratic=settings.outcome_model == "quadratic",
        )
        x, mean = model.basis(design.covariates), model.predict(design.covariates)
        slope = mean * (1 - mean) if model.binary else np.ones(design.n)
        ridge = np.diag([1e-10, *[model.penalty] * (x.shape[1] - 1)])
        hessian = (x[rows] * slope[rows, None]).T @ x[rows] + ridge
        gradient = x.T @ (counted * slope) / counted.sum()
        influence += sign * rows * (y - mean) * (x @ np.linalg.solve(hessian, gradient)) * design.n
        predicted.append(mean)
    difference = predicted[1] - predicted[0]
    value = float(counted @ difference / counted.sum())
    influence += counted * (difference - value) / counted.mean()
    nuisances = Nuisances(found.propensity, found.raw, predicted[0], predicted[1], found.folds)
    return Fitted(settings.estimand, Estimate(value, influence, design.clusters), None, nuisances)
