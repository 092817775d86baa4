from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.debias import Context, corrections
from equipoise.debias.after.leanings import leaning
from equipoise.errors import DataError
from equipoise.metrics import ndcg, per_user
from tests.debias.after.small import Scorer, pool_of, rerank

USERS, ITEMS, WOMEN = 600, 60, 200


@cache
def world(seed: int = 0, own_taste: float = 1.5) -> tuple[pl.DataFrame, Context, pl.DataFrame]:
    """A model that knows what men like: women's taste is tilted by item in a way that it does not see.

    Returns:
        Pools, context with held-out events, and further events as the test.
    """
    rng = np.random.default_rng(seed)
    woman = np.arange(USERS) < WOMEN
    taste, tilt = rng.normal(size=(USERS, ITEMS)), rng.normal(size=ITEMS)
    true = taste + own_taste * woman[:, None] * tilt
    seen = np.where(woman[:, None], 0.9, 1.0) * taste + 0.3 * rng.normal(size=taste.shape)

    def took(chances: float) -> pl.DataFrame:
        user, item = np.nonzero(rng.random(true.shape) < chances / (1 + np.exp(1.5 - 1.5 * true)))
        return pl.DataFrame({"user_id": user, "item_id": item})

    users = pl.DataFrame({"user_id": np.arange(USERS), "gender": np.where(woman, "F", "M")})
    data = Dataset(took(0.5), users, pl.DataFrame({"item_id": np.arange(ITEMS)}), sensitive=("gender",))
    scores = seen.copy()
    scores[data.events["user_id"].to_numpy(), data.events["item_id"].to_numpy()] = -np.inf
    context = Context(data, Runtime(), valid=data.with_events(took(0.3)), model=Scorer(scores))  # type: ignore[arg-type]
    pool = pool_of(scores).filter(pl.col("score").is_finite())
    return pool, context, took(0.3)


def fresh(context: Context) -> Context:
    return Context(context.data, context.runtime, valid=context.valid, model=context.model)


def quality(lists: pl.DataFrame, truth: pl.DataFrame) -> tuple[float, dict[str, float]]:
    values = pl.DataFrame(per_user(lists, truth, {"n": ndcg(10)})).with_columns(
        woman=pl.col("user_id") < WOMEN
    )
    means = dict(values.group_by("woman").agg(pl.col("n").mean()).iter_rows())
    return float(values["n"].mean()), {"F": means[True], "M": means[False]}


def test_a_planted_gap_is_closed_on_new_events_by_better_lists():
    pool, context, test = world()
    lists, facts = rerank("user_gap", pool, context.data, context=fresh(context))
    before, groups = quality(pool.filter(pl.col("rank") <= 10), test)
    after, corrected = quality(lists, test)
    gap = groups["M"] - groups["F"]
    assert gap > 0.05
    assert abs(corrected["M"] - corrected["F"]) < gap / 2
    assert after > 0.98 * before
    assert corrected["F"] > groups["F"] + 0.02
    assert facts["helped"]["F"]["gain_on_users_not_chosen_by"]["low"] > 0
    assert facts["closed_by_better_lists"] > 0.02
    assert facts["grouped_by"] == "gender"


def test_what_is_reported_is_what_the_metric_says_of_the_held_out_lists():
    pool, context, _ = world()
    _, facts = rerank("user_gap", pool, context.data, context=fresh(context))
    lists = context.model.recommend(np.arange(USERS), 100)
    pair = ["user_id", "item_id"]
    truth = context.valid.events.join(context.data.events, on=pair, how="anti")
    before, groups = quality(lists.filter(pl.col("rank") <= 10), truth)
    assert facts["quality"]["before"] == pytest.approx(before)
    assert facts["groups"]["F"]["before"] == pytest.approx(groups["F"])
    again, _ = rerank("user_gap", lists, context.data, context=fresh(context))
    after, groups = quality(again, truth)
    assert facts["quality"]["after"] == pytest.approx(after)
    assert facts["groups"]["M"]["after"] == pytest.approx(groups["M"])
    assert facts["gap"]["after"]["value"] == pytest.approx(groups["M"] - groups["F"])
    assert facts["relative_loss"] == pytest.approx(1 - after / before)
    closed = facts["closed_by_better_lists"] + facts["closed_by_worse_lists"]
    assert facts["gap"]["before"]["value"] - abs(facts["gap"]["after"]["value"]) == pytest.approx(closed)


def test_lists_are_levelled_down_only_where_allowed_and_no_further_than_allowed():
    """Without a taste of their own, women cannot be helped by it."""
    pool, context, _ = world(own_taste=0.0)
    blurred = context.model.scores.copy()
    rng = np.random.default_rng(5)
    noise = np.where(np.isfinite(blurred[:WOMEN]), rng.normal(size=(WOMEN, ITEMS)) * 2, 0)
    blurred[:WOMEN] += noise
    pool = pool_of(blurred).filter(pl.col("score").is_finite())
    context = Context(context.data, valid=context.valid, model=Scorer(blurred))  # type: ignore[arg-type]
    _, kind = rerank("user_gap", pool, context.data, context=fresh(context), level_down=False)
    assert kind["levelled_down"] == {}
    assert any("levelling down is not allowed" in said for said in kind["warnings"])
    losses = []
    for allowed in (0.02, 0.5):
        lists, facts = rerank("user_gap", pool, context.data, context=fresh(context), max_loss=allowed)
        losses.append(facts["relative_loss"])
        assert losses[-1] <= allowed
        assert any(said.startswith("Levelled down: the lists of M") for said in facts["warnings"])
        women = pl.col("user_id") < WOMEN
        if not facts["helped"]:
            assert lists.filter(women).equals(pool.filter(women & (pl.col("rank") <= 10)))
    assert losses == sorted(losses)
    assert any("still" in said for said in kind["warnings"])
    closed = [facts["closed_by_better_lists"], facts["closed_by_worse_lists"]]
    assert closed[1] > 0.1 * facts["gap"]["before"]["value"] > closed[0]


def test_a_gap_within_epsilon_is_left_as_it_is():
    pool, context, _ = world()
    lists, facts = rerank("user_gap", pool, context.data, context=fresh(context), epsilon=0.9)
    assert lists.equals(pool.filter(pl.col("rank") <= 10))
    assert (facts["helped"], facts["levelled_down"], facts["warnings"]) == ({}, {}, [])


def tossed(context: Context, seed: int) -> Context:
    """The same users with a gender that a coin gave them."""
    coin = pl.Series("gender", np.where(np.random.default_rng(seed).random(USERS) < 0.5, "F", "M"))
    data = context.data
    data = Dataset(data.events, data.users.with_columns(coin), data.items, sensitive=("gender",))
    return Context(data, Runtime(seed=seed), valid=context.valid, model=context.model)


def test_a_gap_that_may_be_chance_is_left_alone_unless_asked_for():
    """Over coin tosses a gap falls on the users it was chosen by, and less on the others, of which the report warns."""
    pool, context, _ = world()
    chosen_by, others, acted, warned = [], [], 0, 0
    for seed in range(5):
        lists, facts = rerank("user_gap", pool, context.data, context=tossed(context, seed))
        unsure = facts["p_value_of_no_gap"] >= 0.05
        acted += not unsure
        assert any("so nothing was changed" in said for said in facts["warnings"]) == unsure
        assert ("gap_on_users_not_chosen_by" not in facts) == unsure
        assert lists.equals(pool.filter(pl.col("rank") <= 10)) == unsure
        _, facts = rerank("user_gap", pool, context.data, context=tossed(context, seed), certain=False)
        assert any("what was corrected may be chance" in said for said in facts["warnings"]) == unsure
        before, after = (abs(facts["gap"][stage]["value"]) for stage in ("before", "after"))
        chosen_by.append(after - before)
        change = facts["gap_on_users_not_chosen_by"]["change"]
        others.append(change["value"])
        assert change["low"] <= change["value"] <= change["high"]
        assert any("On users not chosen by" in said for said in facts["warnings"]) == (change["high"] >= 0)
        warned += change["high"] >= 0
    assert acted <= 1
    assert warned >= 4
    assert max(chosen_by) <= 0
    assert np.mean(chosen_by) < np.mean(others)


def test_a_real_gap_falls_on_users_not_chosen_by_too():
    pool, context, _ = world(seed=3)
    _, facts = rerank("user_gap", pool, context.data, context=fresh(context))
    others = facts["gap_on_users_not_chosen_by"]
    assert others["before"] == facts["gap"]["before"]
    assert others["change"]["high"] < 0
    assert others["change"]["value"] == pytest.approx(
        abs(others["after"]["value"]) - others["before"]["value"]
    )
    assert not any("On users not chosen by" in said for said in facts["warnings"])


def test_one_users_list_is_the_same_alone_and_in_a_batch():
    pool, context, _ = world()
    few = pool.filter(pl.col("rank") <= 20)
    lists, facts = rerank("user_gap", few, context.data, context=fresh(context))
    assert facts["helped"]
    mine = pl.col("user_id") == 0
    alone, _ = rerank("user_gap", few.filter(mine), context.data, context=fresh(context))
    assert alone.equals(lists.filter(mine))
    assert not alone.equals(few.filter(mine & (pl.col("rank") <= 10)))


@pytest.mark.parametrize("hidden", [True, False])
def test_chosen_by_lists_as_they_are_shown(hidden: bool):
    """Half of what is taken later was seen: where lists leave it out, nobody is to find it."""
    pool, context, _ = world()
    rng = np.random.default_rng(0)
    scores, seen = rng.normal(size=(USERS, ITEMS)), np.zeros((USERS, ITEMS), dtype=bool)
    history = context.data.events
    seen[history["user_id"].to_numpy(), history["item_id"].to_numpy()] = True
    valid = context.data.with_events(pl.concat([history, context.valid.events]))
    model = Scorer(scores, seen)
    context = Context(context.data, valid=valid, model=model, exclude_seen=hidden)  # type: ignore[arg-type]
    _, facts = rerank("user_gap", pool, context.data, context=context)
    lists = model.recommend(np.arange(USERS), 10, exclude_seen=hidden)
    truth = valid.events.unique()
    if hidden:
        truth = truth.join(history, on=["user_id", "item_id"], how="anti")
    assert facts["quality"]["before"] == pytest.approx(quality(lists, truth)[0])


def test_users_of_unknown_and_of_small_groups_keep_their_lists():
    pool, context, _ = world()
    data = context.data
    gender = (
        pl.when(pl.col("user_id") % 10 == 0).then(None).when(pl.col("user_id") % 50 == 1).then(pl.lit("X"))
    )
    users = data.users.with_columns(gender.otherwise("gender").alias("gender"))
    data = Dataset(data.events, users, data.items, sensitive=("gender",))
    context = Context(data, valid=context.valid, model=context.model)
    lists, facts = rerank("user_gap", pool, data, context=context)
    alone = (pl.col("user_id") % 10 == 0) | (pl.col("user_id") % 50 == 1)
    assert lists.filter(alone).equals(pool.filter(alone & (pl.col("rank") <= 10)))
    assert not lists.equals(pool.filter(pl.col("rank") <= 10))
    assert facts["warnings"][0].startswith("Left alone")
    assert facts["warnings"][0].endswith("events: X.")
    assert set(facts["groups"]) == {"F", "M"}
    _, facts = rerank("user_gap", pool, data, context=fresh(context), least_users=500)
    assert (
        facts["warnings"][-1]
        == "There are not two groups with enough held-out users, so nothing was changed."
    )


def test_what_a_group_leans_to_by_hand():
    """Group {1}: items 0 (early) and 1 (late); others take item 0 thrice. Prior: 5 events per item."""
    events = pl.DataFrame({"user_id": [1, 1, 2, 3, 4], "item_id": [0, 1, 0, 0, 0], "order": [0, 1, 0, 0, 0]})
    data, items = Dataset(events), pl.Series("item_id", [0, 1])
    ever = np.array([4.5, 1.5]) / 6
    everyone = (np.array([4, 1]) + 10 * ever) / 15
    group = (np.array([1, 1]) + 10 * everyone) / 12
    assert leaning(data, pl.Series([1]), items, 1.0) == pytest.approx(np.log(group / ever))
    late = (np.array([3, 1]) + 10 * ever) / 14
    group = (np.array([0, 1]) + 10 * late) / 11
    assert leaning(data, pl.Series([1]), items, 0.5) == pytest.approx(np.log(group / ever))


def test_attributes_that_tell_nobody_apart():
    pool, context, _ = world()
    data = context.data
    same = Dataset(
        data.events, data.users.with_columns(gender=pl.lit("F")), data.items, sensitive=("gender",)
    )
    for told, fields, words in (
        (same, {}, "the single value 'F' in 'gender'"),
        (data, {"attribute": "age"}, "no column 'age'"),
        (Dataset(data.events, data.users, data.items), {}, "names no sensitive column"),
    ):
        with pytest.raises(DataError, match=words):
            corrections.build("user_gap", fields).rerank(pool, Context(told, valid=context.valid), 10)
