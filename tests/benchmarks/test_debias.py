"""The worlds with one bias each, and the page that puts corrections side by side."""

from __future__ import annotations

from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks import debias, row
from benchmarks.bias_worlds import WORLDS, Reordered, expected_rating
from benchmarks.row import Part, Row
from benchmarks.rows import debias_worlds
from equipoise.debias import corrections

SMALL = {"n_users": 200, "n_items": 60}


def test_places_of_reordered_slates_equal_the_enumeration_of_all() -> None:
    weights = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
    worth = np.array([1.0, 0.5, 0.2])
    truth = np.zeros(5)
    for chosen in combinations(range(5), 3):
        for order in permutations(chosen):
            left, probability = weights[list(chosen)].sum(), 0.1  # one of ten sets
            for item in order:
                probability *= weights[item] / left
                left -= weights[item]
            truth[list(order)] += probability * worth
    policy = Reordered(np.tile(weights, (2, 1)).astype(np.float32))
    np.testing.assert_allclose(policy.exposure(worth)[1], truth, atol=1e-4)
    np.testing.assert_allclose(policy.inclusion(3), 0.6, atol=1e-6)


def test_reordered_slates_show_all_items_alike_and_the_appealing_first() -> None:
    weights = np.array([0.6, 0.25, 0.1, 0.05])
    policy = Reordered(np.tile(weights, (6000, 1)).astype(np.float32))
    slates, propensity = policy.sample(np.arange(6000), 2, seed=1, t=0)
    counts = np.bincount(slates.ravel(), minlength=4) / 6000
    np.testing.assert_allclose(counts, 0.5, atol=0.03)
    assert (propensity == 0.5).all()
    assert (slates[:, 0] == 0).sum() > 4 * (slates[:, 1] == 0).sum()


@pytest.mark.parametrize("name", [name for name in WORLDS if name not in ("noise", "ratings")])
def test_each_world_holds_its_bias_and_no_other(name: str) -> None:
    """Clicks counted per user and item, the plainest of models, show it."""
    from equipoise.worlds import planted_bias

    ground = WORLDS[name](1, **SMALL)
    world = ground.world
    expected = world.preference * world.propensity * world.examined
    top = np.argsort(-expected, axis=1)[:, :5]
    lists = pl.DataFrame({
        "user_id": np.repeat(world.users["user_id"].to_numpy(), 5),
        "item_id": world.items["item_id"].to_numpy()[top].ravel(),
        "rank": np.tile(np.arange(1, 6), len(top)),
    })  # fmt: skip
    bias = planted_bias(world, lists, 5)
    assert bias[name.replace(" ", "_")] > (0.02 if name == "group gap" else 0.7)
    if name == "position":
        assert abs(bias["popularity"]) + abs(bias["exposure"]) < 1e-6
    else:
        assert bias["position"] == 0
    if name == "exposure":
        assert abs(bias["popularity"]) < 0.5


def test_noise_is_on_items_that_nobody_likes_and_valid_has_none() -> None:
    ground = WORLDS["noise"](0, **SMALL)
    liked = ground.world.preference.mean(axis=0)
    assert liked[ground.planted].max() < np.quantile(liked, 0.7)
    clicks = ground.train.events.filter(pl.col("event") == "click")
    ids = ground.world.items["item_id"].gather(ground.planted)
    share = clicks["item_id"].is_in(ids.implode()).mean()
    honest = ground.valid.positives["item_id"].is_in(ids.implode()).mean()
    assert share > 2 * honest
    baited = clicks.filter(pl.col("item_id").is_in(ids.slice(10).implode()))["value"].median()
    assert baited < 0.2 * clicks.filter(~pl.col("item_id").is_in(ids.implode()))["value"].median()


def test_ratings_are_missing_not_at_random_with_known_propensities() -> None:
    ground = WORLDS["ratings"](0, **SMALL)
    truth = expected_rating(ground.world).mean()
    events = pl.concat([ground.train.events, ground.valid.events])
    value, weight = events["value"].to_numpy(), 1 / events["propensity"].to_numpy()
    assert value.mean() - truth > 0.4
    assert abs((value * weight).sum() / weight.sum() - truth) < 0.15


def test_every_setting_names_a_world_and_a_correction_that_there_is() -> None:
    for world, methods in debias_worlds.METHODS.items():
        assert world in WORLDS
        for method, fields in methods.items():
            assert corrections.build(method.split()[0], fields).name == method.split()[0]
    named = {method.split()[0] for methods in debias_worlds.METHODS.values() for method in methods}
    assert named == set(corrections.names())


def test_a_part_of_a_small_world_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    small = {"popularity": lambda seed: WORLDS["popularity"](seed, **SMALL)}
    monkeypatch.setattr(debias_worlds, "WORLDS", small)
    debias_worlds._ground.cache_clear()
    debias_worlds._base.cache_clear()
    found = {
        method: debias_worlds.measure(f"popularity, {method}, mf", 0, tmp_path).values
        for method in ("base", "random", "ips", "fa_ir")
    }
    debias_worlds._ground.cache_clear()
    debias_worlds._base.cache_clear()
    assert abs(found["ips"]["popularity"]) < found["base"]["popularity"] / 2
    assert abs(found["random"]["popularity"]) < found["base"]["popularity"] / 2
    assert found["base"]["NDCG@10"] > found["random"]["NDCG@10"]
    assert "agreement" in found["ips"]
    assert "agreement" not in found["fa_ir"]


def world_part(seed: int, bias: float, quality: float) -> Part:
    luck = 0.05 * np.sin(seed)
    return Part(
        {"popularity": bias + luck, "NDCG@10": quality + luck / 5, "training CPU s": 2.0, "group gap": 0.0}
    )


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Row]:
    monkeypatch.setattr(row, "CACHE", tmp_path)

    def worlds(setting: str, seed: int, folder: Path) -> Part:
        of = {"base": (2.0, 0.5), "random": (0.0, 0.3), "good": (0.5 + 0.01 * seed, 0.6), "bad": (3.0, 0.5)}
        return world_part(seed, *of[setting.split(", ")[1]])

    def people(setting: str, seed: int, folder: Path) -> Part:
        rng = np.random.default_rng(5)
        luck, men = rng.normal(size=400), np.arange(400) % 2 == 0
        gap = 0.01 if "user_gap" in setting else 0.05
        lost = 0.02 + 0.01 * rng.normal(size=400) if "adversarial" in setting else 0.0
        own = np.random.default_rng([6, len(setting)]).normal(size=400)
        values = 0.3 + gap * men + 0.01 * luck - lost + 0.001 * own
        frame = pl.DataFrame(
            {"user_id": np.arange(400), "NDCG@10": values, "gender": np.where(men, "M", "F")}
        )
        return Part({"NDCG@10": float(values.mean()), "gap": gap, "gini@10": 0.7}, frame)

    def rated(setting: str, seed: int, folder: Path) -> Part:
        error = {"MF": 1.2, "ips": 1.0, "train mean": 1.6}[setting]
        frame = pl.DataFrame({
            "user_id": np.arange(50), "squared": 4 * (error + 0.01 * np.cos(np.arange(50) * error + seed)), "cells": 4,
            "absolute": 4 * error ** 0.5, "AUC of user": np.nan, "NDCG of user": 0.6,
        })  # fmt: skip
        return Part({"MSE": error, "MAE": error**0.5, "MSE with overlap": error - 0.1}, frame)

    found = {
        "debias-worlds": Row(
            "debias-worlds", "small worlds",
            {f"popularity, {name}, mf": (0, 1, 2, 3) for name in ("base", "random", "good", "bad", "missing")}, worlds,
        ),
        "debias-ml1m": Row(
            "debias-ml1m", "films", {f"mf {name}": (0,) for name in ("none", "adversarial", "user_gap", "mmr")}, people
        ),
        "debias-coat": Row("debias-coat", "coats", dict.fromkeys(("train mean", "MF", "ips", "mrdr"), (0, 1)), rated),
    }  # fmt: skip
    for one in found.values():
        for setting, seeds in one.parts.items():
            for seed in seeds:
                if not any(name in setting for name in ("missing", "mmr", "mrdr")):
                    one.run(setting, seed)
    return found


def line(page: str, start: str) -> list[str]:
    (found,) = [one for one in page.splitlines() if one.startswith(f"| {start} |")]
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_the_page_says_what_helps(rows: dict[str, Row]) -> None:
    page = debias.page(rows)
    good, bad = line(page, "good"), line(page, "bad")
    assert good[1] == "helps"
    assert good[2].startswith("0.73 [0.7")
    assert good[6] == "helps"
    assert bad[1] == "hurts"
    assert bad[6] == "does not help"
    assert line(page, "random")[1] == ""
    assert page.index("| random |") < page.index("| base |") < page.index("| good |")
    assert line(page, "missing")[1] == "not measured"


def test_the_page_pairs_users(rows: dict[str, Row]) -> None:
    page = debias.page(rows)
    assert line(page, "adversarial")[3] == "hurts"
    assert line(page, "user_gap")[6] == "helps"
    assert line(page, "user_gap")[5].startswith("-0.04")
    assert line(page, "mmr")[1] == "not measured"
    ips = line(page, "ips")
    assert ips[1:3] == ["1.000", "helps"]
    assert line(page, "train mean")[2] == "hurts"
    assert page.index("| train mean |") < page.index("| MF |")
    assert line(page, "mrdr")[1] == "not measured"


def test_what_no_row_has_measured_is_said(rows: dict[str, Row]) -> None:
    page = debias.page({"debias-worlds": rows["debias-worlds"]})
    assert page.count("Not measured.") == 3
