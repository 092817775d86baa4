"""Rows of users who do not exist, added to a log so that nobody takes them for real ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive
from equipoise.debias.before.augmentation.profiles import Profiles
from equipoise.errors import DataError

_KEPT = (v.ITEM, v.TIMESTAMP, v.ORDER, v.EVENT, v.VALUE, v.SAMPLE_WEIGHT, v.PROPENSITY)
"""What a made row has from the row it is modelled on; all else tells of one request of one real user. The propensity
is among it, so that weights by propensities do not take away what was added: rows without one weigh 1, and others more.
"""

COUNTED = (
    "Counts of events hold the made ones: popularity as models and corrections read it (`popularity_adjust`, `macr`, "
    "`dice`, the most popular) moves towards what was made."
)
"""For cards: what else reads the rows."""

MODELLED = (
    "Made rows have the propensity of the event they are modelled on, where there is one, and no impressions: a model "
    "that reads impressions finds nothing there that a made user was shown and left."
)
"""For cards of what `modelled` makes."""

_NTH = "_nth"


def new_ids(data: Dataset, n: int) -> pl.Series:
    """Ids of `n` users who are in no table, of the type of the events' ids.

    Numbers are negative, or from the top of the range where they have no sign, so that they do not meet users who
    come later either.

    Raises:
        DataError: if the type holds too few further ids.
    """
    known = data.events[v.USER].unique()
    if data.users is not None:
        known = pl.concat([known, data.users[v.USER].cast(known.dtype, strict=False)]).unique()
    known = known.drop_nulls()
    if not known.dtype.is_integer():
        taken = set(known.cast(pl.String).to_list())
        prefix = "synthetic "
        while any(one.startswith(prefix) for one in taken):
            prefix = f"{prefix}user "
        return pl.Series(v.USER, [f"{prefix}{place}" for place in range(n)], dtype=pl.String).cast(
            known.dtype
        )
    ids = known.to_numpy().astype(object)
    lowest, highest = np.iinfo(known.to_numpy().dtype).min, np.iinfo(known.to_numpy().dtype).max
    first, end = min(ids.min(), 0) - 1, lowest
    if lowest == 0:
        first, end = highest, ids.max() + 1
    if first - n + 1 < end:
        raise DataError(
            f"{n:,} more user ids do not fit {known.dtype}",
            where=f"ids run from {ids.min()} to {ids.max()}",
            todo="Give the user ids as Int64 or as text.",
        )
    return pl.Series(v.USER, [first - place for place in range(n)], dtype=known.dtype)


def people(data: Dataset, column: str, values: pl.Series, like: pl.Series | None = None) -> pl.DataFrame:
    """Rows of the users' table for users who do not exist, without their ids.

    Args:
        data: With users.
        column: The attribute that is set.
        values: What it is set to, as text, one per row.
        like: Ids of real users whose other columns are taken over; None to leave them out.
    """
    assert data.users is not None
    known = data.users.select(pl.col(column), _named=pl.col(column).cast(pl.String))
    known = known.drop_nulls().unique("_named", keep="first", maintain_order=True)
    asked = values.alias("_named").to_frame()
    own = asked.join(known, on="_named", how="left", maintain_order="left").select(column)
    if like is None:
        return own
    table = data.users.unique(v.USER, keep="first", maintain_order=True)
    rows = like.cast(table.schema[v.USER], strict=False).alias(v.USER).to_frame()
    return (
        rows.join(table, on=v.USER, how="left", maintain_order="left").drop(v.USER).with_columns(own[column])
    )


def modelled(data: Dataset, profiles: Profiles, rng: np.random.Generator) -> pl.DataFrame:
    """One event for each item of each profile, with `_nth`, the profile's row, in place of a user.

    Each is modelled on a real event of taste with the same item and a weight above 0, drawn all alike: it has that
    one's time, kind, value, weight and propensity, and no request, slate or place.

    Args:
        data: Training events.
        profiles: Over items of `data`.
        rng: Where the draws are from.
    """
    events = data.events
    whose = np.repeat(np.arange(len(profiles)), profiles.lengths)
    made = pl.DataFrame({
        _NTH: whose,
        v.ITEM: profiles.items.gather(profiles.matrix.indices),
        "_chance": rng.random(len(whose)),
    })  # fmt: skip
    kept = _kept(events)
    models = events.filter(positive(events) & ~_flag(events) & _counting(events))
    models = models.select(kept).sort(kept, nulls_last=True)  # so that the order of the rows plays no part
    models = models.with_columns(_place=pl.int_range(pl.len()).over(v.ITEM), _of=pl.len().over(v.ITEM))
    sizes = models.select(v.ITEM, "_of").unique()
    made = made.join(sizes, on=v.ITEM, how="left", maintain_order="left")
    made = made.with_columns(_place=(pl.col("_chance") * pl.col("_of")).floor().cast(pl.Int64))
    made = made.join(models.drop("_of"), on=[v.ITEM, "_place"], how="left", maintain_order="left")
    if v.ORDER in kept:
        order = pl.col(v.ORDER).rank("ordinal").over(_NTH) - 1
        made = made.with_columns(order.cast(events.schema[v.ORDER]))
    return made.select(_NTH, *kept)


def repeated(data: Dataset, users: pl.Series) -> pl.DataFrame:
    """The events of taste and the impressions of these users once more, with `_nth`, the row in `users`, in place of
    them; without request, slate and place, which no two users share.
    """
    whose = users.alias(v.USER).to_frame().with_row_index(_NTH)
    events = data.events
    mine = events.filter((positive(events) | _shown(events)) & ~_flag(events)).select(v.USER, *_kept(events))
    return whose.join(mine, on=v.USER, how="inner", maintain_order="left_right").drop(v.USER)


def added(data: Dataset, made: pl.DataFrame, people: pl.DataFrame) -> Dataset:
    """The data with users who do not exist and their events, which have `synthetic` true.

    Args:
        data: Training events with users.
        made: Events as `modelled` and `repeated` give them.
        people: As `people` gives them, one row per made user.

    Raises:
        DataError: if the type of the user ids is too small.
    """
    assert data.users is not None
    events = data.events.with_columns(_flag(data.events).alias(v.SYNTHETIC))
    ids = new_ids(data, len(people))
    rows = made.with_columns(ids.gather(made[_NTH]), pl.lit(True).alias(v.SYNTHETIC)).drop(_NTH)
    table = people.with_columns(ids.cast(data.users.schema[v.USER], strict=False))
    return replace(
        data,
        events=pl.concat([events, rows], how="diagonal"),
        users=pl.concat(
            [data.users, table.select(c for c in data.users.columns if c in table.columns)], how="diagonal"
        ),
    )


def again(data: Dataset) -> list[str]:
    """A warning where the data holds made users already."""
    if not data.events.select(_flag(data.events).any()).item():
        return []
    return [
        "The log holds made users already. They are no model for others and count for nothing here, so that a group "
        "that was filled up before is filled up once more."
    ]


def _kept(events: pl.DataFrame) -> list[str]:
    return [name for name in _KEPT if name in events.columns]


def _flag(events: pl.DataFrame) -> pl.Expr:
    return pl.col(v.SYNTHETIC).fill_null(False) if v.SYNTHETIC in events.columns else pl.lit(False)


def _shown(events: pl.DataFrame) -> pl.Expr:
    if v.EVENT not in events.columns:
        return pl.lit(False)
    return (pl.col(v.EVENT) == v.IMPRESSION).fill_null(False) & pl.col(v.ITEM).is_not_null()


def _counting(events: pl.DataFrame) -> pl.Expr:
    return pl.col(v.SAMPLE_WEIGHT) > 0 if v.SAMPLE_WEIGHT in events.columns else pl.lit(True)
