"""From events to errors: slates with what was said, seen and shown, and how far each is off."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.data.frames import require
from equipoise.errors import DataError, nearest

Floats = NDArray[np.float64]
Signal = Literal["calibration", "exposure", "gap"]

TRIAL = "trial"
"""Column of recommendations and events: whether a list was made under a correction that is being tried."""
ITEM_GROUP = "item_group"
"""Column of events and recommendations: whose exposure an item counts for."""
EVERYONE = "(everyone)"
"""Stands for the only group where users are not told apart."""
_AT = "_at"
_LEAST_SLOPE = 0.01


@dataclass(frozen=True)
class Sample:
    """Errors of slates, in order of time, turned so that a positive mean asks for a larger correction.

    Attributes:
        error: (slates,).
        low: What each could not be below, known before anybody answered, (slates,).
        high: What each could not be above, (slates,).
        slope: How much the mean error falls per unit of correction, where that is known; else 1.
    """

    error: Floats
    low: Floats
    high: Floats
    slope: float = 1.0


@dataclass(frozen=True)
class Slates:
    """A batch of events, one row per slate in order of time.

    Attributes:
        frame: `_at` (microseconds since 1970), `group` (null where it is not known), `reward`, `tried`, `said` (mean
            probability) and `slope` (mean p (1 - p)) where probabilities are watched, one column "share of NAME" per
            group of items that is watched.
        groups: Of users.
        both_ways: Whether slates under trial went to users who are in the batch with a standing slate, too. Two
            answers of one user are not two pieces of evidence, so only `tried` reads those.
    """

    frame: pl.DataFrame
    groups: tuple[str, ...]
    both_ways: bool = False

    @classmethod
    def of(
        cls,
        events: Any,
        groups: Sequence[str],
        shares: Sequence[str],
        *,
        probabilities: bool,
        trial: bool = False,
        both_ways: bool = False,
    ) -> Slates:
        """Read a frame of events.

        Args:
            events: Frame of any engine, in order of time: impressions with `user_id`, `item_id`, `timestamp`, `group`
                where users are told apart, `probability` as it was shown, `item_group`, `position` where exposure is
                to fall with it, and either `reward` in [0, 1] or click events in the same frame. A click rewards the
                last impression of the item before it, of the same user and slate; without one in the batch it counts
                for nothing. Slates are told apart by `request_id` or `slate_id`, else by user and time: then clicks
                are by user and item alone.
            groups: Groups of users that may occur; none if users are not told apart.
            shares: Groups of items whose exposure is watched.
            probabilities: Whether they are watched.
            trial: Whether something is tried, so that the column `trial` is needed.
            both_ways: Whether slates under trial went to users who are in the batch with a standing slate, too;
                slates then need an id.

        Raises:
            DataError: if a column or a value is missing, some events tell their slate and others do not, a group is
                unknown, a number is out of range, or events are not in order of time.
        """
        frame = to_polars(events)
        wanted = [v.USER, v.ITEM, v.TIMESTAMP]
        wanted += [v.GROUP] if groups else []
        wanted += [v.PROBABILITY] if probabilities else []
        wanted += [ITEM_GROUP] if shares else []
        wanted += [TRIAL] if trial else []
        require(frame.columns, *wanted, table="events")
        frame = _timed(frame)
        shown = frame.filter(pl.col(v.EVENT) == v.IMPRESSION) if v.EVENT in frame.columns else frame
        shown = _rewarded(shown, frame)
        _check_range(shown, v.REWARD)
        if probabilities:
            _check_range(shown, v.PROBABILITY)
        if groups:
            _check_groups(shown, v.GROUP, groups, "users")
        if shares:
            _check_groups(shown, ITEM_GROUP, shares, "items")
        slates = _by_slate(shown, bool(groups), shares, probabilities)
        return cls(slates, tuple(groups) or (EVERYONE,), both_ways)

    @property
    def fingerprint(self) -> str:
        """The same for the same batch, and hardly ever for another."""
        return hashlib.sha256(self.frame.write_csv().encode()).hexdigest()

    def calibration(self, group: str) -> Sample:
        """What was seen less what was said, mean over each slate of a group."""
        mine = self._once.filter(pl.col(v.GROUP) == group)
        said = mine["said"].to_numpy()
        slope = float(mine["slope"].mean() or 0.0)  # type: ignore[arg-type]
        return Sample(mine[v.REWARD].to_numpy() - said, -said, 1.0 - said, max(slope, _LEAST_SLOPE))

    def exposure(self, group: str, target: float) -> Sample:
        """Due share of exposure of a group of items less the share it had, slate by slate."""
        share = self._once[_share(group)].to_numpy()
        return Sample(target - share, np.full(len(share), target - 1), np.full(len(share), target))

    def rewards(self, group: str) -> tuple[Floats, Floats]:
        """Mean reward of each slate of a group, and of each slate of all other groups."""
        known = self._once.filter(pl.col(v.GROUP).is_not_null())
        mine = known[v.GROUP] == group
        return known.filter(mine)[v.REWARD].to_numpy(), known.filter(~mine)[v.REWARD].to_numpy()

    def tried(self, group: str) -> tuple[Floats, Floats]:
        """Mean reward of each slate of a group under what is tried, and of each of its other slates."""
        mine = self.frame.filter(pl.col(v.GROUP) == group)
        return mine.filter("tried")[v.REWARD].to_numpy(), mine.filter(~pl.col("tried"))[v.REWARD].to_numpy()

    @property
    def _once(self) -> pl.DataFrame:
        """With one answer per user where users were asked both ways."""
        return self.frame.filter(~pl.col("tried")) if self.both_ways else self.frame


def gap(mine: Floats, others: Floats, target: float) -> Sample:
    """Reward of the others' slates less that of a group's, pair by pair, less the gap that is aimed at."""
    apart = others - mine - target
    return Sample(apart, np.full(len(apart), -1.0 - target), np.full(len(apart), 1.0 - target))


def _share(group: str) -> str:
    return f"share of {group}"


def _timed(frame: pl.DataFrame) -> pl.DataFrame:
    """With the time in microseconds; a number counts seconds."""
    kind = frame.schema[v.TIMESTAMP]
    if isinstance(kind, pl.Datetime):
        at = pl.col(v.TIMESTAMP).dt.timestamp("us")
    elif kind.is_numeric():
        at = (pl.col(v.TIMESTAMP).cast(pl.Float64) * 1e6).round().cast(pl.Int64)
    else:
        raise DataError(
            "The events' 'timestamp' is no time",
            where=f"type {kind}",
            todo="Pass datetimes, or seconds since 1970.",
        )
    frame = frame.with_columns(at.alias(_AT))
    if missing := frame[_AT].null_count():
        raise DataError("Events have no time", where=f"'timestamp', {missing} of {len(frame)} rows")
    if early := int((frame[_AT].diff() < 0).sum()):
        raise DataError(
            "The events are not in order of time", where=f"{early} of {len(frame)} rows come after a later one",
            todo="Sort them by 'timestamp'.",
        )  # fmt: skip
    return frame


def _rewarded(shown: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Impressions with their reward: their own, else whether there is a click on them in the batch."""
    if v.REWARD in shown.columns and not shown[v.REWARD].null_count():
        return shown.with_columns(pl.col(v.REWARD).cast(pl.Float64))
    if v.EVENT not in events.columns:
        raise DataError(
            "The events tell of no feedback", where=f"columns: {', '.join(events.columns)}",
            todo="Give impressions a 'reward', or give click events and a column 'event'.",
        )  # fmt: skip
    clicks = events.filter(pl.col(v.EVENT) == v.CLICK)
    slate = _slate_key(shown)
    if slate is not None:
        _check_slates(clicks, slate, "clicks")
    by = [v.USER, v.ITEM, *([] if slate is None else [slate])]
    shown = shown.with_row_index("_row")
    clicked = clicks.select(*by, _AT).join_asof(
        shown.select(*by, _AT, "_row"), on=_AT, by=by, strategy="backward", check_sortedness=False
    )["_row"]  # both are in order of time
    click = pl.col("_row").is_in(clicked.drop_nulls().unique().implode()).cast(pl.Float64)
    own = pl.col(v.REWARD).cast(pl.Float64) if v.REWARD in shown.columns else pl.lit(None, dtype=pl.Float64)
    return shown.with_columns(own.fill_null(click).alias(v.REWARD)).drop("_row")


def _slate_key(shown: pl.DataFrame) -> str | None:
    """The column that tells slates apart; None where only user and time do."""
    filled = [name for name in (v.REQUEST, v.SLATE) if name in shown.columns and shown[name].count()]
    if not filled:
        return None
    whole = next((name for name in filled if not shown[name].null_count()), None)
    if whole is None:
        _check_slates(shown, filled[0], "impressions")
    return whole


def _check_slates(events: pl.DataFrame, column: str, what: str) -> None:
    if missing := events[column].null_count():
        raise DataError(
            f"Some {what} do not tell their slate", where=f"'{column}', {missing} of {len(events)} {what}",
            todo="Fill the column, or leave it out to tell slates apart by user and time.",
        )  # fmt: skip


def _by_slate(shown: pl.DataFrame, grouped: bool, shares: Sequence[str], probabilities: bool) -> pl.DataFrame:
    p = pl.col(v.PROBABILITY).cast(pl.Float64)
    weight = (
        1 / (pl.col(v.POSITION).cast(pl.Float64) + 1).log(2) if v.POSITION in shown.columns else pl.lit(1.0)
    )
    said = [p.mean().alias("said"), (p * (1 - p)).mean().alias("slope")] if probabilities else []
    group = pl.col(v.GROUP).cast(pl.String).first() if grouped else pl.lit(EVERYONE).alias(v.GROUP)
    total = pl.col("_weight").sum()
    tried = pl.col(TRIAL).first().fill_null(False) if TRIAL in shown.columns else pl.lit(False)
    exposed = [
        (pl.col("_weight").filter(pl.col(ITEM_GROUP).cast(pl.String) == name).sum() / total).alias(
            _share(name)
        )
        for name in shares
    ]
    slate = _slate_key(shown)
    key = [pl.col(v.USER), pl.col(_AT).alias("_when")] if slate is None else [pl.col(slate)]
    slates = shown.with_columns(_weight=weight).group_by(key, maintain_order=True)
    return slates.agg(
        pl.col(_AT).max(), group, pl.col(v.REWARD).mean(), tried.alias("tried"), *said, *exposed
    ).select(
        _AT, v.GROUP, v.REWARD, "tried", *(["said", "slope"] if probabilities else []), *map(_share, shares)
    )


def _check_range(shown: pl.DataFrame, column: str) -> None:
    values = shown[column].cast(pl.Float64)
    if missing := int((values.is_null() | values.is_nan()).sum()):
        raise DataError(
            f"Impressions have no '{column}'", where=f"{missing} of {len(values)} impressions",
            todo="Pass what was shown to users, with the probabilities it was shown with.",
        )  # fmt: skip
    if outside := int((~values.is_between(0, 1)).sum()):
        raise DataError(f"'{column}' is not in [0, 1]", where=f"{outside} of {len(values)} impressions")


def _check_groups(shown: pl.DataFrame, column: str, known: Sequence[str], whose: str) -> None:
    values = shown[column].cast(pl.String)
    strange = values.filter(values.is_not_null() & ~values.is_in(list(known)))
    if len(strange):
        raise DataError(
            f"There is no group of {whose} called '{strange[0]}'",
            where=f"'{column}', {len(strange)} of {len(values)} impressions",
            todo=f"{nearest(strange[0], known)} Leave it empty where the group is not known.",
        )
