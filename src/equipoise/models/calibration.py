"""From scores to probabilities: isotonic regression on held-out events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from equipoise.errors import ModelError

_HEAD = 200  # scores per user kept one by one; the tail below them is summed up
_TAIL_BINS = 50
_BINS = 100
_LEAST_POSITIVES = 5


@dataclass(frozen=True)
class Calibration:
    """A non-decreasing map from score to probability, linear between its knots.

    The probability is that the item is among the held-out events of a user who has any, given its score
    (Zadrozny & Elkan 2002, "Transforming classifier scores into accurate multiclass probability estimates").

    Attributes:
        scores: Knots, increasing, float64.
        probabilities: Values at the knots, in [0, 1], float64.
    """

    scores: NDArray[np.float64]
    probabilities: NDArray[np.float64]

    def __call__(self, scores: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Probabilities of scores; beyond the knots the outermost value holds."""
        return np.interp(scores, self.scores, self.probabilities)

    @classmethod
    def fit(
        cls, blocks: Iterable[tuple[NDArray[np.floating[Any]], NDArray[np.bool_], NDArray[np.bool_]]]
    ) -> Calibration:
        """Fit on blocks of (scores, eligible, relevant), each of shape (users, items).

        Each user's highest scores and all relevant ones count one by one; the others are summed up in quantile bins.
        Rows are then pooled to at least five relevant items each before the isotonic step, so that one lucky item at
        the top cannot claim certainty.

        Raises:
            ModelError: if fewer than five relevant items are there to calibrate on.
        """
        points = [_summary(*block) for block in blocks]
        score, count, hits = (
            (np.concatenate(parts) for parts in zip(*points, strict=True)) if points else (np.empty(0),) * 3
        )
        if hits.sum() < _LEAST_POSITIVES:
            raise ModelError(
                f"Probabilities cannot be calibrated on {int(hits.sum())} held-out events",
                todo="Hold out more events, or do without probabilities.",
            )
        order = np.argsort(score, kind="stable")
        score, count, hits = score[order], count[order], hits[order]
        per_bin = max(_LEAST_POSITIVES, int(np.ceil(hits.sum() / _BINS)))
        # A bin closes each time enough relevant items were passed, counted from the top.
        above = np.cumsum(hits[::-1])[::-1]
        bins = np.minimum((above - 1e-9) // per_bin, max(hits.sum() // per_bin - 1, 0)).astype(np.int64)
        edges = np.flatnonzero(np.r_[True, np.diff(bins) != 0])
        weight = np.add.reduceat(count, edges)
        mean_score = np.add.reduceat(score * count, edges) / weight
        rate = np.add.reduceat(hits, edges) / weight
        fitted = IsotonicRegression(y_min=0.0, y_max=1.0).fit_transform(
            mean_score, rate, sample_weight=weight
        )
        return cls(mean_score.astype(np.float64), np.asarray(fitted, dtype=np.float64))


def _summary(
    scores: NDArray[np.floating[Any]], eligible: NDArray[np.bool_], relevant: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Score, number of items and number of relevant items: head and relevant items singly, the rest in bins."""
    masked = np.where(eligible, scores, -np.inf)
    head = min(_HEAD, scores.shape[1])
    edge = np.partition(masked, -head, axis=1)[:, -head][:, None]
    single = eligible & ((masked >= edge) | relevant)
    rest = np.sort(scores[eligible & ~single].astype(np.float64))
    parts = [part for part in np.array_split(rest, _TAIL_BINS) if len(part)]
    one = scores[single].astype(np.float64)
    return (
        np.concatenate([one, [part.mean() for part in parts]]),
        np.concatenate([np.ones(len(one)), [len(part) for part in parts]]),
        np.concatenate([relevant[single].astype(np.float64), np.zeros(len(parts))]),
    )
