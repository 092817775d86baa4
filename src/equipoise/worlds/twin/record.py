"""What a log says, as arrays over the users and items of a world: read alike from a log and from its twin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive
from equipoise.worlds.laws import Ints

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shown:
    """Impressions, in order of user, slate and place. All arrays have one entry per impression.

    Attributes:
        user: Row of the users.
        item: Row of the items.
        slate: Number of the slate, from 0 in this order.
        place: Place in the slate, from 1; 1 everywhere where the log does not say.
        clicked: Whether it was clicked.
        at: Time in seconds; empty where the log has none.
        placed: Whether the log says the places.
    """

    user: Ints
    item: Ints
    slate: Ints
    place: Ints
    clicked: NDArray[np.bool_]
    at: Floats
    placed: bool

    @cached_property
    def lengths(self) -> Ints:
        """Places of each slate."""
        return np.bincount(self.slate)


@dataclass(frozen=True)
class Record:
    """A log over known users and items.

    Attributes:
        shape: Number of users and of items.
        user: Row of the users, one entry per event of taste, by user and then time.
        item: Row of the items, likewise.
        at: Time in seconds, likewise; empty where the log has no absolute time.
        ordered: Whether events of a user have a known order.
        shown: The impressions; None where the log has none.
        purchases: Number of purchases beside other events of taste.
        searches: Number of searches.
        rows: Row of the users table that each user is of, length users; each its own save in a resample.
    """

    shape: tuple[int, int]
    user: Ints
    item: Ints
    at: Floats
    ordered: bool
    shown: Shown | None
    purchases: int
    searches: int
    rows: Ints

    @property
    def by_user(self) -> Ints:
        """Events of taste of each user."""
        return np.bincount(self.user, minlength=self.shape[0])

    @property
    def by_item(self) -> Ints:
        """Events of taste on each item."""
        return np.bincount(self.item, minlength=self.shape[1])

    @property
    def repeated(self) -> float:
        """Share of events of taste whose user had the same item before."""
        pairs = self.user * self.shape[1] + self.item
        return 1 - len(np.unique(pairs)) / max(len(pairs), 1)

    @cached_property
    def span(self) -> tuple[float, float]:
        """First and last time, of taste and of impressions, in seconds; 0 and 0 where there is none."""
        times = self.at if self.shown is None else np.concatenate([self.at, self.shown.at])
        return (float(times.min()), float(times.max())) if len(times) else (0.0, 0.0)


def record(events: pl.DataFrame, users: pl.DataFrame, items: pl.DataFrame) -> Record:
    """Read the events of these users and items; those of others are left out.

    Purchases count as taste only where nothing else does, so that a twin's clicks are held against clicks.
    """
    for column, row, table in ((v.USER, "_user", users), (v.ITEM, "_item", items)):
        known = table.select(column).with_row_index(row).cast({row: pl.Int64})
        events = events.with_columns(pl.col(column).cast(known[column].dtype, strict=False))
        events = events.join(known, on=column, how="left", maintain_order="left")
    events = events.filter(pl.col("_user").is_not_null()).with_columns(
        _seconds(events), _order(events).alias("_order")
    )
    kind = pl.col(v.EVENT) if v.EVENT in events.columns else pl.lit(None, dtype=pl.String)
    here = events.filter(pl.col("_item").is_not_null())
    taste = here.filter(positive(here))
    bought = taste.filter(kind.eq_missing(v.PURCHASE))
    if len(bought) < len(taste):
        taste = taste.filter(kind.ne_missing(v.PURCHASE))
        purchases = len(bought)
    else:
        purchases = 0
    taste = taste.sort("_user", "_at", "_order", "_item", maintain_order=True)
    return Record(
        shape=(len(users), len(items)),
        user=taste["_user"].to_numpy(),
        item=taste["_item"].to_numpy(),
        at=_times(taste),
        ordered=v.TIMESTAMP in events.columns or v.ORDER in events.columns,
        shown=_shown(here, taste),
        purchases=purchases,
        searches=len(events.filter(kind.eq_missing(v.SEARCH))),
        rows=np.arange(len(users)),
    )


def resampled(log: Record, rows: Ints) -> Record:
    """The log of these users, some of them several times, each time as somebody else."""
    event, user = _copies(log.user, rows, log.shape[0])
    shown = None
    if log.shown is not None:
        index, viewer = _copies(log.shown.user, rows, log.shape[0])
        slate = log.shown.slate[index]
        new = np.concatenate([[True], (np.diff(slate) != 0) | (np.diff(viewer) != 0)])[: len(slate)]
        shown = Shown(
            user=viewer,
            item=log.shown.item[index],
            slate=np.cumsum(new) - 1,
            place=log.shown.place[index],
            clicked=log.shown.clicked[index],
            at=log.shown.at[index] if len(log.shown.at) else log.shown.at,
            placed=log.shown.placed,
        )
    return replace(
        log,
        shape=(len(rows), log.shape[1]),
        user=user,
        item=log.item[event],
        at=log.at[event] if len(log.at) else log.at,
        shown=shown,
        rows=log.rows[rows],
    )


def _copies(user: Ints, rows: Ints, n_users: int) -> tuple[Ints, Ints]:
    """Entries of these users, one user after the other, and the new number of the user of each."""
    sizes = np.bincount(user, minlength=n_users)
    starts = np.cumsum(sizes) - sizes
    count = sizes[rows]
    number = np.repeat(np.arange(len(rows)), count)
    within = np.arange(len(number)) - np.repeat(np.cumsum(count) - count, count)
    return starts[rows][number] + within, number


def _shown(here: pl.DataFrame, taste: pl.DataFrame) -> Shown | None:
    if v.EVENT not in here.columns:
        return None
    rows = here.filter(pl.col(v.EVENT) == v.IMPRESSION)
    if rows.is_empty():
        return None
    slate = next((name for name in (v.SLATE, v.REQUEST) if name in rows.columns), None)
    group = ["_user", *((slate,) if slate else ("_at",))]
    placed = v.POSITION in rows.columns and rows[v.POSITION].null_count() == 0
    place = pl.col(v.POSITION).cast(pl.Int64) if placed else pl.lit(1, dtype=pl.Int64)
    if v.REWARD in rows.columns and rows[v.REWARD].null_count() < len(rows):
        clicked = pl.col(v.REWARD).fill_null(0) > 0
    else:
        keys = [*group, "_item"] if slate else ["_user", "_item"]
        marks = taste.select(keys).unique().with_columns(pl.lit(True).alias("_clicked"))
        rows = rows.join(marks, on=keys, how="left", nulls_equal=True, maintain_order="left")
        clicked = pl.col("_clicked").fill_null(False)
    rows = rows.with_columns(place.alias("_place"), clicked.alias("_hit"))
    rows = rows.sort(*group, "_place", "_item", nulls_last=True)
    number = rows.select(pl.struct(group).rle_id().cast(pl.Int64)).to_series()
    return Shown(
        user=rows["_user"].to_numpy(),
        item=rows["_item"].to_numpy(),
        slate=number.to_numpy(),
        place=rows["_place"].to_numpy(),
        clicked=rows["_hit"].to_numpy(),
        at=_times(rows),
        placed=placed,
    )


def _seconds(events: pl.DataFrame) -> pl.Expr:
    """Time in seconds since 1970; null where the log has none."""
    if v.TIMESTAMP not in events.columns:
        return pl.lit(None, dtype=pl.Float64).alias("_at")
    dtype = events.schema[v.TIMESTAMP]
    time = pl.col(v.TIMESTAMP)
    if dtype.is_temporal():
        time = time.cast(pl.Datetime("us", getattr(dtype, "time_zone", None))).dt.epoch("us") / 1e6
    return time.cast(pl.Float64, strict=False).alias("_at")


def _order(events: pl.DataFrame) -> pl.Expr:
    """What breaks ties of time within a user."""
    return pl.col(v.ORDER).cast(pl.Float64) if v.ORDER in events.columns else pl.lit(0.0)


def _times(rows: pl.DataFrame) -> Floats:
    """Times of rows; empty where any is missing, for half a clock tells no time."""
    return rows["_at"].to_numpy() if rows["_at"].null_count() == 0 else np.empty(0)
