"""Lists by uplift: against what would be bought anyway, on every engine."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from equipoise.causal.heterogeneity import TLearner
from equipoise.causal.uplift import rank_by_uplift
from equipoise.errors import ConfigError, DataError

CANDIDATES = pl.DataFrame(
    {
        "user_id": [1, 1, 1, 1, 2, 2, 3],
        "item_id": ["b", "a", "c", "d", "a", "b", "a"],
        "gain": [0.3, 0.1, 0.3, -0.2, -0.1, 0.0, 0.2],
        "habit": [0.1, 0.9, 0.2, 0.8, 0.5, 0.4, 0.3],
        "fee": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.25],
    }
)


def test_lists_hold_what_gains_in_order_of_gain():
    found = rank_by_uplift(CANDIDATES, "gain", k=2, anyway="habit")
    assert found.lists.rows() == [
        (1, "b", 1, 0.3, 0.1),
        (1, "c", 2, 0.3, 0.2),
        (3, "a", 1, 0.2, 0.3),
    ]
    assert found.do_not_disturb.rows() == [(2, 2, 0.0)]
    assert found.shared == pytest.approx(0.5)  # user 1 would have been shown a and d, user 3 the same


def test_a_cost_is_taken_off():
    found = rank_by_uplift(CANDIDATES, "gain", cost="fee")
    assert found.do_not_disturb["user_id"].to_list() == [2, 3]
    assert found.do_not_disturb["best"].to_list() == pytest.approx([0.0, -0.05])
    dear = rank_by_uplift(CANDIDATES, "gain", cost=0.25)
    assert dear.lists["item_id"].to_list() == ["b", "c"]


def test_a_learner_is_asked_and_what_sells_anyway_is_not_shown():
    rng = np.random.default_rng(0)
    n = 4000
    popular, niche = rng.random(n), rng.random(n)
    shown = (rng.random(n) < 0.3 + 0.4 * popular).astype(float)
    bought = 0.8 * popular + shown * 0.3 * niche + 0.1 * rng.normal(size=n)
    rows = pl.DataFrame({"popular": popular, "niche": niche})
    learner = TLearner().fit(rows, shown, bought)
    table = pl.DataFrame(
        {
            "user_id": [1, 1, 1],
            "item_id": ["hit", "find", "dull"],
            "popular": [1.0, 0.1, 0.1],
            "niche": [0.1, 1.0, 0.1],
        }
    )
    found = rank_by_uplift(table, learner, k=1)
    assert found.lists["item_id"].to_list() == ["find"]
    assert found.lists["uplift"][0] == pytest.approx(0.3, abs=0.05)


def test_every_engine_gives_the_same_lists():
    duckdb = pytest.importorskip("duckdb")
    wanted = rank_by_uplift(CANDIDATES, "gain", k=2, anyway="habit")
    from_pandas = rank_by_uplift(CANDIDATES.to_pandas(), "gain", k=2, anyway="habit")
    assert isinstance(from_pandas.lists, pd.DataFrame)
    assert from_pandas.lists["item_id"].tolist() == wanted.lists["item_id"].to_list()
    assert from_pandas.do_not_disturb["user_id"].tolist() == [2]
    assert from_pandas.shared == wanted.shared
    frame = CANDIDATES
    from_duckdb = rank_by_uplift(duckdb.sql("select * from frame"), "gain", k=2, anyway="habit")
    assert from_duckdb.lists.equals(wanted.lists)
    assert rank_by_uplift(frame.sample(fraction=1, shuffle=True, seed=1), "gain", k=2).lists.equals(
        rank_by_uplift(frame, "gain", k=2).lists
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rank_by_uplift(CANDIDATES, "gian"), "gain"),
        (lambda: rank_by_uplift(CANDIDATES, [1.0]), "do not fit"),
        (lambda: rank_by_uplift(pl.concat([CANDIDATES, CANDIDATES]), "gain"), "more than once"),
        (lambda: rank_by_uplift(CANDIDATES.with_columns(gain=pl.lit(None, pl.Float64)), "gain"), "NaN"),
    ],
)
def test_candidates_that_cannot_be_ranked_are_refused(call, words):
    with pytest.raises(DataError, match=words):
        call()


def test_an_empty_list_is_no_list():
    with pytest.raises(ConfigError, match="empty"):
        rank_by_uplift(CANDIDATES, "gain", k=0)


@pytest.mark.parametrize(
    ("changed", "options", "words"),
    [
        ({"habit": pl.lit(None, pl.Float64)}, {"anyway": "habit"}, "outcomes without showing"),
        ({"habit": pl.lit(float("nan"))}, {"anyway": "habit"}, "outcomes without showing"),
        ({"gain": pl.lit("much")}, {}, "uplifts are no numbers"),
        ({"fee": pl.lit("much")}, {"cost": "fee"}, "costs are no numbers"),
        ({"user_id": pl.lit(None, pl.Int64)}, {}, "'user_id' is missing"),
        ({"item_id": pl.lit(None, pl.String)}, {}, "'item_id' is missing"),
    ],
)
def test_what_is_missing_or_no_number_is_told(changed, options, words):
    with pytest.raises(DataError, match=words):
        rank_by_uplift(CANDIDATES.with_columns(**changed), "gain", **options)
