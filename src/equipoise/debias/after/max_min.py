"""A re-ranker for the group of items, or the provider, that is worst off."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from equipoise.debias.after.market import Market, Outcome
from equipoise.debias.after.pools import Floats, Ints
from equipoise.debias.after.sharing import Sharing
from equipoise.debias.correction import Context
from equipoise.errors import DataError


class MaxMin(Sharing):
    """Maximise mean score + strength x the smallest ratio of a group's share of exposure to its due share, over
    all lists at once (provider max-min fairness; P-MMF: Xu et al. 2023, "P-MMF: provider max-min fairness
    re-ranking in recommender system", section 4).

    The smallest ratio is the least mean of all ratios under weights that sum to 1. So the trade-off is solved by
    prices: every list is sorted by score plus strength x weight / due share of the item's group, and weights move
    to the groups that are worst off (dual ascent, by multiplicative steps). Exposure is counted with the position
    discount of DCG; scores are standardised within each user's pool. Groups that no pool holds cannot be helped
    and are left out of the minimum.
    """

    name: ClassVar[str] = "max_min"

    strength: float = Field(1.0, ge=0)
    """What it is worth that the worst-off group gets its due, in standard deviations of score; 0 changes nothing."""
    mode: Literal["batch", "online"] = "batch"
    """"batch" knows all lists beforehand; "online" makes one after the other, in the order of the pool."""

    def rerank(self, pool: pl.DataFrame, context: Context, k: int) -> pl.DataFrame:
        """See `AfterTraining.rerank`.

        Raises:
            DataError: also if the items have no such column, or only one group.
        """
        if pool.is_empty():
            return pool
        market, column = self.market(pool, context, k)
        laid = market.pool
        due = market.due(self.target)
        there = np.bincount(market.groups.code[laid.there], minlength=len(due)) > 0
        counted = there & (due > 0)
        if not counted.any():
            raise DataError(f"No pool holds an item whose group in '{column}' is known and due any exposure")
        worth = np.where(counted, self.strength / np.where(counted, due, 1.0), 0.0)
        order = laid.unchanged[:, : len(market.discount)]
        before = market.outcome(order)
        if self.strength:
            order = self._batch(market, worth) if self.mode == "batch" else self._online(market, worth)
        after = market.outcome(order)
        lacking = [name for name, some in zip(market.groups.names, there, strict=True) if not some]
        smallest = {
            stage: float((one.shares[counted] / due[counted]).min())
            for stage, one in (("before", before), ("after", after))
        }
        context.report(
            self,
            **laid.size(k),
            grouped_by=column,
            groups={
                name: {
                    "due": float(due[g]),
                    "before": float(before.shares[g]),
                    "after": float(after.shares[g]),
                }
                for g, name in enumerate(market.groups.names)
            },
            smallest_ratio_before=smallest["before"],
            smallest_ratio_after=smallest["after"],
            score_given_up=before.score - after.score,
            warnings=[*laid.warnings(k), *_absent(lacking)],
        )
        return laid.lists(order, k)

    def _batch(self, market: Market, worth: Floats) -> Ints:
        """The best lists met on the way, at the current weights or at their average so far; deterministic."""
        weight, total = _even(worth), np.zeros(len(worth))
        best = market.order(total)
        highest = self._value(market.outcome(best), worth)
        for step in range(1, self.iterations + 1):
            total += weight
            current = market.order(weight * worth)
            outcome = market.outcome(current)
            average = market.order(total / step * worth)
            for order, reached in ((current, outcome), (average, market.outcome(average))):
                value = self._value(reached, worth)
                if value > highest + 1e-12:
                    best, highest = order, value
            weight = _moved(weight, outcome.shares * worth, 1 / np.sqrt(step))
        return best

    def _online(self, market: Market, worth: Floats) -> Ints:
        """Lists made one after the other, each told only of those before it."""
        weight = _even(worth)
        scores, code, there = market.scores, market.groups.code, market.pool.there
        order = market.pool.unchanged[:, : len(market.discount)].copy()
        shown, pace = np.zeros(len(worth)), 1 / np.sqrt(len(order))
        for user in range(len(order)):
            value = np.where(there[user], scores[user] + (weight * worth)[code[user]], -np.inf)
            order[user] = np.argsort(-value, kind="stable")[: order.shape[1]]
            group = code[user, order[user]]
            shown += np.bincount(group[group >= 0], market.discount[group >= 0], len(worth))
            weight = _moved(_even(worth), shown / shown.sum() * worth, pace * (user + 1))
        return order

    def _value(self, outcome: Outcome, worth: Floats) -> float:
        """Mean score + strength x the smallest ratio."""
        return outcome.score + float((outcome.shares * worth)[worth > 0].min())


def _even(worth: Floats) -> Floats:
    """The same weight for all groups that can be helped."""
    return np.asarray((worth > 0) / max((worth > 0).sum(), 1))


def _moved(weight: Floats, ratios: Floats, pace: float) -> Floats:
    """Weights after a multiplicative step away from groups with high ratios; they sum to 1 again."""
    steps = -pace * ratios / max(float(ratios.max()), 1e-12)
    moved = weight * np.exp(steps - steps.max())
    return np.asarray(moved / moved.sum())


def _absent(names: list[str]) -> list[str]:
    """What is to be said of groups that no pool holds."""
    if not names:
        return []
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return [f"No pool holds an item of {shown}, so they get no exposure whatever the prices. Raise `pool`."]
