"""Groups of items and of users, as re-rankers read them: one group each, or several for an item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.after.pools import Floats, Ints, Pool
from equipoise.errors import DataError, nearest
from equipoise.metrics.memberships import MASS, memberships
from equipoise.models.histories import locate

UNKNOWN: Final = "(unknown)"
"""Group of items without a value, and of items that the table does not hold."""
POPULARITY: Final = "popularity"
"""Stands for head, middle and tail, each with a third of all events."""
_PROVIDER = "provider"
_BANDS = ("head", "middle", "tail")
_MANY = 0.5
"""A column of texts with a value of its own for more than this share of the items names no groups."""


@dataclass(frozen=True)
class Grouped:
    """The group of every item of a pool.

    Attributes:
        names: Names of the groups, sorted.
        code: Index into `names`, (users, depth); -1 where there is no item.
        catalogue: How many items of the catalogue each group has, (groups,).
    """

    names: list[str]
    code: Ints
    catalogue: Ints

    @classmethod
    def of(cls, pool: Pool, named: pl.DataFrame) -> Grouped:
        """Look up the groups that `item_groups` gave.

        Raises:
            DataError: if there is only one group.
        """
        found = pool.located(named[v.ITEM])
        strange = {UNKNOWN} if ((found < 0) & pool.there).any() else set()
        names = sorted({*named["group"].unique().to_list(), *strange})
        if len(names) < 2:
            raise DataError(
                f"There is only one group of items, '{names[0]}', so exposure cannot be shared",
                todo="Choose another column as `group`.",
            )
        codes = {name: code for code, name in enumerate(names)}
        of_item = named["group"].replace_strict(codes, return_dtype=pl.Int64).to_numpy()
        code = np.where(found >= 0, of_item[found], codes.get(UNKNOWN, -1))
        return cls(names, np.where(pool.there, code, -1), np.bincount(of_item, minlength=len(names)))


def item_groups(data: Dataset, column: str) -> pl.DataFrame:
    """Group of each item of the catalogue, as a frame of `item_id` and `group`.

    Args:
        data: Training data with an items table; for "popularity" its events are counted.
        column: A column of the items, or "popularity": the most popular items that together have a third of
            the events are the head, those that have the next third the middle, all others the tail.

    Raises:
        DataError: if the items have no such column.
    """
    if column == POPULARITY:
        counts = popularity(data)
        before = (pl.col("count").cum_sum() - pl.col("count")) / max(int(counts["count"].sum()), 1)
        band = (before * len(_BANDS)).floor().clip(0, len(_BANDS) - 1).cast(pl.Int64)
        return counts.select(
            v.ITEM, band.replace_strict(list(range(len(_BANDS))), list(_BANDS)).alias("group")
        )
    return item_column(data, column).select(
        v.ITEM, pl.col(column).cast(pl.String).fill_null(UNKNOWN).alias("group")
    )


def popularity(data: Dataset) -> pl.DataFrame:
    """Events of taste per item of catalogue and log, as a frame of `item_id`, `count`, most popular first."""
    counts = data.positives.group_by(v.ITEM).len("count")
    if data.items is not None:
        catalogue = data.items.select(pl.col(v.ITEM).cast(counts[v.ITEM].dtype)).unique()
        counts = catalogue.join(counts, on=v.ITEM, how="full", coalesce=True)
    return counts.with_columns(pl.col("count").fill_null(0).cast(pl.Int64)).sort(
        ["count", v.ITEM], descending=[True, False]
    )


def item_column(data: Dataset, column: str) -> pl.DataFrame:
    """The items with this column.

    Raises:
        DataError: if there is no items table, or it has no such column.
    """
    columns = [] if data.items is None else [name for name in data.items.columns if name != v.ITEM]
    if data.items is None or column not in columns:
        raise DataError(
            f"The items have no column '{column}' to group by",
            where=f"columns: {', '.join(columns)}" if columns else "there is no items table",
            todo=nearest(column, [*columns, POPULARITY]),
        )
    return data.items.select(v.ITEM, column)


def category_column(data: Dataset) -> str | None:
    """The first column of the items that names categories: texts, most of them shared with other items.

    None where there is no such column.
    """
    if data.items is None:
        return None
    for name in data.items.columns:
        values = data.items[name]
        texts = values.dtype in (pl.String, pl.Categorical, pl.Enum)
        if name != v.ITEM and texts and 1 < values.n_unique() <= max(_MANY * len(values), 2):
            return name
    return None


def category_masses(items: pl.DataFrame, column: str) -> tuple[pl.Series, list[str], Floats]:
    """The item ids, the categories, and the mass of each category in each item, (items, categories).

    Several categories of one item are joined by "|" and share its mass of 1; an item without a value has a row
    of zeros.

    Raises:
        DataError: if no item has a category.
    """
    members = memberships(items, column).to_native()
    names = sorted(members[v.GROUP].unique().to_list())
    masses = np.zeros((len(items), len(names)))
    places = locate(items[v.ITEM], members[v.ITEM]), locate(pl.Series(names), members[v.GROUP])
    masses[places] = members[MASS].to_numpy()
    return items[v.ITEM], names, masses


def grouping(data: Dataset, column: str | None) -> str:
    """The column asked for, else `provider` where the items have it, else "popularity"."""
    has_providers = data.items is not None and _PROVIDER in data.items.columns
    return column or (_PROVIDER if has_providers else POPULARITY)


def group_obstacle(data: Dataset, column: str) -> str | None:
    """Why items cannot be grouped by this column, in a sentence; None where they can."""
    if column == POPULARITY:
        return None
    if data.items is None:
        return f"there is no items table, so no column '{column}' to group items by."
    if column not in data.items.columns:
        return f"the items have no column '{column}' ({', '.join(data.items.columns)})."
    if data.items[column].n_unique() < 2:
        return f"all items are alike in '{column}'."
    return None


def attribute_of(data: Dataset, attribute: str | None) -> str | None:
    """The attribute asked for, else the data's first sensitive column; None where there is none."""
    return attribute or next(iter(data.sensitive), None)


def attribute_obstacle(data: Dataset, attribute: str | None) -> str | None:
    """Why users cannot be told apart by this attribute, in a sentence; None where they can."""
    column = attribute_of(data, attribute)
    if column is None:
        return "the data names no sensitive column, and `attribute` is not set."
    if data.users is None or column not in data.users.columns:
        return f"the users have no column '{column}'."
    if len(names := _values(data, column)) < 2:
        said = f"the single value '{names[0]}'" if names else "no value"
        return f"the users of the training events have {said} in '{column}'."
    return None


def user_groups(data: Dataset, column: str, users: pl.Series) -> tuple[list[str], Ints]:
    """Names of the groups of users with training events, sorted, and the index of each user's.

    The index is -1 where the attribute is not known, or is one that no user with training events has.
    """
    assert data.users is not None
    values, names = data.users[column].cast(pl.String), _values(data, column)
    rows = locate(data.users[v.USER], users)
    codes = locate(pl.Series(names, dtype=pl.String), values)
    return names, np.where(rows >= 0, codes[rows], -1)


def _values(data: Dataset, column: str) -> list[str]:
    """What users with training events have in a column, sorted."""
    assert data.users is not None
    seen = data.events[v.USER].unique().cast(data.users[v.USER].dtype, strict=False)
    values = data.users.filter(pl.col(v.USER).is_in(seen.implode()))[column]
    return sorted(values.drop_nulls().cast(pl.String).unique().to_list())
