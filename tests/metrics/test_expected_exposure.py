from itertools import permutations

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import ConfigError, DataError
from equipoise.metrics import (
    expected_exposure_disparity,
    expected_exposure_loss,
    expected_exposure_relevance,
    per_user,
)


def lists(*rows):
    return pl.DataFrame(rows, schema=["user_id", "item_id", "rank"], orient="row")


def by_all_rankings(shown, relevant, k, n):
    """The loss from its definition: the target is the mean over every ranking with relevant items first."""
    attention = [1 / np.log2(rank + 1) if rank <= k else 0.0 for rank in range(1, n + 1)]
    ideal = np.zeros(n)
    rankings = [
        (*first, *last)
        for first in permutations(sorted(relevant))
        for last in permutations(sorted(set(range(n)) - relevant))
    ]
    for ranking in rankings:
        for place, item in enumerate(ranking):
            ideal[item] += attention[place] / len(rankings)
    given_to = np.zeros(n)
    for place, item in enumerate(shown):
        given_to[item] = attention[place]
    return ((given_to - ideal) ** 2).sum(), (given_to**2).sum(), (given_to * ideal).sum()


@settings(max_examples=40, deadline=None)
@given(
    st.permutations(range(5)),
    st.integers(0, 5),
    st.sets(st.integers(0, 4), min_size=1),
    st.integers(1, 6),
)
def test_it_is_the_mean_over_all_rankings_with_the_relevant_on_top(order, length, relevant, k):
    truth = pl.DataFrame({"user_id": [1] * len(relevant), "item_id": sorted(relevant)})
    shown = lists(*((1, item, rank) for rank, item in enumerate(order[:length], 1)), (2, 0, 1))
    expected = by_all_rankings(order[:length][:k], relevant, k, 5)
    makers = (expected_exposure_loss, expected_exposure_disparity, expected_exposure_relevance)
    found = [make(k, 5)(shown, truth)["value"].to_list() for make in makers]
    assert found == [[pytest.approx(value, abs=1e-9)] for value in expected]


def test_one_relevant_item_on_top_is_perfect_when_only_it_is_shown():
    truth = pl.DataFrame({"user_id": [1], "item_id": [3]})
    assert expected_exposure_loss(1, 10)(lists((1, 3, 1)), truth)["value"].to_list() == [0.0]
    assert expected_exposure_loss(1, 10)(lists((1, 4, 1)), truth)["value"].to_list() == [2.0]


def test_who_gets_no_list_gives_nothing_exposure():
    truth = pl.DataFrame({"user_id": [1, 2], "item_id": [3, 3]})
    table = per_user(
        lists((1, 3, 1)), truth, {"loss": expected_exposure_loss(1, pl.DataFrame({"item_id": range(9)}))}
    )
    assert table.rows() == [(1, 0.0), (2, 1.0)]


def test_a_catalogue_that_cannot_be_is_refused():
    truth = pl.DataFrame({"user_id": [1, 1], "item_id": [3, 4]})
    with pytest.raises(DataError, match="2 items, but the catalogue has 1"):
        expected_exposure_loss(1, 1)(lists((1, 3, 1)), truth)
    with pytest.raises(ConfigError, match="no items"):
        expected_exposure_loss(1, 0)


def test_all_engines_give_the_same_numbers():
    rng = np.random.default_rng(0)
    shown = lists(*((u, int(i), r) for u in range(20) for r, i in enumerate(rng.permutation(15)[:6], 1)))
    truth = pl.DataFrame({"user_id": rng.integers(0, 25, 60), "item_id": rng.integers(0, 15, 60)})
    metric = expected_exposure_loss(5, 15)
    expected = metric(shown, truth)
    for there in (
        (shown.to_pandas(), truth.to_pandas()),
        (duckdb.sql("select * from shown"), duckdb.sql("select * from truth")),
        (shown.sample(fraction=1, shuffle=True, seed=1), truth.reverse()),
    ):
        found = pl.DataFrame(metric(*there))
        assert found["user_id"].to_list() == expected["user_id"].to_list()
        np.testing.assert_allclose(found["value"], expected["value"], atol=1e-9)
