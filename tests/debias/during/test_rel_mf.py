"""Relevance from clicks: the loss by hand and by enumeration, and shops whose logger pushes what is popular."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import polars as pl
import pytest
import torch

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.debias import Context, corrections
from equipoise.debias.corrected import fit
from equipoise.debias.during.rel_mf import RelMF
from equipoise.errors import DataError, ModelError
from equipoise.models import losses
from equipoise.models.ease import EASE
from equipoise.models.mf import MF
from equipoise.models.sequence import Sequence
from equipoise.worlds import Storefront, World
from equipoise.worlds.bias import planted_bias
from equipoise.worlds.planted import preference_values

QUIET = Runtime(seed=1, threads=1, progress=False)
BASE = MF(width=8, epochs=8, batch_events=2000, shrinkage=0.05, learning_rate=3e-2)


def test_loss_by_hand():
    """Two pairs taken with weights 2 and 1 among four pairs: -Σ w s and softplus of every pair, per event."""
    scores = torch.tensor([[0.5, -1.0], [0.0, 2.0]])
    taken = scores[[0, 1], [0, 1]]
    found = losses.pointwise(taken, scores, 4 / 2, torch.tensor([2.0, 1.0]))
    plain = (-2 * 0.5 - 2.0 + sum(np.log1p(np.exp([0.5, -1.0, 0.0, 2.0])))) / 2
    assert float(found) == pytest.approx(plain, rel=1e-6)


def test_the_expected_loss_is_that_of_relevance():
    """Over all outcomes of exposure and taste, weights 1 / θ give γ δ1 + (1 - γ) δ0 of each pair."""
    relevance, chance = np.array([0.8, 0.3, 0.1]), np.array([0.9, 0.2, 0.5])
    scores = torch.tensor([1.0, -0.5, 0.3], dtype=torch.float64)
    mean = 0.0
    for taken in product([0, 1], repeat=3):
        likely = np.prod(np.where(taken, relevance * chance, 1 - relevance * chance))
        rows = np.flatnonzero(taken)
        weights = torch.from_numpy(1 / chance[rows])
        n = max(len(rows), 1)
        own = scores[rows] if len(rows) else torch.zeros(1, dtype=torch.float64)
        mean += likely * n * float(losses.pointwise(own, scores, 3 / n, weights if len(rows) else None))
    s = scores.numpy()
    expected = relevance * np.log1p(np.exp(-s)) + (1 - relevance) * np.log1p(np.exp(s))
    assert mean == pytest.approx(expected.sum(), rel=1e-9)


def log() -> Dataset:
    """Item 1 is shown 6 times and taken 3 times, item 2 is shown twice and taken once."""
    rows = [("impression", 1)] * 6 + [("impression", 2)] * 2 + [("click", 1)] * 3 + [("click", 2)]
    events = pl.DataFrame(rows, schema=["event", "item_id"], orient="row")
    return Dataset(events.with_columns(user_id=pl.int_range(pl.len()) % 2))


def told(data: Dataset, **fields: object) -> tuple[np.ndarray, dict]:
    context = Context(data, QUIET)
    weights = RelMF(**fields).training(data, context).weights
    assert weights is not None
    return weights, json.loads(json.dumps(context.diagnostics["rel_mf"]))


def test_impressions_give_the_number_of_times_a_pair_is_shown():
    """Two users: a pair of item 1 is shown 3 times, so that a click tells of a third of a pair; item 2 once."""
    data = log()
    weights, report = told(data, propensity="popularity")
    click = (data.events["event"] == "click").to_numpy()
    np.testing.assert_allclose(weights[click], [1 / 3, 1 / 3, 1 / 3, 1.0], rtol=1e-6)
    assert report["relevance"] == pytest.approx(2 / 4)  # half of what was shown was taken
    assert report["warnings"] == []
    cut, report = told(data, propensity="popularity", clip=0.5)
    np.testing.assert_allclose(cut[click][-1], 2 / 3, rtol=1e-6)
    assert report["weights"]["share_clipped"] == 0.25


def test_what_is_shown_of_no_pair_of_the_model_does_not_count():
    """Someone who clicks nothing, and an item that nobody clicks, are shown without a weight changing."""
    data = log()
    first = data.events.with_columns(pl.col("user_id").cast(pl.Int64))
    more = pl.DataFrame(
        [("impression", 1, 5)] * 3 + [("impression", 2, 5)] + [("impression", 3, user) for user in (0, 1, 5)] * 9,
        schema=first.schema, orient="row",
    )  # fmt: skip
    weights, report = told(data.with_events(pl.concat([first, more])), propensity="popularity")
    np.testing.assert_allclose(weights[8:12], [1 / 3, 1 / 3, 1 / 3, 1.0], rtol=1e-6)
    assert report["relevance"] == pytest.approx(2 / 4)


def test_a_pair_that_counts_once_has_the_mean_of_its_propensities():
    """In any order of the rows, and not by an event of no weight."""
    events = pl.DataFrame({
        "user_id": [1, 1, 2, 2], "item_id": [1, 1, 1, 2], "timestamp": [1, 2, 3, 4],
        "propensity": [0.1, 0.9, 0.5, 0.25], "sample_weight": [0.0, 1.0, 1.0, 1.0],
    }).with_columns(pl.from_epoch("timestamp").dt.replace_time_zone("UTC"))  # fmt: skip
    for rows in (events, events.reverse()):
        weights, _ = told(Dataset(rows))
        found = dict(zip(rows["timestamp"].dt.epoch("s").to_list(), weights, strict=True))
        assert found == pytest.approx({1: 0, 2: 2, 3: 2, 4: 4})


def test_without_impressions_a_pair_counts_once():
    events = pl.DataFrame({"user_id": [1, 1, 2, 2], "item_id": [1, 1, 1, 2]})
    weights, report = told(Dataset(events))
    np.testing.assert_allclose(weights, [1, 0, 1, np.sqrt(3)], rtol=1e-6)
    assert "guessed from the popularity" in report["warnings"][0]
    assert report["card"]["method"] == "rel_mf"


def shop() -> World:
    return Storefront(
        n_users=300, n_items=80, days=20, seed=3, popularity=1.0, personalisation=0, examination_decay=0, floor=0.15,
        unfairness=0, activity_gap=0, organic_rate=0, lift=0, search_rate=0, drift=0,
    ).generate()  # fmt: skip


def test_popularity_is_gone_where_the_logger_pushes_it():
    world = shop()
    data = world.dataset()

    def judged(*chosen: str) -> tuple[float, float]:
        model = fit(
            BASE, data, [corrections.build(name) for name in chosen], runtime=QUIET, exclude_seen=False
        )
        lists = model.recommend(world.users["user_id"], 5, exclude_seen=False)
        quality = float(preference_values(world, lists, 5)["ndcg"].mean())
        return quality, planted_bias(world, lists, 5)["popularity"]

    base, corrected, weighted = judged(), judged("rel_mf"), judged("clipped_ips")
    assert abs(corrected[1]) < 0.35 * base[1]
    assert corrected[0] > base[0] + 0.1
    assert abs(corrected[1]) < abs(weighted[1])
    assert corrected[0] > weighted[0] - 0.02


def test_it_is_the_same_each_time_and_in_any_order():
    data = shop().dataset()
    mixed = data.with_events(data.events.sample(fraction=1, shuffle=True, seed=1))
    small = BASE.model_copy(update={"epochs": 1})
    scores = [fit(small, one, [RelMF()], runtime=QUIET).model.user_factors for one in (data, data, mixed)]
    np.testing.assert_array_equal(scores[0], scores[1])
    np.testing.assert_allclose(scores[0], scores[2], atol=1e-4)


def test_what_is_in_its_way():
    data = log()
    with pytest.raises(ModelError, match="'ease' has no pointwise loss"):
        fit(EASE(), data, [RelMF()])
    assert "no pointwise loss" in RelMF().obstacle(data, Sequence())
    assert "loss of ratings" in RelMF().obstacle(data, MF(loss="rating"))
    assert "no propensities" in RelMF(propensity="given").obstacle(data, MF())
    bad = data.with_events(data.events.with_columns(propensity=pl.lit(1.5)))
    with pytest.raises(DataError):
        RelMF().training(bad, Context(bad, QUIET))
