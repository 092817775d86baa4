"""What must hold of every re-ranker."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from equipoise.data import Dataset
from equipoise.data.splits import Split, split
from equipoise.debias import AfterTraining, Context, corrections
from equipoise.debias.corrected import fit
from equipoise.errors import DataError, ModelError
from equipoise.models import models
from equipoise.worlds import Storefront
from tests.debias.after.small import Scorer, pool_of

USERS, ITEMS = 24, 16
PLAIN = {
    "exposure": {"group": "kind"},
    "exposure_lp": {"group": "kind"},
    "calibrated": {"category": "kind"},
    "mmr": {"similarity": "histories"},
    "dpp": {"similarity": "histories"},
    "fa_ir": {"group": "kind", "protected": "b"},
    "max_min": {"group": "kind"},
}
JUDGING = {
    "user_gap": {"least_users": 5, "cutoff": 3, "certain": False},
    "score_calibration": {"least_events": 5},
}
ALL = {**PLAIN, **JUDGING}


def situation(seed: int, ties: bool = False) -> tuple[pl.DataFrame, Context]:
    """Users of two groups, items of three kinds, some of several; the first group is served better."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(USERS, ITEMS))
    if ties:
        scores = np.round(scores)
    pairs = rng.random((USERS, ITEMS)) < 0.3
    pairs[:, 0] = True
    users = pl.DataFrame({"user_id": np.arange(USERS), "side": np.where(np.arange(USERS) < 12, "a", "b")})
    kinds = rng.choice(["a", "b", "c", "a|c"], ITEMS)
    kinds[:3] = ["a", "b", "c"]
    items = pl.DataFrame({"item_id": np.arange(ITEMS), "kind": kinds})
    user, item = np.nonzero(pairs)
    data = Dataset(pl.DataFrame({"user_id": user, "item_id": item}), users, items, sensitive=("side",))
    liked = rng.random((USERS, ITEMS)) < 1 / (1 + np.exp(2 - scores - (np.arange(USERS) < 12)[:, None]))
    user, item = np.nonzero(liked)
    valid = data.with_events(pl.DataFrame({"user_id": user, "item_id": item}))
    return pool_of(scores), Context(data, valid=valid, model=Scorer(scores))  # type: ignore[arg-type]


def run(name: str, pool: pl.DataFrame, context: Context, k: int = 5, **fields: object) -> pl.DataFrame:
    return corrections.build(name, ALL[name] | fields).rerank(pool, context, k)


@pytest.mark.parametrize("name", ALL)
@settings(deadline=None, max_examples=3)
@given(st.integers(0, 10_000), st.integers(1, 20), st.booleans())
def test_lists_are_drawn_from_the_pool_and_lose_nobody(name: str, seed: int, k: int, ties: bool):
    pool, context = situation(seed, ties)
    depth = pl.Series(np.random.default_rng(seed).integers(1, ITEMS + 1, USERS))
    pool = pool.filter(pl.col("rank") <= depth.gather(pool["user_id"]))
    lists = run(name, pool, context, k)
    assert lists.schema == pool.schema
    assert lists.select(pl.struct("user_id", "item_id").is_unique().all()).item()
    kept = lists.join(pool, on=["user_id", "item_id", "score"], how="inner")
    assert len(kept) == len(lists)
    assert lists["rank"].to_list() == [rank for d in depth for rank in range(1, min(k, d) + 1)]
    assert lists["user_id"].to_list() == [user for user, d in enumerate(depth) for _ in range(min(k, d))]
    report = context.diagnostics[name]
    assert report["pool"] == depth.median()
    assert report["pool_per_k"] == pytest.approx(depth.median() / k)
    assert bool(report["warnings"]) or depth.median() >= 3 * k
    json.dumps(report)


@pytest.mark.parametrize("name", ALL)
@settings(deadline=None, max_examples=3)
@given(st.integers(0, 10_000), st.booleans())
def test_neither_the_order_of_rows_nor_a_second_run_changes_lists(name: str, seed: int, ties: bool):
    pool, context = situation(seed, ties)
    lists = run(name, pool, context)
    assert_frame_equal(run(name, pool, context), lists)
    mixed = run(name, pool.sample(fraction=1, shuffle=True, seed=seed), context)
    assert_frame_equal(mixed.sort("user_id", "rank"), lists)


@pytest.mark.parametrize("name", ["exposure", "exposure_lp", "calibrated", "mmr", "dpp", "max_min"])
@settings(deadline=None, max_examples=8)
@given(st.integers(0, 10_000), st.booleans())
def test_no_strength_changes_nothing(name: str, seed: int, ties: bool):
    pool, context = situation(seed, ties)
    assert_frame_equal(run(name, pool, context, strength=0), pool.filter(pl.col("rank") <= 5))


@pytest.mark.parametrize("name", ["calibrated", "mmr", "dpp", "fa_ir"])
def test_what_ties_in_all_respects_stays_in_the_order_of_the_pool(name: str):
    _, context = situation(3)
    data = context.data
    alike = Dataset(
        pl.DataFrame({"user_id": np.repeat(np.arange(USERS), ITEMS), "item_id": np.tile(np.arange(ITEMS), USERS)}),
        data.users, data.items.with_columns(pl.Series("kind", ["a", "b"] * 8)), sensitive=("side",),
    )  # fmt: skip
    lists = run(name, pool_of(np.zeros((USERS, ITEMS))), Context(alike))
    kinds = lists.join(alike.items, on="item_id", maintain_order="left")
    for _, part in kinds.group_by(["user_id", "kind"]):
        assert part["item_id"].is_sorted()


@pytest.mark.parametrize("name", ["calibrated", "mmr", "dpp", "exposure", "exposure_lp", "max_min", "fa_ir"])
def test_a_second_correction_builds_on_the_first(name: str):
    """What the first put on top counts as scored highest: without strength of its own, the second keeps it."""
    pool, context = situation(4)
    first = run("fa_ir", pool, context, ITEMS, proportion=0.7)
    fields = {} if name == "fa_ir" else {"strength": 0}
    kept = run(name, first, context, 5, **(fields | ({"proportion": 0.05} if name == "fa_ir" else {})))
    assert kept["item_id"].to_list() == first.filter(pl.col("rank") <= 5)["item_id"].to_list()
    assert kept["item_id"].to_list() != pool.filter(pl.col("rank") <= 5)["item_id"].to_list()


@pytest.mark.parametrize("name", ALL)
def test_pools_that_cannot_be_re_ranked(name: str):
    pool, context = situation(0)
    bad = pool.with_columns(pl.when(pl.int_range(pl.len()) == 5).then(None).otherwise("score").alias("score"))
    with pytest.raises(DataError, match=f"not finite.*1 of {USERS * ITEMS} rows"):
        run(name, bad, context)
    with pytest.raises(DataError, match="no column 'rank'"):
        run(name, pool.drop("rank"), context)
    with pytest.raises(DataError, match=r"more than once in a user's pool.*1 of 385 rows"):
        run(name, pl.concat([pool, pool.head(1)]), context)
    assert run(name, pool.clear(), context).is_empty()


@pytest.mark.parametrize("name", JUDGING)
def test_without_held_out_events_there_is_nothing_to_choose_by(name: str):
    pool, context = situation(0)
    with pytest.raises(ModelError, match=f"'{name}' needs held-out events"):
        run(name, pool, Context(context.data))


def test_all_say_what_they_are_for_and_what_is_in_their_way():
    _, context = situation(0)
    model = models.build("popular")
    bare = Dataset(context.data.events)
    for name in ALL:
        built = corrections.build(name)
        assert isinstance(built, AfterTraining)
        assert built.against
        assert built.obstacle(context.data, model) is None
    says = {name: corrections.build(name, ALL[name]).obstacle(bare, model) for name in ALL}
    assert "no items table" in says["calibrated"]
    assert "no items table" in says["exposure"]
    assert "names no sensitive column" in says["user_gap"]
    assert says["score_calibration"] is None
    assert corrections.build("fa_ir").obstacle(bare, model) is None
    one = Dataset(context.data.events, context.data.users.with_columns(side=pl.lit("a")), sensitive=("side",))
    for name in JUDGING:
        assert "single value 'a' in 'side'" in corrections.build(name).obstacle(one, model)
    missing = corrections.build("user_gap", {"attribute": "sid"}).obstacle(context.data, model)
    assert missing == "the users have no column 'sid'."


def test_a_group_that_only_strangers_to_training_have_is_no_group():
    pool, context = situation(1)
    users = pl.concat([context.data.users, pl.DataFrame({"user_id": [999], "side": ["canary"]})])
    told = Context(
        Dataset(context.data.events, users, context.data.items, sensitive=("side",)),
        valid=context.valid, model=context.model,
    )  # fmt: skip
    for name in JUDGING:
        assert_frame_equal(run(name, pool, told), run(name, pool, context))
        assert "canary" not in json.dumps(told.diagnostics)


def test_all_act_on_an_ordinary_log_without_settings():
    """As `fit` puts them to work, on a world with providers, texts and an attribute."""
    world = Storefront(n_users=300, n_items=80, seed=1).generate()
    data = Dataset(world.log, world.users, world.items, sensitive=("gender",))
    parts = split(data, Split(strategy="temporal", valid=0.15, test=0.1))
    for name in ALL:
        corrected = fit(models.build("popular"), parts.train, [corrections.build(name)], valid=parts.valid)
        users = parts.train.events["user_id"].unique().sort()
        lists = corrected.recommend(users, 5)
        assert lists.group_by("user_id").len()["len"].unique().to_list() == [5]
        json.dumps(corrected.diagnostics[name])
