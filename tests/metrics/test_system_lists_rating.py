import math

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import ConfigError, DataError
from equipoise.metrics import (
    DEFINITIONS,
    coverage,
    define,
    entropy,
    exposure,
    gini,
    intra_list_diversity,
    lorenz,
    mae,
    mean_popularity,
    mse,
    novelty,
    parse_system,
    rating_errors,
    rmse,
    system,
)

# Item a is shown to all three, b to two, c to one at rank 3; d never.
SHOWN = pl.DataFrame({"user_id": [1, 1, 2, 2, 3, 3], "item_id": list("ababac"), "rank": [1, 2, 1, 2, 1, 3]})


def test_system_values_by_hand():
    assert exposure(SHOWN, 4, 3).tolist() == [0, 1, 2, 3]
    assert coverage(3)(SHOWN, 4) == 3 / 4
    assert coverage(2)(SHOWN, 4) == 2 / 4
    assert gini(3)(SHOWN, 4) == pytest.approx((-3 * 0 - 1 * 1 + 1 * 2 + 3 * 3) / (4 * 6))  # 10/24
    assert entropy(3)(SHOWN, 4) == pytest.approx(
        -(1 / 2 * math.log2(1 / 2) + 1 / 3 * math.log2(1 / 3) + 1 / 6 * math.log2(1 / 6))
    )


def test_extremes_of_exposure():
    same = pl.DataFrame({"user_id": [1, 2, 3], "item_id": [7, 7, 7], "rank": [1, 1, 1]})
    each = pl.DataFrame({"user_id": [1, 2, 3], "item_id": [7, 8, 9], "rank": [1, 1, 1]})
    assert (gini(1)(same, 3), entropy(1)(same, 3)) == (pytest.approx(2 / 3), 0.0)
    assert (gini(1)(each, 3), entropy(1)(each, 3)) == (0.0, pytest.approx(math.log2(3)))
    assert (gini(1)(each.clear(), 3), coverage(1)(each.clear(), 3), entropy(1)(each.clear(), 3)) == (
        0.0,
        0.0,
        0.0,
    )


def test_system_shares_counts_and_takes_a_catalogue_frame_of_any_engine():
    items = pl.DataFrame({"item_id": list("abcd")})
    metrics = {name: parse_system(name) for name in ("coverage@3", "gini@3", "entropy@2")}
    expected = {"coverage@3": 0.75, "gini@3": pytest.approx(10 / 24), "entropy@2": pytest.approx(0.970951)}
    assert system(SHOWN, items, metrics) == expected
    assert system(SHOWN.to_pandas(), items.to_pandas(), metrics) == expected
    assert system(duckdb.sql("select * from SHOWN"), duckdb.sql("select * from items"), metrics) == expected


def test_a_catalogue_smaller_than_what_was_shown_is_refused():
    with pytest.raises(DataError, match="3 distinct items, but the catalogue has 2"):
        coverage(3)(SHOWN, 2)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=12).filter(lambda counts: sum(counts) > 0))
def test_gini_is_half_the_mean_difference_and_twice_the_area_over_the_lorenz_curve(counts):
    x = np.sort(np.array(counts, dtype=float))
    shown = pl.DataFrame(
        [(user, item, 1) for item, n in enumerate(counts) for user in range(n)],
        schema=["user_id", "item_id", "rank"],
        orient="row",
    )
    value = gini(1)(shown, len(counts))
    pairwise = np.abs(x[:, None] - x[None, :]).sum() / (2 * len(x) ** 2 * x.mean())
    assert value == pytest.approx(pairwise, abs=1e-12)
    share, held = lorenz(x, points=len(x) + 1)
    assert value == pytest.approx(1 - 2 * np.trapezoid(held, share), abs=1e-12)


def test_diversity_by_hand():
    items = pl.DataFrame(
        {
            "item_id": list("abc"),
            "category": ["warm", "warm", "cold"],
            "v": [[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]],
        }
    )
    shown = pl.DataFrame(
        {"user_id": [1, 1, 1, 2, 2, 3], "item_id": list("abcaba"), "rank": [1, 2, 3, 1, 2, 1]}
    )
    assert intra_list_diversity(3, items)(shown).rows() == [(1, pytest.approx(2 / 3)), (2, 0.0)]
    half = math.sqrt(0.5)  # cosine of a and b, and of b and c; a and c are orthogonal
    by_vector = intra_list_diversity(3, items, "v")(shown).rows()
    assert by_vector == [(1, pytest.approx(1 - 2 * half / 3)), (2, pytest.approx(1 - half))]
    wide = items.with_columns(x=pl.col("v").list.get(0), y=pl.col("v").list.get(1))
    assert intra_list_diversity(3, wide, ["x", "y"])(shown).rows() == by_vector
    assert intra_list_diversity(2, items)(shown.to_pandas()).to_numpy().tolist() == [[1, 0], [2, 0]]


def test_items_without_a_category_are_unlike_all():
    items = pl.DataFrame({"item_id": list("ab"), "category": ["warm", None]})
    shown = pl.DataFrame({"user_id": [1, 1, 1], "item_id": list("abz"), "rank": [1, 2, 3]})
    assert intra_list_diversity(3, items)(shown)["value"].to_list() == [1.0]


def test_novelty_and_popularity_by_hand():
    train = pl.DataFrame(
        {"user_id": [1, 2, 3, 4, 1, 1], "item_id": list("aaaabb")}
    )  # a: 4 of 4 users; b: 1 of 4
    shown = pl.DataFrame({"user_id": [1, 1, 2], "item_id": ["a", "b", "new"], "rank": [1, 2, 1]})
    assert mean_popularity(5, train)(shown).rows() == [(1, 0.625), (2, 0.0)]
    assert novelty(5, train)(shown).rows() == [
        (1, 1.0),
        (2, 2.0),
    ]  # −log2 1 = 0, −log2 1/4 = 2; unseen as if one had it
    assert novelty(1, train)(duckdb.sql("select * from shown"))["value"].to_list() == [0.0, 2.0]


PREDICTED = pl.DataFrame({"user_id": [1, 1, 2, 2], "item_id": [1, 2, 1, 9], "score": [4.0, 2.0, 5.0, 1.0]})
RATED = pl.DataFrame({"user_id": [1, 1, 2, 2], "item_id": [1, 2, 1, 3], "value": [3.0, 4.0, 5.0, None]})


def test_rating_errors_by_hand():
    table = rating_errors(PREDICTED, RATED)
    assert table.rows() == [(1, 2, 5.0, 3.0), (2, 1, 0.0, 0.0)]
    assert rmse.pooled(PREDICTED, RATED) == pytest.approx(math.sqrt(5 / 3))
    assert (mse.pooled(PREDICTED, RATED), mae.pooled(PREDICTED, RATED)) == (pytest.approx(5 / 3), 1.0)
    assert rmse(PREDICTED.to_pandas(), RATED.to_pandas())["value"].tolist() == pytest.approx(
        [math.sqrt(2.5), 0.0]
    )


def test_rating_errors_refuse_what_cannot_be_measured():
    with pytest.raises(DataError, match="same user and item twice"):
        rating_errors(PREDICTED, pl.concat([RATED, RATED]))
    with pytest.raises(DataError, match="not a finite number"):
        rating_errors(PREDICTED.with_columns(score=pl.lit(float("nan"))), RATED)
    with pytest.raises(DataError, match="0 pairs"):
        rating_errors(PREDICTED.clear(), RATED)


def test_every_definition_is_complete():
    assert {"ndcg", "gini", "novelty", "rmse"} <= set(DEFINITIONS)
    for definition in DEFINITIONS.values():
        assert definition.better in {"high", "low", "neither"}
        assert definition.level in {"user", "list", "pairs", "system", "provider", "attack"}
        assert definition.title
        assert definition.formula
        assert definition.unit
    assert define("ndcg@10") is DEFINITIONS["ndcg"]
    assert define("mine@3") is None


def test_unknown_system_metric_gets_a_suggestion():
    with pytest.raises(ConfigError, match="Did you mean 'gini'"):
        parse_system("ginni@10")
