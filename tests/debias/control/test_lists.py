from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy.special import expit, logit

from equipoise.debias.control import Control, Loop, corrected
from equipoise.errors import DataError

POOL = pl.DataFrame({
    "user_id": [7, 7, 7, 3, 3, 3], "item_id": [1, 2, 3, 1, 2, 3], "rank": [1, 2, 3, 1, 2, 3],
    "score": [3.0, 2.0, 1.0, 3.0, 2.0, 1.0], "probability": [0.5, 0.2, None, 0.5, 0.0, 1.0],
    "group": ["b", "b", "b", "a", "a", "a"], "item_group": ["x", "x", "y", "x", "x", "y"],
    "alternative": [1.0, 1.0, 4.0, 1.0, 1.0, 4.0],
})  # fmt: skip


def test_log_odds_are_shifted_by_group():
    said = corrected(POOL, {"calibration": {"a": -1.0, "b": 0.5}})["probability"].to_list()
    assert said[:2] == pytest.approx([expit(0.5), expit(logit(0.2) + 0.5)])
    assert said[2] is None
    assert said[3:] == pytest.approx([expit(-1.0), 0.0, 1.0])


def test_prices_and_leanings_by_hand():
    """Standardised scores are 1.22, 0, -1.22, and the alternative is -0.71, -0.71, 1.41."""
    prices = corrected(POOL, {"exposure": {"x": 0.0, "y": 1.3}})
    assert prices["item_id"].to_list() == [1, 3, 2, 1, 3, 2]
    assert prices["rank"].to_list() == [1, 2, 3, 1, 2, 3]
    assert prices["user_id"].to_list() == [7, 7, 7, 3, 3, 3]
    assert prices["score"].to_list() == [3.0, 1.0, 2.0] * 2
    leaning = corrected(POOL, {"gap": {"a": 0.0, "b": 1.2}})
    assert leaning["item_id"].to_list() == [3, 1, 2, 1, 2, 3]
    assert corrected(POOL, {"gap": {"a": 0.0, "b": 1.1}})["item_id"].to_list() == [1, 3, 2, 1, 2, 3]


def test_nothing_to_correct_changes_nothing_and_strangers_are_left_alone():
    still = {"gap": {"a": 0.0, "b": 0.0}, "exposure": {"x": 0.0, "y": 0.0}}
    assert_frame_equal(corrected(POOL, still), POOL)
    strange = POOL.with_columns(group=pl.lit(None, dtype=pl.String), item_group=pl.lit("z"))
    moved = corrected(
        strange, {"gap": {"a": 2.0, "b": 2.0}, "exposure": {"x": 1.0, "y": 2.0}, "calibration": {"a": 1.0}}
    )
    assert_frame_equal(moved, strange)


@pytest.mark.parametrize(("times", "plus"), [(1e-10, 0.0), (1e10, 0.0), (1.0, 1e8)])
def test_the_unit_and_the_zero_of_scores_do_not_matter(times: float, plus: float):
    other = POOL.with_columns(pl.col("score") * times + plus)
    for price in (0.3, 1.3):
        moves = {"exposure": {"x": 0.0, "y": price}}
        assert corrected(other, moves)["item_id"].to_list() == corrected(POOL, moves)["item_id"].to_list()
    alike = corrected(
        POOL.with_columns(score=pl.lit(0.1 * times + plus)), {"exposure": {"x": 0.0, "y": 1e-3}}
    )
    assert alike["item_id"].to_list() == [3, 1, 2, 3, 1, 2]


def test_the_kind_of_frame_stays():
    moves = {"gap": {"a": 0.0, "b": 2.0}, "calibration": {"a": 1.0, "b": 1.0}}
    expected = corrected(POOL, moves)
    frame = POOL.to_pandas().set_index(np.array([5, 5, 1, 0, 9, 9]))
    told = corrected(frame, moves)
    assert isinstance(told, pd.DataFrame)
    assert_frame_equal(pl.from_pandas(told.reset_index(drop=True)), expected)
    assert_frame_equal(corrected(POOL.lazy(), moves), expected)


def test_half_of_the_users_of_a_group_are_in_a_trial_and_others_next_time():
    users = np.repeat(np.arange(2000), 3)
    frame = pl.DataFrame({
        "user_id": users, "item_id": np.tile([1, 2, 3], 2000), "rank": np.tile([1, 2, 3], 2000),
        "score": np.tile([3.0, 2.0, 1.0], 2000), "alternative": np.tile([1.0, 1.0, 4.0], 2000),
        "group": np.where(users < 1000, "a", "b"),
    })  # fmt: skip
    first, second = (corrected(frame, {"gap": {"a": 0.0, "b": 0.0}}, {"b": 2.0}, turn) for turn in (-1, 2))
    assert not first.filter(pl.col("group") == "a")["trial"].any()
    mine = first.filter((pl.col("group") == "b") & (pl.col("rank") == 1))
    assert 0.45 < mine["trial"].mean() < 0.55
    assert mine.filter("trial")["item_id"].unique().to_list() == [3]
    assert mine.filter(~pl.col("trial"))["item_id"].unique().to_list() == [1]
    again = second.filter((pl.col("group") == "b") & (pl.col("rank") == 1))
    assert 0.4 < (mine["trial"] == again["trial"]).mean() < 0.6


def test_columns_that_are_missing():
    controller = Control(groups=("a", "b"), gap=None, exposure=None, calibration=Loop()).start()
    with pytest.raises(DataError, match="recommendations has no column 'probability'"):
        controller.apply(POOL.drop("probability"))
    with pytest.raises(DataError, match="no column 'alternative'"):
        corrected(POOL.drop("alternative"), {"gap": {"a": 1.0}})
    with pytest.raises(DataError, match="no column 'item_group'"):
        corrected(POOL.drop("item_group"), {"exposure": {"x": 1.0}})
