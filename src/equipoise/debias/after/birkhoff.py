"""Marginal probabilities of ranks as a mixture of rankings (Birkhoff 1946, von Neumann 1953)."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from equipoise.debias.after.pools import Floats, Ints

_NOTHING = 1e-7  # probabilities below are what a solver leaves of a zero


def decompose(matrix: Floats) -> tuple[Floats, Ints]:
    """Rankings, and how probable each is, whose mixture has these marginal probabilities, up to 1e-6.

    Each step takes a ranking that the matrix allows, and as much of it as can be taken: until an entry is used up, or
    an item has to be in all rankings that are left. So every step ends on a smaller face of the polytope, and there
    are no more rankings than the matrix has entries between 0 and 1, plus one. Items that are not in every ranking
    have rows that sum to less than 1.

    Args:
        matrix: Probability of each item at each place, (items, places), with places <= items; columns sum to 1, rows
            to at most 1.

    Returns:
        Probabilities, (rankings,), summing to 1, and the item at each place, (rankings, places).

    Raises:
        ValueError: if the matrix is not of this kind.
    """
    left, (items, places) = np.where(matrix > _NOTHING, matrix, 0.0), matrix.shape
    if places > items or (matrix < -1e-6).any() or not np.allclose(matrix.sum(axis=0), 1, atol=1e-6):
        raise ValueError("Columns must be distributions over at least as many items as there are places")
    if (matrix.sum(axis=1) > 1 + 1e-6).any():
        raise ValueError("Rows must not sum to more than 1")
    weights, rankings, total = list[float](), list[Ints](), 1.0
    while total > _NOTHING:
        slack = total - left.sum(axis=1)
        needed = (slack <= _NOTHING)[:, None]
        # an entry that is used up must not be taken; an item without slack must
        item, place = linear_sum_assignment(np.where(left > 0, 1.0 + needed, -4.0 * places), maximize=True)
        ranking = item[np.argsort(place)]
        out = np.ones(items, dtype=bool)
        out[ranking] = False
        entries = left[ranking, np.arange(places)]
        share = min(total, float(entries.min()), float(slack[out].min(initial=np.inf)))
        if share <= _NOTHING:  # what rounding left over
            break
        weights.append(share)
        rankings.append(ranking)
        left[ranking, np.arange(places)] = np.where(entries - share > _NOTHING, entries - share, 0.0)
        total -= share
    found = np.array(weights)
    return found / found.sum(), np.array(rankings)
