"""Ids become indices, and event logs become flat arrays of histories: where tables end and linear algebra begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive

Ints = NDArray[np.int64]


def locate(ids: pl.Series, wanted: pl.Series) -> Ints:
    """Row of each wanted id within `ids` (unique), -1 where it is not there; ids of another type are cast."""
    rows = pl.DataFrame({"id": ids}).with_row_index("row")
    asked = pl.DataFrame({"id": wanted.cast(ids.dtype, strict=False)})
    found = asked.join(rows, on="id", how="left", maintain_order="left")["row"]
    return found.cast(pl.Int64).fill_null(-1).to_numpy()


@dataclass(frozen=True)
class Catalogue:
    """All known ids in sorted order, and how often training saw them.

    Attributes:
        users: User ids of events and users table, sorted.
        items: Item ids of events and items table, sorted.
        user_counts: Positive events per user in training.
        item_counts: Positive events per item in training; an item with 0 is cold.
    """

    users: pl.Series
    items: pl.Series
    user_counts: Ints
    item_counts: Ints

    @classmethod
    def of(cls, data: Dataset) -> Catalogue:
        """The catalogue of a training set."""

        def known(column: str, table: pl.DataFrame | None) -> pl.Series:
            seen = data.events[column].drop_nulls().unique()
            if table is not None:
                seen = pl.concat([seen, table[column].cast(seen.dtype).drop_nulls()]).unique()
            return seen.sort().alias(column)

        def counts(ids: pl.Series, column: str) -> Ints:
            return np.bincount(locate(ids, data.positives[column]), minlength=len(ids)).astype(np.int64)

        users, items = known(v.USER, data.users), known(v.ITEM, data.items)
        return cls(users, items, counts(users, v.USER), counts(items, v.ITEM))


@dataclass(frozen=True)
class Histories:
    """Pasts of several users, oldest event first, as flat arrays.

    Attributes:
        starts: Row `u` owns the steps `starts[u]:starts[u + 1]`; int64 of length rows + 1.
        items: Catalogue index per step; -1 for a search or an item that the catalogue does not hold.
        queries: Index into `texts` per step; -1 where the step is no search.
        texts: Query texts.
        weights: Weight per step, float32 (1 where nothing was said).
        values: What the event carried (a rating), float32; NaN where nothing was.
    """

    starts: Ints
    items: Ints
    queries: Ints
    texts: tuple[str, ...]
    weights: NDArray[np.float32]
    values: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @classmethod
    def of(
        cls,
        events: pl.DataFrame,
        catalogue: Catalogue,
        weights: NDArray[np.floating[Any]] | None = None,
        users: pl.Series | None = None,
    ) -> Histories:
        """Histories of `users` (default: all of the catalogue), one row each in that order.

        Steps are the positive events and the searches; impressions are left out. Order is by `timestamp`, else `order`,
        else as the rows stand; ties keep the order of the rows.

        Args:
            events: Event table.
            catalogue: Ids to index by.
            weights: One weight per row of `events`.
            users: Whose histories; ids outside the events get an empty history.
        """
        whose = catalogue.users if users is None else users
        search = pl.col(v.QUERY).is_not_null() if v.QUERY in events.columns else pl.lit(False)
        if v.EVENT in events.columns:
            search = search & (pl.col(v.EVENT) == v.SEARCH)
        table = events.with_columns(
            pl.Series("_weight", np.ones(len(events)) if weights is None else weights, dtype=pl.Float32),
            pl.Series("_user", locate(whose, events[v.USER])),
            search.alias("_search"),
        )
        table = table.filter((pl.col("_user") >= 0) & (positive(table) | pl.col("_search")))
        time = next((column for column in (v.TIMESTAMP, v.ORDER) if column in table.columns), None)
        table = table.sort(["_user", *([time] if time else [])], maintain_order=True)
        queries = (
            table.select(pl.when("_search").then(v.QUERY))[v.QUERY] if v.QUERY in table.columns else None
        )
        texts = (
            queries.drop_nulls().unique().sort() if queries is not None else pl.Series([], dtype=pl.String)
        )
        starts = np.concatenate(
            [[0], np.cumsum(np.bincount(table["_user"].to_numpy(), minlength=len(whose)))]
        )
        values = (
            table[v.VALUE].cast(pl.Float32).fill_null(np.nan).to_numpy() if v.VALUE in table.columns else None
        )
        return cls(
            starts.astype(np.int64),
            locate(catalogue.items, table[v.ITEM]),
            np.full(len(table), -1) if queries is None else locate(texts, queries),
            tuple(texts.to_list()),
            table["_weight"].to_numpy(),
            np.full(len(table), np.nan, dtype=np.float32) if values is None else values,
        )

    def take(self, rows: Sequence[int] | Ints) -> Histories:
        """The histories of these rows, in this order; row -1 gives an empty history."""
        wanted = np.asarray(rows, dtype=np.int64)
        sizes = np.where(wanted >= 0, np.diff(self.starts)[wanted] if len(self) else 0, 0)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        steps = (
            np.arange(starts[-1])
            - np.repeat(starts[:-1], sizes)
            + np.repeat(self.starts[:-1][wanted] if len(self) else wanted, sizes)
        )
        return Histories(
            starts,
            self.items[steps],
            self.queries[steps],
            self.texts,
            self.weights[steps],
            self.values[steps],
        )

    def followed_by(self, later: Histories) -> Histories:
        """Each row's steps, then the same row's steps of `later`."""
        owner = np.concatenate(
            [np.repeat(np.arange(len(part)), np.diff(part.starts)) for part in (self, later)]
        )
        order = np.argsort(owner, kind="stable")
        shifted = np.where(later.queries >= 0, later.queries + len(self.texts), -1)
        return Histories(
            self.starts + later.starts,
            np.concatenate([self.items, later.items])[order],
            np.concatenate([self.queries, shifted])[order],
            self.texts + later.texts,
            np.concatenate([self.weights, later.weights])[order],
            np.concatenate([self.values, later.values])[order],
        )

    def matrix(self, n_items: int) -> sparse.csr_matrix:
        """Rows x items, float32: the summed weights of each item; searches and unknown items are left out."""
        known = self.items >= 0
        rows = np.repeat(np.arange(len(self)), np.diff(self.starts))[known]
        shape = (len(self), n_items)
        return sparse.csr_matrix(
            (self.weights[known], (rows, self.items[known])), shape=shape, dtype=np.float32
        )
