"""Groups of users and of items as the corrections before training see them; the unknown are in none."""

from __future__ import annotations

import polars as pl

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.after.groups import UNKNOWN, item_groups
from equipoise.errors import DataError, nearest

POPULARITY = "popularity"
"""In place of a column of the items: head, middle and tail, each with a third of all events."""


def attribute_of(data: Dataset, attribute: str | None) -> str | None:
    """The column of users that is asked for, or the first sensitive one."""
    return attribute or next(iter(data.sensitive), None)


def user_obstacle(data: Dataset, attribute: str | None) -> str | None:
    """Why users cannot be told apart by this attribute, in a sentence."""
    column = attribute_of(data, attribute)
    if column is None:
        return "no attribute of users is named, and the data has no sensitive column."
    if data.users is None:
        return f"there is no users table to read '{column}' from."
    if column not in data.users.columns:
        return f"the users have no column '{column}'. {nearest(column, data.users.columns)}"
    known = data.users[column].drop_nulls().unique()
    if len(known) < 2:
        return f"all users have one value of '{column}' ({', '.join(map(str, known)) or 'none is known'})."
    return None


def item_obstacle(data: Dataset, column: str) -> str | None:
    """Why items cannot be told apart by this column, in a sentence."""
    if column == POPULARITY:
        return None
    if data.items is None:
        return f"there is no items table to read '{column}' from."
    if column not in data.items.columns:
        return f"the items have no column '{column}'. {nearest(column, [*data.items.columns, POPULARITY])}"
    known = data.items[column].drop_nulls().unique()
    if len(known) < 2:
        return f"all items have one value of '{column}' ({', '.join(map(str, known)) or 'none is known'})."
    return None


def users_by_group(data: Dataset, attribute: str | None) -> pl.DataFrame:
    """Frame of `user_id`, `group` (text) of the users whose attribute is known.

    Raises:
        DataError: if they cannot be told apart, or a group of the users table has no event of taste.
    """
    if (reason := user_obstacle(data, attribute)) is not None:
        raise DataError(f"Users cannot be grouped: {reason}")
    column = attribute_of(data, attribute)
    assert data.users is not None
    assert column is not None
    table = data.users.select(
        pl.col(v.USER).cast(data.events.schema[v.USER], strict=False),
        pl.col(column).cast(pl.String).alias(v.GROUP),
    )
    return _present(table.drop_nulls(), data, v.USER, column)


def items_by_group(data: Dataset, column: str) -> pl.DataFrame:
    """Frame of `item_id`, `group` (text) of the items whose group is known.

    Raises:
        DataError: if they cannot be told apart, or a group of the items table has no event of taste.
    """
    if (reason := item_obstacle(data, column)) is not None:
        raise DataError(f"Items cannot be grouped: {reason}")
    table = item_groups(data, column).select(
        pl.col(v.ITEM).cast(data.events.schema[v.ITEM], strict=False), pl.col("group").alias(v.GROUP)
    )
    return _present(table.drop_nulls().filter(pl.col(v.GROUP) != UNKNOWN), data, v.ITEM, column)


def per_event(events: pl.DataFrame, table: pl.DataFrame) -> pl.Series:
    """Group of each row of the events, null where it is in none.

    Args:
        events: Any rows with the id that `table` begins with.
        table: One row per id: the id, and `group`.
    """
    key = table.columns[0]
    return events.select(key).join(table, on=key, how="left", maintain_order="left")[v.GROUP]


def _present(table: pl.DataFrame, data: Dataset, key: str, column: str) -> pl.DataFrame:
    """The table, each of whose groups has events."""
    table = table.unique(key, keep="first", maintain_order=True)
    active = table.join(data.positives.select(key).unique(), on=key, how="semi")[v.GROUP].unique()
    absent = sorted(set(table[v.GROUP].unique()) - set(active))
    if absent:
        raise DataError(
            f"A group of '{column}' has no event in training, so no weight can help it: {', '.join(absent[:5])}",
            where=f"{len(data.positives)} events of taste",
            todo="Join rare groups, set their attribute to null, or choose another column.",
        )
    return table
