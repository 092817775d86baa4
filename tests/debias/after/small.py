"""Small pools and data sets for the tests of re-rankers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.debias import Context, corrections


def pool_of(scores: np.ndarray, users: np.ndarray | None = None) -> pl.DataFrame:
    """All items for all users, as a model recommends them."""
    order = np.argsort(-scores, axis=1, kind="stable")
    n, m = scores.shape
    users = np.arange(n) if users is None else users
    return pl.DataFrame({
        "user_id": np.repeat(users, m), "item_id": order.ravel(), "rank": np.tile(np.arange(1, m + 1), n),
        "score": np.take_along_axis(scores, order, 1).ravel(),
        "probability": np.full(n * m, None, dtype=object), "cold": np.zeros(n * m, dtype=bool),
    }, schema_overrides={"probability": pl.Float64, "rank": pl.UInt32})  # fmt: skip


def data_of(groups: list[str | None], column: str = "provider", events: Any = None, **fields: Any) -> Dataset:
    """Items with one column, and these events or a single one."""
    items = pl.DataFrame({"item_id": np.arange(len(groups)), column: groups})
    events = pl.DataFrame({"user_id": [0], "item_id": [0]} if events is None else events)
    return Dataset(events, items=items, **fields)


def rerank(
    name: str, pool: pl.DataFrame, data: Dataset, k: int = 10, context: Context | None = None, **fields: Any
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Lists of a re-ranker, and what it reported."""
    context = context or Context(data=data)
    lists = corrections.build(name, fields).rerank(pool, context, k)
    return lists, context.diagnostics[name]


@dataclass(frozen=True)
class Known:
    """The items of a catalogue."""

    items: pl.Series


@dataclass(frozen=True)
class Scorer:
    """Stands for a fitted model: recommends by a table of scores, what is not finite never, what is seen where it
    may."""

    scores: np.ndarray
    seen: np.ndarray | None = None
    calibration: Any = None

    @property
    def catalogue(self) -> Known:
        """As `Fitted.catalogue`."""
        return Known(pl.Series("item_id", np.arange(self.scores.shape[1])))

    def recommend(
        self, users: Any, k: int, exclude_seen: bool = True, runtime: Runtime | None = None
    ) -> pl.DataFrame:
        """As `Fitted.recommend`."""
        chosen = np.asarray(users)
        hidden = False if self.seen is None or not exclude_seen else self.seen[chosen]
        pool = pool_of(np.where(hidden, -np.inf, self.scores[chosen]), chosen)
        return pool.filter(pl.col("score").is_finite() & (pl.col("rank") <= k))

    def item_vectors(self) -> None:
        """None, as of models without."""
