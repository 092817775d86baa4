"""Matching on covariates with bias correction: a check on the other methods that fits no propensity.

Each row is matched, with replacement, to its nearest rows of the other arm in Mahalanobis distance; what is
left of the distance is corrected by a regression per arm. Sources: Abadie and Imbens (2006), "Large sample
properties of matching estimators for average treatment effects", and (2011), "Bias-corrected matching
estimators"; the linear form used for the standard error is that of Otsu and Rai (2017), "Bootstrap inference
of matching estimators for average treatment effects", section 3.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from equipoise.causal.effects.design import BINARY, Design
from equipoise.causal.effects.methods.fitted import Fitted
from equipoise.causal.effects.methods.weighting import propensities
from equipoise.causal.effects.nuisances import Nuisances
from equipoise.causal.effects.overlap import lack_of_overlap
from equipoise.causal.effects.regressions import regress
from equipoise.causal.effects.settings import Settings
from equipoise.statistics.interval import Estimate, Floats


def matching(design: Design, settings: Settings) -> Fitted:
    """Mean of `μ1(x) − μ0(x)` corrected by the residuals of the matches.

    Among rows at equal distance the search takes any.
    """
    found, _ = propensities(design, settings, settings.estimand)
    if refusal := lack_of_overlap(design, found, settings):
        return Fitted(settings.estimand, refusal=refusal, nuisances=found)
    t, y = design.treatment, design.outcome
    arms = [t == 0, t == 1]
    mu0, mu1 = (
        regress(design.covariates[rows], y[rows], binary=design.outcome_kind == BINARY).predict(
            design.covariates
        )
        for rows in arms
    )
    att = settings.estimand == "att"
    neighbours = min(settings.neighbours, *(int(rows.sum()) for rows in arms))
    used, distance = _times_used(design, neighbours, only_treated=att)
    residual = np.where(t == 1, y - mu1, y - mu0)
    if att:
        scores = (t * (y - mu0) - (1 - t) * used * residual) / t.mean()
        value = float(scores.mean())
        influence = scores - t / t.mean() * value
    else:
        scores = mu1 - mu0 + (2 * t - 1) * (1 + used) * residual
        value = float(scores.mean())
        influence = scores - value
    return Fitted(
        settings.estimand,
        Estimate(value, influence, design.clusters),
        None,
        Nuisances(found.propensity, found.raw, mu0, mu1, found.folds),
        scores,
        details={"neighbours": neighbours, "mean_distance": distance, "most_used": float(used.max())},
    )


def _times_used(design: Design, neighbours: int, *, only_treated: bool) -> tuple[Floats, float]:
    """How often each row serves as a match, (n,), in shares of a match, and the mean distance (in standard
    deviations) of row and match.
    """
    used = np.zeros(design.n)
    if not design.covariates.shape[1]:
        of = design.treatment.sum()
        if only_treated:
            return np.where(design.treatment == 0, of / (design.n - of), 0.0), 0.0
        return np.where(design.treatment == 0, of / (design.n - of), (design.n - of) / of), 0.0
    points = _whitened(design.covariates)
    distances = []
    for arm in (1.0,) if only_treated else (0.0, 1.0):
        sought, pool = np.flatnonzero(design.treatment == arm), np.flatnonzero(design.treatment != arm)
        away, at = cKDTree(points[pool]).query(points[sought], k=neighbours)
        np.add.at(used, pool[np.asarray(at).ravel()], 1.0 / neighbours)
        distances.append(np.asarray(away).ravel())
    return used, float(np.concatenate(distances).mean())


def _whitened(covariates: Floats) -> Floats:
    """Coordinates in which Euclid's distance is Mahalanobis', (n, rank)."""
    centred = covariates - covariates.mean(axis=0)
    spread, turn = np.linalg.eigh(np.cov(centred, rowvar=False).reshape(covariates.shape[1], -1))
    kept = spread > 1e-10 * spread.max(initial=0.0)
    return np.asarray(centred @ (turn[:, kept] / np.sqrt(spread[kept])))
