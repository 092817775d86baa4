"""Training, validation and test parts that leak nothing and do not depend on the order of the rows.

Only positive events are split; impressions and searches follow the time (or the slate) of what they led to,
and a slate
is never cut in two. Parts come back in canonical order (by time, then by all other columns), so that even a
model that
breaks ties by row order cannot tell how the rows arrived.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from equipoise.component import Component
from equipoise.data import vocabulary as v
from equipoise.data.dataset import Dataset
from equipoise.data.frames import canonical, eager, require, taste
from equipoise.errors import DataError

_PART = "_part"  # 0 train, 1 valid, 2 test
Strategy = Literal["temporal", "leave_last", "temporal_user", "random", "k_fold", "cold_users", "cold_items"]


class Split(Component):
    """What `[split]` says: how events become training, validation and test."""

    name: ClassVar[str] = "split"

    strategy: Strategy = "temporal"
    """`temporal` (one cut in time for all), `leave_last` (each user's last event), `temporal_user` (each
    user's last share),
    `random` (events), `k_fold` (events or users), `cold_users` or `cold_items` (unseen in training)."""
    valid: float = Field(0.1, ge=0, lt=1)
    """Share of positive events (users, items for the cold splits) in validation; `leave_last`: any above 0
    takes one event."""
    test: float = Field(0.1, gt=0, lt=1)
    """The same for test."""
    folds: int = Field(5, ge=2)
    """Number of folds of `k_fold`."""
    fold: int = Field(0, ge=0)
    """`k_fold`: which fold is the test part; the next one is validation."""
    by: Literal["event", "user"] = "event"
    """`k_fold`: what the folds divide."""


class Parts(NamedTuple):
    """The parts of an event table, each the kind of frame that was given (lazy engines: Polars)."""

    train: Any
    valid: Any
    test: Any


@dataclass(frozen=True)
class Splits:
    """A split dataset.

    Attributes:
        train: Events that models are fitted on.
        valid: Events that choices are made by.
        test: Events that numbers are reported on.
        protocol: The split in plain values, for printing with every number: strategy and its fields, seed,
        and users,
            items, events, positives of each part.
    """

    train: Dataset
    valid: Dataset
    test: Dataset
    protocol: dict[str, Any]


def split(data: Dataset, config: Split | None = None, seed: int = 0) -> Splits:
    """Split a dataset; users and items tables stay whole in every part.

    Raises:
        DataError: if the strategy needs a time that is not there, or a part would be empty.
    """
    config = config or Split()
    shares = {"valid": config.valid, "test": config.test}
    said: dict[str, Any] = {"shares": shares}
    events = data.events
    if config.strategy == "temporal":
        parts = temporal(events, **shares)
        said |= {"test_from": _first_time(parts.test), "valid_from": _first_time(parts.valid)}
    elif config.strategy == "leave_last":
        parts = leave_last(events, valid=config.valid > 0)
        said = {"held out": "the last event" + (", the second-last for validation" if config.valid else "")}
    elif config.strategy == "temporal_user":
        parts = temporal_user(events, **shares)
    elif config.strategy == "random":
        parts = random(events, seed=seed, **shares)
    elif config.strategy == "k_fold":
        parts = _fold_parts(events, config, seed)
        said = {"folds": config.folds, "fold": config.fold, "by": config.by}
    else:
        column = v.USER if config.strategy == "cold_users" else v.ITEM
        parts = cold(events, column, seed=seed, **shares)
    return _dataset_splits(data, parts, {"split": config.strategy, **said, "seed": seed})


def k_fold(
    data: Dataset, folds: int = 5, by: Literal["event", "user"] = "event", seed: int = 0
) -> Iterator[Splits]:
    """Cross-validation for model choice: every positive event is in `valid` once, `test` is empty.

    Args:
        data: What may be seen; hand it the training part, never the test part.
        folds: Number of folds.
        by: Whether folds divide events or users (who are then unknown to `train`).
        seed: Root of the division.
    """
    frame, positive = _prepared(data.events)
    fold = _folds(frame, positive, folds, by, seed)
    for number in range(folds):
        parts = _parts(frame, positive, (fold == number).astype(np.int8))
        yield _dataset_splits(
            data, parts, {"split": "k_fold", "folds": folds, "fold": number, "by": by, "seed": seed}
        )


def temporal(events: Any, *, valid: float = 0.1, test: float = 0.1) -> Parts:
    """One cut in time for all users: nothing in training is later than anything in validation, nor that than
    test.

    The cuts lie at quantiles of the times of positive events; events of one time are never torn apart, so
    parts can be
    larger than asked for. A later part's users and items may be unknown to training.

    Raises:
        DataError: if there is no `timestamp`, or its values are too few to cut.
    """
    frame, positive = _prepared(events)
    if v.TIMESTAMP not in frame.columns:
        raise DataError(
            "A temporal split needs a column 'timestamp', and the events have none",
            where=f"columns: {', '.join(frame.columns)}",
            todo='Use strategy = "leave_last" under [split] where an order is known, else "random".',
        )
    times = _numbers(frame, v.TIMESTAMP)
    ordered = np.sort(times[positive])
    test_from = _cut(ordered, test, ordered[-1:])
    earlier = ordered[ordered < test_from]
    valid_from = _cut(ordered, test + valid, earlier[-1:]) if valid else test_from
    if not len(earlier) or not (ordered < valid_from).any():
        raise DataError(
            "The times are too few to cut",
            where=f"{len(np.unique(ordered))} different times in {len(ordered):,} events",
            todo='Use strategy = "random" or "leave_last" under [split].',
        )
    return _parts(frame, positive, (times >= valid_from).astype(np.int8) + (times >= test_from))


def leave_last(events: Any, *, valid: bool = True) -> Parts:
    """Each user's last positive event is test, the one before validation, all earlier ones training.

    A user with two events gives no validation, one with a single event neither. Ties in time are broken by
    item id, then
    by the remaining columns.

    Raises:
        DataError: if neither `timestamp` nor `order` is there.
    """
    frame, positive = _prepared(events)
    place, size = _places(frame, positive, as_text=False)
    part = np.where((place == size - 1) & (size > 1), 2, 0)
    if valid:
        part = np.where((place == size - 2) & (size > 2), 1, part)
    return _parts(frame, positive, _follow_user(frame, positive, part))


def temporal_user(events: Any, *, valid: float = 0.0, test: float = 0.2) -> Parts:
    """Each user's own history cut by share: of n positive events the first floor((1 - valid - test) n) are
    training.

    Ties in time are broken by the item id as text. `valid = 0, test = 0.2` is the common 80/20 protocol.

    Raises:
        DataError: if neither `timestamp` nor `order` is there.
    """
    frame, positive = _prepared(events)
    place, size = _places(frame, positive, as_text=True)
    tiny = 1e-9  # 0.7 * 10 is below 7 in binary
    part = (place >= np.floor((1 - valid - test) * size + tiny)).astype(np.int8)
    part = part + (place >= np.floor((1 - test) * size + tiny))
    return _parts(frame, positive, _follow_user(frame, positive, part))


def random(events: Any, *, valid: float = 0.1, test: float = 0.1, seed: int = 0) -> Parts:
    """Positive events at random, whatever their time; the draw depends on the rows' content, not on their
    order.

    Impressions go where the latest part of their slate (or of their user and item) goes; searches stay in
    training.
    """
    frame, positive = _prepared(events)
    return _parts(frame, positive, _drawn(frame, positive, _shares(int(positive.sum()), valid, test), seed))


def cold(events: Any, column: str, *, valid: float = 0.1, test: float = 0.1, seed: int = 0) -> Parts:
    """Whole users (`column = "user_id"`) or items (`"item_id"`) at random: those of later parts are unknown
    to training.
    """
    frame, positive = _prepared(events)
    codes, ids = _codes(frame, column)
    part_of = _shares(len(ids), valid, test)[np.random.default_rng([seed, 1]).permutation(len(ids))]
    part = np.where(codes >= 0, part_of[codes], 0).astype(np.int8)
    return _parts(frame, positive, part)


def _prepared(events: Any) -> tuple[nw.DataFrame[Any], NDArray[np.bool_]]:
    """The rows in canonical order, and which of them are positive."""
    frame = eager(events)
    require(frame.columns, v.USER, v.ITEM, table="event table")
    time = [column for column in (v.TIMESTAMP, v.ORDER) if column in frame.columns][:1]
    frame = canonical(frame, *time, v.USER, v.ITEM)
    positive = frame.select(taste(frame).alias(_PART))[_PART].to_numpy().astype(bool)
    if not positive.any():
        raise DataError(
            "There are no events to split",
            where=f"{len(frame):,} rows, none of them tells of taste",
            todo="Impressions and searches alone cannot be split; add clicks, purchases or ratings.",
        )
    return frame, positive


def _parts(frame: nw.DataFrame[Any], positive: NDArray[np.bool_], part: NDArray[Any]) -> Parts:
    part = _follow_slate(frame, positive, part.astype(np.int8))
    column = nw.new_series(_PART, part, nw.Int8, backend=frame.implementation)
    marked = frame.with_columns(column)
    train, valid, test = (marked.filter(nw.col(_PART) == k).drop(_PART).to_native() for k in range(3))
    return Parts(train, valid, test)


def _follow_slate(frame: nw.DataFrame[Any], positive: NDArray[np.bool_], part: NDArray[Any]) -> NDArray[Any]:
    """Shown rows go to the latest part of their slate: what came of it would tell the earlier part about the
    later.
    """
    slate = next((column for column in (v.SLATE, v.REQUEST) if column in frame.columns), None)
    if slate is None or positive.all():
        return part
    codes, ids = _codes(frame, slate)
    known = codes >= 0
    latest = np.zeros(len(ids), dtype=np.int8)
    np.maximum.at(latest, codes[known], part[known])
    return np.where(known & ~positive, np.maximum(part, latest[codes]), part)


def _follow_user(frame: nw.DataFrame[Any], positive: NDArray[np.bool_], part: NDArray[Any]) -> NDArray[Any]:
    """Impressions and searches go by their time between the user's own cuts; of equal times, to the later
    part.
    """
    if positive.all():
        return part
    users, ids = _codes(frame, v.USER)
    times = _numbers(frame, v.TIMESTAMP if v.TIMESTAMP in frame.columns else v.ORDER)
    followed = np.zeros_like(part)
    for later in (1, 2):
        cut = np.full(len(ids), np.inf)
        chosen = positive & (part >= later)
        np.minimum.at(cut, users[chosen], times[chosen])
        followed = np.where(times >= cut[users], later, followed)
    return np.where(positive, part, followed)


def _places(
    frame: nw.DataFrame[Any], positive: NDArray[np.bool_], *, as_text: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Place of each positive row within its user's history (from 0, others -1), and that history's length."""
    time = next((column for column in (v.TIMESTAMP, v.ORDER) if column in frame.columns), None)
    if time is None:
        raise DataError(
            "The last events cannot be told: there is no column 'timestamp' or 'order'",
            where=f"columns: {', '.join(frame.columns)}",
            todo='Name one under [data.columns] (order = "(row)" where the rows stand in order), '
            'or use strategy = "random" under [split].',
        )
    users, _ = _codes(frame, v.USER)
    rows = np.flatnonzero(positive)
    item = np.arange(len(frame))  # the rows stand by time, user, item already
    if as_text:
        names = frame[v.ITEM].cast(nw.String).to_numpy().astype(object)
        item = np.unique(np.where(positive, names, ""), return_inverse=True)[1]
    rows = rows[
        np.lexsort((np.arange(len(frame))[rows], item[rows], _numbers(frame, time)[rows], users[rows]))
    ]
    sizes = np.bincount(users[rows])
    starts = np.cumsum(sizes) - sizes
    place, size = np.full(len(frame), -1), np.zeros(len(frame), dtype=np.int64)
    place[rows] = np.arange(len(rows)) - starts[users[rows]]
    size[rows] = sizes[users[rows]]
    return place, size


def _shares(count: int, valid: float, test: float) -> NDArray[np.int8]:
    """Parts for `count` things, in order: at least one each for a share above 0."""
    tests, valids = (max(round(share * count), int(share > 0)) for share in (test, valid))
    if tests + valids >= count:
        raise DataError(
            "Nothing would be left for training",
            where=f"{count:,} to divide, valid = {valid}, test = {test}",
            todo="Ask for smaller shares under [split].",
        )
    return np.repeat(np.array([2, 1, 0], dtype=np.int8), [tests, valids, count - tests - valids])


def _drawn(
    frame: nw.DataFrame[Any], positive: NDArray[np.bool_], labels: NDArray[Any], seed: int
) -> NDArray[np.int8]:
    """Labels dealt to positive rows at random; impressions follow their user and item, searches get 0."""
    part = np.zeros(len(frame), dtype=np.int8)
    part[positive] = labels[np.random.default_rng([seed, 0]).permutation(len(labels))]
    if positive.all():
        return part
    users, _ = _codes(frame, v.USER)
    items, ids = _codes(frame, v.ITEM)
    _, pairs = np.unique(users * (len(ids) + 1) + items, return_inverse=True)
    latest = np.zeros(pairs.max() + 1, dtype=np.int8)
    np.maximum.at(latest, pairs, part)
    return np.where(positive | (items < 0), part, latest[pairs]).astype(np.int8)


def _folds(
    frame: nw.DataFrame[Any], positive: NDArray[np.bool_], folds: int, by: Literal["event", "user"], seed: int
) -> NDArray[np.int64]:
    """Fold of every row; of rows that are not positive, -1 (training) unless users are divided."""
    if by == "user":
        users, ids = _codes(frame, v.USER)
        return np.random.default_rng([seed, 2]).permutation(len(ids))[users] % folds
    fold = np.full(len(frame), -1, dtype=np.int64)
    fold[positive] = np.random.default_rng([seed, 2]).permutation(int(positive.sum())) % folds
    return fold


def _fold_parts(events: Any, config: Split, seed: int) -> Parts:
    frame, positive = _prepared(events)
    fold = _folds(frame, positive, config.folds, config.by, seed)
    test, valid = config.fold % config.folds, (config.fold + 1) % config.folds
    return _parts(frame, positive, np.select([fold == test, fold == valid], [2, 1], 0))


def _cut(ordered: NDArray[np.float64], share: float, latest: NDArray[np.float64]) -> float:
    """The time at which the last `share` of the events begins, at most `latest`."""
    place = min(int(np.floor((1 - share) * len(ordered) + 1e-9)), len(ordered) - 1)
    return float(min([ordered[place], *latest]))


def _numbers(frame: nw.DataFrame[Any], column: str) -> NDArray[np.float64]:
    """A time column as numbers; microseconds where it holds datetimes."""
    series = frame[column]
    if not series.dtype.is_numeric():
        series = series.dt.timestamp("us")
    return series.cast(nw.Float64).to_numpy()


def _codes(frame: nw.DataFrame[Any], column: str) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Index of each row's id among the sorted ids, -1 where it is null; and those ids."""
    ids = pl.Series(frame[column].to_arrow()) if column in frame.columns else pl.Series([None] * len(frame))
    known = ids.drop_nulls().unique().sort()
    codes = ids.rank("dense").cast(pl.Int64) - 1
    return codes.fill_null(-1).to_numpy(), known.to_numpy()


def _first_time(part: pl.DataFrame) -> str | float | None:
    if part.is_empty():
        return None
    first = part[v.TIMESTAMP].min()
    return first if isinstance(first, (int, float)) else str(first)


def _dataset_splits(data: Dataset, parts: Parts, protocol: dict[str, Any]) -> Splits:
    train, valid, test = (data.with_events(part) for part in parts)
    counts = {
        name: {
            "users": part.events[v.USER].n_unique(),
            "items": part.events[v.ITEM].drop_nulls().n_unique(),
            "events": len(part.events),
            "positives": len(part.positives),
        }
        for name, part in (("train", train), ("valid", valid), ("test", test))
    }
    return Splits(train, valid, test, {**protocol, **counts})
