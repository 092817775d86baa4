"""Propensities that the logger wrote down."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.causal.propensity.base import FittedPropensity, PropensityModel, cells, need
from equipoise.causal.propensity.diagnostics import checked
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive
from equipoise.errors import DataError

Floats = NDArray[np.float64]


class Given(PropensityModel):
    """The propensities of a column of the log: the best there are, where the logger is honest."""

    name: ClassVar[str] = "given"

    column: str = v.PROPENSITY
    """Column that holds them; null where nothing was shown."""

    def check(self, events: pl.DataFrame) -> None:
        """Look at the values of the column.

        Raises:
            DataError: if it is missing or holds anything but probabilities in (0, 1] and nulls, or only ones.
        """
        need(events, (self.column,), model=self.name)
        known = checked(events[self.column].cast(pl.Float64).drop_nulls().to_numpy(), what=self.column)
        if (known == 1).all():
            raise DataError(
                f"All values of '{self.column}' are 1: the logger was deterministic", where=f"{len(known)} rows",
                todo="Inverse weights cannot correct such a log; let the logger explore.",
            )  # fmt: skip

    def fit(self, events: Any, users: Any = None, items: Any = None, *, seed: int = 0) -> FittedPropensity:
        """Read the column.

        Raises:
            DataError: if it is missing or holds anything but probabilities in (0, 1] and nulls, or only ones (a
                deterministic logger: nothing can be weighed).
        """
        table = to_polars(events)
        self.check(table)
        values: Floats = table[self.column].cast(pl.Float64).fill_null(np.nan).to_numpy()
        inverse, expected = _over_slates(table, values, items)
        if expected is None:
            inverse, expected = _over_matrix(table, values, users, items)
        ratio = None if expected is None else inverse / expected
        return FittedPropensity(self, values, mean_weight=ratio, expected_weight=expected)


def _over_slates(table: pl.DataFrame, values: Floats, items: Any) -> tuple[float, float | None]:
    """Mean of the inverse propensities of whole slates, and what it should be: at each place, every item not
    standing above had its chance.
    """
    if items is None or v.POSITION not in table.columns or v.EVENT not in table.columns:
        return math.nan, None
    known = pl.Series(~np.isnan(values))
    slates = known & (table[v.EVENT] == v.IMPRESSION) & table[v.POSITION].is_not_null()
    places = table.filter(slates)[v.POSITION].cast(pl.Float64)
    if places.is_empty():
        return math.nan, None
    inverse = 1.0 / values[slates.to_numpy()]
    return float(inverse.mean()), float((len(to_polars(items)) - places.to_numpy() + 1).mean())


def _over_matrix(table: pl.DataFrame, values: Floats, users: Any, items: Any) -> tuple[float, float | None]:
    """Mean of the inverse propensities of a rating matrix, and what it should be: cells per rating.

    A rating matrix has at most one event per user and item, and each event has a value. Its cells are those of the
    tables, with or without events.
    """
    if v.VALUE not in table.columns or table.filter(positive(table).not_()).height:
        return math.nan, None
    if (
        table[v.VALUE].null_count()
        or np.isnan(values).any()
        or table.select(v.USER, v.ITEM).is_duplicated().any()
    ):
        return math.nan, None
    return float((1.0 / values).mean()), cells(table, users, items) / len(table)
