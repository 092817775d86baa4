from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy.optimize import linprog

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.debias import Context
from equipoise.debias.after.groups import Grouped, item_groups
from equipoise.debias.after.market import Market
from equipoise.debias.after.pools import Pool, discounts
from equipoise.debias.after.programmes import of_all_lists, of_one_list
from equipoise.errors import DataError
from equipoise.models import models
from equipoise.worlds import Storefront
from tests.debias.after.small import data_of, pool_of, rerank


@pytest.fixture(scope="module")
def disparity() -> tuple[pl.DataFrame, Dataset]:
    """40 items; the 10 of provider "big" score half a standard deviation more."""
    rng = np.random.default_rng(0)
    groups = ["big"] * 10 + ["mid"] * 15 + ["small"] * 15
    scores = rng.normal(size=(200, 40)) + 0.5 * (np.arange(40) < 10) - 0.3 * (np.arange(40) >= 25)
    return pool_of(scores), data_of(groups)


def run(
    pool: pl.DataFrame, data: Dataset, k: int = 10, seed: int = 0, **fields: object
) -> tuple[pl.DataFrame, dict]:
    return rerank("exposure_lp", pool, data, k, Context(data, Runtime(seed=seed)), **fields)


def in_full(scores: np.ndarray, code: np.ndarray, target: np.ndarray, off: float, k: int) -> float:
    """The best expected score of the whole programme: chances of each item at each place of each user."""
    (users, items), worth = scores.shape, discounts(k) / discounts(k).sum() / len(scores)
    user, item, place = (one.ravel() for one in np.indices((users, items, k)))
    once = (user * items + item)[None, :] == np.arange(users * items)[:, None]
    filled = (user * k + place)[None, :] == np.arange(users * k)[:, None]
    shares = (code[user, item][None, :] == np.arange(len(target))[:, None]) * worth[place]
    found = linprog(
        -scores[user, item] * worth[place], A_ub=np.vstack([once, shares, -shares]),
        b_ub=np.r_[np.ones(len(once)), target + off, off - target], A_eq=filled, b_eq=np.ones(len(filled)),
    )  # fmt: skip
    return -float(found.fun) if found.status == 0 else -np.inf


def test_a_hand_worked_list():
    """Two places worth 1 and 1 / log2(3), one item each: in equal shares either comes first half the time."""
    mixture = of_one_list(np.array([1.0, -1.0]), np.array([0, 1]), np.array([0.5, 0.5]), 0.0, 2)
    assert mixture.weights == pytest.approx([0.5, 0.5])
    assert sorted(mixture.orders.tolist()) == [[0, 1], [1, 0]]
    assert (mixture.score, *mixture.shares) == pytest.approx((0, 0.5, 0.5))
    first = 1 / (1 + 1 / np.log2(3))
    mixture = of_one_list(np.array([1.0, -1.0]), np.array([0, 1]), np.array([0.55, 0.45]), 0.0, 2)
    chance = (0.55 - (1 - first)) / (2 * first - 1)  # of the better item in the first place
    assert max(mixture.weights) == pytest.approx(chance)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.floats(0, 0.1))
def test_one_list_is_solved_as_well_as_without_leaving_items_out(seed: int, off: float):
    rng = np.random.default_rng(seed)
    scores, code, target = -np.sort(-rng.normal(size=9)), rng.integers(0, 3, 9), rng.dirichlet(np.ones(3))
    mixture = of_one_list(scores, code, target, off, 3)
    assert np.abs(mixture.shares - target).max() <= mixture.off + 1e-6
    assert mixture.score == pytest.approx(in_full(scores[None], code[None], target, mixture.off, 3), abs=1e-6)
    if mixture.off > off + 1e-6:
        assert in_full(scores[None], code[None], target, mixture.off - 1e-5, 3) == -np.inf
    for order in mixture.orders:
        for g in range(3):
            assert (
                np.flatnonzero(code == g)[: (code[order] == g).sum()].tolist()
                == order[code[order] == g].tolist()
            )


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10_000), st.floats(0, 0.05))
def test_all_lists_are_solved_as_well_as_in_one_programme(seed: int, off: float):
    rng = np.random.default_rng(seed)
    groups = [*"abc", *rng.choice(list("abc"), 4).tolist()]
    pool = Pool.of(pool_of(rng.normal(size=(4, 7))))
    market = Market(pool, Grouped.of(pool, item_groups(data_of(groups), "provider")), 3)
    target = rng.dirichlet(np.ones(3))
    mixture = of_all_lists(market, target, off, 200)
    assert np.abs(mixture.shares - target).max() <= mixture.off + 1e-6
    best = in_full(market.scores, market.groups.code, target, mixture.off, 3)
    assert mixture.score == pytest.approx(best, abs=1.1e-4)
    assert mixture.bound >= best - 1e-6
    if mixture.off > off + 1e-5:
        assert in_full(market.scores, market.groups.code, target, mixture.off - 1e-4, 3) == -np.inf
    assert len(mixture.weights) <= len(target) + 2


@pytest.mark.parametrize("scope", ["all", "each"])
def test_shares_are_met_and_what_is_reported_is_true(disparity, scope: str):
    pool, data = disparity
    pool = pool.filter(pl.col("user_id") < 60) if scope == "each" else pool
    lists, facts = run(pool, data, scope=scope, tolerance=0.002)
    worth = 1 / (pl.col("rank") + 1).log(2)
    counted = dict(
        lists.join(data.items, on="item_id").group_by("provider").agg(worth.sum().alias("worth")).iter_rows()
    )
    for name, fact in facts["groups"].items():
        assert fact["after"] == pytest.approx(counted[name] / sum(counted.values()))
        assert abs(fact["expected"] - fact["target"]) <= 0.002 + 1e-6
        assert abs(fact["after"] - fact["expected"]) < 0.01  # the luck of the draw
    assert [facts["groups"][name]["target"] for name in ("big", "mid", "small")] == pytest.approx(
        [0.25, 0.375, 0.375]
    )
    assert facts["gap_before"] > 0.3
    assert facts["infeasible"] == 0
    assert facts["score_given_up"] == pytest.approx(facts["score_given_up_expected"], abs=0.03)
    assert facts["score_given_up_expected"] == pytest.approx(facts["score_given_up_at_least"], abs=1.1e-4)
    assert facts["programmes"] == (1 if scope == "all" else 60)
    json.dumps(facts)


def test_each_list_by_itself_costs_more_than_all_together(disparity):
    pool, data = disparity
    pool = pool.filter(pl.col("user_id") < 60)
    together, apart = (run(pool, data, scope=scope)[1] for scope in ("all", "each"))
    assert together["score_given_up_expected"] < apart["score_given_up_expected"]
    assert apart["rankings_per_programme"] > 1.5
    one = pool.filter(pl.col("user_id") == 7)
    drawn = pl.concat([run(one, data, scope="each", seed=seed)[0] for seed in range(30)])
    first = drawn.join(data.items, on="item_id")
    worth = first.select("provider", worth=1 / (pl.col("rank") + 1).log(2))
    shares = worth.group_by("provider").agg(pl.col("worth").sum() / worth["worth"].sum())
    assert dict(shares.iter_rows())["big"] == pytest.approx(0.25, abs=0.05)  # of one user, over thirty draws


def test_it_gives_up_no_more_score_than_prices_do_for_the_same_shares(disparity):
    """The simple method weighs shares against score; the programme reaches its shares at no higher price, and shares
    that no single set of prices gives.
    """
    pool, data = disparity
    for strength in (0.1, 0.3, 1.0, 5.0):
        _, simple = rerank("exposure", pool, data, group="provider", strength=strength)
        reached = {name: fact["after"] for name, fact in simple["groups"].items()}
        _, exact = run(pool, data, shares=reached, tolerance=1e-6)
        assert exact["score_given_up_expected"] <= simple["score_given_up"] + 1.1e-4
    coarse = pool_of(
        np.tile(np.linspace(1, 0, 40), (200, 1))
    )  # all users alike: prices move all lists at once
    _, simple = rerank("exposure", coarse, data, group="provider", strength=5.0, target="equal")
    _, exact = run(coarse, data, target="equal")
    assert simple["gap_after"] > 0.1
    assert exact["gap_after"] < 0.035


def test_shares_that_no_pool_allows_are_met_as_far_as_can_be(disparity):
    pool, data = disparity
    few = pool.join(data.items, on="item_id", maintain_order="left").filter(
        (pl.col("provider") != "small") | (pl.col("item_id") < 27)
    )
    few = few.with_columns(pl.col("rank").rank().over("user_id").cast(pl.UInt32)).drop("provider")
    for scope in ("all", "each"):
        part = few.filter(pl.col("user_id") < (200 if scope == "all" else 20))
        lists, facts = run(part, data, scope=scope)
        assert facts["infeasible"] == facts["programmes"]
        assert facts["groups"]["small"]["expected"] == pytest.approx(0.375 - facts["farthest_off"], abs=1e-6)
        assert lists["item_id"].is_in([25, 26]).sum() == 2 * lists["user_id"].n_unique()
        assert "No mixture of rankings out of the pools" in facts["warnings"][-1]


def test_named_shares_leave_the_rest_to_the_others(disparity):
    pool, data = disparity
    _, facts = run(pool, data, shares={"big": 0.4})
    targets = {name: fact["target"] for name, fact in facts["groups"].items()}
    assert targets == pytest.approx({"big": 0.4, "mid": 0.3, "small": 0.3})
    _, facts = run(pool, data, strength=0.5)
    middle = facts["groups"]["big"]
    assert middle["target"] == pytest.approx((middle["before"] + 0.25) / 2)
    for shares, said in (
        ({"bgi": 0.4}, "Did you mean 'big'"),
        ({"big": 0.6, "mid": 0.6}, "sum to 1.2"),
        ({"big": -0.1}, "'big' is -0.1"),
        ({"big": 0.2, "mid": 0.2, "small": 0.2}, "sum to 0.6"),
    ):
        with pytest.raises(DataError, match=said):
            run(pool, data, shares=shares)


def test_merit_is_that_of_the_user_s_own_pool():
    """Two users who disagree: the share that is due to a group is its part of the relevance in the pool of each."""
    scores = np.tile(np.linspace(1, -1, 10), (2, 1))
    scores[1] = -scores[1]
    _, facts = run(
        pool_of(scores), data_of(list("aaaaabbbbb")), 4, scope="each", target="merit", tolerance=0.0
    )
    assert facts["groups"]["a"]["target"] == pytest.approx(0.5)
    alone = run(pool_of(scores[:1]), data_of(list("aaaaabbbbb")), 4, scope="each", target="merit")[1]
    standard = (scores[0] - scores[0].mean()) / scores[0].std()
    merit = 1 / (1 + np.exp(-standard))
    assert alone["groups"]["a"]["target"] == pytest.approx(merit[:5].sum() / merit.sum())


@pytest.mark.parametrize("scope", ["all", "each"])
def test_draws_depend_on_the_seed_and_not_on_rows(disparity, scope: str):
    pool, data = disparity
    # where all users are alike, no set of lists meets the shares, and who gets which is drawn
    pool = (
        pool.filter(pl.col("user_id") < 12)
        if scope == "each"
        else pool_of(np.tile(np.linspace(1, 0, 40), (50, 1)))
    )
    lists, _ = run(pool, data, scope=scope)
    assert_frame_equal(run(pool, data, scope=scope)[0], lists)
    mixed, _ = run(pool.sample(fraction=1, shuffle=True, seed=1), data, scope=scope)
    assert_frame_equal(mixed.sort("user_id", "rank"), lists)
    assert not run(pool, data, scope=scope, seed=1)[0].equals(lists)
    if scope == "each":
        alone, _ = run(pool.filter(pl.col("user_id") == 3), data, scope=scope)
        assert_frame_equal(alone, lists.filter(pl.col("user_id") == 3))


def test_rare_items_get_their_share_in_a_world_that_shows_popular_ones():
    """Next to prices: nearer to the due shares, for about as much of what users prefer."""
    world = Storefront(n_users=300, n_items=80, seed=1, popularity=1.0).generate()
    data = world.dataset()
    model = models.build("popular").fit(data)
    pool = model.recommend(world.users["user_id"], 80, exclude_seen=False)
    context, fields = Context(data, model=model), {"group": "popularity"}
    simple, priced = rerank("exposure", pool, data, 10, context, **fields)
    lists, exact = rerank("exposure_lp", pool, data, 10, replace(context, diagnostics={}), **fields)
    cells, best = world.located(lists), world.located(simple)
    worth = [
        float(world.preference[one["_user"].to_numpy(), one["_item"].to_numpy()].mean())
        for one in (cells, best)
    ]
    assert exact["gap_after"] < 0.05 < priced["gap_after"]
    assert worth[0] > 0.9 * worth[1]
