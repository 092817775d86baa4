from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from equipoise.data.exposure import check_log

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def log() -> pl.DataFrame:
    """Two requests with slates of two positions."""
    rows: list[dict[str, Any]] = []
    for request in range(2):
        for position in (1, 2):
            rows.append(
                {
                    "request_id": f"r{request}",
                    "user_id": request,
                    "timestamp": NOON + timedelta(minutes=request),
                    "policy_id": "p",
                    "policy_version": "1",
                    "candidate_set": [1, 2, 3],
                    "candidate_propensities": [0.5, 0.3, 0.2],
                    "item_id": position,
                    "position": position,
                    "slate_id": f"s{request}",
                    "propensity": 0.5 if position == 1 else 0.3,
                    "propensity_kind": "action",
                    "propensity_source": "logged",
                    "support_floor": 0.01,
                    "outcome": 1.0 if position == 1 else None,
                    "outcome_time": NOON + timedelta(hours=1),
                    "censored": position == 2,
                }
            )
    return pl.DataFrame(rows)


def test_a_good_log_passes(engine: Any) -> None:
    found = check_log(engine(log()))
    assert found.passed, [rule for rule in found.rules if rule.broken]
    assert found.length == 4
    assert found.deterministic == 0
    assert len(found.rules) > 25


def value(column: str, row: int, new: Any) -> pl.DataFrame:
    frame = log()
    values = frame[column].to_list()
    values[row] = new
    return frame.with_columns(pl.Series(column, values, dtype=frame.schema[column]))


@pytest.mark.parametrize(
    ("column", "row", "new", "rule", "rows"),
    [
        ("user_id", 1, None, "user_id is never missing", (1,)),
        ("user_id", 1, 9, "one request has one user_id", (0, 1)),
        ("policy_version", 3, "2", "one request has one policy_version", (2, 3)),
        ("timestamp", 0, NOON + timedelta(1), "one request has one timestamp", (0, 1)),
        ("timestamp", 2, NOON + timedelta(1), "outcome_time is not before timestamp", (2,)),
        ("item_id", 0, 7, "item_id is in candidate_set", (0,)),
        ("item_id", 1, 1, "items are unique in a slate", (0, 1)),
        ("position", 1, 1, "positions are unique in a slate", (0, 1)),
        ("position", 0, 0, "position is at least 1", (0,)),
        ("slate_id", 2, "s0", "one slate belongs to one request", (0, 1, 2)),
        ("propensity", 2, 0.0, "propensity is in (0, 1]", (2,)),
        ("propensity", 2, 1.5, "propensity is in (0, 1]", (2,)),
        ("propensity", 2, 0.001, "an action's logged propensity is not below support_floor", (2,)),
        ("propensity_kind", 1, "list", "propensity_kind is one of action, item_at_position, slate", (1,)),
        (
            "propensity_source",
            1,
            "guessed",
            "propensity_source is logged, estimated:<model> or deterministic",
            (1,),
        ),
        ("support_floor", 3, -0.1, "support_floor is in [0, 1]", (3,)),
        (
            "candidate_propensities",
            3,
            [0.5, 0.5, 0.5],
            "action propensities over the candidate set sum to 1",
            (3,),
        ),
        ("outcome", 3, 1.0, "a censored row has no outcome", (3,)),
    ],
)
def test_each_rule_counts_what_breaks_it(
    column: str, row: int, new: Any, rule: str, rows: tuple[int, ...]
) -> None:
    found = check_log(value(column, row, new))
    broken = {r.rule: r for r in found.rules if r.broken}
    assert not found.passed
    assert rule in broken
    assert (broken[rule].broken, broken[rule].rows) == (len(rows), rows)


def test_shown_action_propensities_cannot_exceed_one() -> None:
    frame = log().with_columns(position=pl.lit(1), propensity=pl.lit(0.6))
    broken = {rule.rule for rule in check_log(frame).rules if rule.broken}
    assert "action propensities at a position sum to 1 at most" in broken


def test_times_need_a_zone() -> None:
    frame = log().with_columns(pl.col("timestamp").dt.replace_time_zone(None))
    broken = {rule.rule: rule.broken for rule in check_log(frame).rules if rule.broken}
    assert broken["timestamp is a time with a zone"] == 4


def test_missing_columns_are_named() -> None:
    found = check_log(log().drop("policy_version", "candidate_set", "candidate_propensities"))
    broken = {rule.rule: rule.broken for rule in found.rules if rule.broken}
    assert broken == {
        "there is a column policy_version": 4,
        "there is a column candidate_set or candidate_set_hash": 4,
    }


def test_deterministic_rows_are_counted_and_policy_is_policy_id() -> None:
    frame = log().rename({"policy_id": "policy"}).with_columns(propensity_source=pl.lit("deterministic"))
    found = check_log(frame)
    assert found.passed
    assert found.deterministic == 4
    assert found.table()[-1][1] == "4"


def test_of_an_event_log_only_impressions_count() -> None:
    shown = log().with_columns(event=pl.lit("impression"))
    click = shown[:1].with_columns(event=pl.lit("click"), propensity=None, position=None)
    found = check_log(pl.concat([click, shown, click], how="vertical_relaxed"))
    assert found.passed
    assert found.length == 4
