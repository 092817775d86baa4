"""Propensities from how popular an item is."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import polars as pl
from pydantic import Field

from equipoise.causal.propensity.base import FittedPropensity, PropensityModel, exposures, need
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.errors import DataError


class Popularity(PropensityModel):
    """(exposures of the item / exposures of the most exposed item) ^ power (Saito et al. 2020, section 5.1).

    Exposures are impressions where the log has them, else events. The propensities are relative: the most
    popular item has 1, so only ratios of weights mean something.
    """

    name: ClassVar[str] = "popularity"

    power: float = Field(0.5, gt=0, le=2)
    """How strongly exposure follows popularity; 1 for impressions, 0.5 is usual for clicks."""

    def fit(self, events: Any, users: Any = None, items: Any = None, *, seed: int = 0) -> FittedPropensity:
        """Count the exposures of each item.

        An item with events but no impression counts as exposed once.

        Raises:
            DataError: if no row has an item.
        """
        table = to_polars(events)
        need(table, (v.ITEM,), model=self.name)
        counts = exposures(table).group_by(v.ITEM).agg(pl.len().alias("_count"))
        if counts.is_empty():
            raise DataError("No event has an item, so no item has a popularity", where=f"{len(table)} rows")
        seen = table.select(v.ITEM).join(counts, on=v.ITEM, how="left", maintain_order="left")
        relative = (pl.col("_count").fill_null(1) / counts["_count"].max()) ** self.power
        values = seen.select(pl.when(pl.col(v.ITEM).is_not_null()).then(relative).otherwise(np.nan))
        return FittedPropensity(self, values.to_series().to_numpy())
