"""LensKit's item list collections, in both layouts of `save_parquet` and as saved data frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from equipoise.audit.formats.reading import Reading, reading
from equipoise.data.sources import read_table
from equipoise.errors import DataError


def lenskit(path: Path, *, users: Any = None, items: Any = None) -> Reading:
    """One row per user with a column `items` of lists of structs (the native layout), or one row per item (the
    flat layout, `to_df()`, and the frames of older versions with `user` and `item`).

    The lists are in order, so that position tells the rank where no column does.

    Raises:
        DataError: if the native layout has a column of lists that holds no items.
    """
    table = read_table(path)
    nested = [name for name, kind in table.schema.items() if isinstance(kind, pl.List)]
    if not nested:
        return reading(table, "lenskit", str(path))
    column = "items" if "items" in nested else nested[0]
    kind = table.schema[column]
    if not (isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct)):
        raise DataError(
            f"The column '{column}' holds no item lists",
            where=str(path),
            todo="Save the collection with save_parquet(path).",
        )
    filled = table.filter(pl.col(column).list.len() > 0)
    flat = filled.drop(*(name for name in nested if name != column)).explode(column).unnest(column)
    return reading(flat, "lenskit", str(path), ordered=True)
