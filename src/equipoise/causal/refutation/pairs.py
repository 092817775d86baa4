"""Matched pairs: each treated row beside an untreated one of about the same propensity, none used twice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from equipoise.causal.effects import Design
from equipoise.statistics.interval import Floats

_CALIPER = 0.2  # standard deviations of the logit: Austin (2011), "Optimal caliper widths"
_ROUNDS = 200


def pair_differences(design: Design, propensity: Floats, seed: int = 0) -> Floats:
    """Outcome of the treated less that of the untreated row of each pair, (pairs,).

    Rows stand in the order of their propensity; neighbours of different arms within 0.2 standard deviations of
    the logit become pairs and leave, and so on until none is left. Of each cluster one row drawn at random takes
    part, so that pairs are independent.

    Args:
        design: The data, with a treatment of 0 and 1.
        propensity: (n,), inside (0, 1).
        seed: Root of the draw.
    """
    rng = np.random.default_rng([seed, 15])
    rows = rng.permutation(design.n)
    if design.clusters is not None:
        rows = rows[np.unique(design.clusters[rows], return_index=True)[1]]
    place = logit(np.clip(propensity[rows], 1e-9, 1 - 1e-9))
    caliper = _CALIPER * float(place.std()) + 1e-12
    order = np.argsort(place, kind="stable")
    rows, place = rows[order], place[order]
    treated, left, right = design.treatment[rows] == 1, [], []
    for _ in range(_ROUNDS):
        edge = (treated[:-1] != treated[1:]) & (np.diff(place) <= caliper)
        chosen = np.flatnonzero(_every_other(edge))
        if not len(chosen):
            break
        left.append(rows[chosen])
        right.append(rows[chosen + 1])
        kept = np.ones(len(rows), dtype=bool)
        kept[chosen] = kept[chosen + 1] = False
        rows, place, treated = rows[kept], place[kept], treated[kept]
    one, two = (np.concatenate(side) if side else np.zeros(0, dtype=np.int64) for side in (left, right))
    sign = np.where(design.treatment[one] == 1, 1.0, -1.0)
    return np.asarray(sign * (design.outcome[one] - design.outcome[two]), dtype=np.float64)


def _every_other(edge: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The first, third, ... of each run of true values: edges that share no row."""
    place = np.arange(len(edge))
    last_false = np.maximum.accumulate(np.where(edge, -1, place)) if len(edge) else place
    return np.asarray(edge & ((place - last_false) % 2 == 1))
