"""Propensities that the logger wrote down."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.causal.propensity.base import FittedPropensity, PropensityModel, need
from equipoise.causal.propensity.diagnostics import checked
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.errors import DataError


class Given(PropensityModel):
    """The propensities of a column of the log: the best there are, where the logger is honest."""

    name: ClassVar[str] = "given"

    column: str = v.PROPENSITY
    """Column that holds them; null where nothing was shown."""

    def fit(self, events: Any, users: Any = None, items: Any = None, *, seed: int = 0) -> FittedPropensity:
        """Read the column.

        Raises:
            DataError: if it is missing or holds anything but probabilities in (0, 1] and nulls, or only ones
            (a
                deterministic logger: nothing can be weighed).
        """
        table = to_polars(events)
        need(table, (self.column,), model=self.name)
        column = table[self.column].cast(pl.Float64)
        known = column.is_not_null().to_numpy()
        values: NDArray[np.float64] = np.full(len(table), np.nan)
        values[known] = checked(column.drop_nulls().to_numpy(), what=self.column)
        if (values[known] == 1).all():
            raise DataError(
                f"All values of '{self.column}' are 1: the logger was deterministic", where=f"{known.sum()} rows",
                todo="Inverse weights cannot correct such a log; let the logger explore.",
            )  # fmt: skip
        return FittedPropensity(self, values, mean_weight=_mean_weight(table, values, items))


def _mean_weight(table: pl.DataFrame, values: NDArray[np.float64], items: Any) -> float | None:
    """Mean weight of whole slates: at each place, every item not standing above had its chance."""
    if items is None or v.POSITION not in table.columns or v.EVENT not in table.columns:
        return None
    known = pl.Series(~np.isnan(values))
    slates = known & (table[v.EVENT] == v.IMPRESSION) & table[v.POSITION].is_not_null()
    places = table.filter(slates)[v.POSITION].cast(pl.Float64)
    if places.is_empty():
        return None
    inverse = 1.0 / values[slates.to_numpy()]
    return float(inverse.sum() / (len(to_polars(items)) - places.to_numpy() + 1).sum())
