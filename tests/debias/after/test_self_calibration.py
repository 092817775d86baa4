from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from equipoise.data import Dataset
from equipoise.debias import Context, corrections
from equipoise.debias.control.signals import Slates
from equipoise.errors import ModelError
from equipoise.models import models
from tests.debias.after.small import Scorer, pool_of, rerank
from tests.debias.after.test_score_calibration import ITEMS, errors, fresh, world


def timed(context: Context) -> Context:
    """Held-out events with times: users come in the order of a permutation."""
    assert context.valid is not None
    place = np.random.default_rng(0).permutation(int(context.valid.events["user_id"].max()) + 1)
    when = pl.Series("timestamp", place[context.valid.events["user_id"].to_numpy()].astype(float))
    events = context.data.events.with_columns(timestamp=pl.lit(0.0))
    return replace(
        fresh(context),
        data=context.data.with_events(events),
        valid=context.valid.with_events(context.valid.events.with_columns(when)),
    )


def test_probabilities_come_to_mean_what_they_say_on_events_never_seen():
    """Group a takes items at log-odds s - 1 and group b at s - 3, where the model says s - 2 of everyone."""
    context, test = world()
    context = timed(context)
    pool = context.model.recommend(np.arange(800), ITEMS)
    lists, facts = rerank("self_calibration", pool, context.data, ITEMS, context, gap=None)
    shifts = facts["corrections"]["calibration"]
    assert shifts["a"] == pytest.approx(1, abs=0.3)
    assert shifts["b"] == pytest.approx(-1, abs=0.3)
    before, after = errors(pool, test), errors(lists, test)
    for group in ("a", "b"):
        assert after[group] < 0.4 * before[group]
    assert lists["item_id"].to_list() == pool["item_id"].to_list()
    held_out = facts["held_out"]
    assert held_out["before"]["a"]["seen_less_said"]["low"] > 0.05
    assert abs(held_out["after"]["a"]["seen_less_said"]["value"]) < 0.05
    json.dumps(facts)


def gapped(helps: bool) -> tuple[pl.DataFrame, Context, pl.DataFrame]:
    """Group b likes items that the model does not put first, as its late choices tell; or later it likes all alike."""
    rng = np.random.default_rng(3)
    users, items = 1200, 24
    group = np.where(np.arange(users) < users // 2, "a", "b")
    liked = np.where((np.arange(items) < 6)[None, :], (group == "a")[:, None], (group == "b")[:, None])
    liked &= (np.arange(items) < 12)[None, :]
    scores = np.tile(-np.arange(items, dtype=float), (users, 1)) * 0.3 + 0.1 * rng.normal(size=(users, items))

    def took(chance: np.ndarray) -> pl.DataFrame:
        user, item = np.nonzero(rng.random(chance.shape) < chance)
        when = rng.permutation(users)[user].astype(float)
        return pl.DataFrame({"user_id": user, "item_id": item, "timestamp": when}).sort("timestamp")

    habit = np.where(liked, 0.3, 0.02)
    table = pl.DataFrame({"user_id": np.arange(users), "side": group})
    catalogue = pl.DataFrame({"item_id": np.arange(items)})
    data = Dataset(took(habit), table, catalogue, sensitive=("side",))
    later = habit if helps else np.where((group == "a")[:, None], habit, 0.05)
    context = Context(data, valid=data.with_events(took(later)), model=Scorer(scores), exclude_seen=False)  # type: ignore[arg-type]
    return pool_of(scores), context, took(later)


def reward(lists: pl.DataFrame, test: pl.DataFrame, group: pl.Series) -> float:
    hit = lists.join(test.with_columns(hit=1.0), on=["user_id", "item_id"], how="left")
    return float(hit.filter(pl.col("user_id").is_in(group.implode()))["hit"].fill_null(0.0).mean())


def test_a_gap_is_closed_where_the_group_s_own_choices_help(monkeypatch: pytest.MonkeyPatch):
    read, whole = [], Slates.rewards
    monkeypatch.setattr(
        Slates, "rewards", lambda self, group: read.append((group, whole(self, group))) or whole(self, group)
    )
    pool, context, test = gapped(helps=True)
    lists, facts = rerank("self_calibration", pool, context.data, 6, context, cutoff=6)
    worse = context.data.users.filter(pl.col("side") == "b")["user_id"]
    better = context.data.users.filter(pl.col("side") == "a")["user_id"]
    first = pool.filter(pl.col("rank") <= 6)
    assert reward(lists, test, worse) > 1.5 * reward(first, test, worse)
    assert reward(lists, test, better) == reward(first, test, better)
    assert facts["corrections"]["gap"]["b"] > 0
    assert [change["kind"] for change in facts["changes"]][:2] == ["trial", "move"]
    seen = sum(len(mine) + len(others) for group, (mine, others) in read if group == "a")
    assert seen == facts["users"]  # each once, also those of group b who were asked both ways


def test_where_they_do_not_help_no_list_changes():
    pool, context, _ = gapped(helps=False)
    lists, facts = rerank("self_calibration", pool, context.data, 6, context, cutoff=6)
    assert_frame_equal(lists, pool.filter(pl.col("rank") <= 6))
    assert facts["corrections"]["gap"] == {"a": 0.0, "b": 0.0}


def test_neither_the_order_of_rows_nor_a_second_run_changes_lists():
    pool, context, _ = gapped(helps=True)
    lists, facts = rerank("self_calibration", pool, context.data, 6, context, cutoff=6)
    mixed = replace(
        context,
        diagnostics={},
        data=context.data.with_events(context.data.events.sample(fraction=1, shuffle=True, seed=1)),
        valid=context.valid.with_events(context.valid.events.sample(fraction=1, shuffle=True, seed=2)),
    )
    again, told = rerank(
        "self_calibration", pool.sample(fraction=1, shuffle=True, seed=3), context.data, 6, mixed, cutoff=6
    )
    assert_frame_equal(again.sort("user_id", "rank"), lists)
    assert told["changes"] == facts["changes"]


def test_nothing_is_moved_on_few_users_and_it_is_said():
    context, _ = world()
    some = context.valid.events.filter(pl.col("user_id") % 80 == 0)
    few = replace(fresh(context), valid=context.valid.with_events(some))
    pool = few.model.recommend(np.arange(20), ITEMS)
    lists, facts = rerank("self_calibration", pool, few.data, 5, few)
    assert_frame_equal(lists, pool.filter(pl.col("rank") <= 5))
    assert "Nothing was moved: the evidence of 10 held-out users" in " ".join(facts["warnings"])


def test_exposure_is_moved_to_its_share_of_the_catalogue():
    rng = np.random.default_rng(5)
    kinds = ["x"] * 10 + ["y"] * 10
    scores = rng.normal(size=(600, 20)) + np.repeat([1.0, 0.0], 10)
    user, item = np.nonzero(rng.random(scores.shape) < 0.2)
    data = Dataset(
        pl.DataFrame({"user_id": np.arange(600), "item_id": np.zeros(600, int)}),
        items=pl.DataFrame({"item_id": np.arange(20), "provider": kinds}),
    )
    valid = data.with_events(pl.DataFrame({"user_id": user, "item_id": item}))
    context = Context(data, valid=valid, model=Scorer(scores))  # type: ignore[arg-type]
    pool = pool_of(scores)
    lists, _ = rerank("self_calibration", pool, data, 5, context, group="provider", cutoff=5)

    def share(frame: pl.DataFrame) -> float:
        weight = 1 / np.log2(frame["rank"].to_numpy() + 1.0)
        return float(weight[frame["item_id"].to_numpy() >= 10].sum() / weight.sum())

    assert share(pool.filter(pl.col("rank") <= 5)) < 0.25
    assert share(lists) == pytest.approx(0.5, abs=0.05)


def test_what_cannot_be_watched():
    pool, context, _ = gapped(helps=True)
    with pytest.raises(ModelError, match="'self_calibration' needs held-out events"):
        rerank("self_calibration", pool, context.data, 5, Context(context.data))
    bare = Dataset(context.data.events)
    alone = Context(bare, valid=context.valid, model=context.model, exclude_seen=False)
    with pytest.raises(ModelError, match="nothing to watch"):
        rerank("self_calibration", pool, bare, 5, alone)
    one = Dataset(bare.events, context.data.users.with_columns(side=pl.lit("a")), sensitive=("side",))
    obstacle = corrections.build("self_calibration").obstacle(one, models.build("popular"))
    assert "single value 'a' in 'side'" in obstacle
