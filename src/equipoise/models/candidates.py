"""Which items may be recommended to whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.errors import ModelError
from equipoise.models.histories import Catalogue, locate


@dataclass(frozen=True)
class Candidates:
    """Pairs that may be recommended; `pairs` is None for the whole catalogue.

    Attributes:
        everything: Whether nothing is excluded.
        shared: Catalogue rows allowed for all users, or None where each user has a list.
        pairs: `user_id` (row of the request), `item` (catalogue row) where each user has a list.
        strangers: `user_id` (row of the request; null: all users), `item_id` of candidates outside the catalogue.
    """

    everything: bool
    shared: NDArray[np.int64] | None
    pairs: pl.DataFrame
    strangers: pl.DataFrame

    @classmethod
    def of(cls, candidates: Any, catalogue: Catalogue, users: pl.Series) -> Candidates:
        """From None, one list of item ids for all users, or a frame of `user_id`, `item_id`.

        Raises:
            ModelError: if a frame lacks one of the two columns.
        """
        pairs = pl.DataFrame(schema={v.USER: pl.Int64, "item": pl.Int64})
        strangers = pl.DataFrame(schema={v.USER: pl.Int64, v.ITEM: catalogue.items.dtype})
        if candidates is None:
            return cls(True, None, pairs, strangers)
        if isinstance(candidates, (Sequence, pl.Series, np.ndarray)):
            listed = pl.Series(v.ITEM, candidates, dtype=None if len(candidates) else catalogue.items.dtype)
            listed = listed.unique(maintain_order=True)
            rows = locate(catalogue.items, listed)
            outside = pl.DataFrame({v.ITEM: listed.filter(pl.Series(rows < 0))})
            strangers = outside.select(pl.lit(None, dtype=pl.Int64).alias(v.USER), v.ITEM)
            return cls(False, rows[rows >= 0], pairs, strangers)
        frame = to_polars(candidates)
        missing = {v.USER, v.ITEM} - set(frame.columns)
        if missing:
            raise ModelError(
                f"The candidates have no column {', '.join(sorted(missing))}",
                where=f"columns: {', '.join(frame.columns)}",
                todo="Give a list of item ids, or a frame of user_id and item_id.",
            )
        asked = (
            pl.DataFrame({v.USER: users})
            .with_row_index("request")
            .with_columns(pl.col("request").cast(pl.Int64))
        )
        frame = frame.select(pl.col(v.USER).cast(users.dtype, strict=False), v.ITEM).unique(
            maintain_order=True
        )
        frame = frame.join(asked, on=v.USER).with_columns(
            pl.Series("item", [], dtype=pl.Int64) if not len(frame) else pl.lit(0).alias("item")
        )
        frame = frame.with_columns(pl.Series("item", locate(catalogue.items, frame[v.ITEM])))
        known = frame.filter(pl.col("item") >= 0).select(pl.col("request").alias(v.USER), "item")
        unknown = frame.filter(pl.col("item") < 0).select(pl.col("request").alias(v.USER), v.ITEM)
        return cls(False, None, known, unknown)

    def mask(self, part: slice, n_items: int) -> NDArray[np.bool_]:
        """True where the request rows of `part` may get the item; shape (rows of part, items)."""
        allowed = np.zeros((part.stop - part.start, n_items), dtype=bool)
        if self.shared is not None:
            allowed[:, self.shared] = True
            return allowed
        mine = self.pairs.filter(pl.col(v.USER).is_between(part.start, part.stop, closed="left"))
        allowed[mine[v.USER].to_numpy() - part.start, mine["item"].to_numpy()] = True
        return allowed

    def unknown(self, part: slice, score: NDArray[np.floating[Any]]) -> pl.DataFrame:
        """Candidates that the model never heard of, each with the given score of its user, marked cold."""
        requests = pl.DataFrame({v.USER: np.arange(part.start, part.stop), v.SCORE: score.astype(np.float64)})
        if self.strangers[v.USER].null_count():
            listed = requests.join(self.strangers.select(v.ITEM), how="cross")
        else:
            listed = self.strangers.join(requests, on=v.USER)
        return listed.select(v.USER, v.ITEM, v.SCORE, pl.lit(True).alias(v.COLD))
