from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from equipoise.data import Dataset
from equipoise.data.formats.coat import Coat, random_test
from equipoise.debias import Context, DuringTraining, corrections
from equipoise.debias.during.inverse_propensity import Clipped, InversePropensity, SelfNormalised
from equipoise.errors import ConfigError, DataError
from equipoise.models.ease import EASE
from equipoise.worlds import Storefront, World, planted


@pytest.fixture(scope="module")
def world() -> World:
    return Storefront(n_users=800, n_items=200, seed=1).generate()


def log(propensity: list[float | None]) -> Dataset:
    return Dataset(
        pl.DataFrame({
            "user_id": [1, 1, 1, 2, 2],
            "item_id": [1, 2, 1, 3, None],
            "event": ["impression", "click", "click", "purchase", "search"],
            "propensity": propensity,
        })
    )  # fmt: skip


def test_weights_by_hand():
    data = log([0.1, 0.5, 0.25, None, None])
    context = Context(data=data)
    training = Clipped().training(data, context)
    assert training.weights is not None
    assert training.weights.dtype == np.float32
    np.testing.assert_allclose(training.weights, [1, 2 / 3, 4 / 3, 1, 1], rtol=1e-6)
    normalised = SelfNormalised().training(data, context)
    np.testing.assert_allclose(normalised.weights, [1, 2 / 3, 4 / 3, 1, 1], rtol=1e-6)
    raw = InversePropensity().training(data, context)
    np.testing.assert_allclose(raw.weights, [1, 2, 4, 1, 1])  # nothing says what they should average to
    assert list(context.diagnostics) == ["clipped_ips", "snips", "ips"]
    report = json.loads(json.dumps(context.diagnostics["clipped_ips"]))
    assert report["weights"]["rows"] == 2
    assert report["weights"]["without"] == 1
    assert report["clip"] == 10
    assert "1 events of taste have no propensity and keep weight 1." in report["warnings"]


def test_clipping_is_a_multiple_of_the_mean_weight():
    data = log([0.1, 0.5, 0.01, None, None])
    context = Context(data=data)
    weights = Clipped(clip=1.5).training(data, context).weights
    np.testing.assert_allclose(weights, [1, 2 / 39.25, 1.5 * 51 / 39.25, 1, 1], rtol=1e-6)
    assert context.diagnostics["clipped_ips"]["weights"]["share_clipped"] == 0.5
    with pytest.raises(ConfigError, match="clip"):
        corrections.build("clipped_ips", {"clip": 0.0})


def matrix(propensity: list[float]) -> Dataset:
    """Three ratings of a matrix of two users and three items."""
    return Dataset(
        pl.DataFrame({"user_id": [1, 1, 2], "item_id": [1, 2, 2], "value": [5.0, 1.0, 2.0], "propensity": propensity}),
        items=pl.DataFrame({"item_id": [1, 2, 3]}),
    )  # fmt: skip


def test_textbook_weights_of_a_rating_matrix_are_divided_by_cells_per_rating():
    data = matrix([0.8, 0.5, 0.25])
    weights = InversePropensity().training(data, Context(data)).weights
    np.testing.assert_allclose(weights, np.array([1.25, 2, 4]) / (6 / 3), rtol=1e-6)
    normalised = SelfNormalised().training(data, Context(data)).weights
    np.testing.assert_allclose(normalised, np.array([1.25, 2, 4]) / (7.25 / 3), rtol=1e-6)


def test_textbook_weights_estimate_the_sum_over_all_cells_without_bias():
    """Over all sets of ratings that could have been seen, weighted by their probability."""
    errors, chance = (
        np.array([[1.0, 4.0, 0.5], [2.0, 9.0, 3.0]]),
        np.array([[0.8, 0.5, 0.9], [0.2, 0.6, 0.3]]),
    )
    mean, everything = 0.0, 0.0
    for pattern in itertools.product([False, True], repeat=6):
        seen = np.array(pattern).reshape(2, 3)
        probability = float(np.where(seen, chance, 1 - chance).prod())
        everything += probability
        if seen.any():
            users, items = np.nonzero(seen)
            events = pl.DataFrame(
                {"user_id": users, "item_id": items, "value": errors[seen], "propensity": chance[seen]}
            )
            data = Dataset(events, pl.DataFrame({"user_id": [0, 1]}), pl.DataFrame({"item_id": [0, 1, 2]}))
            weights = InversePropensity().row_weights(data, InversePropensity().fitted(data, 0))[0]
            mean += probability * float(np.mean(weights * errors[seen]))
    assert everything == pytest.approx(1)
    assert mean == pytest.approx(errors.mean())


def test_textbook_weights_of_slates_are_divided_by_candidates_per_place():
    events = pl.DataFrame({
        "user_id": [1, 1, 1], "item_id": [1, 2, 1], "position": [1, 2, 1], "propensity": [0.5, 0.4, 0.5],
        "event": ["impression", "impression", "click"],
    })  # fmt: skip
    data = Dataset(events, items=pl.DataFrame({"item_id": [1, 2, 3, 4]}))
    weights = InversePropensity().training(data, Context(data)).weights
    np.testing.assert_allclose(weights, [1, 1, 2 / 3.5], rtol=1e-6)  # four candidates, then three


def test_a_log_without_propensities_is_weighed_by_popularity_and_says_so():
    data = matrix([0.8, 0.5, 0.25]).with_events(matrix([1.0] * 3).events.drop("propensity"))
    context = Context(data)
    weights = SelfNormalised().training(data, context).weights
    np.testing.assert_allclose(weights, np.array([2**0.5, 1, 1]) * 3 / (2 + 2**0.5), rtol=1e-6)
    told = context.diagnostics["snips"]
    assert told["model"] == "popularity"
    assert told["warnings"][0].startswith("The log has no propensities")


def test_exploding_weights_are_told_and_such_as_leave_nothing_refused():
    rng = np.random.default_rng(0)
    events = pl.DataFrame({
        "user_id": np.arange(400), "item_id": np.arange(400) % 20,
        "propensity": np.where(rng.random(400) < 0.01, 1e-4, 0.5),
    })  # fmt: skip
    data = Dataset(events)
    context = Context(data)
    SelfNormalised().training(data, context)
    told = context.diagnostics["snips"]
    assert told["weights"]["top_share"] > 0.9
    assert told["weights"]["effective_share"] < 0.05
    assert any("training is noisy" in sentence for sentence in told["warnings"])
    assert any("heaviest hundredth" in sentence for sentence in told["warnings"])
    assert {"little_left"} <= set(told["card"]["verdict"]["because"])
    lone = data.with_events(events.with_columns(propensity=pl.Series([1e-9] + [0.5] * 399)))
    with pytest.raises(DataError, match="one event outweighs all others"):
        SelfNormalised().training(lone, Context(lone))
    Clipped(clip=1e-6).training(lone, Context(lone))


def test_what_stands_in_the_way():
    data = matrix([0.8, 0.5, 0.25])
    bare = data.with_events(data.events.drop("propensity"))
    assert InversePropensity(propensity="given").obstacle(data, EASE()) is None
    assert "no propensities" in str(InversePropensity(propensity="given").obstacle(bare, EASE()))
    assert InversePropensity().obstacle(bare, EASE()) is None


@pytest.mark.parametrize(
    ("fields", "column", "reason"),
    [
        ({}, [0.5, 0.0, 1.0], "1 zero"),
        ({}, [0.5, float("nan"), 1.0], "1 missing"),
        ({}, [0.5, 1.5, 1.0], "1 above 1"),
        ({}, [1.0, 1.0, 1.0], "deterministic"),
        ({"propensity": "position"}, [0.5, 0.5, 0.4], "needs the columns event, position"),
        ({"propensity": "naive_bayes"}, [0.5, 0.5, 0.4], "marginal"),
        (
            {"propensity": "naive_bayes", "options": {"marginal": {"5": 1}}},
            [0.5, 0.5, 0.4],
            "without one: 1, 2",
        ),
        ({"propensity": "poplarity"}, [0.5, 0.5, 0.4], "'popularity'"),
    ],
)
def test_what_columns_tell_stands_in_the_way(fields: dict[str, Any], column: list[float], reason: str):
    assert reason in str(InversePropensity(**fields).obstacle(matrix(column), EASE()))


def test_users_without_events_are_told():
    data = matrix([0.8, 0.5, 0.25])
    more = Context(replace(data, users=pl.DataFrame({"user_id": range(1, 21)})))
    InversePropensity().training(more.data, more)
    assert "18 of 20 users have no event" in " ".join(more.diagnostics["ips"]["warnings"])
    same = Context(replace(data, users=pl.DataFrame({"user_id": [1, 2]})))
    InversePropensity().training(same.data, same)
    assert "have no event" not in " ".join(same.diagnostics["ips"]["warnings"])


def test_weights_do_not_depend_on_the_order_of_rows():
    data = matrix([0.8, 0.5, 0.25])
    turned = data.with_events(data.events.reverse())
    for one in (InversePropensity(), SelfNormalised(), Clipped(clip=1.0)):
        weights = one.training(data, Context(data)).weights
        np.testing.assert_array_equal(weights[::-1], one.training(turned, Context(turned)).weights)


def test_naive_bayes_weights_by_hand():
    """Of 20 cells, four rated: 5, 5, 5, 1; random ratings are a quarter fives."""
    events = pl.DataFrame({"user_id": [0, 1, 2, 3], "item_id": [0, 1, 2, 3], "value": [5.0, 5.0, 5.0, 1.0]})
    data = Dataset(events, items=pl.DataFrame({"item_id": range(5)}))
    ips = InversePropensity(propensity="naive_bayes", options={"marginal": {"5": 1.0, "1": 3.0}})
    fitted = ips.fitted(data, 0)
    np.testing.assert_allclose(fitted.values, [3 / 5, 3 / 5, 3 / 5, 1 / 15])
    assert fitted.mean_weight is None  # it would be 1 whatever the marginal is
    weights = ips.training(data, Context(data)).weights
    assert float(np.average(events["value"], weights=weights)) == pytest.approx(0.25 * 5 + 0.75 * 1)
    with pytest.raises(DataError, match="without one: 1"):
        ips.model_copy(update={"options": {"marginal": {"5": 1.0}}}).training(data, Context(data))


def test_snips_takes_most_of_the_bias_of_the_mean_rating_of_coat(real_data: Path):
    data = Coat().read(real_data / "coat")
    ratings, truth = data.events["value"].to_numpy(), random_test(real_data / "coat")["value"].mean()
    means = {
        one.name: float((one.training(data, Context(data)).weights * ratings).mean())
        for one in (InversePropensity(), SelfNormalised())
    }
    assert means == {"ips": pytest.approx(2.424, abs=5e-4), "snips": pytest.approx(2.331, abs=5e-4)}
    assert abs(means["snips"] - truth) <= 0.3 * abs(ratings.mean() - truth)


def test_a_config_builds_it():
    built = corrections.build("ips", {"propensity": "popularity", "options": {"power": 1.0}})
    assert isinstance(built, DuringTraining)
    assert built.acts == "during"
    data = log([None] * 5).with_events(log([None] * 5).events.drop("propensity"))
    weights = built.training(data, Context(data=data)).weights
    np.testing.assert_allclose(weights, [1, 1, 1, 1, 1])
    with pytest.raises(ConfigError, match="'power'"):
        corrections.build("ips", {"propensity": "popularity", "options": {"pover": 1}}).training(
            data, Context(data=data)
        )


def test_what_cannot_be_weighed():
    data = log([0.5, None, None, None, None])
    with pytest.raises(DataError, match="No event of taste has a propensity"):
        InversePropensity(propensity="given").training(data, Context(data=data))
    data = log([0.5, 0.0, 1.5, None, None])
    with pytest.raises(DataError, match="1 zero, 1 above 1"):
        InversePropensity().training(data, Context(data=data))


def test_the_world_s_own_propensities_bring_popularity_nearer_to_the_truth(world: World):
    """What people would like, counted: by clicks as they came, and as an even-handed logger would have got them."""
    data = world.dataset()
    context = Context(data=data)
    taste = data.events.with_row_index("row").filter(pl.col("event").is_in(["click", "purchase"]))
    item, row = taste["item_id"].to_numpy() - 1, taste["row"].to_numpy()
    truth = world.preference.mean(axis=0)
    agreement = {}
    for name in ("given", "popularity"):
        weights = Clipped(propensity=name, options={"power": 1.0} if name == "popularity" else {})
        counted = np.bincount(item, weights.training(data, context).weights[row], 200)
        agreement[name] = np.corrcoef(counted, truth)[0, 1]
    naive = np.corrcoef(np.bincount(item, minlength=200), truth)[0, 1]
    assert naive < 0.4
    assert agreement["given"] > 0.8
    assert agreement["popularity"] > 0.6
    assert context.diagnostics["clipped_ips"]["weights"]["mean_weight"] == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("model", ["ease", "popular"])
def test_models_trained_with_it_rank_nearer_to_the_truth(world: World, model: str):
    from equipoise.models import models

    data = world.dataset()
    seen = data.positives.select("user_id", "item_id").unique()
    quality = []
    for training in (None, Clipped().training(data, Context(data=data))):
        fitted = models.build(model, {}).fit(data, training=training)
        lists = fitted.recommend(world.users["user_id"], 10)
        quality.append(planted(world, lists, seen=seen)["preference_ndcg@10"])
    assert quality[1] > quality[0] + 0.05
