"""Cleaning with an account: every row that goes is counted by reason.

`rules` holds the functions on frames of any engine; `clean` applies them to a `Dataset` in a fixed order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Literal

import narwhals as nw
import polars as pl
from pydantic import Field

from equipoise.component import Component
from equipoise.data import vocabulary as v
from equipoise.data.dataset import Dataset, positive
from equipoise.data.rules import (
    Rule,
    drop_bots,
    drop_duplicates,
    drop_outliers,
    filtered,
    k_core,
    possible,
    present,
)
from equipoise.errors import DataError


class Cleaning(Component):
    """What `[clean]` says: which rows of the events are dropped."""

    name: ClassVar[str] = "clean"

    duplicates: Literal["rows", "pairs", "keep"] = "rows"
    """`rows` drops repeats of a row, `pairs` all but a user's latest event with an item, `keep` nothing."""
    value_min: float | None = None
    """Least value that is kept: the lowest possible rating, or the lowest that tells of taste; None for no bound."""
    value_max: float | None = None
    """Greatest possible value; None for no bound."""
    outlier_z: float | None = Field(None, gt=0)
    """Drop values whose robust z-score, by median and MAD, is above this (3.5 is usual); None keeps all."""
    bot_z: float | None = Field(None, gt=0)
    """Drop users whose log number of events has a robust z-score above this (5 is usual); None keeps all."""
    min_user_events: int = Field(3, ge=0)
    """k-core: least positive events of a user; 3 leaves one each for training, validation and test."""
    min_item_events: int = Field(0, ge=0)
    """k-core: least positive events of an item; 0 keeps all, for texts rank what nobody touched yet."""
    standardise: bool = False
    """Whether numeric columns of users and items, not sensitive ones, get mean 0 and deviation 1."""


def clean(data: Dataset, config: Cleaning | None = None) -> Dataset:
    """The dataset without what the configuration rules out; `account` tells of each dropped row.

    In this order: contradicting ids of users and items, missing ids, duplicates, impossible values, outliers,
    bot-like users, k-core, standardisation. Events with ids that the users or items table lacks are kept and
    counted.

    Raises:
        DataError: if no event is left, if rows of one id contradict each other, or if the users or items
        table holds
            none of the events' ids.
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
    for reason, rule in _rules(events, config, data.numbered):
        kept = rule(events)
        note("events", reason, len(events), len(kept))
        if kept.is_empty():
            raise DataError(
                "No event is left after cleaning",
                where=f"all {len(data.events):,} rows; the last went for: {reason}",
                todo="Correct the data, or the settings under [clean].",
            )
        events = kept
    least_user, least_item = config.min_user_events, config.min_item_events
    core = k_core(events, least_user, least_item)
    note("events", f"k-core of {least_user} events per user, {least_item} per item", len(events), len(core))
    users = _without_fallen(users, v.USER, data.events, core, "users", note)
    items = _without_fallen(items, v.ITEM, events, core, "items", note)
    events = core
    for table, key, what in ((users, v.USER, "users"), (items, v.ITEM, "items")):
        account += _unknown(events, table, key, what)
    account += _taste(events)
    if config.standardise:
        users, items = (_standardised(t, k, data.sensitive) for t, k in ((users, v.USER), (items, v.ITEM)))
    return replace(data, events=events, users=users, items=items, account=tuple(account))


def _rules(
    events: pl.DataFrame, config: Cleaning, numbered: bool
) -> list[tuple[str, Callable[[pl.DataFrame], pl.DataFrame]]]:
    """Reasons to drop rows, in order, each with the function that drops them."""
    frame = nw.from_native(events, eager_only=True)

    def keeping(rules: list[Rule]) -> list[tuple[str, Callable[[pl.DataFrame], pl.DataFrame]]]:
        return [(reason, partial(filtered, rules=[rule])) for reason, rule in rules]

    rules = keeping(present(frame))
    if config.duplicates == "rows":
        rules.append(("duplicate row", partial(drop_duplicates, but=[v.ORDER] if numbered else [])))
    elif config.duplicates == "pairs":
        rules.append(("earlier event of the same user and item", partial(drop_duplicates, of="pairs")))
    rules += keeping(possible(frame, config.value_min, config.value_max))
    if config.outlier_z is not None and v.VALUE in events.columns:
        reason = f"outlier (robust z above {config.outlier_z:g})"
        rules.append((reason, partial(drop_outliers, z=config.outlier_z)))
    if config.bot_z is not None:
        rules.append((f"bot-like user (robust z above {config.bot_z:g})", partial(drop_bots, z=config.bot_z)))
    return rules


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
            where=f"{name}, column '{key}': {', '.join(map(str, twice.head(5)))} ...",
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
    examples = ", ".join(map(str, unknown.head(3)))
    reason = f"{len(unknown):,} ids are not in the {name} table, kept (such as {examples})"
    return [{"step": "clean", "reason": reason, "table": "events", "dropped": 0, "kept": len(events)}]


def _taste(events: pl.DataFrame) -> list[dict[str, Any]]:
    """Which kinds of events count as taste: a kind that should not shows here."""
    if v.EVENT not in events.columns:
        return []
    counts = (
        events.filter(positive(events))[v.EVENT]
        .value_counts()
        .sort("count", v.EVENT, descending=[True, False])
    )
    told = ", ".join(f"{kind} ({count:,})" for kind, count in counts.rows())
    reason = f"kinds of events that count as taste: {told or 'none'}"
    return [{"step": "clean", "reason": reason, "table": "events", "dropped": 0, "kept": len(events)}]


def _standardised(table: pl.DataFrame | None, key: str, sensitive: tuple[str, ...]) -> pl.DataFrame | None:
    if table is None:
        return None
    numeric = [
        column.name
        for column in table.drop(key, *sensitive, strict=False).iter_columns()
        if column.dtype.is_numeric() and column.n_unique() > 1
    ]
    return table.with_columns((pl.col(name) - pl.col(name).mean()) / pl.col(name).std() for name in numeric)
