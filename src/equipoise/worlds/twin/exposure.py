"""Expected exposure under a Plackett-Luce logger, fast enough to fit weights by it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from equipoise.worlds.laws import Matrix

Floats = NDArray[np.float64]

_STEPS = 4


class Exposure:
    """How much each user looks at each item, given weights: an approximation that remembers where it was.

    An item of weight w has been drawn by time T of the exponential race with probability 1 - exp(-w T); T is
    where the expected number of items drawn is the number of places (Rosén 1997, "On sampling with probability
    proportional to size").

    Args:
        visits: Expected visits of each user.
        examination: Probability that each place of a slate is looked at.
        once: Whether slates of a user continue one ranking, so that nothing is shown twice.
        n_items: Size of the catalogue.
    """

    def __init__(self, visits: Floats, examination: Floats, once: bool, n_items: int) -> None:
        length = len(examination)
        if once:
            self._places = [np.minimum(np.maximum(visits * length, length), 0.98 * n_items)]
            self._look = [float(examination.mean())]
            self._times = visits * length / self._places[0]
        else:
            ends = [end for end in (1, 2, 4, 8, 16, 32, 64) if end < length] + [length]
            starts = [0, *ends[:-1]]
            self._places = [np.full(len(visits), min(float(end), 0.98 * n_items)) for end in ends]
            self._look = [float(examination[a:b].mean()) for a, b in zip(starts, ends, strict=True)]
            self._times = visits
        self._race: list[Floats | None] = [None] * len(self._places)

    def __call__(self, weights: Matrix) -> tuple[Matrix, Matrix]:
        """Expected impressions and expected looks over the log, (users, items)."""
        before: Matrix | float = 0.0
        looks = np.zeros_like(weights)
        for number, (places, look) in enumerate(zip(self._places, self._look, strict=True)):
            shown = self._shown(number, weights, places)
            looks += np.float32(look) * (shown - before)
            before = shown
        times = self._times[:, None].astype(np.float32)
        return np.asarray(before) * times, looks * times

    def _shown(self, number: int, weights: Matrix, places: Floats) -> Matrix:
        """Probability of standing among the first `places`."""
        race = self._race[number]
        time = places / weights.sum(axis=1) if race is None else race
        for _ in range(_STEPS * (3 if race is None else 1)):
            absent = np.exp(-weights * time[:, None].astype(np.float32))
            drawn = weights.shape[1] - absent.sum(axis=1, dtype=np.float64)
            speed = (weights * absent).sum(axis=1, dtype=np.float64)
            # The number drawn is concave in time, so that Newton's steps from the left never pass the answer.
            time = np.clip(time + (places - drawn) / np.maximum(speed, 1e-30), 0.2 * time, 5 * time)
            if np.abs(drawn / places - 1).max() < 1e-4:
                break
        self._race[number] = time
        return 1 - np.exp(-weights * time[:, None].astype(np.float32))
