from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from equipoise.data import Dataset
from equipoise.debias import Context, corrections
from equipoise.errors import DataError
from equipoise.metrics import calibration
from equipoise.models import models
from tests.debias.after.small import data_of, pool_of, rerank


def world(seed: int = 0) -> tuple[pl.DataFrame, Dataset]:
    """30 users who took seven dramas and three comedies each, and a model that loves dramas."""
    rng = np.random.default_rng(seed)
    genres = ["Drama"] * 30 + ["Comedy"] * 25 + ["Comedy|Drama"] * 5
    took = np.stack([np.r_[rng.choice(30, 7, False), 30 + rng.choice(25, 3, False)] for _ in range(30)])
    events = {"user_id": np.repeat(np.arange(30), 10), "item_id": took.ravel()}
    scores = rng.normal(size=(30, 60)) + 1.5 * (np.arange(60) < 30)
    return pool_of(scores), data_of(genres, "genre", events)


def test_a_hand_worked_list():
    """Half drama, half comedy; standardised scores 1.34, .45, -.45, -1.34; the pool is D D C C.

    After D, a second D adds (1 - s) x .45 and the divergence is 1.9585; C adds (1 - s) x -.45 and it is 0: C is
    taken from s x 1.9585 > (1 - s) x .8944, so from s > .3135 on.
    """
    pool = pool_of(np.array([[4.0, 3.0, 2.0, 1.0]]))
    data = data_of(["D", "D", "C", "C"], "genre", {"user_id": [0, 0], "item_id": [0, 2]})
    for strength, second in ((0.0, 1), (0.31, 1), (0.32, 2), (1.0, 2)):
        lists, facts = rerank("calibrated", pool, data, 2, strength=strength, category="genre")
        assert lists["item_id"].to_list() == [0, second]
        assert facts["divergence_after"] == pytest.approx(1.9585 if second == 1 else 0, abs=1e-4)
        assert facts["divergence_before"] == pytest.approx(1.9585, abs=1e-4)


@pytest.mark.parametrize("strength", [0.0, 0.3, 0.9])
def test_the_reported_divergence_is_the_metric(strength: float):
    pool, data = world()
    lists, facts = rerank("calibrated", pool, data, strength=strength)
    metric = calibration(10, data.items, "genre", data.events)
    assert facts["divergence_after"] == pytest.approx(metric(lists)["value"].mean())
    assert facts["divergence_before"] == pytest.approx(
        metric(pool.filter(pl.col("rank") <= 10))["value"].mean()
    )
    assert facts["categories"] == 2


def test_divergence_falls_with_strength_and_score_pays():
    pool, data = world()
    facts = [rerank("calibrated", pool, data, strength=s)[1] for s in (0, 0.2, 0.5, 0.8, 1)]
    assert (np.diff([fact["divergence_after"] for fact in facts]) <= 1e-9).all()
    assert (np.diff([fact["score_given_up"] for fact in facts]) >= -1e-9).all()
    assert facts[-1]["divergence_after"] < 0.02 < facts[0]["divergence_after"] / 5


def test_greedy_lists_are_near_the_best_of_all_lists():
    """Against enumeration of all 5-item sets of a pool of 12: the greedy value is within a tenth of the best."""
    from itertools import combinations

    rng = np.random.default_rng(1)
    data = data_of(list("aaaabbbbcccc"), "genre", {"user_id": [0] * 6, "item_id": [0, 1, 4, 8, 9, 10]})
    p, kinds = np.array([2, 1, 3]) / 6, np.repeat([0, 1, 2], 4)
    for _ in range(5):
        scores = rng.normal(size=(1, 12))
        z = (scores[0] - scores.mean()) / scores.std()
        lists, _ = rerank("calibrated", pool_of(scores), data, 5, strength=0.6, category="genre")

        def value(chosen: list[int], z: np.ndarray = z) -> float:
            q = np.bincount(kinds[chosen], minlength=3) / 5
            return 0.4 * z[chosen].sum() - 0.6 * (p * np.log(p / (0.99 * q + 0.01 * p))).sum()

        best = max(value(list(chosen)) for chosen in combinations(range(12), 5))
        assert value(lists["item_id"].to_list()) > best - 0.1 * abs(best)


def test_users_and_items_without_categories():
    pool, data = world()
    strangers = data.with_events(data.events.filter(pl.col("user_id") > 4))
    lists, facts = rerank("calibrated", pool, strangers, strength=0.9)
    assert facts["users_without_history"] == 5
    of_strangers = pl.col("user_id") <= 4
    assert lists.filter(of_strangers).equals(pool.filter(of_strangers & (pl.col("rank") <= 10)))
    blank = pl.when(pl.col("item_id") % 2 == 0).then("genre").alias("genre")
    lists, facts = rerank("calibrated", pool, Dataset(data.events, items=data.items.with_columns(blank)))
    assert len(lists) == 300
    assert facts["divergence_after"] < facts["divergence_before"]


def test_what_has_no_categories():
    pool, data = world()
    with pytest.raises(DataError, match=r"no column 'genres'.*Did you mean 'genre'"):
        rerank("calibrated", pool, data, category="genres")
    with pytest.raises(DataError, match="No item has a value in 'genre'"):
        rerank("calibrated", pool, data_of([None] * 60, "genre"), category="genre")
    titles = data_of([f"title {n}" for n in range(60)], "title")
    with pytest.raises(DataError, match="no column of categories"):
        corrections.build("calibrated").rerank(pool, Context(titles), 10)
    assert "`category` is not set" in corrections.build("calibrated").obstacle(
        titles, models.build("popular")
    )
