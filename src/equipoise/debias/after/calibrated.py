"""A re-ranker whose lists mirror the categories of each user's history."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.after.greedy import greedy, in_blocks
from equipoise.debias.after.groups import category_column, category_masses, group_obstacle, item_column
from equipoise.debias.after.pools import Floats, Ints, Pool
from equipoise.debias.correction import AfterTraining, Bias, Context
from equipoise.errors import DataError
from equipoise.models.histories import locate
from equipoise.models.recommender import Recommender


class Calibrated(AfterTraining):
    """Maximise (1 - strength) x sum of scores - strength x KL(p || q~) per list (Steck 2018, "Calibrated
    recommendations", sections 3 and 4).

    p are the shares of the categories in the user's training items, q those in the list, and
    q~ = (1 - mix) q + mix p. Items are taken one by one, each the best next to those taken before. Scores are
    standardised within each user's pool. A user without history, or whose history has no category, keeps the
    model's list.
    """

    name: ClassVar[str] = "calibrated"
    against: ClassVar[tuple[Bias, ...]] = ("monotony",)

    category: str | None = None
    """Column of the items table; several categories of one item are joined by "|".

    None for the first column whose texts are shared by many items."""
    strength: float = Field(0.5, ge=0, le=1)
    """Weight of the divergence against the scores; 0 changes nothing, 1 looks at categories alone."""
    mix: float = Field(0.01, gt=0, lt=1)
    """How much of p is mixed into q, so that the logarithm exists."""

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """No items table, or no such column."""
        if (column := self.category or category_column(data)) is None:
            return "the items have no column of texts that many of them share, and `category` is not set."
        return group_obstacle(data, column)

    def rerank(self, pool: pl.DataFrame, context: Context, k: int) -> pl.DataFrame:
        """See `AfterTraining.rerank`.

        Raises:
            DataError: also if there is no such column, or no item has a category.
        """
        if pool.is_empty():
            return pool
        column = self.category or category_column(context.data)
        if column is None:
            raise DataError(
                "The items have no column of categories",
                todo="Set `category` to a column of the items table.",
            )
        laid = Pool.of(pool)
        ids, names, masses = category_masses(item_column(context.data, column), column)
        wanted = histories(context.data, laid.users, ids, masses)
        masses = np.vstack([masses, np.zeros(len(names))])  # the row -1: no such item
        place, scores = laid.located(ids), np.where(laid.there, laid.standardised, 0.0)

        def solve(part: slice) -> Ints:
            return self._greedy(laid.there[part], scores[part], wanted[part], masses[place[part]], k)

        order = in_blocks(len(laid.users), solve)
        before, after = (self._divergence(wanted, masses, place, o) for o in (laid.unchanged[:, :k], order))
        judged = np.isfinite(before) & np.isfinite(after)
        context.report(
            self,
            **laid.size(k),
            column=column,
            categories=len(names),
            users_judged=int(judged.sum()),
            users_without_history=int((wanted.sum(axis=1) == 0).sum()),
            divergence_before=float(before[judged].mean()) if judged.any() else None,
            divergence_after=float(after[judged].mean()) if judged.any() else None,
            score_given_up=laid.given_up(order),
            warnings=laid.warnings(k),
        )
        return laid.lists(order, k)

    def _greedy(self, there: NDArray[np.bool_], scores: Floats, p: Floats, masses: Floats, k: int) -> Ints:
        """Places in the order taken.

        Args:
            there: Where there is an item, (users, depth).
            scores: Of each place, (users, depth).
            p: Shares of the categories in the histories, (users, categories).
            masses: Of the categories in each place, (users, depth, categories).
            k: List length.
        """
        rows, taken, mass = np.arange(len(p)), np.zeros_like(p), masses.sum(axis=2)
        weight = np.where(p.sum(axis=1) > 0, self.strength, 0.0)[:, None]
        floor = np.where(p > 0, self.mix * p, 1.0)[:, None, :]  # where p is 0, nothing is added to the sum

        def worth() -> Floats:
            total = taken.sum(axis=1)[:, None] + mass
            mixed = (taken[:, None, :] + masses) * ((1 - self.mix) / np.where(total > 0, total, 1.0))[
                ..., None
            ]
            mixed += floor
            agreement = np.einsum(
                "uc,udc->ud", p, np.log(mixed, out=mixed)
            )  # the divergence, but for a constant
            return np.asarray((1 - weight) * scores + weight * agreement)

        def take(chosen: Ints) -> None:
            np.add(taken, masses[rows, chosen], out=taken)

        return greedy(there, k, worth, take)

    def _kl(self, p: Floats, listed: Floats) -> Floats:
        """Divergence of lists whose categories have these masses, over the last axis."""
        total = listed.sum(axis=-1, keepdims=True)
        q = listed / np.where(total > 0, total, 1.0)
        ratio = np.where(p > 0, p, 1.0) / np.where(p > 0, (1 - self.mix) * q + self.mix * p, 1.0)
        return np.asarray((p * np.log(ratio)).sum(axis=-1))

    def _divergence(self, p: Floats, masses: Floats, place: Ints, order: Ints) -> Floats:
        """Divergence of each user's list; NaN where history or list has no category."""
        listed = masses[np.take_along_axis(place, order, 1)].sum(axis=1)
        known = (p.sum(axis=1) > 0) & (listed.sum(axis=1) > 0)
        return np.where(known, self._kl(p, listed), np.nan)


def histories(data: Dataset, users: pl.Series, ids: pl.Series, masses: Floats) -> Floats:
    """Shares of the categories in each user's training items, (users, categories); zeros where none is known."""
    pairs = data.positives.select(v.USER, v.ITEM).unique()
    row, item = locate(users, pairs[v.USER]), locate(ids, pairs[v.ITEM])
    known = (row >= 0) & (item >= 0)
    taken = sparse.csr_matrix((np.ones(known.sum()), (row[known], item[known])), shape=(len(users), len(ids)))
    mass = np.asarray(taken @ masses)
    total = mass.sum(axis=1, keepdims=True)
    return np.asarray(mass / np.where(total > 0, total, 1.0))
