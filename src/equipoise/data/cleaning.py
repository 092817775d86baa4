"""Cleaning with an account: every row that goes is counted by reason.

The functions on frames take any engine's events; `clean` applies them to a `Dataset` in a fixed order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal

import narwhals as nw
import polars as pl
from pydantic import Field

from equipoise.component import Component
from equipoise.data import vocabulary as v
from equipoise.data.dataset import Dataset
from equipoise.data.frames import canonical, eager, orderable, require, taste
from equipoise.errors import DataError


class Cleaning(Component):
    """What `[clean]` says: which rows of the events are dropped."""

    name: ClassVar[str] = "clean"

    duplicates: Literal["rows", "pairs", "keep"] = "rows"
    """`rows` drops repeated identical rows, `pairs` keeps the latest positive event of each user and item, `keep` all."""
    value_min: float | None = None
    """Least possible value (the lowest rating); None for no bound."""
    value_max: float | None = None
    """Greatest possible value; None for no bound."""
    outlier_z: float | None = Field(None, gt=0)
    """Drop values whose robust z-score, by median and MAD, is above this (3.5 is usual); None keeps all."""
    bot_z: float | None = Field(None, gt=0)
    """Drop users whose log number of events has a robust z-score above this (5 is cautious); None keeps all."""
    min_user_events: int = Field(3, ge=0)
    """k-core: least positive events of a user. The default 3 leaves one each for training, validation and test."""
    min_item_events: int = Field(0, ge=0)
    """k-core: least positive events of an item. By default none, for text can rank what nobody has touched yet."""
    standardise: bool = False
    """Whether numeric columns of users and items, sensitive ones apart, get mean 0 and standard deviation 1."""


def clean(data: Dataset, config: Cleaning | None = None) -> Dataset:
    """The dataset without what the configuration rules out; `account` tells of each dropped row.

    Order: duplicate ids of users and items, missing ids, duplicates, impossible values, outliers, bot-like users, k-core,
    standardisation. Events whose ids the users or items table does not hold are kept, and counted.

    Raises:
        DataError: if no event is left, if an id has rows that contradict each other, or if no id of the events is in the
            table that describes them.
    """
    config = config or Cleaning()
    account = list(data.account)

    def note(table: str, reason: str, before: int, after: int) -> None:
        if before != after:
            account.append(
                {"step": "clean", "reason": reason, "table": table, "dropped": before - after, "kept": after}
            )

    users = _unique_ids(data.users, v.USER, "users", note)
    items = _unique_ids(data.items, v.ITEM, "items", note)
    events = data.events
    for reason, rule in _rules(events, config):
        kept = rule(events)
        note("events", reason, len(events), len(kept))
        if kept.is_empty():
            raise DataError(
                "No event is left after cleaning",
                where=f"all {len(data.events):,} rows; the last went for: {reason}",
                todo="Correct the data, or the settings under [clean].",
            )
        events = kept
    whole = events
    events = k_core(events, config.min_user_events, config.min_item_events)
    core = f"fewer than {config.min_user_events} events of a user or {config.min_item_events} of an item (k-core)"
    note("events", core, len(whole), len(events))
    users = _without_fallen(users, v.USER, data.events, events, "users", note)
    items = _without_fallen(items, v.ITEM, whole, events, "items", note)
    for table, key, what in ((users, v.USER, "users"), (items, v.ITEM, "items")):
        account += _unknown(events, table, key, what)
    if config.standardise:
        users, items = (_standardised(t, k, data.sensitive) for t, k in ((users, v.USER), (items, v.ITEM)))
    return replace(data, events=events, users=users, items=items, account=tuple(account))


def drop_missing(events: Any) -> Any:
    """Rows with a user, an item or else a search with a query, a time where there is one, and a kind of event."""
    return _filtered(events, [keep for _, keep in _present(eager(events))])


def drop_duplicates(events: Any, *, of: Literal["rows", "pairs"] = "rows") -> Any:
    """Rows without repeats: of identical rows one, or of the positive events of a user and an item the latest."""
    frame = eager(events)
    if of == "rows":
        return frame.unique(subset=orderable(frame), keep="first", maintain_order=True).to_native()
    time = [column for column in (v.TIMESTAMP, v.ORDER) if column in frame.columns][:1]
    ordered = canonical(frame, *time)
    latest = ordered.filter(taste(frame)).unique(subset=[v.USER, v.ITEM], keep="last", maintain_order=True)
    return nw.concat([latest, ordered.filter(~taste(frame))]).to_native()


def drop_impossible(events: Any, *, value_min: float | None = None, value_max: float | None = None) -> Any:
    """Rows without infinite values, times before 1970, propensities outside (0, 1], or positions below 1."""
    return _filtered(events, [keep for _, keep in _possible(eager(events), value_min, value_max)])


def drop_outliers(events: Any, z: float) -> Any:
    """Rows whose value has a robust z-score |x - median| / (1.4826 MAD) of at most `z`, or no value.

    Where over half of all values are equal the MAD is 0 and nothing is dropped. Source: Iglewicz and Hoaglin, "How to
    Detect and Handle Outliers", 1993.
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
    counts = (
        frame.group_by(v.USER)
        .agg(nw.len().alias("_events"))
        .with_columns(nw.col("_events").log().alias("_log"))
    )
    median, spread = _median_and_spread(counts["_log"])
    if not spread:
        return frame.to_native()
    people = counts.filter(nw.col("_log") - median <= z * spread)
    return frame.join(people.select(v.USER), on=v.USER, how="semi").to_native()


def k_core(events: Any, min_user_events: int, min_item_events: int) -> Any:
    """The largest part in which every user and every item has so many positive events.

    Found by dropping users and items in turn until nothing changes (Seidman, "Network structure and minimum degree",
    Social Networks 1983). Searches and impressions do not count; those of users who stay are kept. 0 asks for nothing.

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
        core = core.filter(nw.len().over(v.USER) >= min_user_events)
        core = core.filter(nw.len().over(v.ITEM) >= min_item_events)
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


def _rules(events: pl.DataFrame, config: Cleaning) -> list[tuple[str, Any]]:
    """Reasons to drop rows, in order, each with what it leaves."""
    frame = nw.from_native(events, eager_only=True)
    possible = _possible(frame, config.value_min, config.value_max)
    rules: list[tuple[str, Any]] = [
        (reason, lambda t, keep=keep: _filtered(t, [keep])) for reason, keep in (*_present(frame), *possible)
    ]
    if config.duplicates != "keep":
        reason = {"rows": "duplicate row", "pairs": "earlier event of the same user and item"}[
            config.duplicates
        ]
        rules.insert(len(_present(frame)), (reason, lambda t: drop_duplicates(t, of=config.duplicates)))
    if config.outlier_z is not None and v.VALUE in events.columns:
        rules.append(
            (f"outlier (robust z above {config.outlier_z:g})", lambda t: drop_outliers(t, config.outlier_z))
        )
    if config.bot_z is not None:
        rules.append(
            (f"bot-like user (robust z above {config.bot_z:g})", lambda t: drop_bots(t, config.bot_z))
        )
    return rules


def _present(frame: nw.DataFrame[Any]) -> list[tuple[str, nw.Expr]]:
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


def _possible(
    frame: nw.DataFrame[Any], value_min: float | None, value_max: float | None
) -> list[tuple[str, nw.Expr]]:
    rules: list[tuple[str, str, nw.Expr]] = []
    value, propensity = nw.col(v.VALUE), nw.col(v.PROPENSITY)
    for column in (v.VALUE, v.REWARD):
        if column in frame.columns and frame.schema[column].is_float():
            rules.append((column, f"{column} is not finite", nw.col(column).is_finite()))
    if v.VALUE in frame.columns:
        rules += (
            [(v.VALUE, f"value below {value_min:g}", value >= value_min)] if value_min is not None else []
        )
        rules += (
            [(v.VALUE, f"value above {value_max:g}", value <= value_max)] if value_max is not None else []
        )
    if v.TIMESTAMP in frame.columns:
        dtype = frame.schema[v.TIMESTAMP]
        seconds = nw.col(v.TIMESTAMP) if dtype.is_numeric() else nw.col(v.TIMESTAMP).dt.timestamp("us")
        rules.append(
            (v.TIMESTAMP, "timestamp before 1970 or not finite", (seconds >= 0) & (seconds < float("inf")))
        )
    if v.PROPENSITY in frame.columns:
        rules.append((v.PROPENSITY, "propensity outside (0, 1]", (propensity > 0) & (propensity <= 1)))
    if v.POSITION in frame.columns:
        rules.append((v.POSITION, "position below 1", nw.col(v.POSITION) >= 1))
    return [(reason, nw.col(column).is_null() | possible) for column, reason, possible in rules]


def _filtered(events: Any, rules: list[nw.Expr]) -> Any:
    frame = eager(events)
    return frame.filter(*rules).to_native() if rules else frame.to_native()


def _median_and_spread(values: nw.Series[Any]) -> tuple[float, float]:
    """Median and 1.4826 MAD, which estimates a normal's standard deviation."""
    known = values.drop_nulls()
    if known.is_empty():
        return 0.0, 0.0
    median = float(known.median())
    return median, 1.4826 * float((known - median).abs().median())


def _distinct(frame: nw.DataFrame[Any], column: str) -> int:
    return int(frame[column].n_unique())


def _unique_ids(table: pl.DataFrame | None, key: str, name: str, note: Any) -> pl.DataFrame | None:
    if table is None:
        return None
    known = table.filter(pl.col(key).is_not_null())
    note(name, "missing id", len(table), len(known))
    distinct = known.unique(maintain_order=True)
    note(name, "duplicate row", len(known), len(distinct))
    twice = distinct.filter(pl.col(key).is_duplicated())[key].unique(maintain_order=True)
    if len(twice):
        raise DataError(
            f"{len(twice):,} ids have several rows that contradict each other",
            where=f"{name}, column '{key}': {', '.join(map(str, twice.head(5)))}{' ...' if len(twice) > 5 else ''}",
            todo=f"Keep one row per {key}.",
        )
    return distinct


def _without_fallen(
    table: pl.DataFrame | None, key: str, before: pl.DataFrame, after: pl.DataFrame, name: str, note: Any
) -> pl.DataFrame | None:
    """The table without those whose events are all gone; those who never had any stay, as cold ones."""
    if table is None:
        return None
    fallen = before.select(key).drop_nulls().unique().join(after.select(key), on=key, how="anti")
    kept = table.join(fallen, on=key, how="anti", maintain_order="left")
    note(name, "all events dropped", len(table), len(kept))
    return kept


def _unknown(events: pl.DataFrame, table: pl.DataFrame | None, key: str, name: str) -> list[dict[str, Any]]:
    if table is None:
        return []
    ids = events.select(key).drop_nulls().unique()
    unknown = ids.join(table, on=key, how="anti").sort(key)[key]
    if len(ids) and len(unknown) == len(ids):
        raise DataError(
            f"No {key} of the events is in the {name} table",
            where=f"events: {', '.join(map(str, unknown.head(3)))} ...; "
            f"{name}: {', '.join(map(str, table[key].head(3)))} ...",
            todo=f"Check that both mean the same ids, or leave out `{name}` under [data].",
        )
    if not len(unknown):
        return []
    reason = f"{len(unknown):,} ids are not in the {name} table, kept (such as {', '.join(map(str, unknown.head(3)))})"
    return [{"step": "clean", "reason": reason, "table": "events", "dropped": 0, "kept": len(events)}]


def _standardised(table: pl.DataFrame | None, key: str, sensitive: tuple[str, ...]) -> pl.DataFrame | None:
    if table is None:
        return None
    numeric = [
        name
        for name, dtype in table.schema.items()
        if dtype.is_numeric() and name != key and name not in sensitive and (table[name].std() or 0) > 0
    ]
    return table.with_columns((pl.col(name) - pl.col(name).mean()) / pl.col(name).std() for name in numeric)
