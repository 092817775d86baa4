from __future__ import annotations

import polars as pl
import pytest

from equipoise.debias.control.signals import Slates
from equipoise.errors import DataError

SHOWN = pl.DataFrame({
    "user_id": [1, 1, 2, 2], "item_id": [1, 2, 1, 2], "timestamp": [1.0, 1.0, 2.0, 2.0],
    "group": ["a", "a", "b", "b"], "reward": [1.0, 1.0, 0.0, 0.0], "probability": [0.5, 0.4, 0.3, 0.2],
})  # fmt: skip


def read(events: pl.DataFrame, *groups: str, **what: bool) -> Slates:
    return Slates.of(events, groups, (), **{"probabilities": False, **what})


@pytest.mark.parametrize("ids", [[], ["request_id"], ["request_id", "slate_id"]])
def test_without_ids_slates_are_told_apart_by_user_and_time(ids: list[str]):
    events = SHOWN.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in ids)
    slates = read(events, "a", "b", probabilities=True).frame
    assert slates["group"].to_list() == ["a", "b"]
    assert slates["reward"].to_list() == [1.0, 0.0]
    assert slates["said"].to_list() == pytest.approx([0.45, 0.25])


def test_a_column_of_ids_without_gaps_is_used_and_one_with_gaps_alone_is_refused():
    gaps = SHOWN.with_columns(request_id=pl.Series(["x", None, "y", "y"]))
    with pytest.raises(DataError, match=r"impressions do not tell their slate.*'request_id', 1 of 4"):
        read(gaps)
    assert len(read(gaps.with_columns(slate_id=pl.Series(["p", "q", "r", "r"]))).frame) == 3


def clicked(**ids: list[str | None]) -> pl.DataFrame:
    """Item 7 is shown at 1, clicked at 2, shown again at 100; item 8 is clicked before it is shown."""
    return pl.DataFrame({
        "user_id": [1] * 5, "item_id": [7, 7, 8, 7, 8], "timestamp": [1.0, 2.0, 3.0, 100.0, 200.0],
        "event": ["impression", "click", "click", "impression", "impression"], **ids,
    })  # fmt: skip


def test_a_click_rewards_the_last_impression_before_it():
    assert read(clicked()).frame["reward"].to_list() == [1.0, 0.0, 0.0]
    assert read(clicked(slate_id=["s"] * 5)).frame["reward"].to_list() == pytest.approx([1 / 3])
    assert read(clicked(slate_id=["s", "t", "s", "s", "s"])).frame["reward"].to_list() == [0.0]


def test_clicks_that_do_not_tell_their_slate_are_refused():
    with pytest.raises(DataError, match=r"clicks do not tell their slate.*'slate_id', 1 of 2"):
        read(clicked(slate_id=["s", None, "s", "s", "s"]))


def test_users_asked_both_ways_answer_once_but_for_the_trial():
    """Group b is asked again, with other lists; two answers of one user are not two pieces of evidence."""
    standing = SHOWN.with_columns(trial=pl.lit(False), request_id=2 * pl.col("user_id"))
    again = standing.filter(pl.col("group") == "b").with_columns(
        trial=pl.lit(True), request_id=pl.col("request_id") + 1, reward=pl.lit(1.0)
    )
    events = pl.concat([standing, again]).sort("timestamp", maintain_order=True)
    slates = read(events, "a", "b", probabilities=True, trial=True, both_ways=True)
    tried, others = slates.tried("b")
    assert (tried.tolist(), others.tolist()) == ([1.0], [0.0])
    assert slates.calibration("b").error.tolist() == pytest.approx([-0.25])
    mine, others = slates.rewards("a")
    assert (mine.tolist(), others.tolist()) == ([1.0], [0.0])
    apart = read(events, "a", "b", probabilities=True, trial=True)  # half of the users each
    assert apart.rewards("b")[0].tolist() == [0.0, 1.0]
