"""The log of a policy, read and checked: rewards are numbers, propensities are probabilities."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import polars as pl

from equipoise.causal.off_policy.columns import CLUSTER, PROPENSITY_, REWARD_, ROW, WORKING, Frame, number
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.data.frames import require
from equipoise.errors import DataError
from equipoise.metrics.frames import collect

DETERMINISTIC = "deterministic"


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
        """Names of all columns."""
        return list(self.frame.collect_schema().names())

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
        rows = self.polars.with_row_index(ROW)
        return replace(self, frame=nw.from_native(rows, eager_only=True))


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
        DataError: if a column is missing, a reward is no finite number, a cluster is missing, or there are no
            rows.
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
    return nw.from_native(to_polars(frame.to_native()).with_row_index(ROW), eager_only=True)


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
    faults = {
        "missing": absent,
        "zero": ~absent & (p == 0),
        "negative": ~absent & (p < 0),
        "above 1": ~absent & (p > 1),
    }
    asked = {fault: _count(rows) for fault, rows in {**faults, "reward": lost}.items()}
    if key is not None:
        asked["cluster"] = _count(nw.col(CLUSTER).is_null())
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
    if key is not None and found["cluster"]:
        raise DataError(
            f"'{key}' is missing, so rows that depend on each other cannot be told",
            where=f"{found['cluster']} of {n} rows, the first {_first(frame, nw.col(CLUSTER).is_null())}",
            todo="Fill it, with the session for example, or name another column as `cluster`.",
        )
    return n


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
