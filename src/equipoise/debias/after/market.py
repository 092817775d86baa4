"""All lists at once, bought at prices: what an item is worth is its score plus the price of its group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit

from equipoise.debias.after.groups import Grouped
from equipoise.debias.after.pools import Floats, Ints, Pool, discounts

Due = Literal["equal", "catalogue", "merit"]
"""Due share of a group: the same for all, its share of the catalogue, or of the relevance in the pools."""


@dataclass(frozen=True)
class Outcome:
    """What lists come to.

    Attributes:
        score: Mean standardised score per unit of exposure.
        shares: Share of exposure of each group, summing to 1.
    """

    score: float
    shares: Floats


class Market:
    """All lists at once, sorted by score plus a price per group of items.

    Args:
        pool: The pools.
        groups: Of their items.
        k: Length of the lists.
    """

    def __init__(self, pool: Pool, groups: Grouped, k: int) -> None:
        self.pool, self.groups, self.scores = pool, groups, pool.standardised
        self.discount = discounts(min(k, pool.depth))

    def order(self, prices: Floats) -> Ints:
        """The lists, as places by score plus price; ties stay in the model's order."""
        k = len(self.discount)
        if not prices.any():
            return self.pool.unchanged[:, :k]
        return self.pool.best(self.scores + np.where(self.pool.there, prices[self.groups.code], 0.0), k)

    def due(self, kind: Due) -> Floats:
        """Due share of exposure of each group, summing to 1; (groups,)."""
        code, n = self.groups.code, len(self.groups.names)
        if kind == "equal":
            return np.full(n, 1 / n)
        if kind == "merit":
            mass = np.bincount(code[code >= 0], expit(self.scores[code >= 0]), n)
        else:
            mass = self.groups.catalogue.astype(np.float64)
        return np.asarray(mass / mass.sum())

    def outcome(self, order: Ints) -> Outcome:
        """What lists come to."""
        scores, group = (np.take_along_axis(one, order, 1) for one in (self.scores, self.groups.code))
        there = group >= 0
        weight = np.broadcast_to(self.discount, group.shape)[there]
        shares = np.bincount(group[there], weight, len(self.groups.names)) / weight.sum()
        return Outcome(float((scores[there] * weight).sum() / weight.sum()), shares)
