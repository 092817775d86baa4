"""Items become texts: the columns of a row joined into what an encoder reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from equipoise.data import to_polars
from equipoise.errors import DataError, nearest


def compose(items: Any, columns: Sequence[str]) -> pl.Series:
    """One text per item, made of its text columns in the order given.

    Each column is one line. Strings speak for themselves; lists ("genres") and strings separated by `|` are
    joined with commas, and a list, a number, a truth value or a date is preceded by the name of its column,
    because "1995" alone says little. Nulls, empty strings and empty lists leave no trace.

    Args:
        items: Items table of any engine.
        columns: Names of its columns to read; the most telling first, since long texts are cut at the end.

    Returns:
        Series `text` of strings in the order of the rows; an item with nothing to say has the empty string.

    Raises:
        DataError: if no column is named, or one does not exist or cannot be read as text.
    """
    table = to_polars(items)
    if not columns:
        raise DataError(
            "No text column is named, so there is nothing to encode",
            where=f"columns of the items: {', '.join(table.columns)}",
            todo="Name at least one text column.",
        )
    for column in columns:
        if column not in table.columns:
            raise DataError(f"The items have no column '{column}'", todo=nearest(column, table.columns))
    lines = [_line(column, table.schema[column]).alias(f"{place}") for place, column in enumerate(columns)]
    return table.select(lines).select(
        pl.concat_str(pl.all(), separator="\n", ignore_nulls=True).alias("text")
    )["text"]


def _line(column: str, dtype: pl.DataType) -> pl.Expr:
    """What one column contributes to the text: a string, or null for nothing."""
    value = pl.col(column)
    if isinstance(dtype, pl.List | pl.Array):
        words = value.cast(pl.List(pl.String)).list.eval(
            pl.element().str.strip_chars().replace("", None).drop_nulls()
        )
        return _named(column, words.list.join(", "))
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        words = value.cast(pl.String).str.replace_all("|", ", ", literal=True).str.strip_chars()
        return pl.when(words != "").then(words)
    if dtype.is_numeric() or dtype.is_temporal() or dtype in (pl.Boolean, pl.Null):
        return _named(column, value.cast(pl.String).fill_null(""))
    raise DataError(
        f"The column '{column}' of the items cannot be read as text", where=f"its type is {dtype}"
    )


def _named(column: str, words: pl.Expr) -> pl.Expr:
    """The words after the column's name, or null where there are none."""
    label = column.replace("_", " ")
    return pl.when(words != "").then(pl.concat_str(pl.lit(f"{label}: "), words))
