from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from equipoise.data import Dataset
from equipoise.debias import Context, corrections
from equipoise.debias.after.exposure import Exposure
from equipoise.debias.after.groups import item_groups
from equipoise.errors import DataError
from tests.debias.after.small import data_of, pool_of


@pytest.fixture(scope="module")
def disparity() -> tuple[pl.DataFrame, Dataset]:
    """40 items; the 10 of provider "big" score half a standard deviation more."""
    rng = np.random.default_rng(0)
    groups = ["big"] * 10 + ["mid"] * 15 + ["small"] * 15
    scores = rng.normal(size=(200, 40)) + 0.5 * (np.arange(40) < 10) - 0.3 * (np.arange(40) >= 25)
    return pool_of(scores), data_of(groups)


def run(pool: pl.DataFrame, data: Dataset, k: int = 10, **fields: object) -> tuple[pl.DataFrame, dict]:
    context = Context(data=data)
    lists = Exposure(**{"group": "provider", **fields}).rerank(pool, context, k)
    return lists, context.diagnostics["exposure"]


def test_strength_zero_changes_nothing(disparity):
    pool, data = disparity
    lists, facts = run(pool, data, strength=0)
    assert_frame_equal(lists, pool.filter(pl.col("rank") <= 10))
    assert facts["gap_before"] == facts["gap_after"]
    assert facts["score_given_up"] == 0


@pytest.mark.parametrize("target", ["equal", "catalogue", "merit"])
def test_the_gap_falls_with_strength_and_the_score_pays_for_it(disparity, target: str):
    pool, data = disparity
    facts = [run(pool, data, strength=s, target=target)[1] for s in (0, 0.05, 0.1, 0.2, 0.5, 2)]
    gaps, costs = ([fact[key] for fact in facts] for key in ("gap_after", "score_given_up"))
    assert (np.diff(gaps) <= 1e-3).all()
    assert (np.diff(costs) >= -1e-3).all()
    assert gaps[-1] < 0.02 < gaps[0] / 3


def test_the_reported_exposure_is_that_of_the_lists(disparity):
    pool, data = disparity
    lists, facts = run(pool, data, strength=1.0)
    shares = (
        lists.join(data.items, on="item_id")
        .with_columns((1 / (pl.col("rank") + 1).log(2)).alias("worth"))
        .group_by("provider")
    )
    counted = dict(shares.agg(pl.col("worth").sum()).iter_rows())
    for name, fact in facts["groups"].items():
        assert fact["after"] == pytest.approx(counted[name] / sum(counted.values()))
        assert abs(fact["price"]) <= 1
    assert facts["groups"]["big"]["target"] == pytest.approx(0.25)
    assert facts["groups"]["big"]["price"] < facts["groups"]["small"]["price"]
    json.dumps(facts)


def test_lists_keep_their_shape(disparity):
    pool, data = disparity
    lists, _ = run(pool, data, strength=1.0)
    assert lists.schema == pool.schema
    assert lists["user_id"].to_list() == np.repeat(np.arange(200), 10).tolist()
    assert lists["rank"].to_list() == list(range(1, 11)) * 200
    assert lists.select(pl.struct("user_id", "item_id").is_unique().all()).item()
    joined = lists.join(pool, on=["user_id", "item_id"], suffix="_model")
    assert (joined["score"] == joined["score_model"]).all()
    assert len(joined) == len(lists)


def test_a_hand_worked_trade():
    """One list of one: the second item is one standard deviation worse and of the group that is due everything."""
    pool, data = pool_of(np.array([[1.0, 0.0]])), data_of(["a", "b"])
    # Standardised scores are 1 and -1: the swap costs 2 and moves the gap from 1 to 1 (each has a share of one half).
    lists, facts = run(pool, data, k=1, strength=1.5, target="equal")
    assert lists["item_id"].to_list() == [0]
    assert facts["gap_after"] == pytest.approx(1)
    # Two users who agree: giving one of them the other item costs 2 of the mean score 1, and takes the whole gap away.
    pool = pool_of(np.array([[1.0, 0.0], [1.0, 0.5]]))
    assert run(pool, data, k=1, strength=0.9, target="equal")[1]["gap_after"] == pytest.approx(1)


def test_ties_stay_in_the_model_s_order_and_rows_of_the_pool_may_be_shuffled(disparity):
    _, data = disparity
    pool = pool_of(np.zeros((5, 40)))
    lists, _ = run(pool, data, strength=0.5)
    again, _ = run(pool, data, strength=0.5)
    assert_frame_equal(lists, again)
    within = lists.join(data.items, on="item_id", maintain_order="left")
    for (_, _), part in within.group_by(["user_id", "provider"]):
        assert part["item_id"].is_sorted()
    mixed, _ = run(disparity[0].sample(fraction=1, shuffle=True, seed=3), data, strength=0.5)
    straight, _ = run(disparity[0], data, strength=0.5)
    assert_frame_equal(mixed.sort("user_id", "rank"), straight.sort("user_id", "rank"))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.integers(1, 12), st.floats(0, 3))
def test_short_and_uneven_pools_lose_nobody(seed: int, k: int, strength: float):
    rng = np.random.default_rng(seed)
    pool = pool_of(rng.normal(size=(6, 8)))
    depth = pl.Series("depth", rng.integers(1, 9, size=6))
    pool = pool.filter(pl.col("rank") <= depth.gather(pool["user_id"]))
    lists, _ = run(pool, data_of(list("aabbbccc")), k=k, strength=strength, iterations=10)
    assert lists.group_by("user_id").len().sort("user_id")["len"].to_list() == [min(k, d) for d in depth]
    assert lists["rank"].to_list() == [r for d in depth for r in range(1, min(k, d) + 1)]


def test_bands_of_popularity_by_hand():
    events = pl.DataFrame({"user_id": [1] * 12, "item_id": [1] * 5 + [2] * 3 + [3] * 2 + [4] * 2})
    data = Dataset(events, items=pl.DataFrame({"item_id": [1, 2, 3, 4, 5]}))
    bands = dict(item_groups(data, "popularity").sort("item_id").iter_rows())
    assert bands == {1: "head", 2: "middle", 3: "tail", 4: "tail", 5: "tail"}


def test_items_without_a_group_are_a_group_of_their_own(disparity):
    pool, data = disparity
    items = data.items.with_columns(
        pl.when(pl.col("item_id") > 30).then(None).otherwise("provider").alias("provider")
    )
    _, facts = run(pool, Dataset(data.events, items=items), strength=1.0)
    assert facts["groups"]["(unknown)"]["target"] == pytest.approx(9 / 40)
    _, facts = run(pool, Dataset(data.events, items=data.items.head(35)), strength=1.0)
    assert facts["groups"]["(unknown)"]["target"] == 0


def test_what_cannot_be_re_ranked(disparity):
    pool, data = disparity
    with pytest.raises(DataError, match=r"'providr'.*Did you mean 'provider'"):
        run(pool, data, group="providr")
    with pytest.raises(DataError, match="only one group of items, 'x'"):
        run(pool, data_of(["x"] * 40))
    with pytest.raises(DataError, match="1 of 8000 rows"):
        run(
            pool.with_columns(
                pl.when(pl.int_range(pl.len()) == 5).then(float("nan")).otherwise("score").alias("score")
            ),
            data,
        )
    with pytest.raises(DataError, match="no column 'score'"):
        run(pool.drop("score"), data)
    assert run_empty(pool, data).is_empty()


def run_empty(pool: pl.DataFrame, data: Dataset) -> pl.DataFrame:
    reranker = corrections.build("exposure", {"pool": 50})
    assert (reranker.acts, reranker.pool) == ("after", 50)
    return reranker.rerank(pool.clear(), Context(data=data), 10)
