"""A re-ranker that draws lists by chance, so that groups of items get their due exposure in expectation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field
from scipy.special import expit

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.after.groups import Grouped, group_obstacle, grouping, item_groups
from equipoise.debias.after.market import Due, Market
from equipoise.debias.after.pools import Floats, Ints, Pool
from equipoise.debias.after.programmes import Mixture, of_all_lists, of_one_list
from equipoise.debias.correction import AfterTraining, Bias, Context
from equipoise.errors import DataError, nearest
from equipoise.models.recommender import Recommender
from equipoise.progress import track

_NEAR = 1e-6  # what a solver takes for met


class ExposureLP(AfterTraining):
    """Draw lists from the mixture of rankings that has the highest expected score among all whose expected exposure is
    shared among groups of items as is due (Singh & Joachims 2018, "Fairness of exposure in rankings"; Diaz et al.
    2020, "Evaluating stochastic rankings with expected exposure").

    A linear programme, solved by HiGHS. Unlike `exposure`, which weighs shares against score, the shares are
    constraints: they are met whatever they cost, or what is nearest to them where no rankings meet them, which is then
    said. Shares of one list can rarely be met by one ranking; in expectation they can, so one is drawn for each user.

    - scope "all": the shares are those of all lists together. Users who give up little for it get the lists that
      make up for the others.
    - scope "each": every user's list has the due shares, in expectation. Dearer, and more costly to compute: one
      programme per user, 3 to 5 ms each.

    Exposure is counted with the position discount of DCG, 1 / log2(rank + 1), scores are standardised within each
    user's pool. The same seed draws the same lists.
    """

    name: ClassVar[str] = "exposure_lp"
    against: ClassVar[tuple[Bias, ...]] = ("exposure", "popularity")

    group: str | None = None
    """Column of the items table, or "popularity" for head, middle and tail, each with a third of all events.

    None for `provider` where the items have it, else "popularity"."""
    scope: Literal["all", "each"] = "all"
    """Whether all lists together have the due shares, or each by itself."""
    target: Due = "catalogue"
    """Due share of a group: the same for all, its share of the catalogue, or of the relevance in the pools (in the
    user's own, for each list by itself: exposure in proportion to merit)."""
    shares: dict[str, float] | None = None
    """Due shares of groups by name, in place of `target`; the groups that are not named get the rest, by `target`."""
    strength: float = Field(1.0, ge=0, le=1)
    """How far from the shares of the model's own lists to the due ones; 0 changes nothing."""
    tolerance: float = Field(0.01, ge=0, lt=1)
    """How far a group's expected share may be from what is asked for, as a part of all exposure."""
    iterations: int = Field(200, ge=1)
    """Most steps for all lists together; ten to fifteen per group are needed."""

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """Items that cannot be grouped."""
        return group_obstacle(data, grouping(data, self.group))

    def rerank(self, pool: pl.DataFrame, context: Context, k: int) -> pl.DataFrame:
        """See `AfterTraining.rerank`.

        Raises:
            DataError: also if the items have no such column, only one group, or none of a name in `shares`, or if the
                shares sum to more than 1.
        """
        if pool.is_empty():
            return pool
        asked, column = Pool.of(pool), grouping(context.data, self.group)
        # sums and draws go by users and ranks, not by the order of rows
        laid = Pool.of(pool.sort(v.USER, v.RANK, maintain_order=True))
        market = Market(laid, Grouped.of(laid, item_groups(context.data, column)), k)
        own = market.outcome(laid.unchanged[:, :k])
        drawn = (self._together if self.scope == "all" else self._apart)(market, context)
        after = market.outcome(drawn.order)
        context.report(
            self,
            **laid.size(k),
            grouped_by=column,
            groups={
                name: {
                    "target": float(drawn.target[g]), "before": float(own.shares[g]),
                    "expected": float(drawn.shares[g]), "after": float(after.shares[g]),
                }
                for g, name in enumerate(market.groups.names)
            },
            gap_before=float(np.abs(own.shares - drawn.target).sum()),
            gap_expected=float(np.abs(drawn.shares - drawn.target).sum()),
            gap_after=float(np.abs(after.shares - drawn.target).sum()),
            score_given_up=own.score - after.score,
            score_given_up_expected=own.score - drawn.score,
            score_given_up_at_least=own.score - drawn.bound,
            rankings_per_programme=drawn.rankings,
            programmes=drawn.programmes,
            infeasible=drawn.infeasible,
            farthest_off=drawn.off,
            warnings=[*laid.warnings(k), *self._told(drawn)],
        )  # fmt: skip
        place = laid.users.to_frame().with_row_index("_place")
        rows = asked.users.to_frame().join(
            place, on=v.USER, how="left", nulls_equal=True, maintain_order="left"
        )
        return asked.lists(drawn.order[rows["_place"].to_numpy()], k)

    def _together(self, market: Market, context: Context) -> _Drawn:
        """One programme; which users get which of its sets of lists is drawn, in proportion as far as it goes."""
        own = market.outcome(market.pool.unchanged[:, : len(market.discount)]).shares
        target = self._between(own, self._due(market.due(self.target), market.groups.names))
        mixture = of_all_lists(market, target, self.tolerance, self.iterations)
        n = len(market.pool.users)
        chance = (context.runtime.rng(self.name).permutation(n) + 0.5) / n
        order = mixture.orders[_drawn(mixture.weights, chance), np.arange(n)]
        return _Drawn.of([mixture], np.ones(1), order, target, self.tolerance)

    def _apart(self, market: Market, context: Context) -> _Drawn:
        """One programme per user; lists do not depend on who else asks."""
        pool, names = market.pool, market.groups.names
        order = pool.unchanged[:, : len(market.discount)].copy()
        depths, show = pool.there.sum(axis=1), context.runtime.progress
        mixtures, targets, exposures = list[Mixture](), list[Floats](), list[float]()
        due = market.due(self.target)
        for row, user in enumerate(track(pool.users, "solving for each list", total=len(depths), show=show)):
            depth, k = int(depths[row]), min(int(depths[row]), order.shape[1])
            scores, code, worth = (
                market.scores[row, :depth],
                market.groups.code[row, :depth],
                market.discount[:k],
            )
            if self.target == "merit":
                due = np.bincount(code, expit(scores), len(names)) / expit(scores).sum()
            own = np.bincount(code[:k], worth, len(names)) / worth.sum()
            target = self._between(own, self._due(due, names))
            mixture = of_one_list(scores, code, target, self.tolerance, k)
            chance = context.runtime.rng(self.name, str(user)).random(1)
            order[row, :k] = mixture.orders[_drawn(mixture.weights, chance)[0]]
            mixtures.append(mixture)
            targets.append(target)
            exposures.append(float(worth.sum()))
        weights = np.array(exposures) / sum(exposures)
        return _Drawn.of(mixtures, weights, order, weights @ np.array(targets), self.tolerance)

    def _due(self, shares: Floats, names: list[str]) -> Floats:
        """Due shares: those that are named, and the rest in these proportions."""
        if not self.shares:
            return shares
        for name, share in self.shares.items():
            if name not in names:
                raise DataError(f"There is no group '{name}' to give a share to", todo=nearest(name, names))
            if share < 0:
                raise DataError(f"The share of '{name}' is {share:g}", todo="Give a number of at least 0.")
        named = np.array([name in self.shares for name in names])
        rest = 1 - sum(self.shares.values())
        if rest < -_NEAR or (named.all() and rest > _NEAR):
            raise DataError(
                f"The shares sum to {1 - rest:g}",
                todo="Give shares that sum to 1, or to less where groups are left that get the rest.",
            )
        others = np.where(named, 0.0, shares)
        others = others if others.sum() > 0 else np.where(named, 0.0, 1.0)
        given = np.array([self.shares.get(name, 0.0) for name in names])
        return np.asarray(given + max(rest, 0.0) * others / max(others.sum(), 1e-300))

    def _between(self, own: Floats, due: Floats) -> Floats:
        return (1 - self.strength) * own + self.strength * due

    def _told(self, drawn: _Drawn) -> list[str]:
        """What is to be said of the solution."""
        said = list[str]()
        if drawn.infeasible:
            what = (
                "these lists" if drawn.programmes == 1 else f"{drawn.infeasible} of {drawn.programmes} lists"
            )
            said.append(
                f"No mixture of rankings out of the pools brings the shares of {what} as near as {self.tolerance:g}: "
                f"the nearest was taken, which is off by up to {drawn.off:.3f}. Raise `pool`."
            )
        if drawn.score < drawn.bound - 1e-3:
            said.append(
                "Not solved to the end: lists with these shares may have a score up to "
                f"{drawn.bound - drawn.score:.3f} standard deviations higher. Raise `iterations`."
            )
        return said


@dataclass(frozen=True)
class _Drawn:
    """Lists that were drawn, and what was promised of them.

    Attributes:
        order: Places of the lists, (users, k).
        target: Shares asked for, (groups,).
        shares: Expected shares, (groups,).
        score: Expected mean score per unit of exposure.
        bound: No mixture with such shares has a higher expected score.
        rankings: To draw from, mean over the programmes.
        programmes: How many were solved.
        infeasible: How many of them met the shares no nearer than beyond the tolerance.
        off: Largest distance that was allowed.
    """

    order: Ints
    target: Floats
    shares: Floats
    score: float
    bound: float
    rankings: float
    programmes: int
    infeasible: int
    off: float

    @classmethod
    def of(
        cls, mixtures: list[Mixture], weights: Floats, order: Ints, target: Floats, tolerance: float
    ) -> _Drawn:
        """Programmes whose lists have these parts of all exposure."""
        off = np.array([one.off for one in mixtures])
        return cls(
            order,
            target,
            weights @ np.array([one.shares for one in mixtures]),
            float(weights @ [one.score for one in mixtures]),
            float(weights @ [one.bound for one in mixtures]),
            float(np.mean([len(one.weights) for one in mixtures])),
            len(mixtures),
            int((off > tolerance + _NEAR).sum()),
            float(off.max()),
        )


def _drawn(weights: Floats, chance: Floats) -> Ints:
    """Index of a ranking for each chance in [0, 1)."""
    return np.minimum(np.searchsorted(np.cumsum(weights), chance, side="right"), len(weights) - 1)
