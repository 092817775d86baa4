"""From scores to probabilities: isotonic regression on held-out events.

scikit-learn is imported where it is used: it loads pandas where that is installed, and a fitted map needs neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import ModelError

Floats = NDArray[np.float64]
Block = tuple[NDArray[np.floating[Any]], NDArray[np.bool_], NDArray[np.bool_]]

_HEAD = 200  # scores per user kept one by one
_TAIL = 20  # groups into which each user's lower scores are summed up
_BINS = 100
_LEAST_POSITIVES = 5


@dataclass(frozen=True)
class Calibration:
    """A non-decreasing map from score to probability: constant within pools of scores, linear between them.

    The probability is that the item is among the held-out events of a user who has any, given its score
    (Zadrozny & Elkan 2002, "Transforming classifier scores into accurate multiclass probability estimates").

    Attributes:
        scores: Knots, strictly increasing, float64.
        probabilities: Values at the knots, in [0, 1], float64.
    """

    scores: Floats
    probabilities: Floats

    def __call__(self, scores: NDArray[np.floating[Any]]) -> Floats:
        """Probabilities of scores; beyond the knots the outermost value holds."""
        probabilities: Floats = np.interp(scores, self.scores, self.probabilities)
        return probabilities

    @classmethod
    def fit(cls, blocks: Iterable[Block]) -> Calibration:
        """Fit on blocks of (scores, eligible, relevant), each of shape (users, items).

        Each user's highest scores count one by one, the lower ones in groups. Rows are then pooled to at
        least five relevant items each before the isotonic step, so that one lucky item at the top cannot
        claim certainty.

        Raises:
            ModelError: if fewer than five relevant items are there to calibrate on.
        """
        from sklearn.isotonic import IsotonicRegression

        points = [_points(*block) for block in blocks]
        score, count, hits = np.concatenate(points, axis=1) if points else np.empty((3, 0))
        if hits.sum() < _LEAST_POSITIVES:
            raise ModelError(
                f"Probabilities cannot be calibrated on {int(hits.sum())} held-out events",
                todo="Hold out more events, or do without probabilities.",
            )
        levels, level = np.unique(score, return_inverse=True)
        count, hits = (np.bincount(level, total).astype(np.float64) for total in (count, hits))
        first = _pooled(hits)
        last = np.r_[first[1:], len(levels)] - 1
        weight = np.add.reduceat(count, first)
        rate = np.add.reduceat(hits, first) / weight
        isotonic = IsotonicRegression(y_min=0.0, y_max=1.0)
        probability = isotonic.fit_transform(levels[first], rate, sample_weight=weight)
        # A pool has one probability from its lowest to its highest score; only the gap to the next is bridged.
        place = np.unique(np.r_[first, last])
        pool = np.searchsorted(first, place, side="right") - 1
        return cls(levels[place], np.asarray(probability, dtype=np.float64)[pool])


def _points(
    scores: NDArray[np.floating[Any]], eligible: NDArray[np.bool_], relevant: NDArray[np.bool_]
) -> Floats:
    """Mean score, number of items and number of relevant items: each user's head singly, the tail in groups.

    Every user is summed up alone, so that the calibration is the same for every block size.
    """
    order = np.argsort(np.where(eligible, -scores, np.inf), axis=1, kind="stable")
    eligible = np.take_along_axis(eligible, order, axis=1)
    scores = np.where(eligible, np.take_along_axis(scores, order, axis=1), 0.0).astype(np.float64)
    relevant = np.take_along_axis(relevant, order, axis=1) & eligible
    items = scores.shape[1]
    head = min(_HEAD, items)
    edges = np.unique(np.r_[np.arange(head), np.linspace(head, items, _TAIL, endpoint=False, dtype=np.int64)])
    edges = edges[edges < items]
    total, count, hits = (
        np.add.reduceat(part.astype(np.float64), edges, axis=1).ravel()
        for part in (scores, eligible, relevant)
    )
    there = count > 0
    return np.stack([total[there] / count[there], count[there], hits[there]])


def _pooled(hits: Floats) -> NDArray[np.int64]:
    """Where pools begin that hold enough relevant items each, counted from the top."""
    enough = max(_LEAST_POSITIVES, int(np.ceil(hits.sum() / _BINS)))
    above = np.cumsum(hits[::-1])[::-1]
    pool = np.clip((above - 1) // enough, 0, max(hits.sum() // enough - 1, 0))
    return np.flatnonzero(np.r_[True, np.diff(pool) != 0])
