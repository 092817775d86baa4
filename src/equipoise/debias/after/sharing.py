"""What re-rankers that share exposure among groups of items have in common."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar

import polars as pl
from pydantic import Field

from equipoise.data import Dataset
from equipoise.debias.after.groups import Grouped, group_obstacle, grouping, item_groups
from equipoise.debias.after.market import Due, Market
from equipoise.debias.after.pools import Pool
from equipoise.debias.correction import AfterTraining, Bias, Context
from equipoise.models.recommender import Recommender


class Sharing(AfterTraining, ABC):
    """A re-ranker of all lists at once, by prices of groups of items."""

    against: ClassVar[tuple[Bias, ...]] = ("exposure", "popularity")

    group: str | None = None
    """Column of the items table, or "popularity" for head, middle and tail, each with a third of all events.

    None for `provider` where the items have it, else "popularity"."""
    strength: float = Field(1.0, ge=0)
    """What exposure at its due place is worth, in standard deviations of score; 0 changes nothing."""
    target: Due = "catalogue"
    """Due share of a group: the same for all, its share of the catalogue, or of the relevance in the pools."""
    iterations: int = Field(60, ge=1)
    """Steps of the prices."""

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """Items that cannot be grouped."""
        return group_obstacle(data, grouping(data, self.group))

    def market(self, pool: pl.DataFrame, context: Context, k: int) -> tuple[Market, str]:
        """The pools with their groups, and the column these come from."""
        laid, column = Pool.of(pool), grouping(context.data, self.group)
        return Market(laid, Grouped.of(laid, item_groups(context.data, column)), k), column
