"""All lists at once, bought at prices: what an item is worth is its score plus the price of its group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.debias.after.groups import Grouped
from equipoise.debias.after.pools import Floats, Ints, Pool, discounts


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
        """Places of each row by score plus price, best first; ties stay in the model's order."""
        if not prices.any():
            return np.tile(np.arange(self.pool.depth), (len(self.scores), 1))
        return self.pool.order(self.scores + np.where(self.pool.there, prices[self.groups.code], 0.0))

    def outcome(self, order: Ints) -> Outcome:
        """What the first places of an order come to."""
        top = order[:, : len(self.discount)]
        scores, group = np.take_along_axis(self.scores, top, 1), np.take_along_axis(self.groups.code, top, 1)
        there = group >= 0
        weight = np.broadcast_to(self.discount, group.shape)[there]
        shares = np.bincount(group[there], weight, len(self.groups.names)) / weight.sum()
        return Outcome(float((scores[there] * weight).sum() / weight.sum()), shares)
