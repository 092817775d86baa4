"""The exposure log: one row per shown position, with the probability of showing it, checked rule by rule.

Fields: `request_id`, `user_id`, `timestamp` (with a zone), `policy_id` (or `policy`), `policy_version`;
`candidate_set` (a list of item ids) or `candidate_set_hash`; `item_id`, `position` from 1, `slate_id`;
`propensity` in (0, 1] with `propensity_kind` (`action`, `item_at_position`, `slate`) and `propensity_source`
(`logged`, `estimated:<model>`, `deterministic`); `support_floor`, the lowest probability the policy gives a
candidate. Where they are there, also `candidate_propensities` (a list beside `candidate_set`), `outcome`,
`outcome_time`, `censored`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from equipoise.data import vocabulary as v
from equipoise.data.dataset import to_polars

KINDS = ("action", "item_at_position", "slate")
"""What a propensity can be the probability of."""

_TOLERANCE = 1e-6
_REQUIRED = (
    v.REQUEST, v.USER, v.TIMESTAMP, "policy_id", "policy_version", v.ITEM, v.POSITION, v.SLATE, v.PROPENSITY,
    "propensity_kind", "propensity_source", "support_floor",
)  # fmt: skip


@dataclass(frozen=True)
class RuleCheck:
    """One rule and the rows that break it.

    Attributes:
        rule: What must hold, in words.
        broken: Number of rows that break it.
        rows: The first of them, counted from 0, at most five.
    """

    rule: str
    broken: int
    rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class LogCheck:
    """What was found in an exposure log.

    Attributes:
        length: Rows that were checked.
        rules: Every rule that could be checked.
        deterministic: Rows whose propensity is no probability; estimators by inverse propensity refuse them.
    """

    length: int
    rules: tuple[RuleCheck, ...]
    deterministic: int

    @property
    def passed(self) -> bool:
        """Whether every rule holds for every row."""
        return not any(rule.broken for rule in self.rules)

    def table(self) -> list[tuple[str, str, str]]:
        """Rows of (rule, rows that break it, first such rows) as text, for printing."""
        found = [(r.rule, f"{r.broken:,}", ", ".join(map(str, r.rows))) for r in self.rules]
        return [*found, ("(not a fault) rows with a deterministic choice", f"{self.deterministic:,}", "")]


def check_log(frame: Any) -> LogCheck:
    """Check an exposure log against the schema; nothing is changed.

    Args:
        frame: A frame of any engine, one row per shown position. In an event log with a column `event`, only
            impressions are checked.
    """
    log = to_polars(frame).with_row_index("_row")
    if v.EVENT in log.columns:
        log = log.filter(pl.col(v.EVENT) == v.IMPRESSION)
    if "policy_id" not in log.columns and v.POLICY in log.columns:
        log = log.rename({v.POLICY: "policy_id"})
    there = set(log.columns)
    rules = [_absent(column, log) for column in _REQUIRED if column not in there]
    if not there & {"candidate_set", "candidate_set_hash"}:
        rules.append(RuleCheck("there is a column candidate_set or candidate_set_hash", len(log)))
    for columns, rule, breaks in (*_values(log), *_groups(log)):
        if there.issuperset(columns):
            rows = log.filter(breaks.fill_null(False))["_row"]
            rules.append(RuleCheck(rule, len(rows), tuple(rows.head(5).to_list())))
    source = log["propensity_source"] if "propensity_source" in there else pl.Series(["logged"])
    return LogCheck(len(log), tuple(rules), int((source == "deterministic").sum()))


_Check = tuple[Iterable[str], str, pl.Expr]


def _absent(column: str, log: pl.DataFrame) -> RuleCheck:
    return RuleCheck(f"there is a column {column}", len(log))


def _values(log: pl.DataFrame) -> list[_Check]:
    """Rules on one row."""
    propensity, floor = pl.col(v.PROPENSITY), pl.col("support_floor")
    source, kind = pl.col("propensity_source"), pl.col("propensity_kind")
    named = [(column,) for column in _REQUIRED]
    checks: list[_Check] = [((c,), f"{c} is never missing", pl.col(c).is_null()) for (c,) in named]
    checks += [
        ((v.TIMESTAMP,), "timestamp is a time with a zone", pl.lit(not _zoned(log)) & pl.col("_row").ge(0)),
        ((v.POSITION,), "position is at least 1", pl.col(v.POSITION) < 1),
        ((v.PROPENSITY,), "propensity is in (0, 1]", ~((propensity > 0) & (propensity <= 1))),
        (("propensity_kind",), f"propensity_kind is one of {', '.join(KINDS)}", ~kind.is_in(KINDS)),
        (
            ("propensity_source",),
            "propensity_source is logged, estimated:<model> or deterministic",
            ~(source.is_in(["logged", "deterministic"]) | source.str.contains("^estimated:.+")),
        ),
        (("support_floor",), "support_floor is in [0, 1]", ~floor.is_between(0, 1)),
        (
            (v.PROPENSITY, "support_floor", "propensity_kind", "propensity_source"),
            "an action's logged propensity is not below support_floor",
            (kind == "action") & (source == "logged") & (propensity < floor - _TOLERANCE),
        ),
        (
            ("outcome_time", v.TIMESTAMP),
            "outcome_time is not before timestamp",
            pl.col("outcome_time") < pl.col(v.TIMESTAMP) if _comparable(log) else pl.lit(True),
        ),
        (
            ("censored", "outcome"),
            "a censored row has no outcome",
            pl.col("censored").cast(pl.Boolean) & pl.col("outcome").is_not_null(),
        ),
    ]
    if isinstance(log.schema.get("candidate_set"), pl.List):
        candidates = pl.col("candidate_set")
        checks.append(((v.ITEM,), "item_id is in candidate_set", ~candidates.list.contains(pl.col(v.ITEM))))
    if isinstance(log.schema.get("candidate_propensities"), pl.List):
        total = pl.col("candidate_propensities").list.sum()
        rule = "action propensities over the candidate set sum to 1"
        checks.append((("propensity_kind",), rule, (kind == "action") & ((total - 1).abs() > _TOLERANCE)))
    return checks


def _groups(log: pl.DataFrame) -> list[_Check]:
    """Rules on the rows of one request, slate or position."""
    constant = [v.USER, v.TIMESTAMP, "policy_id", "policy_version"]
    checks: list[_Check] = [
        ((v.REQUEST, c), f"one request has one {c}", pl.col(c).n_unique().over(v.REQUEST) > 1)
        for c in constant
    ]
    place = [v.REQUEST, v.SLATE, v.POSITION]
    shown = [v.REQUEST, v.SLATE, v.ITEM]
    # of the candidates a log holds only those shown, so their action propensities sum to 1 at most
    total = pl.col(v.PROPENSITY).filter(pl.col("propensity_kind") == "action").sum().over(place)
    checks += [
        (
            (v.REQUEST, v.SLATE),
            "one slate belongs to one request",
            pl.col(v.REQUEST).n_unique().over(v.SLATE) > 1,
        ),
        (place, "positions are unique in a slate", pl.len().over(place) > 1),
        (shown, "items are unique in a slate", pl.len().over(shown) > 1),
        (
            (*place, v.PROPENSITY, "propensity_kind"),
            "action propensities at a position sum to 1 at most",
            total > 1 + _TOLERANCE,
        ),
    ]
    return checks


def _zoned(log: pl.DataFrame) -> bool:
    dtype = log.schema.get(v.TIMESTAMP)
    return isinstance(dtype, pl.Datetime) and dtype.time_zone is not None


def _comparable(log: pl.DataFrame) -> bool:
    return log.schema.get("outcome_time") == log.schema.get(v.TIMESTAMP)
