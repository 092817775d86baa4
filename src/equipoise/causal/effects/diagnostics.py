"""Overlap, balance and calibration of the propensities, as plain values for the card."""

from __future__ import annotations

from typing import Any

import numpy as np

from equipoise.causal.effects.design import Design
from equipoise.causal.effects.nuisances import Nuisances
from equipoise.causal.effects.propensity_weights import arm_weights, clip_of, mediator_ratio
from equipoise.causal.effects.settings import Settings
from equipoise.causal.propensity.diagnostics import effective_sample_size
from equipoise.statistics.calibration import reliability
from equipoise.statistics.interval import Floats

_HISTOGRAM = 20


def diagnostics(
    design: Design, nuisances: Nuisances | None, method: str, estimand: str, settings: Settings
) -> dict[str, Any]:
    """The card's fields `overlap`, `balance` and `calibration`."""
    if design.continuous:
        return {"overlap": None, "balance": [], "calibration": None}
    t = design.treatment
    if nuisances is None:
        weights: Floats | None = None
    else:
        weights = arm_weights(nuisances.propensity, t, estimand)
    before = differences(design.covariates, t)
    after = [None] * len(before) if weights is None else differences(design.covariates, t, weights)
    balance = [
        {"covariate": name, "before": float(first), "after": None if second is None else float(second)}
        for name, first, second in zip(design.names, before, after, strict=True)
    ]
    if nuisances is None or weights is None:
        return {"overlap": None, "balance": balance, "calibration": None}
    return {
        "overlap": _overlap(nuisances, t, weights, settings),
        "balance": balance,
        "calibration": _calibration(nuisances.raw, t),
    }


def differences(covariates: Floats, treatment: Floats, weights: Floats | None = None) -> Floats:
    """Standardised mean differences (p,) of treated minus untreated, in pooled standard deviations before
    weighting; 0 where a covariate does not vary.

    Source: Austin (2009), "Balance diagnostics for comparing the distribution of baseline covariates".
    """
    w = np.ones(len(treatment)) if weights is None else weights
    arms = [treatment == 1, treatment == 0]
    spread = np.sqrt(sum(covariates[rows].var(axis=0) for rows in arms) / 2)
    means = [np.average(covariates[rows], axis=0, weights=w[rows]) for rows in arms]
    return np.asarray(np.where(spread > 0, (means[0] - means[1]) / np.where(spread > 0, spread, 1.0), 0.0))


def _overlap(nuisances: Nuisances, t: Floats, weights: Floats, settings: Settings) -> dict[str, Any]:
    e = nuisances.raw
    clip = clip_of(t, settings.overlap.clip)
    edges = np.linspace(0.0, 1.0, _HISTOGRAM + 1)
    counts = [np.histogram(e[t == arm], edges)[0] for arm in (1, 0)]
    scaled = weights / np.where(t == 1, weights[t == 1].mean(), weights[t == 0].mean())
    shown = {
        **_quantiles(e),
        "effective_sample_size": {
            "treated": effective_sample_size(weights[t == 1]),
            "control": effective_sample_size(weights[t == 0]),
        },
        "max_weight": float(scaled.max()),
        "mean_weight": float(weights.sum() / (2 * len(t))),
        "share_clipped": float(nuisances.clipped.mean()),
        "clip": clip,
        "histogram": [
            {"low": float(low), "high": float(high), "treated": int(one), "control": int(two)}
            for low, high, one, two in zip(edges[:-1], edges[1:], *counts, strict=True)
        ],
    }
    if nuisances.given_mediator is None:
        return shown
    given = np.clip(nuisances.given_mediator, clip, 1 - clip)
    return {**shown, "given_mediator": _given_mediator(nuisances, given, t)}


def _given_mediator(nuisances: Nuisances, given: Floats, t: Floats) -> dict[str, Any]:
    """Propensities given mediators and covariates, and the weights that carry mediators from arm to arm."""
    assert nuisances.given_mediator is not None
    ratio = mediator_ratio(given, nuisances.propensity, t)
    return {
        **_quantiles(nuisances.given_mediator),
        "effective_sample_size": {
            "treated": effective_sample_size(ratio[t == 1]),
            "control": effective_sample_size(ratio[t == 0]),
        },
        "max_weight": float(ratio.max()),
        "mean_weight": float(ratio.mean()),
        "share_clipped": float((given != nuisances.given_mediator).mean()),
    }


def _quantiles(e: Floats) -> dict[str, float]:
    names = ("minimum", "q01", "median", "q99", "maximum")
    quantiles = np.quantile(e, [0.0, 0.01, 0.5, 0.99, 1.0])
    return {name: float(value) for name, value in zip(names, quantiles, strict=True)}


def _calibration(propensity: Floats, treatment: Floats) -> dict[str, Any]:
    said = reliability(np.clip(propensity, 0.0, 1.0), treatment, bins=10)
    bins = [
        {"predicted": float(a), "observed": float(b), "n": int(c)}
        for a, b, c in zip(said.said, said.seen, said.n, strict=True)
    ]
    return {"ece": said.error, "bins": bins}
