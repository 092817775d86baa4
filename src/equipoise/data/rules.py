"""Rules that events must keep, on frames of any engine; each function gives back the rows that do."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

import narwhals as nw

from equipoise.data import vocabulary as v
from equipoise.data.frames import canonical, eager, orderable, require, taste
from equipoise.errors import DataError

Rule = tuple[str, nw.Expr]
"""Why a row goes, and the expression that is true for rows that stay."""


def drop_missing(events: Any) -> Any:
    """Rows with a user, an item or a search's query, and what the columns for time and event ask for."""
    return filtered(events, [keep for _, keep in present(eager(events))])


def drop_duplicates(events: Any, *, of: Literal["rows", "pairs"] = "rows", but: Collection[str] = ()) -> Any:
    """Rows without repeats: one of identical rows, or the latest positive event of each user and item.

    Columns named in `but` do not make rows different, as a number that reading gave to each row.
    """
    frame = eager(events)
    if of == "rows":
        telling = [column for column in orderable(frame) if column not in but]
        return frame.unique(subset=telling, keep="first", maintain_order=True).to_native()
    time = [column for column in (v.TIMESTAMP, v.ORDER) if column in frame.columns]
    ordered = canonical(frame, *time)
    latest = ordered.filter(taste(frame)).unique(subset=[v.USER, v.ITEM], keep="last", maintain_order=True)
    return nw.concat([latest, ordered.filter(~taste(frame))]).to_native()


def drop_impossible(events: Any, *, value_min: float | None = None, value_max: float | None = None) -> Any:
    """Rows without infinite values, times before 1970, propensities outside (0, 1], or positions below 1."""
    return filtered(events, [keep for _, keep in possible(eager(events), value_min, value_max)])


def drop_outliers(events: Any, z: float) -> Any:
    """Rows whose value has a robust z-score |x - median| / (1.4826 MAD) of at most `z`, or no value.

    Where over half of all values are equal the MAD is 0 and nothing is dropped. Source: Iglewicz and Hoaglin,
    "How to Detect and Handle Outliers", 1993.
    """
    frame = eager(events)
    require(frame.columns, v.VALUE, table="event table")
    median, spread = _median_and_spread(frame[v.VALUE])
    if not spread:
        return frame.to_native()
    return frame.filter(
        nw.col(v.VALUE).is_null() | ((nw.col(v.VALUE) - median).abs() <= z * spread)
    ).to_native()


def drop_bots(events: Any, z: float) -> Any:
    """Rows of users whose log number of events has a robust z-score of at most `z`."""
    frame = eager(events)
    sizes = frame.group_by(v.USER).agg(nw.len().alias("_events"))
    sizes = sizes.with_columns(nw.col("_events").log().alias("_log"))
    median, spread = _median_and_spread(sizes["_log"])
    if not spread:
        return frame.to_native()
    people = sizes.filter(nw.col("_log") - median <= z * spread)
    return frame.join(people.select(v.USER), on=v.USER, how="semi").to_native()


def k_core(events: Any, min_user_events: int, min_item_events: int) -> Any:
    """The largest part in which every user and every item has so many positive events.

    Users and items are dropped in turn until nothing changes (Seidman, "Network structure and minimum
    degree", Social Networks 1983). Searches and impressions do not count; those of users who stay are kept. 0
    asks for nothing.

    Raises:
        DataError: if nobody is left.
    """
    frame = eager(events)
    if min_user_events <= 0 and min_item_events <= 0:
        return frame.to_native()
    frame = frame.with_row_index("_row")
    positive = core = frame.filter(taste(frame))
    before = -1
    while before != len(core):
        before = len(core)
        for key, least in ((v.USER, min_user_events), (v.ITEM, min_item_events)):
            # Not a window: PyArrow's gives no guarantee of the order of rows.
            counts = core.group_by(key).agg(nw.len().alias("_count")).filter(nw.col("_count") >= least)
            core = core.join(counts.select(key), on=key, how="semi")
    if core.is_empty():
        raise DataError(
            f"The k-core of {min_user_events} events per user and {min_item_events} per item leaves nobody",
            where=f"{_distinct(positive, v.USER):,} users, {_distinct(positive, v.ITEM):,} items, "
            f"{len(positive):,} positive events before it",
            todo="Lower min_user_events and min_item_events under [clean].",
        )
    staying = core.select(v.USER).unique() if min_user_events > 0 else frame.select(v.USER).unique()
    others = frame.filter(~taste(frame)).join(staying, on=v.USER, how="semi")
    return nw.concat([core, others]).sort("_row").drop("_row").to_native()


def present(frame: nw.DataFrame[Any]) -> list[Rule]:
    """What every row must have."""
    there = {column: ~nw.col(column).is_null() for column in frame.columns}
    rules = [("missing user id", there[v.USER])]
    if v.EVENT in there:
        rules += [("missing kind of event", there[v.EVENT])]
        search = nw.col(v.EVENT) == v.SEARCH
        rules += [("missing item id", there[v.ITEM] | search)]
        if v.QUERY in there:
            rules += [("search without a query", ~search | (there[v.QUERY] & (nw.col(v.QUERY) != "")))]
    else:
        rules += [("missing item id", there[v.ITEM])]
    time = next((column for column in (v.TIMESTAMP, v.ORDER) if column in there), None)
    return [*rules, (f"missing {time}", there[time])] if time else rules


def possible(frame: nw.DataFrame[Any], value_min: float | None, value_max: float | None) -> list[Rule]:
    """What values must be where they are known."""
    value, propensity, time = nw.col(v.VALUE), nw.col(v.PROPENSITY), nw.col(v.TIMESTAMP)
    if v.TIMESTAMP in frame.columns and not frame.schema[v.TIMESTAMP].is_numeric():
        time = time.dt.timestamp("us")
    rules = [
        (v.TIMESTAMP, "timestamp before 1970 or not finite", (time >= 0) & (time < float("inf"))),
        (v.PROPENSITY, "propensity outside (0, 1]", (propensity > 0) & (propensity <= 1)),
        (v.POSITION, "position below 1", nw.col(v.POSITION) >= 1),
        (v.VALUE, "value not finite", value.is_finite()),
        (v.REWARD, "reward not finite", nw.col(v.REWARD).is_finite()),
    ]
    if value_min is not None:
        rules.append((v.VALUE, f"value below {value_min:g}", value >= value_min))
    if value_max is not None:
        rules.append((v.VALUE, f"value above {value_max:g}", value <= value_max))
    there = [(column, reason, rule) for column, reason, rule in rules if column in frame.columns]
    return [(reason, nw.col(column).is_null() | rule) for column, reason, rule in there]


def filtered(events: Any, rules: list[nw.Expr]) -> Any:
    """Rows for which all rules hold."""
    frame = eager(events)
    return (frame.filter(*rules) if rules else frame).to_native()


def _median_and_spread(values: nw.Series[Any]) -> tuple[float, float]:
    """Median and 1.4826 MAD, which estimates a normal's standard deviation."""
    known = values.drop_nulls()
    if known.is_empty():
        return 0.0, 0.0
    median = float(known.median())
    return median, 1.4826 * float((known - median).abs().median())


def _distinct(frame: nw.DataFrame[Any], column: str) -> int:
    return int(frame[column].n_unique())
