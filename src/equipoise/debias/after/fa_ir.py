"""A re-ranker whose lists hold enough of a protected group of items at every depth."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.after.binomial_tables import adjusted_table
from equipoise.debias.after.greedy import greedy
from equipoise.debias.after.groups import POPULARITY, UNKNOWN, Grouped, group_obstacle, item_groups
from equipoise.debias.after.market import Market
from equipoise.debias.after.pools import Ints, Pool
from equipoise.debias.correction import AfterTraining, Bias, Context
from equipoise.errors import DataError, nearest
from equipoise.models.recommender import Recommender


class FAIR(AfterTraining):
    """FA*IR: at every depth of a list as many protected items as a fair draw would have, up to chance (Zehlike
    et al. 2017, algorithm 2).

    A list is the best by score among those that pass a binomial test at each depth, with the significance
    adjusted for there being many tests; `binomial_tables` has the tables. Within the protected items and within
    the others the model's order is kept. A list whose pool has too few protected items takes all there are.
    """

    name: ClassVar[str] = "fa_ir"
    against: ClassVar[tuple[Bias, ...]] = ("exposure", "popularity")

    group: str = POPULARITY
    """Column of the items table, or "popularity" for head, middle and tail, each with a third of all events."""
    protected: str | None = None
    """The protected group; None for the tail of "popularity", else for the group whose share of exposure is
    smallest next to its share of the catalogue."""
    proportion: float | None = Field(None, gt=0, lt=1)
    """Share of protected items in a fair list; None for the group's share of the training events."""
    significance: float = Field(0.1, gt=0, lt=1)
    """How often a fair list may fail the test."""
    rounding: Literal["nearest", "at_most"] = "nearest"
    """Of the finitely many tables: the one whose fair lists fail nearest to as often as `significance` says, as
    published, or the strictest whose fair lists fail no more often."""

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """Items that cannot be grouped."""
        return group_obstacle(data, self.group)

    def rerank(self, pool: pl.DataFrame, context: Context, k: int) -> pl.DataFrame:
        """See `AfterTraining.rerank`.

        Raises:
            DataError: also if the items have no such column, or no such group.
        """
        if pool.is_empty():
            return pool
        laid, named = Pool.of(pool), item_groups(context.data, self.group)
        groups = Grouped.of(laid, named)
        name = self._protected(laid, groups, k)
        protected = groups.code == groups.names.index(name)
        proportion = self.proportion or _share_of_events(context.data, named, name)
        found = adjusted_table(min(k, laid.depth), proportion, self.significance, self.rounding)
        order = _ranked(laid.there, protected, found.least)
        before, after = (_failing(protected, one, found.least) for one in (laid.unchanged[:, :k], order))
        context.report(
            self,
            **laid.size(k),
            group_protected=name,
            proportion_of_fair_lists=proportion,
            least=found.least.tolist(),
            significance_of_each_test=found.significance,
            failure_of_fair_lists=found.failure,
            failing_before=float(before.mean()),
            failing_after=float(after.mean()),
            protected_before=float(protected[:, :k][laid.there[:, :k]].mean()),
            protected_after=float(_at(protected, order)[_at(laid.there, order)].mean()),
            score_given_up=laid.given_up(order),
            warnings=[*laid.warnings(k), *_lacking(name, protected, after, found.least)],
        )
        return laid.lists(order, k)

    def _protected(self, pool: Pool, groups: Grouped, k: int) -> str:
        if self.protected is not None:
            if self.protected not in groups.names:
                raise DataError(
                    f"There is no group '{self.protected}' in '{self.group}'",
                    todo=nearest(self.protected, groups.names),
                )
            return self.protected
        if self.group == POPULARITY and "tail" in groups.names:
            return "tail"
        market = Market(pool, groups, k)
        shares = market.outcome(pool.unchanged[:, :k]).shares
        ratio = shares / np.maximum(groups.catalogue, 1)
        ratio[[name == UNKNOWN for name in groups.names]] = np.inf
        return groups.names[int(ratio.argmin())]


def _ranked(there: NDArray[np.bool_], protected: NDArray[np.bool_], least: Ints) -> Ints:
    """Places of the lists: the best next item, or the best protected one where a prefix would have too few."""
    depth = there.shape[1]
    rows, count, step = np.arange(len(there)), np.zeros(len(there), dtype=np.int64), 0

    def worth() -> NDArray[np.float64]:
        short = (count < least[step])[:, None]
        return np.where(short & protected, depth, 0.0) - np.arange(depth)

    def take(chosen: Ints) -> None:
        nonlocal step
        np.add(count, protected[rows, chosen], out=count)
        step += 1

    return greedy(there, len(least), worth, take)


def _failing(protected: NDArray[np.bool_], order: Ints, least: Ints) -> NDArray[np.bool_]:
    """Which lists have too few protected items in some prefix, (users,)."""
    return np.asarray((_at(protected, order).cumsum(axis=1) < least).any(axis=1))


def _at(values: NDArray[np.bool_], order: Ints) -> NDArray[np.bool_]:
    return np.take_along_axis(values, order, 1)


def _share_of_events(data: Dataset, named: pl.DataFrame, name: str) -> float:
    """Share of the training events whose item is of the group, kept off 0 and 1."""
    of_events = data.positives.select(pl.col(v.ITEM).cast(named[v.ITEM].dtype, strict=False)).join(
        named, on=v.ITEM, how="left"
    )
    share = (of_events["group"].fill_null(UNKNOWN) == name).mean()
    return float(np.clip(share if isinstance(share, float) else 0.0, 0.01, 0.99))


def _lacking(name: str, protected: NDArray[np.bool_], failing: NDArray[np.bool_], least: Ints) -> list[str]:
    """What is to be said where pools have too few protected items, or the table asks for none."""
    if not least.any():
        return [
            f"For lists of {len(least)} the table asks for nothing: a fair list may well hold no item of '{name}'."
        ]
    if not protected.any():
        return [f"No pool holds an item of '{name}', so no list could change. Raise `pool`."]
    if failing.any():
        return [
            f"{int(failing.sum())} of {len(failing)} lists still have too few items of '{name}', because their pools "
            "hold no more. Raise `pool`."
        ]
    return []
