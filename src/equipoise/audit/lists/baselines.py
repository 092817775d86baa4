"""Two systems that know nobody: the most popular items, and items at random.

Every table of an audit carries them as reference rows: a system that is fair because it shows everybody the
same can only be told from others beside them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive
from equipoise.data.frames import require
from equipoise.errors import ConfigError, DataError
from equipoise.metrics.frames import together

__all__ = ["random_lists", "top_popular"]

Ints = NDArray[np.int64]

_BLOCK = 65_536  # users whose lists are made at once


def top_popular(train: Any, users: Any, k: int) -> pl.DataFrame:
    """For each user the `k` items with the most events in `train`, without those the user has there.

    Every row that tells of taste counts once (impressions and searches do not). Equal items stand in the
    order of their ids: numbers as numbers, text by code points. The answer is the same for any order of
    rows. Users that `train` does not know get the list of all; a user who has seen nearly everything gets a
    shorter list.

    Args:
        train: Events that the systems under audit could learn from, a frame with `user_id` and `item_id`.
        users: Ids: a frame with `user_id`, a series or an array; repeats count once.
        k: Length of the lists, at least 1.

    Returns:
        `user_id`, `item_id`, `rank` from 1, sorted by user and rank.

    Raises:
        DataError: if `train` is empty or lacks a column, or ids are numbers on one side and text on the other.
        ConfigError: if `k` is below 1.
    """
    events = _events(train)
    order = events.group_by(v.ITEM).len().sort(["len", v.ITEM], descending=[True, False])[v.ITEM]
    unseen = _Unseen.of(order, events, users, k)
    return unseen.lists(np.broadcast_to(np.arange(k), (len(rows), k)) for rows in unseen.blocks())


def random_lists(catalogue: Any, users: Any, k: int, seed: int = 0, *, train: Any = None) -> pl.DataFrame:
    """For each user `k` distinct items drawn with equal chances, without those the user has in `train`.

    The draws depend on the seed, on the set of users and on the set of items, never on the order of rows.

    Args:
        catalogue: Items that may be shown, a frame with `item_id`. Where it has `user_id` too, and no `train`
            is given, it is taken for the training events themselves.
        users: Ids: a frame with `user_id`, a series or an array; repeats count once.
        k: Length of the lists, at least 1.
        seed: Root of the draws.
        train: Events whose items are left out of their users' lists.

    Returns:
        `user_id`, `item_id`, `rank` from 1, sorted by user and rank.

    Raises:
        DataError: if the catalogue is empty or lacks a column, or ids are numbers on one side and text on the
            other.
        ConfigError: if `k` is below 1.
    """
    table = to_polars(catalogue)
    train = table if train is None and v.USER in table.columns else train
    items = _filled(table, v.ITEM, "catalogue") if train is not table else _events(table)
    order = items[v.ITEM].unique().sort()
    events = _events(train) if train is not None else None
    if events is not None:
        order, events = _same_items(order, events)
    unseen = _Unseen.of(order, events, users, k)
    generators = (np.random.default_rng([seed, block]) for block, _ in enumerate(unseen.blocks()))
    free = (len(order) - unseen.counts[rows] for rows in unseen.blocks())
    return unseen.lists(_draw(rng, left, k) for rng, left in zip(generators, free, strict=True))


def _draw(rng: np.random.Generator, left: Ints, k: int) -> Ints:
    """`k` distinct numbers below `left` for each row, in random order; where there are fewer, all and -1.

    Robert Floyd's sampling, all rows at once (Bentley and Floyd, "A sample of brilliance", CACM 1987): each
    step adds a number below its bound, or, if that was taken, the bound.
    """
    taken = np.full((len(left), k), -1, dtype=np.int64)
    for step in range(k):
        bound = left - np.minimum(left, k) + step
        drawn = rng.integers(0, bound + 1)
        repeated = (taken[:, :step] == drawn[:, None]).any(axis=1)
        taken[:, step] = np.where(bound < left, np.where(repeated, bound, drawn), -1)
    keys = np.where(taken >= 0, rng.random(taken.shape), 2.0)
    return np.take_along_axis(taken, keys.argsort(axis=1), axis=1)


@dataclass(frozen=True)
class _Unseen:
    """The items that each user has not seen, numbered from 0 in the order of `order`.

    With a user's seen positions sorted, p_0 < p_1 < ..., exactly p_i - i unseen items stand before p_i. So the
    j-th unseen item stands at j plus the number of i with p_i - i <= j, found by one binary search.
    """

    order: pl.Series
    """Item ids."""
    users: pl.Series
    """User ids, sorted."""
    keys: Ints
    """`user row * (items + 1) + p_i - i` of every seen pair, sorted."""
    counts: Ints
    """Seen items of each user."""
    starts: Ints
    """Where each user's keys begin."""

    @classmethod
    def of(cls, order: pl.Series, events: pl.DataFrame | None, users: Any, k: int) -> _Unseen:
        if k < 1:
            raise ConfigError(f"Lists of {k} items were asked for", todo="Ask for k of at least 1.")
        asked, seen = _ids(users), np.zeros(0, dtype=np.int64)
        if events is not None:
            wanted, pairs = together(nw.from_native(asked.to_frame()), nw.from_native(events))
            asked, events = wanted.to_native()[v.USER], pairs.to_native()
        asked = asked.unique().sort()
        if events is not None:
            rows = pl.DataFrame({v.USER: asked, "row": pl.int_range(len(asked), eager=True)})
            places = pl.DataFrame({v.ITEM: order, "place": pl.int_range(len(order), eager=True)})
            key = pl.col("row") * len(order) + pl.col("place")
            placed = events.lazy().join(rows.lazy(), on=v.USER).join(places.lazy(), on=v.ITEM).select(key)
            seen = np.sort(placed.collect().to_series().to_numpy())
            seen = seen[np.diff(seen, prepend=-1) > 0]
        row, position = np.divmod(seen, max(len(order), 1))
        counts = np.bincount(row, minlength=len(asked)).astype(np.int64)
        starts = np.cumsum(counts) - counts
        before = position - (np.arange(len(row)) - starts[row])
        return cls(order, asked, row * (len(order) + 1) + before, counts, starts)

    def blocks(self) -> Iterator[Ints]:
        """Rows of users, a block at a time."""
        for start in range(0, len(self.users), _BLOCK):
            yield np.arange(start, min(start + _BLOCK, len(self.users)))

    def lists(self, numbers: Iterator[Ints]) -> pl.DataFrame:
        """Recommendations from the numbers of unseen items, (block, k) each; numbers that are not there end
        a list.
        """
        size, parts = len(self.order), []
        for rows, wanted in zip(self.blocks(), numbers, strict=True):
            there = (wanted >= 0) & (wanted < (size - self.counts[rows])[:, None])
            row, place = np.nonzero(there)
            number, owner = wanted[row, place], rows[row]
            passed = np.searchsorted(self.keys, owner * (size + 1) + number, side="right")
            item = self.order.gather(number + passed - self.starts[owner])
            parts.append(pl.DataFrame({v.USER: self.users.gather(owner), v.ITEM: item, v.RANK: place + 1}))
        return pl.concat(parts) if parts else pl.DataFrame(schema={**self._ids, v.RANK: pl.Int64})

    @property
    def _ids(self) -> dict[str, pl.DataType]:
        return {v.USER: self.users.dtype, v.ITEM: self.order.dtype}


def _events(train: Any) -> pl.DataFrame:
    """Pairs of the training events that tell of taste."""
    table = to_polars(train)
    require(table.columns, v.USER, v.ITEM, table="training table")
    events = table.filter(positive(table) & pl.col(v.USER).is_not_null())
    return _filled(events.select(v.USER, v.ITEM), v.ITEM, "training table")


def _filled(table: pl.DataFrame, column: str, name: str) -> pl.DataFrame:
    require(table.columns, column, table=name)
    table = table.filter(pl.col(column).is_not_null())
    if not len(table):
        raise DataError(f"The {name} has no items", todo="Check that the right table is named.")
    return table


def _same_items(order: pl.Series, events: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
    """Item ids of one type in the catalogue and the events."""
    left, right = together(nw.from_native(order.to_frame()), nw.from_native(events))
    return left.to_native()[v.ITEM], right.to_native()


def _ids(users: Any) -> pl.Series:
    if isinstance(users, pl.Series):
        found = users
    elif isinstance(users, (list, tuple, np.ndarray)):
        found = pl.Series(v.USER, users)
    else:
        series = nw.from_native(users, allow_series=True)
        if isinstance(series, nw.Series):
            found = to_polars(series.alias(v.USER).to_frame().to_native())[v.USER]
        else:
            table = to_polars(users)
            require(table.columns, v.USER, table="users table")
            found = table[v.USER]
    return found.alias(v.USER).drop_nulls()
