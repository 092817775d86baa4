from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from equipoise.errors import DataError
from equipoise.worlds import World, planted, preference_values, propensity_error


def lists_of(world: World, scores: np.ndarray, k: int) -> pl.DataFrame:
    top = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return pl.DataFrame({
        "user_id": np.repeat(world.users["user_id"].to_numpy(), k),
        "item_id": world.items["item_id"].to_numpy()[top].ravel(),
        "rank": np.tile(np.arange(1, k + 1), len(scores)),
    })  # fmt: skip


def test_a_hand_worked_list(world: World):
    lists = pl.DataFrame({"user_id": [7, 7], "item_id": [4, 9], "rank": [1, 2]})
    preference = world.preference[6].astype(float)
    best = np.sort(np.delete(preference, 20))[::-1]
    seen = pl.DataFrame({"user_id": [7], "item_id": [21]})
    value = preference_values(world, lists, 2, seen).row(0, named=True)
    shown = preference[3] + preference[8] / np.log2(3)
    assert value["ndcg"] == pytest.approx(shown / (best[0] + best[1] / np.log2(3)))
    assert value["preference"] == pytest.approx((preference[3] + preference[8]) / 2)


def test_the_truth_ranks_best_and_strangers_are_left_out(world: World):
    best = lists_of(world, world.preference, 5)
    assert planted(world, best, 5)["preference_ndcg@5"] == pytest.approx(1)
    worst = planted(world, lists_of(world, -world.preference, 5), 5)
    assert worst["preference_ndcg@5"] < 0.4
    assert worst["preference@5"] < planted(world, best, 5)["preference@5"]
    strangers = pl.DataFrame({"user_id": [10**6], "item_id": [1], "rank": [1]})
    assert planted(world, pl.concat([best, strangers]), 5)["preference_ndcg@5"] == pytest.approx(1)
    with pytest.raises(DataError, match="belongs to this world"):
        planted(world, strangers)


def test_a_gap_made_by_hand_is_seen(world: World):
    women = (world.users["gender"] == "woman").to_numpy()
    scores = np.where(women[:, None], -world.preference, world.preference)
    gap = planted(world, lists_of(world, scores, 5), 5)["group_gap"]
    assert gap["preference@5"] > 0.2
    assert gap["preference_ndcg@5"] > 0.4
    assert gap["logged"] == world.group_gap.difference
    only = lists_of(world, scores, 5).filter(
        pl.col("user_id").is_in(world.users["user_id"].filter(women).implode())
    )
    assert planted(world, only, 5)["group_gap"]["preference@5"] is None


def test_propensity_error_is_nothing_for_the_truth_up_to_a_factor(world: World):
    clicks = world.located(world.log.filter(pl.col("event") == "click"))
    true = world.propensity[clicks["_user"].to_numpy(), clicks["_item"].to_numpy()].astype(float)
    right = propensity_error(world, clicks, true / 2)
    assert right["weight_rmse"] == pytest.approx(0, abs=1e-9)
    assert right["log_correlation"] == pytest.approx(1)
    flat = propensity_error(world, clicks, np.where(np.arange(len(true)) > 0, 0.5, np.nan))
    assert flat["weight_rmse"] > 0.3
    assert flat["log_correlation"] == 0
    with pytest.raises(DataError, match="has a propensity"):
        propensity_error(world, clicks, np.full(len(true), np.nan))
