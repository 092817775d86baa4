"""Dual learning of examination and relevance, by planted examination and beside regression-EM."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from equipoise.causal.propensity import DualLearning, Position, propensities
from equipoise.errors import DataError
from equipoise.worlds import Storefront, World


@pytest.fixture(scope="module")
def world() -> World:
    """A logger that knows taste well, so that clicks fall with the place faster than examination does."""
    return Storefront(
        n_users=800, n_items=60, slate_length=6, personalisation=1.5, knowledge=0.9, unfairness=0,
        popularity=0.5, floor=0.05, organic_rate=0, lift=0, search_rate=0, examination_decay=1.0,
    ).generate()  # fmt: skip


def planted_slates(requests: int, seed: int = 0) -> pl.DataFrame:
    """Slates in the order of a noisy number on which relevance depends; users differ in how much they click."""
    rng = np.random.default_rng(seed)
    merit = rng.normal(size=(requests, 5))
    order = np.argsort(-(merit + rng.normal(size=merit.shape)), axis=1)
    merit = np.take_along_axis(merit, order, axis=1)
    keen = rng.choice([0.4, 1.0], size=(requests, 1))
    relevance = np.minimum(np.exp(0.6 * merit - 1.2), 1) * keen
    looked = rng.random(merit.shape) < 1 / np.arange(1, 6)
    return pl.DataFrame({
        "event": "impression",
        "user_id": np.repeat(np.arange(requests) % 500, 5),
        "item_id": rng.integers(1, 50, requests * 5),
        "slate_id": np.repeat(np.arange(requests), 5),
        "position": np.tile(np.arange(1, 6), requests),
        "merit": merit.ravel(),
        "reward": (looked & (rng.random(merit.shape) < relevance)).astype(float).ravel(),
    })  # fmt: skip


def rates(table: pl.DataFrame) -> np.ndarray:
    shown = table.filter(pl.col("event") == "impression")
    found = shown.group_by("position").agg(pl.col("reward").mean()).sort("position")["reward"].to_numpy()
    return found / found[0]


def test_planted_examination_is_recovered_beside_regression_em(world: World):
    truth = world.examination(np.arange(1, 7))
    naive = np.abs(rates(world.log) - truth)
    for model in (DualLearning(sample=60_000), Position(sample=60_000)):
        fitted = model.fit(world.log)
        error = np.abs(fitted.examination - truth)
        assert fitted.converged
        assert error.max() < 0.04
        assert error.mean() < 0.7 * naive.mean()
        assert 0 < fitted.settled < 0.5


def test_where_relevance_is_log_linear_nothing_is_left_but_noise():
    table = planted_slates(20_000)
    fitted = DualLearning(features=("merit",)).fit(table)
    truth = 1 / np.arange(1, 6)
    assert np.abs(fitted.examination - truth).max() < 0.03
    assert np.abs(rates(table) - truth).max() > 0.1  # what counting clicks says
    at = table["position"].to_numpy()
    np.testing.assert_allclose(fitted.values, np.minimum(fitted.examination, 1)[at - 1])


def test_what_is_alike_within_a_slate_says_nothing():
    table = planted_slates(3000)
    plain = DualLearning(features=("merit",)).fit(table).examination
    with_user = DualLearning(features=("merit", "user_id")).fit(table).examination
    np.testing.assert_allclose(with_user, plain, atol=2e-3)


def test_without_its_cause_relevance_passes_for_examination():
    """The limit: what drives both the ranking and the clicks has to be among the features."""
    table = planted_slates(10_000)
    truth = 1 / np.arange(1, 6)
    blind = DualLearning(features=("item_id",)).fit(table)
    assert np.abs(blind.examination - rates(table)).max() < 0.05
    assert np.abs(blind.examination - truth).max() > 0.1


@pytest.mark.parametrize("model", [DualLearning(features=("item_id",)), Position(features=("item_id",))])
def test_places_that_features_settle_are_refused(model: DualLearning | Position):
    """Each item always stands at one place: nothing tells its examination from its relevance."""
    table = planted_slates(1000).with_columns(item_id=pl.col("position"))
    with pytest.raises(DataError, match="settle at which place an item stands"):
        model.fit(table)


def test_the_order_of_the_rows_and_the_sample_do_not_matter_but_for_noise():
    table = planted_slates(6000)
    model = DualLearning(features=("merit",))
    mine = model.fit(table)
    shuffled = table.sample(fraction=1, shuffle=True, seed=1)
    np.testing.assert_allclose(model.fit(shuffled).examination, mine.examination, rtol=1e-6)
    sampled = DualLearning(features=("merit",), sample=15_000).fit(table, seed=2)
    np.testing.assert_allclose(sampled.examination, mine.examination, atol=0.08)
    assert len(sampled.values) == len(table)


def test_slates_without_a_first_place_are_left_out():
    table = planted_slates(3000)
    model = DualLearning(features=("merit",))
    whole = table.filter(pl.col("slate_id") % 3 > 0)
    cut = table.filter((pl.col("slate_id") % 3 > 0) | (pl.col("position") > 1))
    np.testing.assert_allclose(model.fit(cut).examination, model.fit(whole).examination, rtol=1e-6)
    with pytest.raises(DataError, match="No slate has a row at place 1"):
        model.fit(table.filter(pl.col("position") > 1))


def test_unusable_logs_are_refused():
    table = planted_slates(200)
    model = propensities.build("dual_learning", {"features": ["merit"]})
    with pytest.raises(DataError, match="needs the column slate_id"):
        model.fit(table.drop("slate_id"))
    with pytest.raises(DataError, match="No row has the event 'impression'"):
        model.fit(table.with_columns(event=pl.lit("view")))
    with pytest.raises(DataError, match="counted from 1"):
        model.fit(table.with_columns(pl.col("position") - 1))
    with pytest.raises(DataError, match="positions 3"):
        model.fit(table.with_columns(reward=pl.when(pl.col("position") != 3).then("reward").otherwise(0.0)))
