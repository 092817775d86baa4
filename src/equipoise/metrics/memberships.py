"""To which groups an item belongs: its genres, its provider, its length, as a column of the items says."""

from __future__ import annotations

from typing import Any, Final

import narwhals as nw
import numpy as np

from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.metrics import frames

MASS: Final = "mass"
SEPARATOR: Final = "|"


def memberships(items: Any, column: str) -> nw.DataFrame[Any]:
    """Items with the groups they belong to.

    An item with several groups, joined by "|" as in "Comedy|Drama", belongs to each with the same part of its
    mass 1. An item without a value belongs to none, and has no row.

    Args:
        items: Frame of `item_id` and the column, one row per item.
        column: Any column; numbers are taken as text.

    Returns:
        Frame of `item_id`, `group` (text), `mass` (in (0, 1], adding up to 1 per item).

    Raises:
        DataError: if the column is missing, an item stands twice, or no item has a group.
    """
    table = frames.collect(frames.read(items, (v.ITEM, column), "items").select(v.ITEM, column))
    if len(table.select(v.ITEM).unique()) != len(table):
        raise DataError("The items repeat an 'item_id'", todo="Keep one row per item.")
    groups = [_groups(value) for value in table.get_column(column).to_list()]
    sizes = np.array([len(of_item) for of_item in groups], dtype=np.int64)
    if not sizes.sum():
        raise DataError(f"No item has a value in '{column}'", where=f"{len(table)} items")
    rows = np.repeat(np.arange(len(table)), sizes)
    text = [group for of_item in groups for group in of_item]
    return table[rows].select(
        v.ITEM,
        nw.new_series(v.GROUP, text, nw.String, backend=table.implementation),
        nw.new_series(MASS, 1.0 / sizes[rows], nw.Float64, backend=table.implementation),
    )


def _groups(value: object) -> list[str]:
    """The distinct groups of one cell, sorted."""
    if value is None or value != value:
        return []
    if isinstance(value, float) and value.is_integer():  # a whole number that a null beside it made a float
        value = int(value)
    return sorted({part.strip() for part in str(value).split(SEPARATOR)} - {""})
