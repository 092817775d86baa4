"""`World`: users who answer slates by laws that are known, the noun that leaves this folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from equipoise.component import Component
from equipoise.data import Dataset, to_polars
from equipoise.data import vocabulary as v
from equipoise.data.frames import named_columns
from equipoise.errors import DataError
from equipoise.worlds.draws import choice_by_row, uniform
from equipoise.worlds.laws import GroupGap, Ints, Laws, Matrix
from equipoise.worlds.policy import PlackettLuce

START: Final = datetime(2025, 1, 1, tzinfo=UTC)
"""Day 0 of every world."""
LARGEST: Final = 25_000_000
"""Cells of users x items that a world holds at most: five float32 matrices of this size are 500 MB."""
_BLOCK = 1_000_000  # cells of visits x items worked on at once
_COLUMNS: Final = (
    v.EVENT, v.USER, v.ITEM, v.TIMESTAMP, v.QUERY, v.VALUE, v.REQUEST, v.SLATE, v.POSITION, v.PROPENSITY,
    v.SCORE, v.POLICY, v.REWARD,
)  # fmt: skip


class Scenario(Component, ABC):
    """The settings of a kind of world, from which `generate` makes one."""

    @abstractmethod
    def generate(self) -> World:
        """The world of these settings, the same each time."""


@dataclass(frozen=True)
class World:
    """Users, items and a log, with the truth behind them.

    Everything random is keyed by the seed, the day, the user and the item alone: the same world gives the
    same answers in any order, and a user answers two policies on the same day with the same luck.

    Attributes:
        scenario: The settings it was made from.
        users: One row per user: `user_id` (1, 2, ...) and attributes. Row order is that of all matrices.
        items: One row per item: `item_id` (1, 2, ...), attributes and texts. Row order is that of all
            matrices.
        laws: How users behave.
        policy: How the logger chooses.
        days: Length of the log.
        slate_length: Places of a logged slate.
        seed: Root of all draws.
        sensitive: Columns of `users` that audits group by.
        text: Columns of `items` that encoders read.
        gap_between: Column of `users`, favoured group and other group of the planted gap.
        images: Columns of `items` that hold images.
        numeric: Columns of `items` that are quantities.
    """

    scenario: Scenario
    users: pl.DataFrame = field(repr=False)
    items: pl.DataFrame = field(repr=False)
    laws: Laws = field(repr=False)
    policy: PlackettLuce = field(repr=False)
    days: int
    slate_length: int
    seed: int
    sensitive: tuple[str, ...]
    text: tuple[str, ...]
    gap_between: tuple[str, str, str]
    images: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()

    @classmethod
    def like(
        cls,
        log: Any,
        users: Any = None,
        items: Any = None,
        *,
        sensitive: str | Iterable[str] | None = None,
        text: str | Iterable[str] | None = None,
        gap_between: tuple[str, str, str] | None = None,
        seed: int = 0,
        max_users: int = 2000,
        max_items: int = 1000,
        **settings: Any,
    ) -> World:
        """The twin of a log: a world with the log's users, items and shape, and a truth of its own.

        Users, items and their ids are the log's own; what users do is invented, after what they did. Treat a
        twin like the data it is made from.

        Args:
            log: Events, a frame of any engine; or a `Dataset`, which brings its users and items along.
            users: Attributes of users, a frame of any engine.
            items: Attributes and texts of items, a frame of any engine.
            sensitive: Columns of the users that audits group by; by default the dataset's.
            text: Columns of the items that encoders read; by default the dataset's.
            gap_between: Column of the users, favoured group and other group of the planted gap; see `Twin.fit`.
            seed: Root of all draws.
            max_users: Most users kept.
            max_items: Most items kept.
            settings: Further fields of `Twin`: what is planted, and how strongly.

        Raises:
            DataError: if the log is empty, lacks ids, or tells nothing of taste.
            ConfigError: if a setting does not exist or cannot be met.
        """
        from equipoise.component import build
        from equipoise.worlds.twin.twin import Twin

        data = log if isinstance(log, Dataset) else Dataset.from_frames(log, users, items)
        if sensitive is not None:
            data = replace(data, sensitive=tuple(named_columns(sensitive)))
        if text is not None:
            data = replace(data, text=tuple(named_columns(text)))
        fields = {"seed": seed, "max_users": max_users, "max_items": max_items, **settings}
        return build(Twin, fields, where="World.like").fit(data, gap_between)

    # The truth ----------------------------------------------------------------------------------------------------

    @cached_property
    def preference(self) -> Matrix:
        """Probability of a click given examination at the end of the log, (users, items), whoever shows it where."""
        return self.preference_at(self.days)

    def preference_at(self, t: int) -> Matrix:
        """The same on day `t`; it differs from day to day by the trend."""
        return self._preference(np.arange(len(self.users)), t)

    @cached_property
    def propensity(self) -> Matrix:
        """Probability that a visiting user is shown the item anywhere in the logger's slate, (users, items)."""
        return self.policy.inclusion(self.slate_length)

    @cached_property
    def examined(self) -> Matrix:
        """Probability that an item shown to the user is looked at, over the places it gets, (users, items)."""
        chances = self.examination(np.arange(1, self.slate_length + 1))
        if (chances == 1).all():
            return np.ones_like(self.laws.appetite)
        return np.minimum(self.policy.exposure(chances) / np.maximum(self.propensity, 1e-12), 1.0)

    @property
    def effect(self) -> Matrix:
        """P(buy | shown) - P(buy | not shown) per visit, (users, items)."""
        return self.laws.effect

    @cached_property
    def group_gap(self) -> GroupGap:
        """The planted gap under the logging policy, at the preferences of the end of the log."""
        attribute, favoured, other = self.gap_between
        served = (self.propensity * self.preference).sum(axis=1) / self.slate_length
        group = self.users[attribute].cast(pl.String).fill_null(v.UNKNOWN)
        values = pl.DataFrame({"group": group, "value": served}).group_by("group").mean()
        return GroupGap(attribute, favoured, other, dict(sorted(values.iter_rows())))

    def truth(self) -> pl.DataFrame:
        """Preference, propensity and effect of every pair, as one table of users x items rows."""
        users, items = len(self.users), len(self.items)
        return pl.DataFrame({
            v.USER: self.users[v.USER].gather(np.repeat(np.arange(users), items)),
            v.ITEM: self.items[v.ITEM].gather(np.tile(np.arange(items), users)),
            "preference": self.preference.ravel(),
            v.PROPENSITY: self.propensity.ravel(),
            "effect": self.effect.ravel(),
        })  # fmt: skip

    def examination(self, position: NDArray[Any] | int) -> NDArray[np.float64]:
        """Probability that a place (from 1) of a slate is looked at."""
        return np.asarray(position, dtype=np.float64) ** -self.laws.examination_decay

    def located(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with `_user` and `_item`: row and column in all matrices, null for ids the world does not have."""
        for column, row, table in ((v.USER, "_user", self.users), (v.ITEM, "_item", self.items)):
            known = table.select(column).with_row_index(row).cast({row: pl.Int64})
            frame = frame.with_columns(pl.col(column).cast(known[column].dtype, strict=False))
            frame = frame.join(known, on=column, how="left", maintain_order="left")
        return frame

    # The log ------------------------------------------------------------------------------------------------------

    @cached_property
    def log(self) -> pl.DataFrame:
        """All events of days 0 to `days` - 1, in order of time: impressions, clicks, purchases and searches.

        Impressions and their clicks and purchases carry `request_id`, `slate_id`, `position`, `policy`, the
        logger's `score` and `propensity`: the probability with which the logger put the item on its place
        given the items above it. `reward` is 1 for an impression that was clicked. A purchase without a
        slate was made without being shown.
        """
        return pl.concat([self.respond(self.slates(t), t) for t in range(self.days)])

    def slates(self, t: int) -> pl.DataFrame:
        """What the logger shows on day `t` to the users who visit: one row per place."""
        visitors = np.flatnonzero(self.laws.visits(self.seed, t))
        columns, propensities = self.policy.sample(visitors, self.slate_length, seed=self.seed, t=t)
        places = np.tile(np.arange(1, self.slate_length + 1), len(visitors))
        return pl.DataFrame({
            v.USER: self.users[v.USER].gather(np.repeat(visitors, self.slate_length)),
            v.ITEM: self.items[v.ITEM].gather(columns.ravel()),
            v.POSITION: pl.Series(places, dtype=pl.Int32),
            v.PROPENSITY: propensities.ravel(),
            v.SCORE: np.log(self.policy.weights[np.repeat(visitors, self.slate_length), columns.ravel()]),
            v.POLICY: pl.repeat(self.policy.name, len(places), eager=True),
        })  # fmt: skip

    def dataset(self) -> Dataset:
        """The log with its users and items, as any other data comes."""
        return Dataset(
            self.log, self.users, self.items, sensitive=self.sensitive, text=self.text,
            images=self.images, numeric=self.numeric,
        )  # fmt: skip

    def respond(self, slates: Any, t: int) -> pl.DataFrame:
        """What users do on day `t` when they are shown these slates.

        Args:
            slates: Frame of `user_id`, `item_id` and `position` (or `rank`), one slate per user;
                `propensity`, `score` and `policy` where known.
            t: Day, not negative.

        Returns:
            Events in order of time, with the columns of `log`.

        Raises:
            DataError: if a column is missing, a user or an item is unknown, or a user has an item or a place
            twice.
        """
        shown = self._placed(to_polars(slates), t)
        if shown.is_empty():
            return self._events([])
        user, item = shown["_user"].to_numpy(), shown["_item"].to_numpy()
        appetite = self._preference_of(user, item, t)
        chance = uniform(self.seed, "click", t, user, item)
        clicked = chance < appetite * self.examination(shown[v.POSITION].to_numpy())
        shown = shown.with_columns(pl.Series(v.REWARD, clicked.astype(np.float64)))
        visitors = np.unique(user)
        bought, unshown = self._purchases(visitors, user, item, t)
        after = pl.col(v.POSITION).cast(pl.Int64) * 3
        return self._events([
            self._searches(visitors, t),
            shown.with_columns(pl.lit(v.IMPRESSION).alias(v.EVENT), _delay=after),
            shown.filter(clicked).with_columns(pl.lit(v.CLICK).alias(v.EVENT), _delay=after + 1),
            shown.filter(bought).with_columns(pl.lit(v.PURCHASE).alias(v.EVENT), _delay=after + 300),
            unshown.with_columns(pl.lit(v.PURCHASE).alias(v.EVENT), _delay=pl.lit(600, dtype=pl.Int64)),
        ])  # fmt: skip

    # How it is done -----------------------------------------------------------------------------------------------

    def _trend(self, t: int) -> NDArray[np.float64]:
        """Shift of the log-odds of each item on day `t`."""
        return self.laws.trend * np.sin(2 * np.pi * (t / self.laws.period + self.laws.phase))

    def _preference(self, users: Ints, t: int) -> Matrix:
        return np.asarray(expit(self.laws.appetite[users] + self._trend(t).astype(np.float32)))

    def _preference_of(self, user: Ints, item: Ints, t: int) -> NDArray[np.float64]:
        return np.asarray(expit(self.laws.appetite[user, item] + self._trend(t)[item]))

    def _placed(self, slates: pl.DataFrame, t: int) -> pl.DataFrame:
        """The slates with matrix rows and columns (`_user`, `_item`) and with request ids, checked."""
        if v.POSITION not in slates.columns and v.RANK in slates.columns:
            slates = slates.rename({v.RANK: v.POSITION})
        for column in (v.USER, v.ITEM, v.POSITION):
            if column not in slates.columns:
                raise DataError(
                    f"The slates have no column '{column}'", where=f"columns: {', '.join(slates.columns)}",
                    todo="A slate needs user_id, item_id and position (or rank).",
                )  # fmt: skip
        slates = self.located(slates)
        for column, row in ((v.USER, "_user"), (v.ITEM, "_item")):
            if strangers := slates[row].null_count():
                raise DataError(
                    f"The slates name a '{column}' that this world does not have",
                    where=f"{strangers} of {len(slates)} rows",
                    todo=f"Use ids of world.{column.removesuffix('_id')}s.",
                )
        for column in (v.ITEM, v.POSITION):
            repeated = len(slates) - slates.select(v.USER, column).n_unique()
            if repeated:
                raise DataError(
                    f"A user has the same '{column}' twice on one day", where=f"day {t}, {repeated} rows",
                    todo="Show one slate per user and day, each item and place once.",
                )  # fmt: skip
        request = t * len(self.users) + pl.col("_user")
        return slates.sort("_user", v.POSITION).with_columns(request.alias(v.REQUEST), request.alias(v.SLATE))

    def _purchases(
        self, visitors: Ints, user: Ints, item: Ints, t: int
    ) -> tuple[NDArray[np.bool_], pl.DataFrame]:
        """Which shown rows are bought, and the purchases of items that were not shown."""
        laws = self.laws
        chance = uniform(self.seed, "purchase", t, user, item)
        bought = chance < laws.organic[user, item].astype(np.float64) + laws.effect[user, item]
        n_items = len(self.items)
        if not laws.organic.any():
            return bought, self._rows(np.empty(0, np.int64), np.empty(0, np.int64), t)
        found: list[tuple[Ints, Ints]] = []
        for (rows,) in self._in_blocks(visitors):
            chances = uniform(self.seed, "purchase", t, rows[:, None], np.arange(n_items)[None, :])
            buyer, column = np.nonzero(chances < laws.organic[rows])
            found.append((rows[buyer], column))
        buyers, columns = (np.concatenate(part) for part in zip(*found, strict=True))
        unshown = ~np.isin(buyers * n_items + columns, user * n_items + item)
        return bought, self._rows(buyers[unshown], columns[unshown], t)

    def _searches(self, visitors: Ints, t: int) -> pl.DataFrame:
        """Searches of visitors: a user looks for an item drawn in proportion to the odds of a click."""
        laws = self.laws
        seekers = visitors[uniform(self.seed, "search", t, visitors) < laws.search]
        if not len(seekers):
            return self._rows(seekers, None, t).with_columns(pl.lit(v.SEARCH).alias(v.EVENT), _delay=0)
        wanted = np.concatenate([np.empty(0, dtype=np.int64), *(
            choice_by_row(np.exp(laws.appetite[rows].astype(np.float64) + self._trend(t)), chance)
            for rows, chance in self._in_blocks(seekers, uniform(self.seed, "wish", t, seekers))
        )])  # fmt: skip
        texts = laws.queries.with_row_index("_item").unpivot(
            index="_item", variable_name="_language", value_name=v.QUERY
        )
        asked = pl.DataFrame({
            "_user": seekers,
            "_item": pl.Series(wanted, dtype=pl.UInt32),
            "_language": pl.Series(laws.queries.columns).gather(laws.language[seekers]),
        }).join(texts, on=["_item", "_language"], how="left", maintain_order="left")  # fmt: skip
        return self._rows(seekers, None, t).with_columns(
            asked[v.QUERY], pl.lit(v.SEARCH).alias(v.EVENT), _delay=pl.lit(-30, dtype=pl.Int64)
        )

    def _in_blocks(self, *arrays: NDArray[Any]) -> Iterator[tuple[NDArray[Any], ...]]:
        """Parts of arrays of one length, short enough to be crossed with all items."""
        step = max(_BLOCK // len(self.items), 1)
        for start in range(0, len(arrays[0]), step):
            yield tuple(array[start : start + step] for array in arrays)

    def _rows(self, users: Ints, items: Ints | None, t: int) -> pl.DataFrame:
        """Rows outside any slate."""
        frame = pl.DataFrame({"_user": users, v.USER: self.users[v.USER].gather(users)})
        frame = frame.with_columns((t * len(self.users) + pl.col("_user")).alias(v.REQUEST))
        return frame if items is None else frame.with_columns(self.items[v.ITEM].gather(items))

    def _events(self, parts: list[pl.DataFrame]) -> pl.DataFrame:
        """The parts under the columns of a log, with a time of day for each user, in order of time."""
        empty = pl.DataFrame(
            schema={
                v.EVENT: pl.String, v.USER: self.users[v.USER].dtype, v.ITEM: self.items[v.ITEM].dtype,
                v.TIMESTAMP: pl.Datetime("us", "UTC"), v.QUERY: pl.String, v.VALUE: pl.Float64, v.REQUEST: pl.Int64,
                v.SLATE: pl.Int64, v.POSITION: pl.Int32, v.PROPENSITY: pl.Float64, v.SCORE: pl.Float32,
                v.POLICY: pl.String, v.REWARD: pl.Float64, "_user": pl.Int64, "_delay": pl.Int64,
            }
        )  # fmt: skip
        wanted = list(empty.columns)
        cast = [
            part.select(pl.col(c).cast(empty.schema[c]) for c in wanted if c in part.columns)
            for part in parts
        ]
        events = pl.concat([empty, *cast], how="diagonal")
        if events.is_empty():
            return events.select(_COLUMNS)
        day, user = events[v.REQUEST].to_numpy() // len(self.users), events["_user"].to_numpy()
        second = (uniform(self.seed, "second", day, user) * 80_000).astype(np.int64) + 1_000
        microseconds = (day * 86_400 + second + events["_delay"].to_numpy()) * 1_000_000
        price = pl.col("price") if "price" in self.items.columns else pl.lit(None)
        prices = self.items.select(v.ITEM, price.cast(pl.Float64, strict=False).alias("_price"))
        events = events.with_columns(
            (pl.lit(START) + pl.Series(microseconds).cast(pl.Duration("us"))).alias(v.TIMESTAMP)
        ).join(prices, on=v.ITEM, how="left", maintain_order="left")
        bought = pl.col(v.EVENT) == v.PURCHASE
        events = events.with_columns(
            pl.when(bought).then("_price").alias(v.VALUE),
            pl.when(pl.col(v.EVENT) == v.IMPRESSION).then(v.REWARD).alias(v.REWARD),
        )
        return events.sort(v.TIMESTAMP, v.USER, v.ITEM, maintain_order=True).select(_COLUMNS)
