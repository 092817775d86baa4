from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from equipoise.data import Dataset
from equipoise.debias import Context
from equipoise.debias.after.curves import fit_curve
from equipoise.errors import ModelError
from equipoise.statistics import expected_calibration_error
from tests.debias.after.small import Scorer, pool_of, rerank

USERS, ITEMS = 800, 30


def said(scores: np.ndarray) -> np.ndarray:
    """Log-odds s - 2."""
    return expit(scores - 2)


@dataclass(frozen=True)
class Calibrated(Scorer):
    """A model that is calibrated for all users taken together."""

    calibration: Any = said

    def recommend(self, users, k, exclude_seen=True, runtime=None):
        """As `Fitted.recommend`, with probabilities."""
        lists = super().recommend(users, k)
        return lists.with_columns(pl.Series("probability", self.calibration(lists["score"].to_numpy())))

    def calibrate(self, valid, runtime=None, exclude_seen=True):
        """As `Fitted.calibrate`: the same, whatever it is calibrated on."""
        return self


@dataclass(frozen=True)
class Believing(Calibrated):
    """A model whose calibration says of every score what became of it among the users it was calibrated on."""

    def calibrate(self, valid, runtime=None, exclude_seen=True):
        """As `Fitted.calibrate`."""
        users = np.unique(valid.events["user_id"].to_numpy())
        took = np.zeros(self.scores.shape)
        took[valid.events["user_id"].to_numpy(), valid.events["item_id"].to_numpy()] = 1.0
        curve = fit_curve("isotonic", self.scores[users].ravel(), took[users].ravel())
        return replace(self, calibration=curve)


@cache
def world(seed: int = 0) -> tuple[Context, pl.DataFrame]:
    """At the same score, group "a" takes items at log-odds s - 1 and group "b" at log-odds s - 3.

    Returns:
        Context with held-out events and a model that says s - 2 of everyone; further events as the test.
    """
    rng = np.random.default_rng(seed)
    side = np.where(np.arange(USERS) < USERS // 2, "a", "b")
    scores = rng.normal(size=(USERS, ITEMS)).round(2)
    chance = expit(scores - np.where(side == "a", 1.0, 3.0)[:, None])

    def took() -> pl.DataFrame:
        user, item = np.nonzero(rng.random(chance.shape) < chance)
        return pl.DataFrame({"user_id": user, "item_id": item})

    users = pl.DataFrame({"user_id": np.arange(USERS), "side": side})
    events = pl.DataFrame({"user_id": np.arange(USERS), "item_id": np.zeros(USERS, int)})
    data = Dataset(events, users, pl.DataFrame({"item_id": np.arange(ITEMS)}), sensitive=("side",))
    return Context(data, valid=data.with_events(took()), model=Calibrated(scores)), took()  # type: ignore[arg-type]


def fresh(context: Context) -> Context:
    return Context(context.data, context.runtime, valid=context.valid, model=context.model)


def errors(lists: pl.DataFrame, test: pl.DataFrame) -> dict[str, float]:
    hit = lists.join(test.with_columns(hit=1.0), on=["user_id", "item_id"], how="left", maintain_order="left")
    first = pl.col("user_id") < USERS // 2
    return {
        side: expected_calibration_error(part["probability"], part["hit"].fill_null(0.0))
        for side, part in (("a", hit.filter(first)), ("b", hit.filter(~first)))
    }


@pytest.mark.parametrize("kind", ["isotonic", "platt"])
def test_each_group_gets_probabilities_that_come_true_on_new_events(kind: str):
    context, test = world()
    pool = context.model.recommend(np.arange(USERS), ITEMS)
    lists, facts = rerank("score_calibration", pool, context.data, ITEMS, fresh(context), kind=kind)
    before, after = errors(pool, test), errors(lists, test)
    for side in "ab":
        assert before[side] > 0.07
        assert after[side] < 0.025
        told = facts["groups"][side]
        assert told["before"] == pytest.approx(before[side], abs=0.02)
        assert told["after"] < 0.03 < 0.06 < told["shared"]
        assert told["mean_said"] == pytest.approx(told["mean_seen"], abs=0.005)
        assert told["curve"] == "its own"
    assert facts["grouped_by"] == "side"
    assert facts["warnings"] == [
        "The pools hold 30 items for lists of 30: what is in a list cannot change, its order can. Raise `pool` if "
        "this is the last correction of the lists."
    ]


def test_the_order_and_the_scores_stay():
    context, _ = world()
    pool = context.model.recommend(np.arange(USERS), ITEMS)
    lists, _ = rerank("score_calibration", pool, context.data, 10, fresh(context))
    assert lists.drop("probability").equals(pool.filter(pl.col("rank") <= 10).drop("probability"))
    falls = lists.select(pl.col("probability").diff().over("user_id").fill_null(0.0).max()).item()
    assert falls <= 1e-12


def test_temperature_cools_what_is_too_sure():
    """A model whose log-odds are three times too far out, the same for both groups."""
    rng = np.random.default_rng(1)
    context, _ = world()
    true = rng.normal(size=(USERS, ITEMS))
    user, item = np.nonzero(rng.random(true.shape) < expit(true))
    valid = context.data.with_events(pl.DataFrame({"user_id": user, "item_id": item}))
    context = Context(context.data, valid=valid, model=Scorer(3 * true))  # type: ignore[arg-type]
    pool = pool_of(3 * true)
    lists, _ = rerank("score_calibration", pool, context.data, ITEMS, context, kind="temperature")
    said = lists.sort("user_id", "item_id")["probability"].to_numpy().reshape(USERS, ITEMS)
    assert np.abs(said - expit(true)).max() < 0.03


def test_errors_are_measured_on_users_that_the_curves_do_not_know():
    """Outcomes have nothing to do with the score: isotonic curves fit chance, and the report does not fall for it."""
    rng = np.random.default_rng(2)
    context, _ = world()
    scores = rng.normal(size=(60, ITEMS))
    user, item = np.nonzero(rng.random(scores.shape) < 0.15)
    users = context.data.users.head(60).with_columns(side=pl.Series(["a", "b"] * 30))
    data = Dataset(context.data.events.head(60), users, context.data.items, sensitive=("side",))
    valid = data.with_events(pl.DataFrame({"user_id": user, "item_id": item}))
    context = Context(data, valid=valid, model=Scorer(scores))  # type: ignore[arg-type]
    lists, facts = rerank("score_calibration", pool_of(scores), data, ITEMS, context)
    hit = lists.join(
        valid.events.with_columns(hit=1.0), on=["user_id", "item_id"], how="left", maintain_order="left"
    )
    own = expected_calibration_error(hit["probability"], hit["hit"].fill_null(0.0))
    assert facts["error"]["after"] > own


@pytest.mark.parametrize("kind", ["isotonic", "temperature"])
def test_the_error_before_is_measured_like_the_error_after(kind: str):
    """A model calibrated on the very events, of which scores say nothing, seems right on them: not in the report."""
    rng = np.random.default_rng(2)
    context, _ = world()
    scores = rng.normal(size=(60, ITEMS))
    user, item = np.nonzero((rng.random(scores.shape) < 0.15) & (np.arange(ITEMS) > 0))  # 0 was seen
    data = Dataset(context.data.events.head(60), items=context.data.items)
    valid = data.with_events(pl.DataFrame({"user_id": user, "item_id": item}))
    model = Believing(scores).calibrate(valid)
    pool, took = model.recommend(np.arange(60), ITEMS), np.zeros(scores.shape)
    took[user, item] = 1.0
    context = Context(data, valid=valid, model=model)
    _, facts = rerank("score_calibration", pool, data, ITEMS, context, kind=kind)
    own = expected_calibration_error(model.calibration(scores).ravel(), took.ravel())
    assert facts["error"]["before"] > own + 0.005
    if kind == "isotonic":
        assert facts["error"]["before"] == pytest.approx(facts["error"]["after"], abs=1e-9)


def test_small_groups_and_unknown_users_share_a_curve():
    context, _ = world()
    side = (
        pl.when(pl.col("user_id") < 3)
        .then(pl.lit("few"))
        .when(pl.col("user_id") == 3)
        .then(None)
        .otherwise("side")
    )
    data = Dataset(
        context.data.events,
        context.data.users.with_columns(side.alias("side")),
        context.data.items,
        sensitive=("side",),
    )
    context = Context(data, valid=context.valid, model=context.model)
    pool = context.model.recommend(np.arange(6), ITEMS)
    lists, facts = rerank("score_calibration", pool, data, ITEMS, context)
    assert facts["groups"]["few"]["curve"] == "everyone's"
    assert any("few: " in said and "fewer than 50" in said for said in facts["warnings"])
    curve = lists.filter(pl.col("user_id") < 4).sort("score")
    assert curve["probability"].is_sorted()
    assert not lists.sort("score")["probability"].is_sorted()


def test_without_an_attribute_there_is_one_curve_and_without_events_none():
    context, _ = world()
    data = Dataset(context.data.events, items=context.data.items)
    pool = context.model.recommend(np.arange(USERS), ITEMS)
    lists, facts = rerank(
        "score_calibration", pool, data, ITEMS, Context(data, valid=context.valid, model=context.model)
    )
    assert lists.sort("score")["probability"].is_sorted()
    assert (facts["grouped_by"], facts["groups"]) == (None, {})
    few = context.valid.with_events(context.valid.events.head(20))
    with pytest.raises(ModelError, match="cannot be calibrated on 20 held-out events"):
        rerank("score_calibration", pool, data, ITEMS, Context(data, valid=few, model=context.model))
