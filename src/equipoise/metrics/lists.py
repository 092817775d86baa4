"""What a list is like, whatever its user took: intra-list diversity, novelty, mean popularity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.metrics import frames
from equipoise.metrics.definitions import DEFINITIONS, Definition
from equipoise.metrics.ranking import check_cutoff

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ListMetric:
    """Mean over a list of one number per item.

    Attributes:
        definition: Formula, range, unit, direction.
        k: Cutoff.
        items: Frame of `item_id` and `number`, one row per item.
        absent: The number of an item that `items` does not hold.
    """

    definition: Definition
    k: int
    items: Any
    absent: float

    @property
    def name(self) -> str:
        """As in "novelty@10"."""
        return f"{self.definition.name}@{self.k}"

    def __call__(self, recommendations: Any, truth: Any = None) -> Any:
        """Frame of `user_id`, `value` for every user with recommendations; the truth is not looked at."""
        shown = frames.recommendations(recommendations).filter(nw.col(v.RANK) <= self.k)
        shown, items = frames.together(shown, nw.from_native(self.items))
        number = nw.col("number").fill_null(self.absent).alias("value")
        joined = shown.join(items, on=v.ITEM, how="left").with_columns(number)
        return frames.collect(joined.group_by(v.USER).agg(nw.col("value").mean())).sort(v.USER).to_native()


def mean_popularity(k: int, train: Any) -> ListMetric:
    """Mean over the list of the share of training users who had the item, in [0, 1]; neither end is better by
    itself.

    Args:
        k: Cutoff.
        train: Training events, a frame of `user_id`, `item_id`; never the truth.
    """
    check_cutoff(k, "popularity")
    items, shares, _ = _popularity(train)
    return ListMetric(DEFINITIONS["popularity"], k, _numbered(items, shares), 0.0)


def novelty(k: int, train: Any) -> ListMetric:
    """Mean self-information of the list, `−log2(share of training users who had the item)`, in bits, from 0.

    An item that no training user had counts as if one had had it.

    Source: Zhou et al. (2010), "Solving the apparent diversity-accuracy dilemma of recommender systems".

    Args:
        k: Cutoff.
        train: Training events, a frame of `user_id`, `item_id`; never the truth.
    """
    check_cutoff(k, "novelty")
    items, shares, users = _popularity(train)
    bits = -np.log2(shares) + 0.0  # + 0.0: never minus zero
    return ListMetric(DEFINITIONS["novelty"], k, _numbered(items, bits), float(np.log2(users)))


def _popularity(train: Any) -> tuple[nw.DataFrame[Any], Floats, int]:
    """Items of the training events, the share of training users who had each, and the number of these
    users.
    """
    events = frames.truth(train)
    users = int(frames.collect(events.select(v.USER).unique().select(nw.len())).item())
    if not users:
        raise DataError("The training events are empty: nothing has a popularity", where="0 rows")
    items = frames.collect(events.group_by(v.ITEM).agg(nw.col(v.USER).len().alias("_users")))
    return items, frames.numbers(items, "_users") / users, users


def _numbered(items: nw.DataFrame[Any], number: Floats) -> Any:
    series = nw.new_series("number", number, nw.Float64, backend=items.implementation)
    return items.select(v.ITEM).with_columns(series).to_native()


@dataclass(frozen=True)
class Diversity:
    """Intra-list diversity: one minus the mean cosine over all pairs of a list.

    Attributes:
        k: Cutoff.
        ids: Frame of `item_id` and `row`.
        vectors: float64 of shape (items, width), each of length 1 or zero; or, for a category, int64 codes
            (items,).
    """

    k: int
    ids: Any
    vectors: NDArray[Any]
    definition: Definition = DEFINITIONS["diversity"]

    @property
    def name(self) -> str:
        """As in "diversity@10"."""
        return f"{self.definition.name}@{self.k}"

    def __call__(self, recommendations: Any, truth: Any = None) -> Any:
        """Frame of `user_id`, `value` for every user with two or more items; the truth is not looked at."""
        shown = frames.recommendations(recommendations).filter(nw.col(v.RANK) <= self.k)
        shown, ids = frames.together(shown, nw.from_native(self.ids))
        table = frames.collect(shown.join(ids, on=v.ITEM, how="left")).sort(v.USER, v.RANK)
        rows = np.nan_to_num(frames.numbers(table, "row"), nan=-1).astype(np.int64)
        users = table.get_column(v.USER)
        first = np.flatnonzero((users != users.shift(1)).fill_null(True).to_numpy().astype(bool))
        sizes = np.diff(np.append(first, len(rows)))
        pairs = sizes * (sizes - 1.0)
        alike = self._alike(rows, first, sizes)
        keep = pairs > 0
        values = 1.0 - np.round(alike[keep] / pairs[keep], 12)
        series = nw.new_series("value", values, nw.Float64, backend=table.implementation)
        return table[first[keep]].select(v.USER).with_columns(series).to_native()

    def _alike(self, rows: NDArray[np.int64], first: NDArray[np.int64], sizes: NDArray[np.int64]) -> Floats:
        """Sum of cosines over ordered pairs i≠j per list: |Σ x|² − Σ |x|²."""
        known = rows >= 0
        if not len(first):
            return np.zeros(0)
        if (
            self.vectors.ndim == 1
        ):  # one-hot vectors, kept as codes: the squared norm is the sum of squared counts
            lists = np.repeat(np.arange(len(first)), sizes)
            width = int(self.vectors.max(initial=0)) + 1
            cells, counts = np.unique(lists[known] * width + self.vectors[rows[known]], return_counts=True)
            return np.bincount(cells // width, counts * (counts - 1.0), len(first)).astype(np.float64)
        vectors = np.where(known[:, None], self.vectors[rows], 0.0)
        totals = np.add.reduceat(vectors, first, axis=0)
        own = np.add.reduceat((vectors**2).sum(axis=1), first)
        return np.asarray((totals**2).sum(axis=1) - own)


def intra_list_diversity(k: int, items: Any, columns: str | Sequence[str] = "category") -> Diversity:
    """Intra-list diversity at k: `1 − mean over pairs i≠j of cosine(i, j)`, in [0, 2], in [0, 1] for
    categories.

    Items without a vector or category are unlike all others. Lists of fewer than two items have no value.

    Source: Ziegler et al. (2005), "Improving recommendation lists through topic diversification", section 3.

    Args:
        k: Cutoff, at least 2.
        items: Frame of `item_id` and the columns, one row per item.
        columns: One column with a category (text or whole number); one column of lists of numbers (a vector);
            or several numeric columns, which together are the vector.

    Raises:
        DataError: if a column is missing, an item stands twice, or a vector is not finite.
    """
    check_cutoff(k, "diversity")
    names = [columns] if isinstance(columns, str) else list(columns)
    table = frames.collect(frames.read(items, (v.ITEM, *names), "items").select(v.ITEM, *names))
    if len(table.select(v.ITEM).unique()) != len(table):
        raise DataError("The items repeat an 'item_id'", todo="Keep one row per item.")
    row = nw.new_series("row", np.arange(len(table)), nw.Int64, backend=table.implementation)
    vectors = _vectors(table, names)
    if vectors.ndim == 1:  # an item without a category is left out, so that it is like no other
        kept = vectors >= 0
        table, row = table.filter(kept.tolist()), row.filter(kept.tolist())
    return Diversity(k, table.select(v.ITEM).with_columns(row).to_native(), vectors)


def _vectors(table: nw.DataFrame[Any], names: Sequence[str]) -> NDArray[Any]:
    values = table.get_column(names[0]).to_list()
    nested = bool(values) and isinstance(values[0], list | np.ndarray)
    if len(names) == 1 and not nested:
        words = [None if value is None or value != value else str(value) for value in values]
        codes = {word: code for code, word in enumerate(sorted({word for word in words if word is not None}))}
        return np.array([-1 if word is None else codes[word] for word in words], dtype=np.int64)
    matrix = (
        np.array([list(vector) for vector in values], dtype=np.float64)
        if nested
        else np.column_stack([frames.numbers(table, name) for name in names])
    )
    if not np.isfinite(matrix).all():
        raise DataError(
            "The items' vectors hold numbers that are not finite", where=f"columns: {', '.join(names)}"
        )
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    unit: Floats = np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0)
    return unit
