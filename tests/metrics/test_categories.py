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
    calibration,
    category_coverage,
    define,
    exposure_share,
    faithful,
    jensen_shannon_calibration,
    per_user,
)
from equipoise.metrics.memberships import memberships

ITEMS = pl.DataFrame({"item_id": list("abcde"), "genre": ["Drama", "Drama|War", "War", None, "Comedy"]})
TRAIN = pl.DataFrame({"user_id": [1, 1, 1, 2, 3, 3], "item_id": ["a", "b", "a", "c", "d", "d"]})
SHOWN = pl.DataFrame(
    {"user_id": [1, 1, 1, 2, 2, 3, 4], "item_id": list("cdbeacd"), "rank": [1, 2, 3, 1, 2, 1, 1]}
)


def values(table):
    return dict(pl.DataFrame(table).rows())


def test_items_of_several_groups_split_their_mass():
    table = pl.DataFrame(memberships(ITEMS, "genre").to_native())
    assert table.rows() == [
        ("a", "Drama", 1.0),
        ("b", "Drama", 0.5),
        ("b", "War", 0.5),
        ("c", "War", 1.0),
        ("e", "Comedy", 1.0),
    ]
    numbers = pl.DataFrame({"item_id": [1, 2, 3], "year": [1995.0, float("nan"), 0.5]})
    assert memberships(numbers, "year").get_column("group").to_list() == ["1995", "0.5"]


def test_items_that_say_nothing_are_refused():
    with pytest.raises(DataError, match="No item has a value in 'genre'"):
        memberships(ITEMS.with_columns(genre=pl.lit(None, pl.String)), "genre")
    with pytest.raises(DataError, match="repeat an 'item_id'"):
        memberships(pl.concat([ITEMS, ITEMS]), "genre")


def test_share_of_exposure_by_hand():
    third, second = 0.5, 1 / math.log2(3)
    war = values(exposure_share(3, ITEMS, "genre", "War")(SHOWN))
    assert war[1] == pytest.approx((1 + 0.5 * third) / (1 + second + third))  # c first, half of b third
    assert (war[2], war[3], war[4]) == (0.0, 1.0, 0.0)  # 4 is shown only what has no genre
    assert exposure_share(3, ITEMS, "genre", "War").name == "exposure_share(War)@3"
    assert define("exposure_share(War)@3").fair is None


def test_an_unknown_group_gets_a_suggestion():
    with pytest.raises(ConfigError, match="'Drama'"):
        exposure_share(3, ITEMS, "genre", "Dramma")


def test_calibration_by_hand():
    # User 1: history a, b is 3/4 drama, 1/4 war; list c, b (d has no genre) is 1/4 drama, 3/4 war.
    p, q = (0.75, 0.25), (0.25, 0.75)
    kl = sum(a * math.log(a / (0.99 * b + 0.01 * a)) for a, b in zip(p, q, strict=True))
    js = sum(a * math.log2(a / 0.5) for a in (*p, *q)) / 2
    found = values(calibration(3, ITEMS, "genre", TRAIN)(SHOWN))
    # User 2 had war and is shown comedy and drama; 3 has no known history, 4 no history at all.
    assert found == {1: pytest.approx(kl), 2: pytest.approx(-math.log(0.01))}
    assert values(jensen_shannon_calibration(3, ITEMS, "genre", TRAIN)(SHOWN)) == {
        1: pytest.approx(js),
        2: 1.0,
    }
    assert values(category_coverage(1, ITEMS, "genre", TRAIN)(SHOWN)) == {
        1: 0.5,
        2: 0.0,
    }
    with pytest.raises(ConfigError, match="mix"):
        calibration(3, ITEMS, "genre", TRAIN, mix=0)


def test_the_share_of_faithful_explanations():
    shown = SHOWN.with_columns(faithful=pl.Series([True, False, None, True, True, None, False]))
    assert values(faithful(3)(shown)) == {1: pytest.approx(1 / 3), 2: 1.0, 3: 0.0, 4: 0.0}
    assert faithful(3).measurable(shown)
    assert not faithful(3).measurable(SHOWN)
    with pytest.raises(DataError, match="no column 'faithful'"):
        faithful(3)(SHOWN)
    with pytest.raises(DataError, match="other than true or false"):
        faithful(3)(SHOWN.with_columns(faithful=pl.lit(0.5)))
    for words in (pl.lit("yes"), pl.lit("no")):
        with pytest.raises(DataError, match="other than true or false"):
            faithful(3)(SHOWN.with_columns(faithful=words))
    with pytest.raises(DataError, match="mixed types"):
        faithful(3)(SHOWN.to_pandas().assign(faithful=pd.Series([True, "yes"] * 3 + [None], dtype=object)))
    mixed = SHOWN.to_pandas().assign(faithful=pd.Series([True, False, None] * 2 + [None], dtype=object))
    assert values(faithful(3)(mixed))[1] == pytest.approx(1 / 3)


def metrics():
    return {
        "share": exposure_share(3, ITEMS, "genre", "War"),
        "kl": calibration(3, ITEMS, "genre", TRAIN),
        "js": jensen_shannon_calibration(3, ITEMS, "genre", TRAIN),
        "coverage": category_coverage(3, ITEMS, "genre", TRAIN),
    }


def test_they_stand_beside_metrics_of_hits():
    truth = pl.DataFrame({"user_id": [1, 2, 9], "item_id": ["c", "a", "a"]})
    table = per_user(SHOWN, truth, metrics())
    assert table["user_id"].to_list() == [1, 2, 9]
    assert table.row(2) == (9, None, None, None, None)


def test_all_engines_give_the_same_numbers():
    explained = SHOWN.with_columns(faithful=pl.Series([True, False, None, True, True, None, False]))
    measured = metrics() | {"faithful": faithful(3)}
    for name, metric in measured.items():
        expected = metric(explained)
        for there in (explained.to_pandas(), duckdb.sql("select * from explained"), explained.to_arrow()):
            found = pl.DataFrame(metric(there))
            assert found["user_id"].to_list() == expected["user_id"].to_list(), name
            np.testing.assert_allclose(found["value"], expected["value"], atol=1e-9, err_msg=name)


def test_spark_gives_the_same_numbers(spark):
    shown, train = (spark.createDataFrame(table.rows(), table.columns) for table in (SHOWN, TRAIN))
    expected = calibration(3, ITEMS, "genre", TRAIN)(SHOWN)
    found = calibration(3, ITEMS, "genre", train)(shown)
    assert found["user_id"].to_list() == expected["user_id"].to_list()
    np.testing.assert_allclose(found["value"], expected["value"], atol=1e-9)


tables = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), min_size=1, max_size=40, unique=True)


@settings(max_examples=40, deadline=None)
@given(tables, tables, st.lists(st.sampled_from(["x", "y", "z", "x|y", "y|z"]), min_size=10, max_size=10))
def test_values_lie_in_their_ranges_in_any_order_of_rows(history, shown, genres):
    items = pl.DataFrame({"item_id": range(10), "genre": genres})
    train = pl.DataFrame(history, schema=["user_id", "item_id"], orient="row")
    lists = pl.DataFrame(shown, schema=["user_id", "item_id"], orient="row").with_columns(
        rank=pl.int_range(1, pl.len() + 1).over("user_id")
    )
    kl = calibration(5, items, "genre", train)(lists)
    js = jensen_shannon_calibration(5, items, "genre", train)(lists)
    cover = category_coverage(5, items, "genre", train)(lists)
    assert kl["value"].is_between(-1e-12, -math.log(0.01) + 1e-9).all()
    assert js["value"].is_between(0, 1).all()
    assert cover["value"].is_between(0, 1).all()
    assert ((js["value"] < 1 - 1e-9) == (cover["value"] > 0)).all()  # nothing in common is one bit
    shuffled = lists.sample(fraction=1, shuffle=True, seed=1)
    assert calibration(5, items.reverse(), "genre", train.reverse())(shuffled).equals(kl)
    renamed = items.with_columns(pl.col("genre").str.replace_all("x", "zz"))
    other = jensen_shannon_calibration(5, renamed, "genre", train)(lists)
    np.testing.assert_allclose(other["value"], js["value"], atol=1e-12)
    shares = [
        exposure_share(5, items, "genre", group)(lists)["value"].to_numpy()
        for group in {part for genre in genres for part in genre.split("|")}
    ]
    np.testing.assert_allclose(np.sum(shares, axis=0), 1.0)


@settings(max_examples=30, deadline=None)
@given(tables)
def test_a_list_like_the_history_is_calibrated(history):
    items = pl.DataFrame({"item_id": range(10), "genre": list("xyzxyzxyzx")})
    train = pl.DataFrame(history, schema=["user_id", "item_id"], orient="row")
    lists = train.with_columns(rank=pl.int_range(1, pl.len() + 1).over("user_id"))
    assert (calibration(10, items, "genre", train)(lists)["value"] == 0).all()
    assert (jensen_shannon_calibration(10, items, "genre", train)(lists)["value"] == 0).all()
    assert (category_coverage(10, items, "genre", train)(lists)["value"] == 1).all()
