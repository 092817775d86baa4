"""Metrics weighted by inverse propensity: worked by hand, the same on all engines, nearer to the truth of a world."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

from equipoise.errors import ConfigError, DataError
from equipoise.metrics import hit_rate, ndcg, per_user, rating_errors, recall, rmse, weighted_gains
from equipoise.statistics import bootstrap_ratio

LISTS = pl.DataFrame(
    {"user_id": [1, 1, 1, 2, 2, 2], "item_id": [1, 2, 3, 1, 2, 3], "rank": [1, 2, 3, 1, 2, 3]}
)
TRUTH = pl.DataFrame({"user_id": [1, 1, 2], "item_id": [1, 9, 3], "weight": [2.0, 6.0, 4.0]})


def ratio(table, name):
    return table[name].sum() / table[f"{name} of"].sum()


def test_values_worked_by_hand():
    table = weighted_gains(LISTS, TRUTH, {"recall@3": recall(3), "ndcg@3": ndcg(3), "ndcg@1": ndcg(1)})
    assert table["recall@3"].to_list() == [2.0, 4.0]
    assert table["recall@3 of"].to_list() == [8.0, 4.0]
    assert ratio(table, "recall@3") == pytest.approx(6 / 12)
    assert table["ndcg@3"].to_list() == pytest.approx([2.0, 4.0 / 2])  # ranks 1 and 3: 1/log2(2), 1/log2(4)
    ideal = 1 + 1 / np.log2(3)
    assert table["ndcg@3 of"].to_list() == pytest.approx([4.0 * ideal, 4.0])
    assert ratio(table, "ndcg@1") == pytest.approx(
        2 / (4 + 4)
    )  # one place, one gain: divisor 1 whatever is relevant


def test_equal_weights_are_the_metric_itself_where_users_weigh_alike():
    truth = pl.DataFrame({"user_id": [1, 2], "item_id": [2, 3], "weight": [5.0, 5.0]})
    metrics = {"ndcg@3": ndcg(3), "recall@2": recall(2)}
    table, plain = weighted_gains(LISTS, truth, metrics), per_user(LISTS, truth, metrics)
    for name in metrics:
        assert ratio(table, name) == pytest.approx(plain[name].mean())


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_all_engines_agree(engine):
    wanted = weighted_gains(LISTS, TRUTH, {"ndcg@3": ndcg(3)})
    lists, truth = LISTS.to_pandas(), TRUTH.to_pandas()
    if engine == "duckdb":
        lists, truth = duckdb.from_df(lists), duckdb.from_df(truth)
    found = weighted_gains(lists, truth, {"ndcg@3": ndcg(3)})
    assert isinstance(found, pd.DataFrame if engine == "pandas" else pl.DataFrame)
    for name in wanted.columns:
        assert list(found[name]) == pytest.approx(wanted[name].to_list())


def test_what_cannot_be_weighted_is_refused():
    with pytest.raises(ConfigError, match="does not add up over hits"):
        weighted_gains(LISTS, TRUTH, {"hit_rate@3": hit_rate(3)})
    for wrong in (0.0, -1.0, None, float("nan"), float("inf")):
        bad = TRUTH.with_columns(pl.Series("weight", [1.0, wrong, 1.0]))
        with pytest.raises(DataError, match=r"1 of 3 rows"):
            weighted_gains(LISTS, bad, {"ndcg@3": ndcg(3)})
        rated = bad.with_columns(value=pl.lit(1.0))
        with pytest.raises(DataError, match=r"1 of 3 rows"):
            rating_errors(LISTS.with_columns(score=pl.lit(1.0)), rated, weight="weight")
    with pytest.raises(DataError, match="same user and item twice"):
        weighted_gains(LISTS, pl.concat([TRUTH, TRUTH]), {"ndcg@3": ndcg(3)})
    with pytest.raises(DataError, match="no column 'w'"):
        weighted_gains(LISTS, TRUTH, {"ndcg@3": ndcg(3)}, weight="w")
    with pytest.raises(DataError, match="empty"):
        weighted_gains(LISTS, TRUTH.clear(), {"ndcg@3": ndcg(3)})


def test_weighted_errors_by_hand():
    guess = pl.DataFrame({"user_id": [1, 1, 2], "item_id": [1, 2, 1], "score": [3.0, 4.0, 1.0]})
    truth = guess.select("user_id", "item_id", value=pl.Series([1.0, 4.0, 2.0]), w=pl.Series([0.5, 2.0, 4.0]))
    errors = rating_errors(guess, truth, weight="w")
    assert errors.drop("user_id").rows() == [(2.5, 2.0, 1.0), (4.0, 4.0, 4.0)]
    assert rating_errors(guess, truth).drop("user_id").rows() == [(2, 4.0, 2.0), (1, 1.0, 1.0)]


class World:
    """Users who like some of 60 items; popular items are seen far more often, and the list favours them."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        users, items = 1500, 60
        appeal = np.linspace(-1.5, 1.5, items)
        taste = rng.normal(size=(users, items))
        self.liked = taste + 0.8 * appeal > 0.6
        self.propensity = np.broadcast_to(1 / (1 + np.exp(-(1.6 * appeal - 2.2))), (users, items))
        score = 0.5 * taste + 1.2 * appeal + 0.7 * rng.normal(size=(users, items))
        rank = (-score).argsort(axis=1).argsort(axis=1) + 1
        self.lists = self.frame(rank <= 20, rank=rank)
        self.value = np.clip(3 + taste + 0.8 * appeal, 1, 5)
        self.guess = self.value + rng.normal(size=(users, items)) * (1.3 - 0.6 * (appeal > 0))
        self.rng = rng

    def frame(self, where, **columns):
        users, items = np.nonzero(where)
        told = {name: values[users, items] for name, values in columns.items()}
        return pl.DataFrame({"user_id": users, "item_id": items, **told})

    def seen(self):
        return self.rng.random(self.liked.shape) < self.propensity

    def shown_alike(self):
        return self.rng.random(self.liked.shape) < 0.15


@pytest.mark.parametrize(("name", "left"), [("ndcg@10", 0.4), ("recall@10", 0.1)])
def test_nearer_to_the_truth_of_a_world(name, left):
    metric = {name: ndcg(10) if name.startswith("ndcg") else recall(10)}
    plain, weighted, truths = [], [], []
    for seed in range(6):
        world = World(seed)
        alike = weighted_gains(
            world.lists,
            world.frame(world.liked & world.shown_alike(), weight=np.ones(world.liked.shape)),
            metric,
        )
        logged = world.liked & world.seen()
        held = world.frame(logged, weight=1 / world.propensity)
        truths.append(ratio(alike, name))
        weighted.append(ratio(weighted_gains(world.lists, held, metric), name))
        plain.append(ratio(weighted_gains(world.lists, held.with_columns(weight=pl.lit(1.0)), metric), name))
    naive, corrected = np.array(plain) - truths, np.array(weighted) - truths
    assert naive.mean() > 0.1  # logs flatter lists that show what the logger showed
    assert abs(corrected.mean()) < left * naive.mean()
    assert (np.abs(corrected) < np.abs(naive)).all()


def test_errors_nearer_to_the_truth_of_a_world_and_inside_the_interval():
    world = World(0)
    true = float(np.sqrt(np.mean((world.guess - world.value) ** 2)))
    held = world.frame(world.seen(), value=world.value, weight=1 / world.propensity)
    guess = world.frame(np.ones(world.liked.shape, dtype=bool), score=world.guess)
    plain = rmse.pooled(guess, held)
    errors = rating_errors(guess, held, weight="weight")
    found = bootstrap_ratio(errors["squared"].to_numpy(), errors["pairs"].to_numpy())[0].through(np.sqrt)
    assert true - plain > 0.1
    assert abs(found.value - true) < 0.2 * (true - plain)
    assert found.low < true < found.high
