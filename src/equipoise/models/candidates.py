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
from equipoise.models.histories import Catalogue, Ints, locate


@dataclass(frozen=True)
class Candidates:
    """Pairs of a request (its row among the users asked for) and an item that may be recommended.

    Attributes:
        requests: Request of each pair, ascending; None where every request may get every one of `items`.
        items: Catalogue row of each pair; None for the whole catalogue.
        strangers: Candidates outside the catalogue: `user_id` (the request; null for all of them), `item_id`.
    """

    requests: Ints | None
    items: Ints | None
    strangers: pl.DataFrame

    @classmethod
    def of(cls, candidates: Any, catalogue: Catalogue, users: pl.Series) -> Candidates:
        """From None, one list of item ids for all users, or a frame of `user_id`, `item_id`.

        Ids that cannot be of the catalogue's type (a text among integers) are left out.

        Raises:
            ModelError: if a frame lacks one of the two columns.
        """
        kind = catalogue.items.dtype
        if candidates is None:
            nobody = pl.DataFrame(schema={v.USER: pl.Int64, v.ITEM: kind})
            return cls(None, None, nobody)
        if isinstance(candidates, (Sequence, pl.Series, np.ndarray)):
            listed = pl.Series(v.ITEM, candidates, dtype=None if len(candidates) else kind)
            pairs = pl.DataFrame({v.ITEM: listed}).with_columns(pl.lit(None, dtype=pl.Int64).alias(v.USER))
        else:
            pairs = _requested(to_polars(candidates), users)
        pairs = pairs.select(v.USER, pl.col(v.ITEM).cast(kind, strict=False)).drop_nulls(v.ITEM).unique()
        pairs = pairs.sort(v.USER, v.ITEM).with_columns(
            pl.Series("row", locate(catalogue.items, pairs.sort(v.USER, v.ITEM)[v.ITEM]))
        )
        known, strangers = pairs.filter(pl.col("row") >= 0), pairs.filter(pl.col("row") < 0)
        shared = isinstance(candidates, (Sequence, pl.Series, np.ndarray))
        requests = None if shared else known[v.USER].to_numpy()
        return cls(requests, known["row"].to_numpy(), strangers.select(v.USER, v.ITEM))

    def mask(self, part: slice, n_items: int) -> NDArray[np.bool_]:
        """True where the requests of `part` may get the item; shape (1 or requests of part, items)."""
        if self.items is None:
            return np.ones((1, n_items), dtype=bool)
        if self.requests is None:
            allowed = np.zeros((1, n_items), dtype=bool)
            allowed[0, self.items] = True
            return allowed
        low, high = np.searchsorted(self.requests, [part.start, part.stop])
        allowed = np.zeros((part.stop - part.start, n_items), dtype=bool)
        allowed[self.requests[low:high] - part.start, self.items[low:high]] = True
        return allowed

    def unknown(self, part: slice, score: NDArray[np.floating[Any]], k: int) -> pl.DataFrame:
        """Up to `k` candidates per request that the model never heard of, with the request's score."""
        requests = pl.DataFrame({v.USER: np.arange(part.start, part.stop), v.SCORE: score.astype(np.float64)})
        if self.requests is None:
            listed = requests.join(self.strangers.head(k).select(v.ITEM), how="cross")
        else:
            listed = self.strangers.join(requests, on=v.USER, maintain_order="left")
        return listed.select(v.USER, v.ITEM, v.SCORE, pl.lit(True).alias(v.COLD))


def _requested(frame: pl.DataFrame, users: pl.Series) -> pl.DataFrame:
    """The pairs of a frame, with the row of each request of that user in place of the user's id."""
    missing = {v.USER, v.ITEM} - set(frame.columns)
    if missing:
        raise ModelError(
            f"The candidates have no column {', '.join(sorted(missing))}",
            where=f"columns: {', '.join(frame.columns)}",
            todo="Give a list of item ids, or a frame of user_id and item_id.",
        )
    asked = pl.DataFrame({v.USER: users}).with_row_index("request")
    pairs = frame.select(pl.col(v.USER).cast(users.dtype, strict=False), v.ITEM).join(asked, on=v.USER)
    return pairs.select(pl.col("request").cast(pl.Int64).alias(v.USER), v.ITEM)
