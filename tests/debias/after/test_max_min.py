from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import sparse
from scipy.optimize import linprog

from equipoise.data import Dataset
from equipoise.debias.after.groups import Grouped, item_groups
from equipoise.debias.after.market import Market
from equipoise.debias.after.pools import Pool
from equipoise.errors import DataError
from tests.debias.after.small import data_of, pool_of, rerank

K = 5


@pytest.fixture(scope="module")
def disparity() -> tuple[pl.DataFrame, Dataset]:
    """120 lists of 20 items; the 6 of provider "big" score half a standard deviation more, the 7 small less."""
    groups = np.repeat(["big", "mid", "small"], [6, 7, 7])
    shift = 0.5 * (groups == "big") - 0.5 * (groups == "small")
    return pool_of(np.random.default_rng(0).normal(size=(120, 20)) + shift), data_of(groups.tolist())


def market_of(pool: pl.DataFrame, data: Dataset) -> Market:
    laid = Pool.of(pool)
    return Market(laid, Grouped.of(laid, item_groups(data, "provider")), K)


def optimum(market: Market, due: np.ndarray, strength: float) -> float:
    """The linear programme over all lists with items shared out by lot: no list can do better."""
    n, depth = market.scores.shape
    user, item, rank = (axis.ravel() for axis in np.meshgrid(range(n), range(depth), range(K), indexing="ij"))
    size, column = n * depth * K, np.arange(n * depth * K)
    attention = market.discount[rank] / (n * market.discount.sum())
    gains = np.r_[-market.scores[user, item] * attention, -strength]
    once = sparse.csr_matrix((np.ones(size), (user * depth + item, column)), shape=(n * depth, size + 1))
    filled = sparse.csr_matrix((np.ones(size), (user * K + rank, column)), shape=(n * K, size + 1))
    group = market.groups.code[user, item]
    share = sparse.csr_matrix((-attention / due[group], (group, column)), shape=(len(due), size))
    least = sparse.hstack([share, np.ones((len(due), 1))])
    solved = linprog(
        gains, sparse.vstack([once, least]), np.r_[np.ones(n * depth), np.zeros(len(due))], filled, np.ones(n * K),
        bounds=[(0, 1)] * size + [(None, None)], method="highs",
    )  # fmt: skip
    return -float(solved.fun)


@pytest.mark.parametrize(("strength", "target"), [(0.3, "catalogue"), (1.0, "equal")])
def test_lists_are_as_good_as_the_linear_programme(disparity, strength: float, target: str):
    market = market_of(*disparity)
    _, facts = rerank("max_min", *disparity, K, strength=strength, target=target)
    base = market.outcome(market.pool.unchanged[:, :K]).score
    reached = base - facts["score_given_up"] + strength * facts["smallest_ratio_after"]
    unchanged = base + strength * facts["smallest_ratio_before"]
    best = optimum(market, market.due(target), strength)
    assert reached <= best + 1e-9
    assert best - reached < 0.02 * (best - unchanged)


def test_the_order_of_methods_is_the_published_one(disparity):
    """Smallest ratio: max-min above a bonus for whoever is worst off at the moment, above nothing (P-MMF, table 2)."""
    market, strength = market_of(*disparity), 1.0
    due = market.due("catalogue")
    shown, chosen = np.zeros(3), []
    for scores, code in zip(market.scores, market.groups.code, strict=True):
        worst = (shown / due).argmin()
        order = np.argsort(-(scores + strength * (code == worst)), kind="stable")[:K]
        shown += np.bincount(code[order], market.discount, 3)
        chosen.append(order)
    regularised = float((market.outcome(np.array(chosen)).shares / due).min())
    _, facts = rerank("max_min", *disparity, K, strength=strength)
    assert facts["smallest_ratio_after"] > regularised > facts["smallest_ratio_before"] + 0.1
    _, online = rerank("max_min", *disparity, K, strength=strength, mode="online")
    assert (
        facts["smallest_ratio_after"] > online["smallest_ratio_after"] > facts["smallest_ratio_before"] + 0.1
    )


def test_the_smallest_ratio_rises_with_strength_and_score_pays(disparity):
    facts = [rerank("max_min", *disparity, K, strength=s)[1] for s in (0, 0.1, 0.3, 1)]
    assert (np.diff([fact["smallest_ratio_after"] for fact in facts]) >= -0.01).all()
    assert (np.diff([fact["score_given_up"] for fact in facts]) >= -1e-3).all()
    assert facts[0]["smallest_ratio_after"] < 0.5
    assert facts[-1]["smallest_ratio_after"] > 0.98


def test_the_reported_exposure_is_that_of_the_lists(disparity):
    pool, data = disparity
    lists, facts = rerank("max_min", pool, data, K)
    worth = lists.join(data.items, on="item_id").with_columns(
        (1 / (pl.col("rank") + 1).log(2)).alias("worth")
    )
    shares = dict(worth.group_by("provider").agg(pl.col("worth").sum() / worth["worth"].sum()).iter_rows())
    ratios = [shares[name] / group["due"] for name, group in facts["groups"].items()]
    assert facts["smallest_ratio_after"] == pytest.approx(min(ratios))


def test_online_lists_do_not_know_what_comes_after(disparity):
    pool, data = disparity
    first = pool.filter(pl.col("user_id") < 60)
    whole, _ = rerank("max_min", pool, data, K, mode="online")
    later = pool.filter(pl.col("user_id") >= 60).with_columns(pl.col("item_id").reverse().over("user_id"))
    other, _ = rerank("max_min", pl.concat([first, later]), data, K, mode="online")
    assert whole.head(60 * K).equals(other.head(60 * K))
    assert not whole.equals(other)


def test_groups_that_no_pool_holds(disparity):
    pool, data = disparity
    items = pl.concat([data.items, pl.DataFrame({"item_id": [99], "provider": ["absent"]})])
    _, facts = rerank("max_min", pool, Dataset(data.events, items=items), K)
    assert facts["warnings"] == [
        "No pool holds an item of absent, so they get no exposure whatever the prices. Raise `pool`."
    ]
    assert facts["smallest_ratio_after"] > 0.9
    with pytest.raises(DataError, match="only one group of items"):
        rerank("max_min", pool, data_of(["x"] * 20), K)
    strange = Dataset(data.events, items=data.items.with_columns(pl.col("item_id") + 500))
    with pytest.raises(DataError, match="No pool holds an item whose group in 'provider' is known"):
        rerank("max_min", pool, strange, K)
