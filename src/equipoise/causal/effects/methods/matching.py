"""Matching on covariates with bias correction: a check on the other methods that fits no propensity.

Each row is matched, with replacement, to its nearest rows of the other arm in Mahalanobis distance, to all
that are as near as the last of them; what is left of the distance is corrected by a regression per arm.
Sources: Abadie and Imbens (2006), "Large sample properties of matching estimators for average treatment
effects", and (2011), "Bias-corrected matching estimators"; the linear form used for the standard error is that
of Otsu and Rai (2017), "Bootstrap inference of matching estimators for average treatment effects", section 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from equipoise.causal.effects.design import BINARY, Design
from equipoise.causal.effects.methods.fitted import Fitted
from equipoise.causal.effects.methods.weighting import propensities
from equipoise.causal.effects.nuisances import Nuisances
from equipoise.causal.effects.overlap import lack_of_overlap
from equipoise.causal.effects.regressions import regress
from equipoise.causal.effects.settings import Settings
from equipoise.statistics.interval import Estimate, Floats

Ints = NDArray[np.int64]

_ROUNDING = 1e-9  # distances are equal, and directions empty, within this


def matching(design: Design, settings: Settings) -> Fitted:
    """Mean of `μ1(x) − μ0(x)` corrected by the residuals of the matches."""
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

    Matches of a row are all rows of the other arm that are no farther than the nearest `neighbours` of them, in
    equal shares, so that the order of the rows plays no part (Abadie and Imbens 2006, section 2.1).
    """
    places, of_row = np.unique(design.covariates, axis=0, return_inverse=True)
    points = _whitened(places, np.bincount(of_row.ravel()))
    used = np.zeros(design.n)
    distances = np.zeros(2)
    for arm in (1.0,) if only_treated else (0.0, 1.0):
        sought, pool = design.treatment == arm, design.treatment != arm
        asking, offering = (np.bincount(of_row[rows], minlength=len(places)) for rows in (sought, pool))
        shares, distance = _shared(points, asking, offering, neighbours)
        used[pool] = shares[of_row[pool]]
        distances += distance, sought.sum()
    return used, float(distances[0] / distances[1])


def _shared(points: Floats, asking: Ints, offering: Ints, neighbours: int) -> tuple[Floats, float]:
    """How often each row at a point serves as a match, (points,), and the sum of all distances.

    Args:
        points: (points, rank), all different.
        asking: (points,), rows there that seek matches.
        offering: (points,), rows there that may be matches.
        neighbours: Fewest matches of a row, at most the sum of `offering`.
    """
    sought, pool = np.flatnonzero(asking), np.flatnonzero(offering)
    tree = cKDTree(points[pool])
    nearest = min(neighbours, len(pool))
    away, at = (found.reshape(len(sought), nearest) for found in tree.query(points[sought], k=nearest))
    last = (offering[pool][at].cumsum(axis=1) >= neighbours).argmax(axis=1)
    radius = np.take_along_axis(away, last[:, None], axis=1)[:, 0]
    within = tree.query_ball_point(points[sought], radius * (1 + _ROUNDING) + _ROUNDING)
    matched = pool[np.concatenate(within).astype(np.int64)]
    seeker = np.repeat(np.arange(len(sought)), [len(found) for found in within])
    share = asking[sought] / np.bincount(seeker, offering[matched])
    used = np.bincount(matched, share[seeker], minlength=len(points)).astype(np.float64)
    apart = np.linalg.norm(points[sought][seeker] - points[matched], axis=1)
    return used, float((share[seeker] * offering[matched]) @ apart)


def _whitened(places: Floats, rows: Ints) -> Floats:
    """Coordinates in which Euclid's distance is Mahalanobis', (places, rank); one constant where nothing varies.

    Args:
        places: (places, p), different values of the covariates.
        rows: (places,), how many rows have them.
    """
    varies = np.ptp(places, axis=0) > 0
    centred = places[:, varies] - np.average(places[:, varies], axis=0, weights=rows)
    if not centred.shape[1]:
        return np.zeros((len(places), 1))
    centred /= np.sqrt(np.average(centred**2, axis=0, weights=rows))
    spread, turn = np.linalg.eigh((centred * rows[:, None]).T @ centred / rows.sum())
    kept = spread > _ROUNDING * spread.max()
    return np.asarray(centred @ (turn[:, kept] / np.sqrt(spread[kept])))
