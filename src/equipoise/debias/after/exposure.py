"""A re-ranker that trades score against how exposure is shared among groups of items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import expit

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.correction import AfterTraining, Context
from equipoise.errors import DataError, nearest

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
UNKNOWN = "(unknown)"
_BANDS = ("head", "middle", "tail")


class Exposure(AfterTraining):
    """Maximise mean score - strength x sum over groups of |share of exposure - target share|, over all lists
    at once.

    The penalty is the largest gain of a price per group within [-strength, strength], so the trade-off is
    solved by prices: every list is sorted by score plus the price of the item's group, and prices move
    against over-exposure (projected dual subgradient, as in P-MMF: Xu et al. 2023, section 4, there with a
    max-min target). Exposure is counted with the position discount of DCG, 1 / log2(rank + 1). Scores are
    standardised within each user's pool, so a strength of 1 says: one unit of exposure at its due place is
    worth one standard deviation of score.
    """

    name: ClassVar[str] = "exposure"

    group: str = "provider"
    """Column of the items table, or "popularity" for head, middle and tail, each with a third of all events."""
    strength: float = Field(1.0, ge=0)
    """What exposure at its due place is worth, in standard deviations of score; 0 changes nothing."""
    target: Literal["equal", "catalogue", "merit"] = "catalogue"
    """Due share of a group: the same for all, its share of the catalogue, or of the relevance in the pools."""
    iterations: int = Field(60, ge=1)
    """Steps of the prices."""

    def rerank(self, pool: pl.DataFrame, context: Context, k: int) -> pl.DataFrame:
        """See `AfterTraining.rerank`.

        Raises:
            DataError: also if the items have no such column, or only one group.
        """
        if pool.is_empty():
            return pool
        named = item_groups(context.data, self.group)
        table = _Pool.of(pool, named)
        target = self._target(table, named)
        discount = 1.0 / np.log2(np.arange(2, min(k, table.scores.shape[1]) + 2))
        unchanged = np.zeros(len(table.groups))
        prices = self._prices(table, target, discount) if self.strength else unchanged
        before, after = (table.outcome(table.order(price), discount) for price in (unchanged, prices))
        context.report(
            self,
            groups={
                name: {
                    "target": float(target[g]), "before": float(before.shares[g]), "after": float(after.shares[g]),
                    "price": float(prices[g]),
                }
                for g, name in enumerate(table.groups)
            },
            gap_before=float(np.abs(before.shares - target).sum()),
            gap_after=float(np.abs(after.shares - target).sum()),
            score_given_up=before.score - after.score,
        )  # fmt: skip
        return table.lists(pool, table.order(prices), k)

    def _target(self, table: _Pool, named: pl.DataFrame) -> Floats:
        """Due share of exposure of each group, summing to 1."""
        if self.target == "equal":
            return np.full(len(table.groups), 1 / len(table.groups))
        if self.target == "merit":
            worth = np.where(table.group >= 0, expit(table.scores), 0.0)
            mass = np.bincount(table.group[table.group >= 0], worth[table.group >= 0], len(table.groups))
        else:
            counts = dict(named["group"].value_counts().iter_rows())
            mass = np.array([counts.get(name, 0) for name in table.groups], dtype=np.float64)
        return np.asarray(mass / mass.sum())

    def _prices(self, table: _Pool, target: Floats, discount: Floats) -> Floats:
        """The best prices met on the way, the current ones or their average so far; deterministic."""
        price, total = np.zeros(len(target)), np.zeros(len(target))
        best, highest = price, -np.inf
        for step in range(1, self.iterations + 1):
            total += price
            current = table.outcome(table.order(price), discount)
            average = table.outcome(table.order(total / step), discount)
            for candidate, outcome in ((price, current), (total / step, average)):
                value = outcome.score - self.strength * float(np.abs(outcome.shares - target).sum())
                if value > highest + 1e-12:
                    best, highest = candidate, value
            pace = 2 * self.strength / np.sqrt(step)
            price = np.clip(price - pace * (current.shares - target), -self.strength, self.strength)
        return best


@dataclass(frozen=True)
class _Outcome:
    """Mean score per unit of exposure, and the shares of exposure of the groups."""

    score: float
    shares: Floats


@dataclass(frozen=True)
class _Pool:
    """The pools as matrices (users, depth), in the order of the model's ranks; short pools are filled up.

    Attributes:
        scores: Standardised within each row; -inf where there is no item.
        group: Index into `groups`; -1 where there is no item.
        row: Row of the pool's frame; -1 where there is no item.
        groups: Names of the groups.
    """

    scores: Floats
    group: Ints
    row: Ints
    groups: list[str]

    @classmethod
    def of(cls, pool: pl.DataFrame, named: pl.DataFrame) -> _Pool:
        _check(pool)
        groups = sorted(named["group"].unique().to_list())
        table = pool.select(v.USER, v.ITEM, v.RANK, v.SCORE).with_row_index("_row")
        table = table.with_columns(pl.col(v.ITEM).cast(named[v.ITEM].dtype, strict=False))
        table = table.join(named, on=v.ITEM, how="left", maintain_order="left")
        if table["group"].null_count():
            groups = sorted({*groups, UNKNOWN})
        if len(groups) < 2:
            raise DataError(
                f"There is only one group of items, '{groups[0]}', so exposure cannot be shared",
                todo="Choose another column as `group`.",
            )
        codes = {name: code for code, name in enumerate(groups)}
        users = table.select(pl.col(v.USER).unique(maintain_order=True)).with_row_index("_user")
        table = table.join(users, on=v.USER, how="left", maintain_order="left").with_columns(
            pl.col("group").fill_null(UNKNOWN).replace_strict(codes, return_dtype=pl.Int64).alias("_group"),
            (pl.col(v.RANK).rank("ordinal").over(v.USER).cast(pl.Int64) - 1).alias("_place"),
        )
        user, place = table["_user"].to_numpy(), table["_place"].to_numpy()
        shape = (len(users), int(place.max()) + 1)
        scores, group, row = np.full(shape, np.nan), np.full(shape, -1), np.full(shape, -1)
        scores[user, place] = table[v.SCORE].to_numpy()
        group[user, place] = table["_group"].to_numpy()
        row[user, place] = table["_row"].to_numpy()
        spread = np.nanstd(scores, axis=1, keepdims=True)
        scores = (scores - np.nanmean(scores, axis=1, keepdims=True)) / np.where(spread > 1e-12, spread, 1.0)
        return cls(np.where(row >= 0, scores, -np.inf), group, row, groups)

    def order(self, prices: Floats) -> Ints:
        """Places of each row by score plus price, best first; ties stay in the model's order."""
        if not prices.any():
            return np.tile(np.arange(self.scores.shape[1]), (len(self.scores), 1))
        worth = self.scores + np.where(self.group >= 0, prices[self.group], 0.0)
        return np.argsort(-worth, axis=1, kind="stable")

    def outcome(self, order: Ints, discount: Floats) -> _Outcome:
        """What the first places of an order come to."""
        top = order[:, : len(discount)]
        scores, group = np.take_along_axis(self.scores, top, 1), np.take_along_axis(self.group, top, 1)
        there = group >= 0
        weight = np.broadcast_to(discount, group.shape)[there]
        shares = np.bincount(group[there], weight, len(self.groups)) / weight.sum()
        return _Outcome(float((scores[there] * weight).sum() / weight.sum()), shares)

    def lists(self, pool: pl.DataFrame, order: Ints, k: int) -> pl.DataFrame:
        """The first `k` of an order as rows of the pool's frame."""
        rows = np.take_along_axis(self.row, order[:, :k], 1)
        ranks = np.broadcast_to(np.arange(1, rows.shape[1] + 1), rows.shape)[rows >= 0]
        return pool[rows[rows >= 0]].with_columns(pl.Series(v.RANK, ranks).cast(pool[v.RANK].dtype))


def item_groups(data: Dataset, column: str) -> pl.DataFrame:
    """Group of each item of the catalogue, as a frame of `item_id` and `group`.

    Args:
        data: Training data with an items table; for "popularity" its events are counted.
        column: A column of the items, or "popularity": the most popular items that together have a third of
            the events are the head, those that have the next third the middle, all others the tail.

    Raises:
        DataError: if the items have no such column.
    """
    if column == "popularity":
        counts = data.positives.group_by(v.ITEM).len("_count")
        if data.items is not None:
            counts = data.items.select(pl.col(v.ITEM).cast(counts[v.ITEM].dtype)).join(
                counts, on=v.ITEM, how="full", coalesce=True
            )
        counts = counts.with_columns(pl.col("_count").fill_null(0)).sort(
            ["_count", v.ITEM], descending=[True, False]
        )
        before = (pl.col("_count").cum_sum() - pl.col("_count")) / max(int(counts["_count"].sum()), 1)
        band = (before * len(_BANDS)).floor().clip(0, len(_BANDS) - 1).cast(pl.Int64)
        return counts.select(
            v.ITEM, band.replace_strict(list(range(len(_BANDS))), list(_BANDS)).alias("group")
        )
    columns = [] if data.items is None else [name for name in data.items.columns if name != v.ITEM]
    if data.items is None or column not in columns:
        raise DataError(
            f"The items have no column '{column}' to group by",
            where=f"columns: {', '.join(columns)}" if columns else "there is no items table",
            todo=nearest(column, [*columns, "popularity"]),
        )
    return data.items.select(v.ITEM, pl.col(column).cast(pl.String).fill_null(UNKNOWN).alias("group"))


def _check(pool: pl.DataFrame) -> None:
    """Refuse pools that cannot be ranked."""
    missing = [column for column in (v.USER, v.ITEM, v.RANK, v.SCORE) if column not in pool.columns]
    if missing:
        raise DataError(
            f"The pool has no column '{missing[0]}'", where=f"columns: {', '.join(pool.columns)}",
            todo="Pass what a model's recommend() returns.",
        )  # fmt: skip
    bad = int((~pool[v.SCORE].cast(pl.Float64).fill_null(float("nan")).is_finite()).sum())
    if bad:
        raise DataError("Scores of the pool are not finite", where=f"{bad} of {len(pool)} rows")
