"""The log of a policy, read and checked: rewards are numbers, propensities are probabilities."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import polars as pl

from equipoise.causal.off_policy.columns import (
    CLUSTER,
    ITEM_,
    PROPENSITY_,
    REWARD_,
    ROW,
    WORKING,
    Frame,
    number,
)
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.data.frames import require
from equipoise.errors import DataError
from equipoise.metrics.frames import collect

DETERMINISTIC = "deterministic"
_HUGE = 1e100  # rewards beyond it cannot be squared and added up


class PropensityError(DataError, ValueError):
    """Logged propensities that are no probabilities, or that leave nothing to weigh."""


@dataclass(frozen=True)
class Log:
    """A log with its working columns.

    Attributes:
        frame: Narwhals frame: eager over Polars, or lazy of any engine.
        n: Rows.
        kinds: What the propensities are said to be the probability of; empty where the log does not say.
        notes: What a reader of the result should know.
    """

    frame: Frame
    n: int
    kinds: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Names of the log's own columns."""
        return [name for name in self.frame.collect_schema().names() if name not in WORKING]

    @property
    def lazy(self) -> bool:
        """Whether an engine holds the rows."""
        return isinstance(self.frame, nw.LazyFrame)

    @property
    def polars(self) -> pl.DataFrame:
        """The rows themselves."""
        return to_polars(self.frame.to_native())

    def collected(self) -> Log:
        """The same log with its rows in memory."""
        if not self.lazy:
            return self
        return replace(self, frame=_numbered(self.polars))


def read_log(native: Any, *, cluster: str | None = None) -> Log:
    """Check a log and name its reward, propensity and clusters.

    In a log of events (a column `event`) the impressions are read, where there are any.

    Args:
        native: Frame of any engine with `reward` and `propensity`.
        cluster: Column whose rows depend on each other; by default `user_id`, else `request_id`, else
            `slate_id`, else every row is on its own.

    Raises:
        PropensityError: if a propensity is missing, zero, negative or above 1, or all are 1, or the log says
            that they are no probabilities.
        DataError: if a column is missing, a reward is no finite number, a cluster or an item is missing, or
            there are no rows.
    """
    frame = _impressions(_frame(native))
    columns = frame.collect_schema().names()
    require(columns, v.REWARD, v.PROPENSITY, *([cluster] if cluster else []), table="log")
    key = cluster or next((name for name in (v.USER, v.REQUEST, v.SLATE) if name in columns), None)
    added = {
        REWARD_: number(frame, v.REWARD, "reward"),
        PROPENSITY_: number(frame, v.PROPENSITY, "propensity"),
    }
    if key is not None:
        added[CLUSTER] = nw.col(key)
    frame = frame.with_columns(**added)
    n = _check(frame, key)
    return Log(frame, n, *_said(frame, columns))


def _frame(native: Any) -> Frame:
    try:
        frame: Frame = nw.from_native(native)
    except TypeError as error:
        raise DataError(
            f"A log is a table, not {type(native).__name__}", todo="Pass a data frame of any engine."
        ) from error
    frame = frame.drop(*WORKING, strict=False)
    if isinstance(frame, nw.LazyFrame):
        return frame
    return _numbered(to_polars(frame.to_native()))


def _numbered(rows: pl.DataFrame) -> Frame:
    """Rows in memory with their numbers, and those of their items."""
    rows = rows.with_row_index(ROW)
    if v.ITEM in rows.columns:
        text = rows.schema[v.ITEM] in (pl.Categorical, pl.Enum)
        items = pl.col(v.ITEM).cast(pl.String) if text else pl.col(v.ITEM)
        rows = rows.with_columns(items.rank("dense").cast(pl.Float64).alias(ITEM_))
    return nw.from_native(rows, eager_only=True)


def _impressions(frame: Frame) -> Frame:
    if v.EVENT not in frame.collect_schema().names():
        return frame
    shown = frame.filter(nw.col(v.EVENT) == v.IMPRESSION)
    return shown if collect(shown.select(nw.len())).item() else frame


def _check(frame: Frame, key: str | None) -> int:
    """The number of rows, all of them usable."""
    p, r = nw.col(PROPENSITY_), nw.col(REWARD_)
    absent = p.is_null() | p.is_nan()
    lost = r.is_null() | r.is_nan() | ~r.is_finite()
    huge = ~lost & (r.abs() > _HUGE)
    faults = {
        "missing": absent,
        "zero": ~absent & (p == 0),
        "negative": ~absent & (p < 0),
        "above 1": ~absent & (p > 1),
    }
    asked = {fault: _count(rows) for fault, rows in {**faults, "reward": lost, "huge": huge}.items()}
    there = frame.collect_schema().names()
    gaps = {name: _gap(frame, name) for name in (CLUSTER, v.ITEM) if name in there}
    asked |= {name: _count(rows) for name, rows in gaps.items()}
    found = collect(frame.select(n=nw.len(), least=p.min(), **asked)).rows(named=True)[0]
    n = int(found["n"])
    if not n:
        raise DataError("The log has no rows", todo="Give the log of the policy that ran.")
    counts = {fault: int(found[fault]) for fault in faults if found[fault]}
    if counts:
        bad = absent | (p <= 0) | (p > 1)
        said = ", ".join(f"{count} {fault}" for fault, count in counts.items())
        raise PropensityError(
            f"Some propensities are not probabilities in (0, 1]: {said}",
            where=f"column '{v.PROPENSITY}', {sum(counts.values())} of {n} rows, the first {_first(frame, bad)}",
            todo="Log the probability with which each item was shown.",
        )
    if found["least"] == 1:
        raise PropensityError(
            "All propensities are 1: the logger was deterministic, or they were never logged",
            where=f"column '{v.PROPENSITY}', {n} of {n} rows, the first {_first(frame, p == 1)}",
            todo="Let the logger explore and log its probabilities; such a log says nothing of other policies.",
        )
    if found["reward"]:
        raise DataError(
            "Some rewards are missing or infinite",
            where=f"column '{v.REWARD}', {found['reward']} of {n} rows, the first {_first(frame, lost)}",
            todo="Write 0 where nothing came of a decision, and leave out rows whose outcome is not known yet.",
        )
    if found["huge"]:
        raise DataError(
            f"Some rewards are beyond {_HUGE:g}",
            where=f"column '{v.REWARD}', {found['huge']} of {n} rows, the first {_first(frame, huge)}",
            todo="Give rewards in another unit.",
        )
    if found.get(CLUSTER):
        raise DataError(
            f"'{key}' is missing, so rows that depend on each other cannot be told",
            where=f"{found[CLUSTER]} of {n} rows, the first {_first(frame, gaps[CLUSTER])}",
            todo="Fill it, with the session for example, or name another column as `cluster`.",
        )
    if found.get(v.ITEM):
        raise DataError(
            "Some rows do not say which item was shown",
            where=f"column '{v.ITEM}', {found[v.ITEM]} of {n} rows, the first {_first(frame, gaps[v.ITEM])}",
            todo="Leave these rows out, or give what was shown there an id of its own.",
        )
    return n


def _gap(frame: Frame, column: str) -> nw.Expr:
    """Where an id is missing."""
    gap = nw.col(column).is_null()
    return gap | nw.col(column).is_nan() if frame.collect_schema()[column].is_float() else gap


def _count(rows: nw.Expr) -> nw.Expr:
    return nw.when(rows).then(nw.lit(1)).otherwise(nw.lit(0)).sum()


def _first(frame: Frame, rows: nw.Expr) -> str:
    """The first row in words: its number, or what an engine without an order shows of it."""
    names = frame.collect_schema().names()
    if ROW in names:
        return f"at row {frame.filter(rows).get_column(ROW)[0]}"
    shown = [name for name in names if not name.startswith("_")]
    row = collect(frame.filter(rows).select(shown).head(1)).rows(named=True)[0]
    return "found: " + ", ".join(f"{name}={row[name]!r}" for name in list(row)[:6])


def _said(frame: Frame, columns: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the log says of its propensities: their kinds, and notes."""
    if "propensity_source" in columns:
        fixed = nw.col("propensity_source") == DETERMINISTIC
        count = collect(frame.select(_count(fixed))).item()
        if count:
            raise PropensityError(
                "Some rows say that they were chosen without chance",
                where=f"propensity_source = '{DETERMINISTIC}', {count} rows, the first {_first(frame, fixed)}",
                todo="Leave these rows out: no other policy can be weighed on them.",
            )
    kinds: tuple[str, ...] = ()
    if "propensity_kind" in columns:
        kinds = tuple(sorted(_distinct(frame, "propensity_kind")))
    notes = []
    policy = next((name for name in (v.POLICY, "policy_id") if name in columns), None)
    loggers = sorted(_distinct(frame, policy)) if policy else []
    if len(loggers) > 1:
        notes.append(
            f"The log holds {len(loggers)} policies ({', '.join(loggers[:5])}); each row is weighted by its own "
            "policy's propensity, and the logger's value is that of their mixture."
        )
    return kinds, tuple(notes)


def _distinct(frame: Frame, column: str) -> list[str]:
    values = collect(frame.select(column).unique()).get_column(column).to_list()
    return [str(value) for value in values if value is not None]
