"""Ways to cut an event table in training, validation and test, on frames of any engine.

Only positive events are divided; impressions and searches follow the time (or the slate) of what they led to.
Parts come back in canonical order (by timestamp, `order`, then by all other columns), so that even a model that
breaks ties by row order cannot tell how the rows arrived.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from equipoise.data import vocabulary as v
from equipoise.data.following import (
    codes,
    follow_next,
    follow_pair,
    follow_slate,
    follow_user,
    moments,
    numbers,
)
from equipoise.data.frames import canonical, eager, require, taste
from equipoise.errors import DataError

_PART = "_part"  # 0 train, 1 valid, 2 test


class Parts(NamedTuple):
    """The parts of an event table, each the kind of frame that was given (lazy engines: Polars)."""

    train: Any
    valid: Any
    test: Any


def temporal(events: Any, *, valid: float = 0.1, test: float = 0.1) -> Parts:
    """One cut in time for all users: training, then validation, then test.

    The cuts lie at quantiles of the times of positive events. Events of one time are never torn apart, so
    that later parts can be larger than asked for. Users and items of a later part may be unknown to training.

    Args:
        events: The event table, with `timestamp`.
        valid: Share of positive events in validation; may be 0.
        test: Share in test.

    Raises:
        DataError: if there is no `timestamp`, or its values are too few to cut.
    """
    _check_shares(valid, test)
    frame, positive = _prepared(events)
    if v.TIMESTAMP not in frame.columns:
        raise DataError(
            "A temporal split needs a column 'timestamp', and the events have none",
            where=f"columns: {', '.join(frame.columns)}",
            todo='Use strategy = "leave_last" under [split] where an order is known, else "random".',
        )
    times = numbers(frame, v.TIMESTAMP)
    ordered = np.sort(times[positive])
    moments = np.unique(ordered)
    least = 3 if valid else 2
    if len(moments) < least:
        raise DataError(
            f"The times are too few to cut into {least} parts",
            where=f"{len(moments)} different times in {len(ordered):,} events",
            todo='Use strategy = "random" or "leave_last" under [split].',
        )
    # every part gets a moment at least, however the events crowd in one of them
    test_from = max(_quantile(ordered, 1 - test), moments[least - 1])
    valid_from = np.clip(_quantile(ordered, 1 - valid - test), moments[1], moments[moments < test_from][-1])
    valid_from = valid_from if valid else test_from
    part = (times >= valid_from).astype(np.int8) + (times >= test_from)
    return _parts(frame, follow_slate(frame, positive, part))


def leave_last(events: Any, *, valid: bool = True) -> Parts:
    """Each user's last positive event is test, the one before validation, all earlier ones training.

    A user with two events gives no validation, one with a single event neither. Ties in time are broken by
    `order`, by item id, then by the remaining columns.

    Raises:
        DataError: if neither `timestamp` nor `order` is there.
    """
    frame, positive = _prepared(events)
    place, size = _places(frame, positive, as_text=False)
    part = np.where((place == size - 1) & (size > 1), 2, 0)
    if valid:
        part = np.where((place == size - 2) & (size > 2), 1, part)
    return _parts(frame, follow_slate(frame, positive, follow_user(frame, positive, part)))


def temporal_user(events: Any, *, valid: float = 0.0, test: float = 0.2) -> Parts:
    """Each user's history cut by share: the first floor((1 - valid - test) n) of n events are training.

    Ties in time are broken by `order`, then by the item id as text. `valid = 0, test = 0.2` is the common
    80/20 protocol.

    Raises:
        DataError: if neither `timestamp` nor `order` is there.
    """
    _check_shares(valid, test)
    frame, positive = _prepared(events)
    place, size = _places(frame, positive, as_text=True)
    first, second = (np.floor(share * size + 1e-9) for share in (1 - valid - test, 1 - test))
    part = (place >= first).astype(np.int8) + (place >= second)
    return _parts(frame, follow_slate(frame, positive, follow_user(frame, positive, part)))


def random(events: Any, *, valid: float = 0.1, test: float = 0.1, seed: int = 0) -> Parts:
    """Positive events at random, whatever their time; the draw depends on the rows' content, not their order.

    Impressions go where the latest part of their slate (or their user and item) goes; searches where their
    request or their user's next positive event goes, or stay in training.
    """
    frame, positive = _prepared(events)
    part = np.zeros(len(frame), dtype=np.int8)
    labels = _shares(int(positive.sum()), valid, test)
    part[positive] = labels[np.random.default_rng([seed, 0]).permutation(len(labels))]
    return _parts(frame, _follow(frame, positive, part))


def k_fold(
    events: Any,
    *,
    folds: int = 5,
    fold: int = 0,
    by: Literal["event", "user"] = "event",
    test: bool = True,
    seed: int = 0,
) -> Parts:
    """One fold of a cross-validation: fold `fold` is test and the next one validation.

    Args:
        events: The event table.
        folds: Number of folds, equal but for one.
        fold: Which one, from 0.
        by: Whether folds divide positive events, or users with all their events.
        test: Whether there is a test part; if not, fold `fold` is validation (for model choice).
        seed: Root of the division, the same for all folds of one cross-validation.
    """
    frame, positive = _prepared(events)
    generator = np.random.default_rng([seed, 2])
    of = np.full(len(frame), -1, dtype=np.int64)  # rows that are not positive: training
    if by == "user":
        users, ids = codes(frame, v.USER)
        of = (generator.permutation(len(ids)) % folds)[users]
    else:
        of[positive] = generator.permutation(int(positive.sum())) % folds
    part = np.select([of == fold, of == (fold + 1) % folds], [2, 1] if test else [1, 0], 0).astype(np.int8)
    if by == "event":
        part = _follow(frame, positive, part)
    return _parts(frame, part)


def cold(events: Any, column: str, *, valid: float = 0.1, test: float = 0.1, seed: int = 0) -> Parts:
    """Users (`column = "user_id"`) or items (`"item_id"`) at random, with all events, unknown to training.

    A search goes where what came of it goes.
    """
    frame, positive = _prepared(events)
    of, ids = codes(frame, column)
    part_of = _shares(len(ids), valid, test)[np.random.default_rng([seed, 1]).permutation(len(ids))]
    return _parts(frame, follow_next(frame, positive, np.where(of >= 0, part_of[of], 0)))


def _prepared(events: Any) -> tuple[nw.DataFrame[Any], NDArray[np.bool_]]:
    """The rows in canonical order, and which of them are positive."""
    frame = eager(events)
    require(frame.columns, v.USER, v.ITEM, table="event table")
    time = [column for column in (v.TIMESTAMP, v.ORDER) if column in frame.columns]
    frame = canonical(frame, *time, v.USER, v.ITEM)
    positive = frame.select(taste(frame).alias(_PART))[_PART].to_numpy().astype(bool)
    if not positive.any():
        raise DataError(
            "There are no events to split",
            where=f"{len(frame):,} rows, none of them tells of taste",
            todo="Impressions and searches alone cannot be split; add clicks, purchases or ratings.",
        )
    return frame, positive


def _parts(frame: nw.DataFrame[Any], part: NDArray[Any]) -> Parts:
    column = nw.new_series(_PART, part.astype(np.int8), nw.Int8, backend=frame.implementation)
    marked = frame.with_columns(column)
    train, valid, test = (marked.filter(nw.col(_PART) == k).drop(_PART).to_native() for k in range(3))
    return Parts(train, valid, test)


def _follow(frame: nw.DataFrame[Any], positive: NDArray[np.bool_], part: NDArray[Any]) -> NDArray[Any]:
    """All other rows go with the positive events that were divided without regard to time."""
    part = follow_next(frame, positive, follow_pair(frame, positive, part))
    return follow_slate(frame, positive, part)


def _places(
    frame: nw.DataFrame[Any], positive: NDArray[np.bool_], *, as_text: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Place of each positive row within its user's history (from 0, others -1), and that history's length."""
    if v.TIMESTAMP not in frame.columns and v.ORDER not in frame.columns:
        raise DataError(
            "The last events cannot be told: there is no column 'timestamp' or 'order'",
            where=f"columns: {', '.join(frame.columns)}",
            todo='Name one under [data.columns] (order = "(row)" where the rows stand in order), '
            'or use strategy = "random" under [split].',
        )
    users, _ = codes(frame, v.USER)
    rows = np.flatnonzero(positive)
    item = np.arange(len(frame))  # the rows stand by time, order, user, item already
    if as_text:
        names = frame[v.ITEM].cast(nw.String).to_numpy().astype(object)
        item = np.unique(np.where(positive, names, ""), return_inverse=True)[1]
    rows = rows[np.lexsort((np.arange(len(frame))[rows], item[rows], moments(frame)[rows], users[rows]))]
    sizes = np.bincount(users[rows])
    starts = np.cumsum(sizes) - sizes
    place, size = np.full(len(frame), -1), np.zeros(len(frame), dtype=np.int64)
    place[rows] = np.arange(len(rows)) - starts[users[rows]]
    size[rows] = sizes[users[rows]]
    return place, size


def _check_shares(valid: float, test: float) -> None:
    if valid < 0 or test <= 0 or valid + test >= 1:
        raise DataError(
            "Nothing would be left for training"
            if valid + test >= 1
            else "There would be nothing to test on",
            where=f"valid = {valid}, test = {test}",
            todo="Ask for shares above 0 that sum to less than 1 under [split].",
        )


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


def _quantile(ordered: NDArray[np.float64], share: float) -> float:
    """The value at which the events after the first `share` begin."""
    return float(ordered[int(np.floor(share * len(ordered) + 1e-9))])  # 0.7 * 10 is below 7 in binary
