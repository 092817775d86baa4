import math

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import ConfigError, DataError
from equipoise.metrics import (
    average_precision,
    hit_rate,
    mrr,
    ndcg,
    parse,
    per_user,
    population,
    precision,
    recall,
)

NAMES = ("precision", "recall", "hit_rate", "ndcg", "mrr", "map")


def lists(*rows):
    return pl.DataFrame(rows, schema=["user_id", "item_id", "rank"], orient="row")


def pairs(*rows):
    return pl.DataFrame(rows, schema=["user_id", "item_id"], orient="row")


# Ann is shown b and d of her three (b, d, z), at ranks 2 and 4; Ben's only one comes first; Cem is shown nothing.
SHOWN = lists(
    ("ann", "a", 1),
    ("ann", "b", 2),
    ("ann", "c", 3),
    ("ann", "d", 4),
    ("ann", "e", 5),
    ("ben", "x", 1),
    ("ben", "y", 2),
)
TAKEN = pairs(("ann", "b"), ("ann", "d"), ("ann", "z"), ("ben", "x"), ("cem", "a"))


@pytest.mark.parametrize(
    ("metric", "ann", "ben"),
    [
        (precision(5), 2 / 5, 1 / 5),
        (precision(3), 1 / 3, 1 / 3),
        (recall(5), 2 / 3, 1.0),
        (recall(1), 0.0, 1.0),
        (hit_rate(1), 0.0, 1.0),
        (hit_rate(2), 1.0, 1.0),
        (ndcg(5), 0.498189, 1.0),  # (1/log2 3 + 1/log2 5) / (1 + 1/log2 3 + 1/log2 4)
        (ndcg(3), 0.296082, 1.0),  # (1/log2 3) / (1 + 1/log2 3 + 1/log2 4)
        (ndcg(2), 0.386853, 1.0),  # (1/log2 3) / (1 + 1/log2 3)
        (mrr(5), 0.5, 1.0),
        (mrr(1), 0.0, 1.0),
        (average_precision(5), 1 / 3, 1.0),  # (1/2 + 2/4) / 3
        (average_precision(2), 1 / 4, 1.0),  # (1/2) / 2
    ],
    ids=str,
)
def test_hand_worked_values(metric, ann, ben):
    values = metric(SHOWN, TAKEN)
    assert values["user_id"].to_list() == ["ann", "ben", "cem"]
    assert values["value"].to_list() == pytest.approx([ann, ben, 0.0], abs=1e-6)


def test_a_perfect_list_scores_one_even_where_more_is_relevant_than_fits():
    shown = lists(*((1, item, item) for item in range(1, 6)))
    taken = pairs(*((1, item) for item in range(1, 21)))
    values = per_user(shown, taken, {name: parse(f"{name}@5") for name in NAMES}).row(0, named=True)
    assert [values[name] for name in ("precision", "hit_rate", "ndcg", "mrr", "map")] == [1.0] * 5
    assert values["recall"] == 5 / 20


def test_repeated_truth_counts_once_and_searches_not_at_all():
    taken = pl.concat([TAKEN, TAKEN, pairs(("ann", None), ("dan", None))])
    assert ndcg(5)(SHOWN, taken).equals(ndcg(5)(SHOWN, TAKEN))


def test_values_of_the_truth_are_not_used():
    assert ndcg(5)(SHOWN, TAKEN.with_columns(value=pl.Series([5.0, 0.1, 3.0, -1.0, 0.0]))).equals(
        ndcg(5)(SHOWN, TAKEN)
    )


def test_users_without_truth_are_left_out_and_counted():
    shown = pl.concat([SHOWN, lists(("eve", "a", 1))])
    assert "eve" not in ndcg(5)(shown, TAKEN)["user_id"].to_list()
    counted = population(shown, TAKEN)
    assert (counted.evaluated, counted.without_recommendations, counted.without_truth) == (3, 1, 1)


def test_ranks_may_have_holes():
    holes = lists(("ann", "b", 3), ("ann", "q", 7))
    assert ndcg(5)(holes, pairs(("ann", "b")))["value"][0] == pytest.approx(1 / math.log2(4))


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (lists((1, 1, 1), (1, 1, 2)), "same item twice"),
        (lists((1, 1, 1), (1, 2, 1)), "same rank twice"),
        (lists((1, 1, 0)), "begin at 1"),
        (lists((1, None, 1)), "no value in 'item_id'"),
        (lists((1, 1, 1), (1, 2, 1.5)), "no whole numbers .1 of 2 rows"),
        (lists((1, 1, 1.0), (1, 2, math.nan)), "no whole numbers .1 of 2 rows"),
        (lists((1, 1, math.inf)), "no whole numbers"),
        (lists((1, 1, True)), "no numbers"),
        (lists((1, 1, "first")), "no numbers"),
        (lists((1, 1, 1.0), (1, 2, math.nan)).to_pandas(), "no value in 'rank'"),
        (lists((1, 1, 1)).rename({"rank": "place"}), "no column 'rank'"),
        (lists(("one", 1, 1)), "'user_id' is text in one table and a whole number in the other"),
        ([1, 2], "not a table"),
    ],
)
def test_bad_recommendations_are_refused_in_words(shown, words):
    with pytest.raises(DataError, match=words):
        ndcg(5)(shown, pairs((1, 1)))


def test_an_empty_truth_is_refused():
    with pytest.raises(DataError, match="nobody to measure"):
        ndcg(5)(SHOWN, TAKEN.clear())


def test_no_recommendations_at_all_score_zero():
    assert ndcg(5)(SHOWN.clear(), TAKEN)["value"].to_list() == [0.0, 0.0, 0.0]


def test_whole_number_ids_of_other_widths_join():
    shown = lists((1, 7, 1)).with_columns(pl.col("user_id").cast(pl.Int32), pl.col("item_id").cast(pl.UInt16))
    assert hit_rate(1)(shown, pairs((1, 7)))["value"].to_list() == [1.0]


def brute_force(name, ranked, relevant, k):
    hits = [item in relevant for item in ranked[:k]]
    if name == "precision":
        return sum(hits) / k
    if name == "recall":
        return sum(hits) / len(relevant)
    if name == "hit_rate":
        return float(any(hits))
    if name == "mrr":
        return next((1 / rank for rank, hit in enumerate(hits, 1) if hit), 0.0)
    if name == "map":
        found = [sum(hits[:rank]) / rank for rank, hit in enumerate(hits, 1) if hit]
        return sum(found) / min(k, len(relevant))
    gained = sum(1 / math.log2(rank + 1) for rank, hit in enumerate(hits, 1) if hit)
    return gained / sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(relevant)) + 1))


item_ids = st.integers(0, 12)
worlds = st.lists(
    st.tuples(st.lists(item_ids, unique=True, max_size=8), st.sets(item_ids, min_size=1, max_size=8)),
    min_size=1,
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(worlds, st.integers(1, 9), st.randoms(use_true_random=False))
def test_equal_to_brute_force_in_any_row_order(people, k, random):
    shown = [(u, item, rank) for u, (ranked, _) in enumerate(people) for rank, item in enumerate(ranked, 1)]
    taken = [(u, item) for u, (_, relevant) in enumerate(people) for item in relevant]
    random.shuffle(shown)
    random.shuffle(taken)
    schema = {"user_id": pl.Int64, "item_id": pl.Int64, "rank": pl.Int64}
    metrics = {name: parse(f"{name}@{k}") for name in NAMES}
    table = per_user(pl.DataFrame(shown, schema=schema, orient="row"), pairs(*taken), metrics)
    for user, (ranked, relevant) in enumerate(people):
        for name in NAMES:
            assert table[name][user] == pytest.approx(brute_force(name, ranked, relevant, k), abs=1e-9)


def everything(seed=0, users=60, k=10):
    rng = np.random.default_rng(seed)
    shown = [
        (u, int(item), rank) for u in range(users) for rank, item in enumerate(rng.permutation(40)[:k], 1)
    ]
    taken = [
        (int(u), int(i)) for u, i in zip(rng.integers(0, users, 200), rng.integers(0, 40, 200), strict=True)
    ]
    return lists(*shown), pairs(*taken)


def test_all_engines_agree_and_eager_callers_get_their_own_frame():
    shown, taken = everything()
    metrics = {name: parse(f"{name}@10") for name in NAMES}
    expected = per_user(shown, taken, metrics)
    assert isinstance(expected, pl.DataFrame)
    assert per_user(shown.lazy(), taken.lazy(), metrics).equals(expected)
    pandas = per_user(shown.to_pandas(), taken.to_pandas(), metrics)
    assert isinstance(pandas, pd.DataFrame)
    np.testing.assert_allclose(pandas.to_numpy(), expected.to_numpy(), atol=1e-12)
    lazy = per_user(duckdb.sql("select * from shown"), duckdb.sql("select * from taken"), metrics)
    np.testing.assert_allclose(lazy.to_numpy(), expected.to_numpy(), atol=1e-12)
    assert per_user(shown, taken.to_pandas(), metrics).equals(expected)


def test_the_shared_join_equals_metrics_alone():
    shown, taken = everything(1)
    metrics = {f"{name}@{k}": parse(f"{name}@{k}") for name in NAMES for k in (1, 5, 10)}
    table = per_user(shown, taken, metrics)
    for name, metric in metrics.items():
        assert table[name].equals(metric(shown, taken)["value"].rename(name))


def test_a_function_of_ones_own_is_a_metric():
    def length(recommendations, truth):
        return recommendations.group_by("user_id").agg(pl.len().cast(pl.Float64).alias("value"))

    table = per_user(SHOWN, TAKEN, {"length": length, "ndcg@5": ndcg(5)})
    assert table.columns == ["user_id", "length", "ndcg@5"]
    assert table["length"].to_list() == [5.0, 2.0, None]


@pytest.mark.parametrize("k", [0, -1, 2.5, True, "10"])
def test_cutoffs_are_whole_numbers_from_one(k):
    with pytest.raises(ConfigError, match="cutoff"):
        ndcg(k)


def test_cutoffs_may_be_numbers_of_numpy():
    shown, truth = lists((1, 10, 1), (1, 11, 2)), pl.DataFrame({"user_id": [1, 1], "item_id": [11, 12]})
    for metric in (precision, recall, hit_rate, ndcg, mrr, average_precision):
        assert metric(np.int64(10))(shown, truth).equals(metric(10)(shown, truth))


def test_names_are_read_and_misspelt_ones_get_a_suggestion():
    assert parse("NDCG@10").name == "ndcg@10"
    assert parse("map@5").name == average_precision(5).name
    with pytest.raises(ConfigError, match="Did you mean 'ndcg'"):
        parse("ncdg@10")
    with pytest.raises(ConfigError, match="'ndcg@10'"):
        parse("ndcg")


def test_arrow_tables_are_taken_and_answered_in_polars():
    lists = pl.DataFrame({"user_id": [1, 1, 2], "item_id": [5, 6, 5], "rank": [1, 2, 1]})
    truth = pl.DataFrame({"user_id": [1, 2], "item_id": [6, 7]})
    wanted = {"map@2": average_precision(2), "ndcg@2": ndcg(2)}
    assert per_user(lists.to_arrow(), truth.to_arrow(), wanted).equals(per_user(lists, truth, wanted))
