"""Held-out events as a stream that a controller watches: lists shown one period after the other, and their feedback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.after.groups import item_groups, user_groups
from equipoise.debias.after.held_out import HeldOut
from equipoise.debias.after.leanings import leaning
from equipoise.debias.control import ALTERNATIVE, EVERYONE, ITEM_GROUP, TRIAL, Controller, corrected
from equipoise.debias.correction import Context
from equipoise.statistics import betting_interval

_LATE = 0.3  # share of the histories, from the end, that the second opinion is read from


@dataclass(frozen=True)
class View:
    """What the controller is shown of users and items.

    Attributes:
        names: Of the groups of users; none where users are not told apart.
        of_item: `item_id`, `item_group`; None where items are not grouped.
        opinion: `group`, `item_id`, `alternative`: what each group chose lately.
    """

    data: Dataset
    attribute: str | None
    names: list[str]
    of_item: pl.DataFrame | None
    opinion: pl.DataFrame

    @classmethod
    def of(cls, context: Context, attribute: str | None, group: str | None) -> View:
        """Groups of users by an attribute and of items by a column, where there is one."""
        data, opinions = context.data, []
        names: list[str] = []
        assert context.model is not None
        if attribute is not None:
            assert data.users is not None
            names, codes = user_groups(data, attribute, data.users[v.USER])
            items = context.model.catalogue.items
            for g, name in enumerate(names):
                members = data.users[v.USER].filter(pl.Series(codes == g))
                taste = leaning(data, members, items, _LATE if data.time is not None else 1.0)
                opinions.append(
                    pl.DataFrame({v.ITEM: items, ALTERNATIVE: taste}).with_columns(
                        pl.lit(name).alias(v.GROUP)
                    )
                )
        of_item = None if group is None else item_groups(data, group).rename({"group": ITEM_GROUP})
        return cls(data, attribute, names, of_item, pl.concat(opinions) if opinions else pl.DataFrame())

    def seen(self, lists: pl.DataFrame) -> pl.DataFrame:
        """Lists with the groups of their users and items, and the second opinion."""
        if self.attribute is not None:
            codes = user_groups(self.data, self.attribute, lists[v.USER])[1]
            name = pl.Series(v.GROUP, [*self.names, None], dtype=pl.String).gather(
                codes % (len(self.names) + 1)
            )
            lists = lists.with_columns(name).join(
                self.opinion, on=[v.GROUP, v.ITEM], how="left", maintain_order="left"
            )
            lists = lists.with_columns(pl.col(ALTERNATIVE).fill_null(0.0))
        if self.of_item is not None:
            lists = lists.join(self.of_item, on=v.ITEM, how="left", maintain_order="left")
        return lists


@dataclass(frozen=True)
class Stream:
    """Held-out users in the order in which they came, with what they took.

    Attributes:
        users: In order of their first held-out event.
        pools: What the controller is shown, with `hit`.
        due: Due share of exposure per group of items; empty where it is not watched.
        cutoff: Length of the lists.
    """

    users: pl.Series
    pools: pl.DataFrame
    due: dict[str, float]
    cutoff: int

    @classmethod
    def of(cls, held_out: HeldOut, view: View, context: Context, cutoff: int) -> Stream:
        """Held-out users by the time of their first held-out event; by their id where no time is known."""
        assert context.valid is not None
        events, time = context.valid.positives, context.valid.time
        first = events.group_by(v.USER).agg(
            pl.col(time).min().alias("_first") if time else pl.lit(0).alias("_first")
        )
        known = first.filter(pl.col(v.USER).is_in(held_out.users.implode()))
        users = known.sort("_first", v.USER)[v.USER]
        frame = held_out.pool.frame.with_columns(hit=pl.Series(held_out.hit).cast(pl.Float64))
        due: dict[str, float] = {}
        if view.of_item is not None:
            counts = view.of_item[ITEM_GROUP].value_counts(sort=False).sort(ITEM_GROUP)
            due = {name: count / len(view.of_item) for name, count in counts.iter_rows()}
        return cls(users, view.seen(frame), due, cutoff)

    def periods(self, count: int) -> Iterator[pl.DataFrame]:
        """Pools of the users of each period, with the users' places in the order."""
        edges = np.unique(np.linspace(0, len(self.users), count + 1).astype(np.int64))
        for start, end in pairwise(edges.tolist()):
            some = self.users.slice(start, end - start)
            places = pl.DataFrame({v.USER: some, "_place": np.arange(start, end)})
            yield self.pools.join(places, on=v.USER, how="inner", maintain_order="right_left")

    def feedback(self, lists: pl.DataFrame) -> pl.DataFrame:
        """Impressions of lists, as the controller reads them: the place in the order is the time."""
        return (
            lists.filter(pl.col(v.RANK) <= self.cutoff)
            .sort("_place", TRIAL, v.RANK)
            .rename({"hit": v.REWARD, v.RANK: v.POSITION})
            .with_columns(
                pl.lit(v.IMPRESSION).alias(v.EVENT),
                pl.col("_place").cast(pl.Float64).alias(v.TIMESTAMP),
                (2 * pl.col("_place") + pl.col(TRIAL)).alias(v.REQUEST),
            )
        )


@dataclass
class Run:
    """The controller's way over the stream."""

    controller: Controller
    stream: Stream
    count: int
    changes: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for pools in self.stream.periods(self.count):
            adjustment = self.controller.observe(self.stream.feedback(self._shown(pools)), both_ways=True)
            if adjustment is not None:
                self.changes += adjustment.records()

    def _shown(self, pools: pl.DataFrame) -> pl.DataFrame:
        """Lists as they stand; of groups in which a step is tried, each user's both ways."""
        standing: pl.DataFrame = self.controller.apply(pools, trials=False)
        standing = standing.with_columns(pl.lit(False).alias(TRIAL))
        if not (tried := self.controller.tried):
            return standing
        corrections = self.controller.corrections
        corrections = {**corrections, "gap": {**corrections["gap"], **tried}}
        lists: pl.DataFrame = corrected(pools.filter(pl.col(v.GROUP).is_in(list(tried))), corrections)
        return pl.concat([standing, lists.with_columns(pl.lit(True).alias(TRIAL))])

    def told(self) -> dict[str, Any]:
        """What was found, as plain values; errors are those of all held-out users, who were chosen by."""
        return {
            "users": len(self.stream.users),
            "corrections": {signal: dict(found) for signal, found in self.controller.corrections.items()},
            "changes": self.changes,
            "held_out": {
                "before": self._errors(self.stream.pools),
                "after": self._errors(self.controller.apply(self.stream.pools, trials=False)),
            },
        }

    def _errors(self, pools: pl.DataFrame) -> dict[str, Any]:
        """Reward of each group's lists and what their probabilities are off by, with intervals valid at any time."""
        shown = pools.filter(pl.col(v.RANK) <= self.stream.cutoff)
        named = pl.col(v.GROUP) if v.GROUP in shown.columns else pl.lit(EVERYONE).alias(v.GROUP)
        off = (pl.col("hit") - pl.col(v.PROBABILITY).cast(pl.Float64)).mean().alias("off")
        users = (
            shown.with_columns(named)
            .group_by(v.USER, v.GROUP, maintain_order=True)
            .agg(pl.col("hit").mean(), off)
        )
        found: dict[str, Any] = {}
        for (name,), part in users.drop_nulls(v.GROUP).group_by(v.GROUP, maintain_order=True):
            errors = {"reward": betting_interval(part["hit"].to_numpy())}
            if not part["off"].null_count():
                errors["seen_less_said"] = betting_interval(part["off"].to_numpy(), low=-1.0)
            found[str(name)] = {what: interval.as_dict() for what, interval in errors.items()}
        return dict(sorted(found.items()))
