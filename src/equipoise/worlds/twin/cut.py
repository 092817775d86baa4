"""The log a twin is made from: checked, and cut to what a world holds in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive
from equipoise.errors import DataError
from equipoise.worlds.draws import uniform


@dataclass(frozen=True)
class Source:
    """A log with the users and items that a twin will have.

    Attributes:
        events: The events of these users on these items, and their searches.
        users: One row per user who did something, in the order of ids.
        items: One row per item of the catalogue, in the order of ids.
        notes: What was left out, as sentences.
    """

    events: pl.DataFrame
    users: pl.DataFrame
    items: pl.DataFrame
    notes: tuple[str, ...]


def cut(data: Dataset, *, max_users: int, max_items: int, strata: str | None, seed: int) -> Source:
    """Check a log and take a systematic sample of its items and users.

    Items are taken at equal steps along their order of popularity, users along their order of group and
    activity, so that both keep their shape.

    Args:
        data: The log.
        max_users: Most users kept.
        max_items: Most items kept.
        strata: Column of the users by which they are sorted first.
        seed: Decides where the steps begin.

    Raises:
        DataError: if the log is empty, ids are missing or stand twice, nothing tells of taste, or fewer than
            two users or items are left.
    """
    events, users, items = _tables(data)
    if strata:
        users = users.with_columns(pl.col(strata).cast(pl.String).fill_null(v.UNKNOWN))
    notes: list[str] = []
    taste = events.filter(positive(events))
    if taste.is_empty():
        raise DataError(
            "No event tells of taste, so that there is nothing to make a twin of",
            where=f"{len(events)} rows, all of them impressions or searches",
            todo="Add clicks, purchases, ratings or views.",
        )
    if len(items) > max_items:
        notes.append(
            f"{max_items:,} of {len(items):,} items were kept, at equal steps along their order of popularity."
        )
        items = _thinned(items, v.ITEM, taste, max_items, seed)
        taste = taste.join(items.select(v.ITEM), on=v.ITEM, how="semi")
    there = users.join(taste.select(v.USER).unique(), on=v.USER, how="semi", maintain_order="left")
    if idle := len(users) - len(there):
        notes.append(
            f"{idle:,} of {len(users):,} users have no event of taste on these items and were left out."
        )
    users = there
    if len(users) > max_users:
        notes.append(
            f"{max_users:,} of {len(users):,} users were kept, at equal steps along their order of "
            f"{'group and ' if strata else ''}activity."
        )
        users = _thinned(users, v.USER, taste, max_users, seed, strata)
    if len(users) < 2 or len(items) < 2:
        raise DataError(
            "A twin needs at least two users who did something and two items",
            where=f"{len(users)} users, {len(items)} items",
            todo="Give more of the log.",
        )
    events = events.join(users.select(v.USER), on=v.USER, how="semi", maintain_order="left").filter(
        pl.col(v.ITEM).is_null() | pl.col(v.ITEM).is_in(items[v.ITEM].implode())
    )
    return Source(events, users, items, tuple(notes))


def _tables(data: Dataset) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Events, users and items with ids of one type, each user and each item of the log in its table."""
    events = data.events
    if events.is_empty():
        raise DataError("The log is empty", todo="A twin is made from events.")
    made = []
    for column, table in ((v.USER, data.users), (v.ITEM, data.items)):
        missing = events[column].is_null()
        if column == v.ITEM and v.EVENT in events.columns:
            missing &= events[v.EVENT].ne_missing(v.SEARCH)
        if missing.any():
            raise DataError(
                f"Some events have no '{column}'",
                where=f"{missing.sum():,} of {len(events):,} rows",
                todo="Leave these rows out" + (", or mark them as searches." if column == v.ITEM else "."),
            )
        table = table if table is not None else pl.DataFrame(schema={column: events.schema[column]})
        if column not in table.columns:
            raise DataError(f"The table of {column.removesuffix('_id')}s has no column '{column}'")
        if events.schema[column] != table.schema[column]:
            both = _common(events.schema[column], table.schema[column])
            events, table = (frame.with_columns(pl.col(column).cast(both)) for frame in (events, table))
        if table[column].null_count() or table[column].is_duplicated().any():
            raise DataError(
                f"The '{column}' of the table of {column.removesuffix('_id')}s is missing or stands twice",
                where=f"{table[column].null_count()} missing, {int(table[column].is_duplicated().sum())} repeated",
                todo="Give each one row with an id of its own.",
            )
        strangers = events.select(pl.col(column).drop_nulls().unique()).join(table, on=column, how="anti")
        made.append(pl.concat([table, strangers], how="diagonal").sort(column))
    return events, made[0], made[1]


def _common(one: pl.DataType, other: pl.DataType) -> pl.DataType:
    return pl.Int64() if one.is_integer() and other.is_integer() else pl.String()


def _thinned(
    table: pl.DataFrame, key: str, taste: pl.DataFrame, most: int, seed: int, first: str | None = None
) -> pl.DataFrame:
    """`most` rows at equal steps along the order of `first`, then of the number of events."""
    counts = taste.group_by(key).agg(pl.len().alias("_events"))
    sized = table.join(counts, on=key, how="left", maintain_order="left").with_columns(
        pl.col("_events").fill_null(0)
    )
    ordered = sized.sort(*((first,) if first else ()), "_events", key, nulls_last=True)
    start = float(uniform(seed, f"cut {key}", [0])[0])
    rows = np.floor((np.arange(most) + start) * len(ordered) / most).astype(np.int64)
    return ordered[rows].drop("_events").sort(key)
