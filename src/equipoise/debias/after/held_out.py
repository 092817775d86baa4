"""What re-rankers choose and calibrate by: the model's pools for users with held-out events, and their quality."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import vocabulary as v
from equipoise.debias.after.pools import Floats, Ints, Pool
from equipoise.debias.correction import Context, Correction
from equipoise.errors import ModelError
from equipoise.metrics import ndcg, per_user


@dataclass(frozen=True)
class HeldOut:
    """Pools made by a model that knows training alone, and what their users took afterwards.

    Attributes:
        pool: One pool per user with held-out events of taste, sorted by user.
        truth: Held-out `user_id`, `item_id` of these users, that their lists may hold.
    """

    pool: Pool
    truth: pl.DataFrame

    @classmethod
    def of(cls, correction: Correction, context: Context, depth: int) -> HeldOut:
        """Pools of the model in the context.

        Raises:
            ModelError: if the context has no held-out events that lists may hold, or no model.
        """
        if context.valid is None or context.model is None or context.valid.positives.is_empty():
            raise ModelError(
                f"The correction '{correction.name}' needs held-out events to choose by, and there are none",
                todo="Hold out a validation part, as in [split] valid = 0.1.",
            )
        pair, seen = [v.USER, v.ITEM], context.exclude_seen
        truth = context.valid.positives.select(pair).unique().sort(pair)
        if seen:
            truth = truth.join(
                context.data.positives.select(pair), on=pair, how="anti", maintain_order="left"
            )
        users = truth[v.USER].unique().sort()
        lists = context.model.recommend(users, depth, exclude_seen=seen, runtime=context.runtime)
        if lists.is_empty():
            raise ModelError(f"The model recommends nothing that '{correction.name}' could choose by")
        return cls(Pool.of(lists), truth)

    @property
    def users(self) -> pl.Series:
        """Whose pools."""
        return self.pool.users

    @property
    def hit(self) -> NDArray[np.bool_]:
        """Which rows of the pools' frame hold an item that its user took afterwards."""
        pairs = self.truth.with_columns(pl.lit(True).alias("_hit"))
        joined = self.pool.frame.select(v.USER, v.ITEM).join(
            pairs, on=[v.USER, v.ITEM], how="left", maintain_order="left"
        )
        return joined["_hit"].fill_null(False).to_numpy()

    def among(self, rows: NDArray[np.bool_]) -> HeldOut:
        """Some of the users."""
        users = self.users.filter(pl.Series(rows)).implode()
        return replace(self, pool=self.pool.among(rows), truth=self.truth.filter(pl.col(v.USER).is_in(users)))

    def quality(self, order: Ints) -> Floats:
        """NDCG of lists, one per user, (users,).

        Args:
            order: Places of the lists, (users, k).
        """
        k = order.shape[1]
        found = pl.DataFrame(per_user(self.pool.lists(order, k), self.truth, {"quality": ndcg(k)}))
        return found["quality"].to_numpy()
