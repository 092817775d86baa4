"""Identifiers of tables from different places: made one type, and checked to be the same people and things."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from equipoise.errors import DataError


def one_type(tables: Sequence[pl.DataFrame], key: str) -> list[pl.DataFrame]:
    """The tables with `key` as whole numbers where all have whole numbers, else as text.

    7, 7.0 and "7" are the same identifier; "007" is another. Tables without the column stay as they are.
    """
    kinds = {table.schema[key] for table in tables if key in table.columns}
    if len(kinds) <= 1:
        return list(tables)
    whole = all(_whole(table[key]) for table in tables if key in table.columns)

    def cast(column: pl.Series) -> pl.Series:
        number = column.cast(pl.Int64) if _whole(column) else column
        return number if whole else number.cast(pl.String)

    return [table.with_columns(cast(table[key])) if key in table.columns else table for table in tables]


def check_shared(one: pl.DataFrame, other: pl.DataFrame, key: str, names: tuple[str, str]) -> None:
    """Refuse tables that have no identifier in common: some mapping between them was lost.

    Args:
        one: A table with the column `key`.
        other: Another one, with the column of the same type.
        key: Column of identifiers.
        names: What the tables are called.

    Raises:
        DataError: showing identifiers of both.
    """
    if one[key].is_in(other[key].unique().implode()).any():
        return
    samples = ", ".join(
        f"{name}: {', '.join(str(value) for value in table[key].drop_nulls().unique().sort().head(3))} ..."
        for name, table in zip(names, (one, other), strict=True)
    )
    raise DataError(
        f"No '{key}' of the {names[0]} stands in the {names[1]}",
        where=samples,
        todo="Give both tables the same identifiers; some libraries write their inner numbers.",
    )


def _whole(column: pl.Series) -> bool:
    if column.dtype.is_float():
        return bool((column.drop_nulls() % 1 == 0).all())
    return column.dtype.is_integer()
