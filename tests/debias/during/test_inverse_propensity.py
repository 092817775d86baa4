from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from equipoise.data import Dataset
from equipoise.debias import Context, DuringTraining, corrections
from equipoise.debias.during.inverse_propensity import InversePropensity
from equipoise.errors import ConfigError, DataError
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
    training = InversePropensity().training(data, context)
    assert training.weights is not None
    assert training.weights.dtype == np.float32
    np.testing.assert_allclose(training.weights, [1, 2 / 3, 4 / 3, 1, 1], rtol=1e-6)
    raw = InversePropensity(normalise=False, clip=0).training(data, context)
    np.testing.assert_allclose(raw.weights, [1, 2, 4, 1, 1])
    assert list(context.diagnostics) == ["ips", "ips#2"]
    report = json.loads(json.dumps(context.diagnostics["ips"]))
    assert report["weights"]["rows"] == 2
    assert report["weights"]["without"] == 1
    assert report["clip"] == 10


def test_clipping_is_a_multiple_of_the_mean_weight():
    data = log([0.1, 0.5, 0.01, None, None])
    context = Context(data=data)
    weights = InversePropensity(clip=1.5, normalise=False).training(data, context).weights
    np.testing.assert_allclose(weights, [1, 2, 1.5 * 51, 1, 1], rtol=1e-6)
    assert context.diagnostics["ips"]["weights"]["share_clipped"] == 0.5


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
        InversePropensity().training(data, Context(data=data))
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
        weights = InversePropensity(propensity=name, options={"power": 1.0} if name == "popularity" else {})
        counted = np.bincount(item, weights.training(data, context).weights[row], 200)
        agreement[name] = np.corrcoef(counted, truth)[0, 1]
    naive = np.corrcoef(np.bincount(item, minlength=200), truth)[0, 1]
    assert naive < 0.4
    assert agreement["given"] > 0.8
    assert agreement["popularity"] > 0.6
    assert context.diagnostics["ips"]["weights"]["mean_weight"] == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("model", ["ease", "popular"])
def test_models_trained_with_it_rank_nearer_to_the_truth(world: World, model: str):
    from equipoise.models import models

    data = world.dataset()
    seen = data.positives.select("user_id", "item_id").unique()
    quality = []
    for training in (None, InversePropensity().training(data, Context(data=data))):
        fitted = models.build(model, {}).fit(data, training=training)
        lists = fitted.recommend(world.users["user_id"], 10)
        quality.append(planted(world, lists, seen=seen)["preference_ndcg@10"])
    assert quality[1] > quality[0] + 0.05
