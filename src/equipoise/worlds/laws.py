"""The truth of a world: what makes its users do what they do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.worlds.draws import uniform

Matrix = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Laws:
    """What makes the users of a world do what they do. Matrices are float32 of shape (users, items).

    Attributes:
        appetite: Log-odds of a click given examination, before the trend.
        trend: Amplitude (log-odds) of the seasonal trend of each item, length items.
        phase: Phase of that trend as a share of a period, length items.
        period: Days of a season.
        organic: Probability per visit of buying an item that was not shown.
        effect: What being shown adds to that probability; the sum is a probability.
        activity: Probability that a user visits on a day, length users.
        search: Probability that a visit begins with a search.
        examination_decay: A place j is examined with probability j ** -examination_decay.
        queries: What a user of each language types to look for each item: one column per language, one row
            per item; may be empty where nobody searches.
        language: Column of `queries` of each user, length users.
        presence: First and last day on which each user may visit, (users, 2); None for always.
    """

    appetite: Matrix
    trend: NDArray[np.float64]
    phase: NDArray[np.float64]
    period: float
    organic: Matrix
    effect: Matrix
    activity: NDArray[np.float64]
    search: float
    examination_decay: float
    queries: pl.DataFrame
    language: Ints
    presence: Ints | None = None

    def visits(self, seed: int, t: int) -> NDArray[np.bool_]:
        """Who visits on day `t`, length users."""
        came = uniform(seed, "visit", t, np.arange(len(self.activity))) < self.activity
        if self.presence is None:
            return came
        first, last = self.presence.T
        return np.asarray(came & (first <= t) & (t <= last))


@dataclass(frozen=True)
class GroupGap:
    """How much better the logger serves one group than another.

    Attributes:
        attribute: Column of `users`.
        favoured: The group that is served better by design.
        other: The group that is served worse.
        values: Mean true preference for a shown item, by group, under the logging policy.
    """

    attribute: str
    favoured: str
    other: str
    values: dict[str, float]

    @property
    def difference(self) -> float:
        """Value of the favoured group minus value of the other, in clicks per examined impression."""
        return self.values[self.favoured] - self.values[self.other]
