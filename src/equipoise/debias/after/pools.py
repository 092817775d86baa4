"""What every re-ranker begins and ends with: a checked pool as matrices, and lists made from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.models.histories import locate
from equipoise.models.ranking import top_k

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_AMPLE = 3
"""A pool of fewer lists than this leaves a re-ranker little to choose from."""


@dataclass(frozen=True)
class Pool:
    """The pools as matrices (users, depth), in the order of the model's ranks; short pools are filled up.

    Attributes:
        frame: The pool as it came.
        users: Whose pools, in the order in which they come first; (users,).
        scores: The model's scores, falling with the rank; -inf where there is no item. Where an earlier
            re-ranker changed the order, what it put first counts as scored highest, so that its work is not undone.
        row: Row of the frame; -1 where there is no item.
    """

    frame: pl.DataFrame
    users: pl.Series
    scores: Floats
    row: Ints

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Pool:
        """Check a pool of at least one row and lay it out.

        Equal ranks of a user stand as the rows do.

        Raises:
            DataError: if a column is missing, a score is not finite, or an item stands twice in a pool.
        """
        _check(frame)
        users = frame.select(pl.col(v.USER).unique(maintain_order=True)).with_row_index("_user")
        table = frame.select(v.USER, v.RANK, v.SCORE).join(
            users, on=v.USER, how="left", nulls_equal=True, maintain_order="left"
        )
        place = table.select(pl.col(v.RANK).rank("ordinal").over(v.USER).cast(pl.Int64) - 1).to_series()
        cells = table["_user"].to_numpy(), place.to_numpy()
        shape = (len(users), int(cells[1].max()) + 1)
        scores, row = np.full(shape, -np.inf), np.full(shape, -1)
        scores[cells] = table[v.SCORE].cast(pl.Float64).to_numpy()
        row[cells] = np.arange(len(table))
        return cls(frame, users[v.USER], -np.sort(-scores, axis=1), row)

    @property
    def there(self) -> NDArray[np.bool_]:
        """Where there is an item."""
        return self.row >= 0

    @property
    def depth(self) -> int:
        """Items of the longest pool."""
        return int(self.row.shape[1])

    @property
    def standardised(self) -> Floats:
        """Scores less their mean over the user's pool, in standard deviations of it; -inf where there is no item.

        So that a price means the same for every user and every model; scores that are all alike become 0.
        """
        known = np.where(self.there, self.scores, np.nan)
        spread = np.nanstd(known, axis=1, keepdims=True)
        known = (known - np.nanmean(known, axis=1, keepdims=True)) / np.where(spread > 1e-12, spread, 1.0)
        return np.where(self.there, known, -np.inf)

    @property
    def relative(self) -> Floats:
        """Scores from 0 (the worst of the user's pool) to 1 (the best), all alike 1; -inf where there is no item."""
        low = np.where(self.there, self.scores, np.inf).min(axis=1, keepdims=True)
        width = self.scores.max(axis=1, keepdims=True) - low
        known = np.where(width > 0, (self.scores - low) / np.where(width > 0, width, 1.0), 1.0)
        return np.where(self.there, known, -np.inf)

    def among(self, rows: NDArray[np.bool_]) -> Pool:
        """The pools of some of the users."""
        return replace(
            self, users=self.users.filter(pl.Series(rows)), scores=self.scores[rows], row=self.row[rows]
        )

    def located(self, ids: pl.Series) -> Ints:
        """Index of each item within `ids`; -1 where it is not among them, or there is no item."""
        return self.spread(locate(ids, self.frame[v.ITEM]), -1)

    def spread(self, values: NDArray[Any], empty: Any) -> NDArray[Any]:
        """One value per row of the frame, laid out like `row`."""
        return np.where(self.there, values[self.row], empty)

    @property
    def unchanged(self) -> Ints:
        """The model's order, (users, depth)."""
        return np.tile(np.arange(self.depth), (len(self.users), 1))

    def given_up(self, order: Ints) -> float:
        """Mean standardised score of the model's first places, less that of as many places of an order."""
        scores, k = self.standardised, order.shape[1]
        chosen = np.take_along_axis(scores, order, 1)
        return float(scores[:, :k][np.isfinite(scores[:, :k])].mean() - chosen[np.isfinite(chosen)].mean())

    def best(self, worth: Floats, k: int) -> Ints:
        """The `k` places of highest worth of each user, best first; ties stay in the model's order."""
        return top_k(np.where(self.there, worth, -np.inf), k)

    def lists(self, order: Ints, k: int, frame: pl.DataFrame | None = None) -> pl.DataFrame:
        """The first `k` places of an order as rows of the frame, or of another with the same rows, ranked anew."""
        source = self.frame if frame is None else frame
        rows = np.take_along_axis(self.row, order[:, :k], 1)
        ranks = np.broadcast_to(np.arange(1, rows.shape[1] + 1), rows.shape)[rows >= 0]
        return source[rows[rows >= 0]].with_columns(pl.Series(v.RANK, ranks).cast(source[v.RANK].dtype))

    def size(self, k: int) -> dict[str, Any]:
        """How much there is to choose from, for the report: median pool, list length, and their ratio."""
        median = float(np.median(self.there.sum(axis=1)))
        return {"pool": median, "k": k, "pool_per_k": median / k}

    def warnings(self, k: int) -> list[str]:
        """What is to be said of the pool's size."""
        median = float(np.median(self.there.sum(axis=1)))
        if median >= _AMPLE * k:
            return []
        if median <= k:
            return [
                f"The pools hold {median:g} items for lists of {k}: what is in a list cannot change, its order can. "
                "Raise `pool` if this is the last correction of the lists."
            ]
        return [
            f"The pools hold {median:g} items for lists of {k}; below {_AMPLE * k} there is little to choose from."
        ]


def discounts(length: int) -> Floats:
    """Attention that ranks get, 1 / log2(rank + 1), as in DCG; (length,)."""
    return np.asarray(1.0 / np.log2(np.arange(2, length + 2)))


def _check(frame: pl.DataFrame) -> None:
    """Refuse pools that cannot be ranked."""
    missing = [column for column in (v.USER, v.ITEM, v.RANK, v.SCORE) if column not in frame.columns]
    if missing:
        raise DataError(
            f"The pool has no column '{missing[0]}'", where=f"columns: {', '.join(frame.columns)}",
            todo="Pass what a model's recommend() returns.",
        )  # fmt: skip
    if bad := int((~frame[v.SCORE].cast(pl.Float64).fill_null(float("nan")).is_finite()).sum()):
        raise DataError("Scores of the pool are not finite", where=f"{bad} of {len(frame)} rows")
    if twice := len(frame) - frame.select(v.USER, v.ITEM).n_unique():
        raise DataError("Items stand more than once in a user's pool", where=f"{twice} of {len(frame)} rows")
