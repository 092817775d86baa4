"""Disparities that weights can be set by: how well each group is served, measured on a model's lists."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.data.splits import Split, split
from equipoise.debias.before import groups
from equipoise.debias.before.measured import Measured, Rates
from equipoise.errors import DataError
from equipoise.metrics.ranking import RankingMetric, hit_rate, ndcg, precision, recall
from equipoise.models.recommender import Fitted

Floats = NDArray[np.float64]
MetricName = Literal["ndcg", "recall", "precision", "hit_rate"]
METRICS = {"ndcg": ndcg, "recall": recall, "precision": precision, "hit_rate": hit_rate}

_CELL, _CROSS = "_cell", " x "
_LEAST = 4  # users of every group, or there are no two halves with an error each


@dataclass(frozen=True)
class Lists:
    """How lists are made that are measured.

    Attributes:
        k: Length.
        exclude_seen: Whether items of the user's history are left out.
        users: Lists of so many users at most; of more, a sample by the run's seed.
        runtime: Seed, threads.
    """

    k: int
    exclude_seen: bool
    users: int
    runtime: Runtime

    def of(self, model: Fitted, users: pl.Series) -> pl.DataFrame:
        """Lists of these users."""
        return model.recommend(users, self.k, exclude_seen=self.exclude_seen, runtime=self.runtime)

    def sample(self, users: pl.Series) -> pl.Series:
        """The users whose lists are made, in sorted order."""
        known = users.drop_nulls().unique().sort()
        if len(known) <= self.users:
            return known
        rows = self.runtime.rng("reweigh", "users").choice(len(known), self.users, replace=False)
        return known.gather(np.sort(rows))


class Disparity(ABC):
    """Rates of cells of users or items, where equal rates are fair."""

    names: list[str]
    """Names of the cells."""
    shares: Floats
    """What each cell counts for in a mean of the rates; sums to 1."""
    train: Dataset
    """What models are fitted on whose lists are measured."""
    halved: bool = False
    """Whether weights are searched on one half of the users and judged on the other."""
    absent: tuple[str, ...] = ()
    """Cells that have no event, so that no weight can help them; they are not measured."""

    @abstractmethod
    def cells(self, events: pl.DataFrame) -> pl.Series:
        """Name of the cell of each row, null where it is in none."""

    @abstractmethod
    def measure(self, model: Fitted) -> Measured:
        """Rates of the cells in the model's lists."""

    @abstractmethod
    def logged(self) -> Floats:
        """What stands for the rates where there is no model to measure: how the events are shared out."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """On what it is measured, in plain values."""


class ExposureRates(Disparity):
    """Exposure of groups of items over what is due to them; 1 is the due share.

    Args:
        data: Training data.
        column: Column of the items, or "popularity".
        per: Column of users in whose groups exposure is measured apart; None for all users together.
        lists: How lists are made.
        discounted: Whether a place counts 1 / log2(rank + 1); else each place counts alike.
        due: A group's share of the catalogue, or of the events of taste.

    Raises:
        DataError: if users or items cannot be told apart, or a group has no event.
    """

    def __init__(
        self, data: Dataset, column: str, per: str | None, lists: Lists, *, discounted: bool,
        due: Literal["catalogue", "merit"],
    ) -> None:  # fmt: skip
        self.train, self._lists, self._discounted = data, lists, discounted
        self._items = groups.items_by_group(data, column)
        self._users = None if per is None else groups.users_by_group(data, per)
        self._known = lists.sample(data.positives[v.USER])
        logged = data.positives.select(self._named(data.positives)).drop_nulls()
        table = logged.group_by(_CELL, "_side", v.GROUP).len("_events").sort(_CELL)
        due_of = self._items.group_by(v.GROUP).len("_size")
        table = table.join(due_of, on=v.GROUP, maintain_order="left")
        self.names, self._side = table[_CELL].to_list(), table["_side"]
        whole = table.select(pl.col("_side").unique()).join(due_of, how="cross")
        lacking = whole.join(table, on=["_side", v.GROUP], how="anti").sort("_side", v.GROUP)
        self.absent = tuple(lacking.select(pl.concat_str("_side", v.GROUP, separator=_CROSS)).to_series())
        self._events = table["_events"].to_numpy().astype(np.float64)
        size = table["_size"].to_numpy() if due == "catalogue" else self._events
        self._due = self._within(np.asarray(size, dtype=np.float64))
        self.shares = self._due / self._due.sum()

    def cells(self, events: pl.DataFrame) -> pl.Series:
        """See `Disparity.cells`."""
        return events.select(self._named(events))[_CELL]

    def measure(self, model: Fitted) -> Measured:
        """See `Disparity.measure`."""
        shown = self._lists.of(model, self._known)
        shown = shown.with_columns(self._named(shown))
        place = 1 / (pl.col(v.RANK) + 1).log(2) if self._discounted else pl.col(v.RANK) * 0 + 1.0
        given = shown.group_by(_CELL).agg(given=place.sum())
        order = pl.DataFrame({_CELL: self.names})
        gained = order.join(given, on=_CELL, how="left", maintain_order="left")["given"].fill_null(0)
        values = self._within(gained.to_numpy().astype(np.float64)) / self._due
        rates = Rates(values, np.zeros_like(values))
        return Measured(rates, rates)

    def logged(self) -> Floats:
        """Share of the events over what is due."""
        return self._within(self._events) / self._due

    def describe(self) -> dict[str, Any]:
        """See `Disparity.describe`."""
        return {"measured_on": "lists of users of training", "users": len(self._known)}

    def _within(self, amounts: Floats) -> Floats:
        """Shares among the cells of one side of users."""
        table = pl.DataFrame({"side": self._side, "amount": amounts})
        total = table.select(pl.col("amount").sum().over("side")).to_series().to_numpy()
        return np.asarray(amounts / np.maximum(total, 1e-12))

    def _named(self, rows: pl.DataFrame) -> list[pl.Series]:
        """Cell, side of users and group of items of each row; null where either is unknown."""
        item = groups.per_event(rows, self._items)
        if self._users is None:
            return [item.alias(_CELL), pl.repeat("", len(rows), eager=True).alias("_side"), item]
        side = groups.per_event(rows, self._users)
        return [(side + _CROSS + item).alias(_CELL), side.alias("_side"), item]


class QualityRates(Disparity):
    """Mean quality of the lists of groups of users, against held-out events.

    The mean of a few users is partly chance, and the best of several rounds is partly the luckiest. Weights are
    searched on one random half of each group's users and judged on the other, wherever every group has four.

    Args:
        data: Training data.
        attribute: Column of users; None for the first sensitive one.
        lists: How lists are made.
        metric: Name of the metric, taken at the length of the lists.
        valid: Held-out events; None to hold out each user's last event of training (at random a tenth, where
            no time is known), which models are then not fitted on while they are measured.

    Raises:
        DataError: if users cannot be told apart, or a group has no event in training or none held out.
    """

    def __init__(
        self, data: Dataset, attribute: str | None, lists: Lists, metric: MetricName, valid: Dataset | None
    ) -> None:
        self._lists, self._users = lists, groups.users_by_group(data, attribute)
        self._metric: RankingMetric = METRICS[metric](lists.k)
        self.train, held, self._source = data, valid, "held-out events"
        if held is None:
            strategy: Literal["random", "leave_last"] = "random" if data.time is None else "leave_last"
            parts = split(data, Split(strategy=strategy, valid=0, test=0.1), lists.runtime.seed)
            self.train, held, self._source = parts.train, parts.test, "an inner held-out part of training"
        kind = self.train.events.schema
        truth = held.positives.select(
            pl.col(name).cast(kind[name], strict=False) for name in (v.USER, v.ITEM)
        )
        if lists.exclude_seen:  # what cannot be recommended cannot be missed
            truth = truth.join(self.train.positives, on=[v.USER, v.ITEM], how="anti")
        truth = truth.join(self._users, on=v.USER, how="semi").unique(maintain_order=True)
        self._known = lists.sample(truth[v.USER])
        self._truth = truth.filter(pl.col(v.USER).is_in(self._known.implode()))
        counted = groups.per_event(self._known.to_frame(), self._users).value_counts().sort(v.GROUP)
        self.names = sorted(self._users[v.GROUP].unique())
        if absent := sorted(set(self.names) - set(counted[v.GROUP])):
            raise DataError(
                f"A group has no held-out event to measure quality by: {', '.join(absent[:5])}",
                where=f"{len(self._truth)} held-out events", todo="Join rare groups, or hold out more.",
            )  # fmt: skip
        self.shares = counted["count"].to_numpy() / len(self._known)
        self.halved = int(counted["count"].to_numpy().min()) >= _LEAST
        self._first = self._half(lists.runtime)

    def cells(self, events: pl.DataFrame) -> pl.Series:
        """See `Disparity.cells`."""
        return groups.per_event(events, self._users)

    def measure(self, model: Fitted) -> Measured:
        """See `Disparity.measure`."""
        values = self._metric(self._lists.of(model, self._known), self._truth)
        named = values.with_columns(groups.per_event(values, self._users))
        if not self.halved:
            rates = _means(named)
            return Measured(rates, rates)
        first = named.join(self._first, on=v.USER, how="semi")
        return Measured(_means(first), _means(named.join(self._first, on=v.USER, how="anti")))

    def logged(self) -> Floats:
        """Events per user, for want of lists."""
        events = self.cells(self.train.positives).drop_nulls().value_counts().sort(v.GROUP)["count"]
        users = self._users.group_by(v.GROUP).len().sort(v.GROUP)["len"]
        return np.asarray(events.to_numpy() / users.to_numpy())

    def describe(self) -> dict[str, Any]:
        """See `Disparity.describe`."""
        sizes = np.rint(self.shares * len(self._known)).astype(int).tolist()
        return {
            "measured_on": self._source, "metric": self._metric.name, "users": len(self._known),
            "users_by_group": dict(zip(self.names, sizes, strict=True)),
            "judged_on": "users whom the weights were not searched on" if self.halved else "the same users",
        }  # fmt: skip

    def _half(self, runtime: Runtime) -> pl.DataFrame:
        """Half of the users of each group, drawn by the run's seed whatever the order of the rows."""
        drawn = runtime.rng("reweigh", "halves").permutation(len(self._known))
        users = self._known.to_frame().with_columns(
            groups.per_event(self._known.to_frame(), self._users), _drawn=pl.Series(drawn)
        )
        place = pl.col("_drawn").rank("ordinal").over(v.GROUP)
        return users.filter(place <= pl.len().over(v.GROUP) // 2).select(v.USER)


def _means(values: pl.DataFrame) -> Rates:
    """Mean and standard error of each group, in the order of their names."""
    value = pl.col("value")
    means = values.group_by(v.GROUP).agg(value.mean(), error=value.std() / value.len().sqrt()).sort(v.GROUP)
    return Rates(means["value"].to_numpy(), means["error"].fill_null(0.0).to_numpy())
