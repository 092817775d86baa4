from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from equipoise.errors import DataError
from equipoise.worlds import PlackettLuce, Storefront, World, bias_removed, do_value, planted_bias
from tests.worlds.test_planted import lists_of


@pytest.fixture(scope="module")
def ordered(world: World) -> World:
    """Exposure, chance and place all follow hidden appeal."""
    return replace(world, laws=replace(world.laws, examination_decay=1.5))


def scores_of(world: World, scores: np.ndarray) -> pl.DataFrame:
    return lists_of(world, scores, len(world.items)).with_columns(
        pl.Series("score", -np.sort(-scores, axis=1).ravel())
    )


def test_lists_made_by_the_truth_have_no_bias(ordered: World):
    bias = planted_bias(ordered, lists_of(ordered, ordered.preference, 5), 5)
    assert bias == pytest.approx({"popularity": 0, "exposure": 0, "position": 0, "group_gap": 0}, abs=1e-12)
    women = (ordered.users["gender"] == "woman").to_numpy()
    seen = pl.DataFrame({"user_id": ordered.users["user_id"].filter(women), "item_id": 7})
    scores = ordered.preference.copy()
    scores[women, 6] = 0
    bias = planted_bias(ordered, lists_of(ordered, scores, 5), 5, seen)
    assert bias == pytest.approx({"popularity": 0, "exposure": 0, "position": 0, "group_gap": 0}, abs=1e-12)


def test_a_hand_worked_bias(ordered: World):
    """One user, two items, of which one is the best: the bias is that of the other against the second best."""
    taste = ordered.preference[11]
    best, second = np.argsort(-taste)[:2]
    odd = int(np.argmax(ordered.propensity[11] * ~np.isin(np.arange(60), [best, second])))
    ids = ordered.items["item_id"].to_numpy()
    lists = pl.DataFrame({"user_id": [12, 12, 12], "item_id": ids[[odd, best, second]], "rank": [1, 2, 3]})
    bias = planted_bias(ordered, lists, 2)
    for name, chance in (("exposure", ordered.propensity[11]), ("position", ordered.examined[11])):
        log = np.log(chance.astype(float))
        assert bias[name] == pytest.approx((log[odd] - log[second]) / 2 / log.std())
    shared = np.log(ordered.propensity.mean(axis=0, dtype=float))
    assert bias["popularity"] == pytest.approx((shared[odd] - shared[second]) / 2 / shared.std(), rel=1e-5)
    assert np.isnan(bias["group_gap"])


def test_each_bias_grows_with_what_causes_it(ordered: World):
    women = (ordered.users["gender"] == "woman").to_numpy()
    taste = np.log(ordered.preference) - np.log1p(-ordered.preference)
    shared = np.log(ordered.propensity.mean(axis=0))[None, :]
    noise = np.random.default_rng(0).normal(size=taste.shape)
    causes = {
        "popularity": shared,
        "exposure": np.log(ordered.propensity),
        "position": np.log(ordered.examined),
        "group_gap": np.where(women[:, None], 3 * noise, 0),
    }
    for name, cause in causes.items():
        found = [
            planted_bias(ordered, lists_of(ordered, taste + strength * cause / cause.std(), 5), 5)[name]
            for strength in (-0.5, 0.0, 0.5, 1.0, 2.0)
        ]
        assert found[1] == pytest.approx(0, abs=1e-12)
        rising = found[1:] if name == "group_gap" else found
        assert (np.diff(rising) > 0.01).all(), (name, found)


def test_noise_follows_no_habit_of_the_logger(ordered: World):
    """Random lists miss what the logger rightly shows, by far less than lists of its own favourites overdo it."""
    noise = np.random.default_rng(1).normal(size=ordered.preference.shape)
    bias = planted_bias(ordered, lists_of(ordered, noise, 5), 5)
    shown = planted_bias(ordered, lists_of(ordered, ordered.propensity, 5), 5)
    for name in ("popularity", "exposure", "position"):
        assert -0.5 < bias[name] < 0.1
        assert shown[name] > 1


def test_a_logger_that_treats_all_items_alike_leaves_no_bias(world: World):
    flat = replace(world, policy=PlackettLuce(np.full_like(world.policy.weights, 1 / len(world.items))))
    bias = planted_bias(
        flat, lists_of(flat, np.random.default_rng(0).normal(size=flat.preference.shape), 5), 5
    )
    assert bias["popularity"] == bias["exposure"] == bias["position"] == 0
    everywhere = replace(world, laws=replace(world.laws, examination_decay=0.0))
    assert planted_bias(everywhere, lists_of(everywhere, everywhere.propensity, 5), 5)["position"] == 0


def test_how_likely_an_item_is_looked_at_is_what_the_log_shows():
    world = Storefront(
        n_users=30, n_items=12, days=400, visits=1.0, slate_length=4, popularity=2.0, seed=1
    ).generate()
    shown = world.located(pl.concat([world.slates(t) for t in range(world.days)]))
    looked = shown.group_by("_item").agg(
        pl.col("position").map_batches(world.examination, return_dtype=pl.Float64).mean().alias("mean"),
        pl.len(),
    )
    cells = world.propensity * world.laws.activity[:, None]
    expected = (cells * world.examined).sum(axis=0) / cells.sum(axis=0)
    table = looked.sort("_item")
    error = 4 * 0.3 / np.sqrt(table["len"].to_numpy())
    assert (np.abs(table["mean"].to_numpy() - expected[table["_item"].to_numpy()]) < error).all()
    assert expected.max() - expected.min() > 0.05


def test_scores_by_the_do_value_owe_nothing_to_exposure(ordered: World):
    taste = np.log(ordered.preference) - np.log1p(-ordered.preference)
    right = do_value(ordered, scores_of(ordered, taste))
    assert right["agreement"] == pytest.approx(1, abs=1e-6)
    assert right["exposure_share"] == pytest.approx(0, abs=1e-6)
    clicks = np.log(ordered.preference * ordered.propensity * ordered.examined)
    naive = do_value(ordered, scores_of(ordered, clicks))
    assert naive["agreement"] < 0.9
    assert naive["exposure_share"] > 0.5
    assert np.isnan(do_value(ordered, scores_of(ordered, -taste))["exposure_share"])
    with pytest.raises(DataError, match="each item"):
        do_value(ordered, scores_of(ordered, taste).head(100))


def test_bias_removed_by_hand():
    base, half = [2.0, 1.0, 3.0, 2.0], [1.1, 0.4, 1.6, 0.9]
    removed = bias_removed(base, half)
    assert removed.value == pytest.approx(0.5)
    assert removed.low is not None
    assert removed.high is not None
    assert 0.35 < removed.low < 0.5 < removed.high < 0.65
    turned = bias_removed(base, [-value for value in half])
    assert (turned.value, turned.low, turned.high) == pytest.approx(
        (removed.value, removed.low, removed.high)
    )
    gone = bias_removed(base, [0.1, -0.1, 0.05, -0.05])
    assert gone.value == pytest.approx(1)
    assert gone.high == 1
    assert bias_removed(base, [4.0, 2.0, 6.0, 4.0]).value == pytest.approx(-1)
    assert bias_removed([1.0], [0.2]).low is None


def test_without_a_bias_there_is_nothing_to_remove():
    found = bias_removed([0.1, -0.2, 0.15, -0.1], [0.0, 0.0, 0.0, 0.0])
    assert found.value is None
    assert found.reason
    with pytest.raises(DataError, match="fit"):
        bias_removed([1.0, 2.0], [1.0])


def test_the_interval_of_bias_removed_covers_its_truth():
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(300):
        luck = rng.normal(size=10)
        base = 1.0 + 0.2 * luck + 0.1 * rng.normal(size=10)
        with_it = 0.4 + 0.1 * luck + 0.1 * rng.normal(size=10)
        found = bias_removed(base, with_it)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0.6 <= found.high
    assert 0.91 <= hits / 300 <= 0.985
