"""Groups of users and of items as the corrections before training see them; the unknown are in none."""

from __future__ import annotations

import polars as pl

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.after.groups import item_groups
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
    return _lacking(_named(data, data.users, v.USER, column), data, "users", column)


def item_obstacle(data: Dataset, column: str) -> str | None:
    """Why items cannot be told apart by this column, in a sentence."""
    if column == POPULARITY:
        return None
    if data.items is None:
        return f"there is no items table to read '{column}' from."
    if column not in data.items.columns:
        return f"the items have no column '{column}'. {nearest(column, [*data.items.columns, POPULARITY])}"
    return _lacking(_named(data, data.items, v.ITEM, column), data, "items", column)


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
    return _named(data, data.users, v.USER, column)


def items_by_group(data: Dataset, column: str) -> pl.DataFrame:
    """Frame of `item_id`, `group` (text) of the items whose group is known.

    Raises:
        DataError: if they cannot be told apart, or a group of the items table has no event of taste.
    """
    if (reason := item_obstacle(data, column)) is not None:
        raise DataError(f"Items cannot be grouped: {reason}")
    if column == POPULARITY:
        return _named(data, item_groups(data, POPULARITY), v.ITEM, v.GROUP)
    assert data.items is not None
    return _named(data, data.items, v.ITEM, column)


def per_event(events: pl.DataFrame, table: pl.DataFrame) -> pl.Series:
    """Group of each row of the events, null where it is in none.

    Args:
        events: Any rows with the id that `table` begins with.
        table: One row per id: the id, and `group`.
    """
    key = table.columns[0]
    return events.select(key).join(table, on=key, how="left", maintain_order="left")[v.GROUP]


def _named(data: Dataset, table: pl.DataFrame, key: str, column: str) -> pl.DataFrame:
    """Id, as the events have it, and `group` of the rows where both are known."""
    ids = pl.col(key).cast(data.events.schema[key], strict=False)
    named = table.select(ids, pl.col(column).cast(pl.String).alias(v.GROUP)).drop_nulls()
    return named.unique(key, keep="first", maintain_order=True)


def _lacking(named: pl.DataFrame, data: Dataset, what: str, column: str) -> str | None:
    """Why groups cannot be told apart or helped, in a sentence."""
    groups = set(named[v.GROUP].unique())
    if len(groups) < 2:
        return f"all {what} have one value of '{column}' ({', '.join(groups) or 'none is known'})."
    key = named.columns[0]
    active = named.join(data.positives.select(key).unique(), on=key, how="semi")[v.GROUP].unique()
    if absent := sorted(groups - set(active)):
        return (
            f"a group of '{column}' has no event in training, so that no weight can help it: "
            f"{', '.join(absent[:5])}. Join rare groups, or set their '{column}' to null."
        )
    return None
