"""What is in a dataset: rows, users, items, density, time span, missing values, duplicates, columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from equipoise.data import vocabulary as v
from equipoise.data.dataset import Dataset


@dataclass(frozen=True)
class ColumnDescription:
    """One column of a table.

    Attributes:
        table: `events`, `users` or `items`.
        name: The column.
        dtype: Its type.
        missing: Rows without a value.
        different: Number of different values, missing ones apart; None for lists.
        example: One of its values.
    """

    table: str
    name: str
    dtype: str
    missing: int
    different: int | None
    example: str


@dataclass(frozen=True)
class Description:
    """A dataset in numbers.

    Attributes:
        rows: Rows per table that there is.
        users: Users with events.
        items: Items with events.
        density: Share of all pairs of those users and items with a positive event, in [0, 1].
        events: Rows by kind of event; empty where there are no kinds.
        span: First and last time as text, None where there is no timestamp.
        order: The column that orders events, None where there is none.
        duplicates: Event rows that repeat an earlier row.
        repeats: Positive events of a user and an item who met before.
        cold_users: Rows of `users` without events.
        cold_items: Rows of `items` without events.
        columns: Every column of every table.
        sensitive: Columns that audits group by.
        text: Columns that encoders read.
    """

    rows: dict[str, int]
    users: int
    items: int
    density: float
    events: dict[str, int]
    span: tuple[str, str] | None
    order: str | None
    duplicates: int
    repeats: int
    cold_users: int
    cold_items: int
    columns: tuple[ColumnDescription, ...]
    sensitive: tuple[str, ...]
    text: tuple[str, ...]

    def table(self) -> list[tuple[str, str]]:
        """Rows of (what, value) as text, for printing."""
        rows = [(f"rows of {name}", f"{count:,}") for name, count in self.rows.items()]
        rows += [("users with events", f"{self.users:,}"), ("items with events", f"{self.items:,}")]
        rows += [("density", f"{self.density:.4%}")]
        rows += [(f"events '{name}'", f"{count:,}") for name, count in self.events.items()]
        rows += [
            ("time", " to ".join(self.span) if self.span else f"none; order by {self.order or 'nothing'}")
        ]
        rows += [("duplicate rows", f"{self.duplicates:,}"), ("repeated pairs", f"{self.repeats:,}")]
        rows += [
            ("users without events", f"{self.cold_users:,}"),
            ("items without events", f"{self.cold_items:,}"),
        ]
        rows += [("sensitive", ", ".join(self.sensitive) or "none"), ("text", ", ".join(self.text) or "none")]
        return rows


def describe(data: Dataset) -> Description:
    """Count what a dataset holds; nothing is changed."""
    events, taste = data.events, data.positives
    pairs = taste.select(v.USER, v.ITEM).n_unique() if len(taste) else 0
    users, items = (events[column].drop_nulls().n_unique() for column in (v.USER, v.ITEM))
    tables = {"events": events, "users": data.users, "items": data.items}
    there = {name: table for name, table in tables.items() if table is not None}
    kinds = events[v.EVENT].value_counts(sort=True).rows() if v.EVENT in events.columns else []
    return Description(
        rows={name: len(table) for name, table in there.items()},
        users=users,
        items=items,
        density=pairs / (users * items) if users and items else 0.0,
        events={str(name): count for name, count in kinds},
        span=_span(events),
        order=data.time,
        duplicates=len(events) - (events.drop(v.ORDER) if data.numbered else events).n_unique(),
        repeats=len(taste) - pairs,
        cold_users=_cold(data.users, events, v.USER),
        cold_items=_cold(data.items, events, v.ITEM),
        columns=tuple(_column(name, column) for name, t in there.items() for column in t.iter_columns()),
        sensitive=data.sensitive,
        text=data.text,
    )


def _column(table: str, column: pl.Series) -> ColumnDescription:
    known = column.drop_nulls()
    example = "" if known.is_empty() else str(known[0])
    different = None if column.dtype.is_nested() else known.n_unique()
    return ColumnDescription(
        table, column.name, str(column.dtype), column.null_count(), different, example[:60]
    )


def _span(events: pl.DataFrame) -> tuple[str, str] | None:
    if v.TIMESTAMP not in events.columns or events[v.TIMESTAMP].drop_nulls().is_empty():
        return None
    time = events[v.TIMESTAMP]
    if time.dtype.is_numeric():
        time = (time.cast(pl.Float64) * 1e6).cast(pl.Int64).cast(pl.Datetime("us"))
    return _moment(time.min()), _moment(time.max())


def _moment(time: Any) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}"


def _cold(table: pl.DataFrame | None, events: pl.DataFrame, key: str) -> int:
    return 0 if table is None else len(table.join(events.select(key), on=key, how="anti"))
