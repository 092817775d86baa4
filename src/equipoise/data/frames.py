"""Any engine's frame in, an eager frame out: where lazy engines become Polars."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import narwhals as nw

from equipoise.data import vocabulary as v
from equipoise.data.dataset import to_narwhals, to_polars
from equipoise.errors import DataError, nearest


def eager(frame: Any) -> nw.DataFrame[Any]:
    """A Narwhals view of any frame: eager frames stay their own kind, lazy engines (DuckDB, PySpark) become
    Polars.

    Raises:
        DataError: if it is not a frame, or a column occurs twice.
    """
    native = to_narwhals(frame)
    if isinstance(native, nw.DataFrame):
        return native
    return nw.from_native(to_polars(frame), eager_only=True)


def require(columns: list[str], *wanted: str, table: str = "table") -> None:
    """Check that these columns are there.

    Raises:
        DataError: naming the first that is not, the nearest, and all that are.
    """
    for column in wanted:
        if column not in columns:
            raise DataError(f"The {table} has no column '{column}'", todo=nearest(column, columns))


def named_columns(names: str | Iterable[str]) -> list[str]:
    """Names of columns as a list; a text is one name, not its letters."""
    return [names] if isinstance(names, str) else list(names)


def orderable(frame: nw.DataFrame[Any]) -> list[str]:
    """Columns that rows can be sorted by: no lists, structs or Python objects."""
    unordered = (nw.List, nw.Array, nw.Struct, nw.Object, nw.Unknown, nw.Binary)
    return [name for name, dtype in frame.schema.items() if not isinstance(dtype, unordered)]


def canonical(frame: nw.DataFrame[Any], *first: str) -> nw.DataFrame[Any]:
    """Rows sorted by `first`, then by all other columns in name order, so that the order of arrival plays no
    part.
    """
    rest = sorted(column for column in orderable(frame) if column not in first)
    return frame.sort(*first, *rest, nulls_last=True)


def taste(frame: nw.DataFrame[Any]) -> nw.Expr:
    """Expression that is true for rows that tell of taste: everything but impressions and searches."""
    item = ~nw.col(v.ITEM).is_null()
    return item & ~nw.col(v.EVENT).is_in(sorted(v.NOT_POSITIVE)) if v.EVENT in frame.columns else item
