"""What a recommender shows of each user, as matrices that an attacker can read."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive
from equipoise.data.frames import require
from equipoise.errors import DataError
from equipoise.metrics.frames import together

__all__ = ["views"]


def views(
    recommendations: Any, users: Any, *, train: Any = None, vectors: Any = None, k: int | None = None
) -> dict[str, Any]:
    """Features of users by where they were read from: one row per user, in the order of `users`.

    * `lists`: CSR, users x items, 1 / log2(rank + 1) where an item is in the list: what anybody sees who sees
      the page.
    * `scores`: CSR, the scores of those items; only if the recommendations have scores. An item out of the
      list has none, and reads as 0.
    * `profile`: CSR, 1 for each item that the user has in `train`; only with `train`. What the recommender
      was given, and so the yardstick for what it lets through.
    * `vectors`: float64, the recommender's vectors of users; only with `vectors`.

    Users without a list have an empty row.

    Args:
        recommendations: Frame with `user_id`, `item_id`, `rank`, and perhaps `score`; of one system.
        users: Distinct ids: a frame with `user_id`, a series or an array.
        train: Frame with `user_id`, `item_id`; impressions and searches are no profile.
        vectors: Frame with `user_id` and columns of numbers, or one column of lists of equal length; every
            user has a row.
        k: Places of the lists that are read; all by default.

    Raises:
        DataError: if a column is missing, ids are numbers on one side and text on the other, or users lack
            vectors.
    """
    ids = _ids(users)
    lists = to_polars(recommendations)
    require(lists.columns, v.USER, v.ITEM, v.RANK, table="table of recommendations")
    lists = lists if k is None else lists.filter(pl.col(v.RANK) <= k)
    found: dict[str, Any] = {"lists": _incidence(lists, ids, 1 / (pl.col(v.RANK) + 1).log(2))}
    if v.SCORE in lists.columns:
        found["scores"] = _incidence(lists, ids, pl.col(v.SCORE).fill_null(0.0).fill_nan(0.0))
    if train is not None:
        events = to_polars(train)
        require(events.columns, v.USER, v.ITEM, table="training table")
        events = events.filter(positive(events)).unique([v.USER, v.ITEM])
        found["profile"] = _incidence(events, ids, pl.lit(1.0))
    if vectors is not None:
        found["vectors"] = _vectors(to_polars(vectors), ids)
    return found


def _ids(users: Any) -> pl.DataFrame:
    if isinstance(users, (pl.Series, list, tuple, np.ndarray)):
        ids = pl.DataFrame({v.USER: users})
    else:
        native = nw.from_native(users, allow_series=True)
        ids = to_polars(
            native.alias(v.USER).to_frame().to_native() if isinstance(native, nw.Series) else users
        )
        require(ids.columns, v.USER, table="users table")
    return ids.select(v.USER, pl.int_range(pl.len()).alias("row"))


def _incidence(table: pl.DataFrame, ids: pl.DataFrame, weight: pl.Expr) -> Any:
    """CSR of shape (users, items of the table in id order)."""
    left, right = together(nw.from_native(ids), nw.from_native(table))
    ids, table = left.to_native(), right.to_native()
    items = table.select(pl.col(v.ITEM).unique().sort()).with_row_index("column")
    cells = (
        table.select(v.USER, v.ITEM, weight.cast(pl.Float64).alias("weight"))
        .join(ids, on=v.USER)
        .join(items, on=v.ITEM)
        .sort("row", "column")
    )
    places = (cells["row"].to_numpy(), cells["column"].to_numpy())
    return sparse.csr_matrix((cells["weight"].to_numpy(), places), shape=(len(ids), len(items)))


def _vectors(table: pl.DataFrame, ids: pl.DataFrame) -> NDArray[np.float64]:
    require(table.columns, v.USER, table="table of vectors")
    left, right = together(nw.from_native(ids), nw.from_native(table))
    joined = left.to_native().join(right.to_native(), on=v.USER, how="left", maintain_order="left")
    values = joined.drop(v.USER, "row")
    missing = int(values.select(pl.any_horizontal(pl.all().is_null())).to_series().sum())
    if missing:
        raise DataError(
            "Users have no vector", where=f"{missing} of {len(ids)} users", todo="Leave these users out."
        )
    nested = [name for name, kind in values.schema.items() if kind.is_nested()]
    if nested:
        return np.array(values[nested[0]].to_list(), dtype=np.float64)
    return np.asarray(values.cast(pl.Float64).to_numpy(), dtype=np.float64)
