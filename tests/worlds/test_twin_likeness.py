"""Likeness tells a log from another one, and twins of real logs are near where they can be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from equipoise.data.formats import FORMATS
from equipoise.errors import DataError
from equipoise.worlds import Storefront, World
from equipoise.worlds.twin import likeness
from equipoise.worlds.twin.measures import gini, kolmogorov_smirnov, top_share


def test_distances_by_hand():
    assert kolmogorov_smirnov(np.array([1.0, 2, 3, 4]), np.array([3.0, 4, 5, 6])) == pytest.approx(0.5)
    assert kolmogorov_smirnov(np.array([1.0, 2]), np.array([2.0, 1])) == 0
    assert gini(np.array([1, 1, 1])) == pytest.approx(0)
    assert gini(np.array([0, 0, 3])) == pytest.approx(2 / 3)
    assert top_share(np.array([8, 1, 1, 0, 0, 0, 0, 0, 0, 0])) == pytest.approx(0.8)


@pytest.fixture(scope="module")
def world() -> World:
    return Storefront(n_users=300, n_items=50, days=20, slate_length=5, seed=7).generate()


def rows(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in found}


def test_a_log_is_like_itself(world: World):
    found = rows(likeness(world, world.log, draws=10))
    measured = [row for row in found.values() if row["band"] is not None]
    assert all(row["distance"] == 0 for row in measured)
    assert found["predictability"]["distance"] == 0
    assert found["classifier"]["twin"] == pytest.approx(0.5, abs=0.02)
    assert {"exposure", "click_rate_1", "pauses", "activity_of_gender=man"} <= set(found)


def test_another_draw_of_the_same_world_is_alike_and_a_distorted_log_is_not(world: World):
    from dataclasses import replace

    again = rows(likeness(world, replace(world, seed=8).log, draws=20))
    alike = [row["alike"] for row in again.values() if row["band"] is not None]
    assert np.mean(alike) > 0.8
    low, high = again["classifier"]["low"], again["classifier"]["high"]
    assert low - 0.03 <= 0.5 <= high + 0.03
    hits = world.log.filter((pl.col("item_id") <= 10) | (pl.col("user_id") <= 60))
    other = rows(likeness(world, hits, draws=20))
    for name in ("activity", "popularity", "popularity_gini", "exposure", "slate_length"):
        assert not other[name]["alike"], name
        assert other[name]["distance"] > 2 * max(again[name]["distance"], 0.01), name
    assert other["classifier"]["low"] > 0.8


def test_a_log_of_others_has_no_likeness(world: World):
    with pytest.raises(DataError, match="no event of taste of this world's users"):
        likeness(world, pl.DataFrame({"user_id": [10**6], "item_id": [1]}))


FOLDER = os.environ.get("EQUIPOISE_DATA")


@pytest.mark.skipif(not FOLDER, reason="EQUIPOISE_DATA names no folder with real data")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ml-1m", "movielens"), ("ml-100k", "movielens"), ("coat", "coat"),
        ("musical-instruments", "amazon-reviews"),
    ],
)  # fmt: skip
def test_twins_of_real_logs(name: str, kind: str):
    assert FOLDER is not None
    data = FORMATS.build(kind).read(Path(FOLDER) / name)
    twin = World.like(data, max_users=250, max_items=150, taste=1.0)
    found = rows(likeness(twin, data, draws=5))
    assert found["popularity_gini"]["distance"] < 0.08
    assert found["top_share"]["distance"] < 0.06
    assert found["repeats"]["twin"] == 0
    assert found["activity"]["twin"] == pytest.approx(found["activity"]["log"], rel=0.2)
    assert twin.sensitive == data.sensitive
    assert twin.text == data.text
    assert set(twin.gap_between[1:]) <= set(twin.group_gap.values)
    table = twin.truth()
    assert len(table) == len(twin.users) * len(twin.items)
    assert table.null_count().sum_horizontal().item() == 0
    assert table["preference"].is_between(0, 1, closed="none").all()
    assert table["propensity"].is_between(0, 1).all()
