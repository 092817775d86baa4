"""A re-ranker that trades score against how exposure is shared among groups of items."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import polars as pl

from equipoise.debias.after.market import Market
from equipoise.debias.after.pools import Floats
from equipoise.debias.after.sharing import Sharing
from equipoise.debias.correction import Context


class Exposure(Sharing):
    """Maximise mean score - strength x sum over groups of |share of exposure - target share|, over all lists
    at once.

    The penalty is the largest gain of a price per group within [-strength, strength], so the trade-off is
    solved by prices: every list is sorted by score plus the price of the item's group, and prices move
    against over-exposure (projected dual subgradient, as in P-MMF: Xu et al. 2023, section 4, there with a
    max-min target). Exposure is counted with the position discount of DCG, 1 / log2(rank + 1). Scores are
    standardised within each user's pool, so a strength of 1 says: one unit of exposure at its due place is
    worth one standard deviation of score.
    """

    name: ClassVar[str] = "exposure"

    def rerank(self, pool: pl.DataFrame, context: Context, k: int) -> pl.DataFrame:
        """See `AfterTraining.rerank`.

        Raises:
            DataError: also if the items have no such column, or only one group.
        """
        if pool.is_empty():
            return pool
        table, column = self.market(pool, context, k)
        laid = table.pool
        target = table.due(self.target)
        unchanged = np.zeros(len(target))
        prices = self._prices(table, target) if self.strength else unchanged
        before, after = (table.outcome(table.order(price)) for price in (unchanged, prices))
        context.report(
            self,
            **laid.size(k),
            grouped_by=column,
            groups={
                name: {
                    "target": float(target[g]), "before": float(before.shares[g]), "after": float(after.shares[g]),
                    "price": float(prices[g]),
                }
                for g, name in enumerate(table.groups.names)
            },
            gap_before=float(np.abs(before.shares - target).sum()),
            gap_after=float(np.abs(after.shares - target).sum()),
            score_given_up=before.score - after.score,
            warnings=laid.warnings(k),
        )  # fmt: skip
        return laid.lists(table.order(prices), k)

    def _prices(self, table: Market, target: Floats) -> Floats:
        """The best prices met on the way, the current ones or their average so far; deterministic."""
        price, total = np.zeros(len(target)), np.zeros(len(target))
        best, highest = price, -np.inf
        for step in range(1, self.iterations + 1):
            total += price
            current = table.outcome(table.order(price))
            average = table.outcome(table.order(total / step))
            for candidate, outcome in ((price, current), (total / step, average)):
                value = outcome.score - self.strength * float(np.abs(outcome.shares - target).sum())
                if value > highest + 1e-12:
                    best, highest = candidate, value
            pace = 2 * self.strength / np.sqrt(step)
            price = np.clip(price - pace * (current.shares - target), -self.strength, self.strength)
        return best
