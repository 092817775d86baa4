"""Where the rows go that tell of no taste, when positive events are cut: with what they led to.

`positive` marks the positive rows and `part` holds each row's part (0 training, 1 validation, 2 test); every
`follow_*` gives the parts back with impressions, searches or both moved.
"""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import vocabulary as v
from equipoise.errors import DataError


def follow_slate(frame: nw.DataFrame[Any], positive: NDArray[np.bool_], part: NDArray[Any]) -> NDArray[Any]:
    """Shown rows go to the latest part of their slate, for what came of it would tell of the later part."""
    slate = next((column for column in (v.SLATE, v.REQUEST) if column in frame.columns), None)
    if slate is None or positive.all():
        return part
    of, ids = codes(frame, slate)
    known = of >= 0
    latest = np.zeros(len(ids) + 1, dtype=np.int8)  # one place more, for rows without a slate
    np.maximum.at(latest, of[known], part[known])
    return np.where(known & ~positive, np.maximum(part, latest[of]), part)


def follow_user(frame: nw.DataFrame[Any], positive: NDArray[np.bool_], part: NDArray[Any]) -> NDArray[Any]:
    """Impressions and searches go by their time between the user's cuts; at equal times to the later."""
    if positive.all():
        return part
    users, ids = codes(frame, v.USER)
    times = moments(frame)
    followed = np.zeros_like(part)
    for later in (1, 2):
        cut = np.full(len(ids), len(frame))
        chosen = positive & (part >= later)
        np.minimum.at(cut, users[chosen], times[chosen])
        followed = np.where(times >= cut[users], later, followed)
    return np.where(positive, part, followed)


def follow_pair(frame: nw.DataFrame[Any], positive: NDArray[np.bool_], part: NDArray[Any]) -> NDArray[Any]:
    """Impressions go to the latest part that holds an event of the same user and item."""
    if positive.all():
        return part
    users, _ = codes(frame, v.USER)
    items, ids = codes(frame, v.ITEM)
    _, pairs = np.unique(users * (len(ids) + 1) + items, return_inverse=True)
    latest = np.zeros(pairs.max() + 1, dtype=np.int8)
    np.maximum.at(latest, pairs, part)
    return np.where(positive | (items < 0), part, latest[pairs])


def follow_next(frame: nw.DataFrame[Any], positive: NDArray[np.bool_], part: NDArray[Any]) -> NDArray[Any]:
    """Searches go where their request's positive events go, or else their user's next one, for their text
    tells of it.

    Those that nothing comes after stay. Where events of several parts tie, the latest part is taken.
    """
    if v.EVENT not in frame.columns:
        return part
    searching = frame.select(nw.col(v.EVENT) == v.SEARCH)[v.EVENT].fill_null(False).to_numpy().astype(bool)
    followed = part.copy()
    if any(column in frame.columns for column in (v.TIMESTAMP, v.ORDER)):
        users, _ = codes(frame, v.USER)
        times = moments(frame, complete=False, unordered=-np.inf)
        known = (users >= 0) & (times >= 0)
        place = users * len(frame) + times
        places, at = np.unique(place[positive & known], return_inverse=True)
        latest = np.zeros(len(places) + 1, dtype=part.dtype)
        np.maximum.at(latest, at, part[positive & known])
        rows = np.flatnonzero(searching & known)
        following = np.searchsorted(places, place[rows])
        owner = np.append(places // len(frame), -1)[following]
        followed[rows] = np.where(owner == users[rows], latest[following], part[rows])
    if v.REQUEST in frame.columns:
        requests, ids = codes(frame, v.REQUEST)
        latest = np.full(len(ids) + 1, -1, dtype=part.dtype)  # one place more, for rows without a request
        answered = positive & (requests >= 0)
        np.maximum.at(latest, requests[answered], part[answered])
        followed = np.where(searching & (latest[requests] >= 0), latest[requests], followed)
    return followed


def moments(
    frame: nw.DataFrame[Any], *, complete: bool = True, unordered: float = np.inf
) -> NDArray[np.int64]:
    """Rank of each row's time among all: by `timestamp`, and within one by `order` where both are there.

    Args:
        frame: Rows with at least one of the two columns.
        complete: Whether a row without a time is an error; if not, its rank is -1.
        unordered: Stands for an `order` that is missing beside a timestamp: last of its moment, or first.

    Raises:
        DataError: if times must be complete and are not.
    """
    first, *rest = [column for column in (v.TIMESTAMP, v.ORDER) if column in frame.columns]
    times = numbers(frame, first, complete=complete)
    keys = [times, *(np.nan_to_num(numbers(frame, c, complete=False), nan=unordered) for c in rest)]
    rows = np.lexsort(keys[::-1])
    later = np.zeros(len(frame), dtype=bool)
    for key in keys:
        later[1:] |= key[rows][1:] != key[rows][:-1]
    ranks = np.empty(len(frame), dtype=np.int64)
    ranks[rows] = np.cumsum(later)
    return np.where(np.isnan(times), -1, ranks)


def numbers(frame: nw.DataFrame[Any], column: str, *, complete: bool = True) -> NDArray[np.float64]:
    """A time column as numbers, microseconds where it holds datetimes; NaN where it holds nothing.

    Raises:
        DataError: if it must be complete and is not.
    """
    series = frame[column]
    if complete and series.null_count():
        raise DataError(
            f"{series.null_count():,} of {len(frame):,} events have no {column}",
            todo="Cleaning drops them, and counts them.",
        )
    if not series.dtype.is_numeric():
        series = series.dt.timestamp("us")
    return series.cast(nw.Float64).to_numpy()


def codes(frame: nw.DataFrame[Any], column: str) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Index of each row's id among the sorted ids, -1 where it is null; and those ids."""
    ids = pl.Series(frame[column].to_arrow()) if column in frame.columns else pl.Series([None] * len(frame))
    known = ids.drop_nulls().unique().sort()
    codes = ids.rank("dense").cast(pl.Int64) - 1
    return codes.fill_null(-1).to_numpy(), known.to_numpy()
