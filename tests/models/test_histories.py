"""Event logs as flat histories: order, searches, ids of any type, and how histories are cut and joined."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.data import Dataset
from equipoise.models.histories import Catalogue, Histories, locate, strangers

EVENTS = pl.DataFrame(
    {
        "user_id": ["b", "a", "a", "b", "a", "a", "c"],
        "item_id": ["x", "y", None, "z", "x", "w", "w"],
        "event": ["click", "click", "search", "click", "purchase", "impression", "impression"],
        "query": [None, "typed before", "red shoes", None, None, None, None],
        "timestamp": [5, 3, 2, 1, 4, 6, 7],
        "value": [None, 2.5, None, 4.0, None, None, None],
    }
)


@pytest.fixture
def data():
    users = pl.DataFrame({"user_id": ["a", "new"]})
    items = pl.DataFrame({"item_id": ["y", "never"]})
    return Dataset(EVENTS, users, items)


def steps(histories, row):
    return slice(histories.starts[row], histories.starts[row + 1])


def test_catalogue_holds_all_ids_sorted_and_counts_positive_events(data):
    catalogue = Catalogue.of(data)
    assert catalogue.users.to_list() == ["a", "b", "c", "new"]
    assert catalogue.items.to_list() == ["never", "w", "x", "y", "z"]
    assert catalogue.user_counts.tolist() == [2, 2, 0, 0]
    assert catalogue.item_counts.tolist() == [0, 0, 2, 1, 1]


def test_histories_stand_in_time_order_with_searches_and_without_impressions(data):
    catalogue = Catalogue.of(data)
    histories = Histories.of(data.events, catalogue, weights=np.arange(7.0))
    assert np.diff(histories.starts).tolist() == [3, 2, 0, 0]
    mine = steps(histories, 0)
    assert histories.items[mine].tolist() == [-1, 3, 2]
    assert histories.queries[mine].tolist() == [0, -1, -1]
    assert histories.texts == ("red shoes",)
    assert histories.weights[mine].tolist() == [2, 1, 4]
    np.testing.assert_array_equal(histories.values[mine], [np.nan, 2.5, np.nan])
    assert histories.items[steps(histories, 1)].tolist() == [4, 2]


@pytest.mark.parametrize("kind", [pl.Int32, pl.UInt8, pl.Int64])
def test_integer_ids_keep_their_type(kind):
    events = pl.DataFrame({"user_id": [3, 1], "item_id": [7, 9]}, schema={"user_id": kind, "item_id": kind})
    catalogue = Catalogue.of(Dataset(events, items=pl.DataFrame({"item_id": ["8", "shoe"]})))
    assert catalogue.users.dtype == catalogue.items.dtype == kind
    assert catalogue.items.to_list() == [7, 8, 9]


def test_categorical_ids_become_texts():
    events = pl.DataFrame({"user_id": ["b", "a"], "item_id": ["x", "y"]}).cast(pl.Categorical)
    catalogue = Catalogue.of(Dataset(events))
    assert catalogue.users.to_list() == ["a", "b"]
    assert catalogue.users.dtype == pl.String
    assert np.diff(Histories.of(events, catalogue).starts).tolist() == [1, 1]


def test_locate_casts_and_marks_what_is_not_there():
    assert locate(pl.Series([2, 5, 9]), pl.Series(["5", "x", None, "9"])).tolist() == [1, -1, -1, 2]
    assert locate(pl.Series(["2", "5"]), pl.Series([5, 7])).tolist() == [1, -1]
    assert locate(pl.Series([2, 5]), pl.Series([5.5, 2.0])).tolist() == [-1, 0]


def test_strangers_are_ids_of_the_same_type_that_are_not_there():
    assert strangers(pl.Series([2, 5]), pl.Series(["7", "x", None, "2", "6", "7"])).to_list() == [6, 7]
    assert strangers(pl.Series([2, 5]), pl.Series([5.5, 2.0, 3.0])).to_list() == [3]
    assert strangers(pl.Series(["2"]), pl.Series([2, 3])).to_list() == ["3"]
    assert locate(pl.Series(["2.0"]), pl.Series([2.0, 3.0])).tolist() == [0, -1]


def test_without_time_rows_are_the_order():
    events = pl.DataFrame({"user_id": [1, 1, 1], "item_id": [9, 3, 5]})
    catalogue = Catalogue.of(Dataset(events))
    assert Histories.of(events, catalogue).items.tolist() == [2, 0, 1]


def test_order_parts_equal_times():
    events = pl.DataFrame(
        {"user_id": [1, 1, 1], "item_id": [9, 3, 5], "timestamp": [4, 4, 1], "order": [1, 0, 7]}
    )
    catalogue = Catalogue.of(Dataset(events))
    assert Histories.of(events, catalogue).items.tolist() == [1, 0, 2]


logs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=30)


@settings(deadline=None)
@given(logs, st.randoms(use_true_random=False))
def test_row_order_does_not_matter_even_at_equal_times(log, random):
    def of(rows):
        events = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
        return Histories.of(events, Catalogue.of(Dataset(events)))

    shuffled = random.sample(log, len(log))
    left, right = of(log), of(shuffled)
    assert np.array_equal(left.starts, right.starts)
    assert np.array_equal(left.items, right.items)


@settings(deadline=None)
@given(logs, st.lists(st.integers(-1, 2), max_size=6))
def test_take_gives_the_rows_asked_for(log, rows):
    events = pl.DataFrame(log, schema=["user_id", "item_id", "timestamp"], orient="row")
    histories = Histories.of(events, Catalogue.of(Dataset(events)))
    rows = [row for row in rows if row < len(histories)]
    taken = histories.take(rows)
    assert len(taken) == len(rows)
    for place, row in enumerate(rows):
        expected = histories.items[steps(histories, row)] if row >= 0 else []
        assert taken.items[steps(taken, place)].tolist() == list(expected)


def joined(first, second, clocks=("timestamp", "timestamp")):
    """Two parts of a log (user, item, time) and what they are together; a clock of None drops the times."""
    parts = [
        pl.DataFrame(part, schema=["user_id", "item_id", "time"], orient="row") for part in (first, second)
    ]
    catalogue = Catalogue.of(Dataset(pl.concat(parts, how="vertical_relaxed")))
    old, new = (
        Histories.of(part.drop("time") if clock is None else part.rename({"time": clock}), catalogue)
        for part, clock in zip(parts, clocks, strict=True)
    )
    return old, new, old.followed_by(new)


@settings(deadline=None)
@given(logs, logs)
def test_followed_by_merges_by_time_the_old_before_the_new(first, second):
    old, new, both = joined(first, second)
    for row in range(len(both)):
        parts = [(part, place) for part in (old, new) for place in range(*part.starts[row : row + 2])]
        parts.sort(key=lambda step: step[0].times[step[1]])  # stable
        assert both.items[steps(both, row)].tolist() == [part.items[place] for part, place in parts]
        assert both.times[steps(both, row)].tolist() == [part.times[place] for part, place in parts]


@pytest.mark.parametrize(
    "clocks", [("timestamp", None), (None, "timestamp"), ("timestamp", "order"), (None, None)]
)
@settings(deadline=None)
@given(logs, logs)
def test_followed_by_appends_where_times_cannot_be_compared(clocks, first, second):
    old, new, both = joined(first, second, clocks)
    for row in range(len(both)):
        expected = [*old.items[steps(old, row)], *new.items[steps(new, row)]]
        assert both.items[steps(both, row)].tolist() == expected


def test_followed_by_appends_only_in_rows_where_a_time_is_missing():
    first = [(1, 10, 5), (1, 11, None), (2, 10, 5)]
    _, _, both = joined(first, [(1, 12, 3), (2, 12, 3)])
    assert both.items[steps(both, 0)].tolist() == [1, 0, 2]
    assert both.items[steps(both, 1)].tolist() == [2, 0]


@pytest.mark.parametrize("later", ["date", "datetime", "seconds"])
def test_times_of_any_type_are_seconds(later):
    stamp = pl.Series([datetime(2020, 1, 2, tzinfo=UTC)])
    earlier = {
        "date": stamp.dt.date(),
        "datetime": stamp.dt.cast_time_unit("ns"),
        "seconds": pl.Series([1577923200.0]),
    }[later]
    catalogue = Catalogue.of(Dataset(pl.DataFrame({"user_id": [1, 1], "item_id": [10, 11]})))
    old = Histories.of(
        pl.DataFrame({"user_id": [1], "item_id": [10], "timestamp": [datetime(2021, 1, 1, tzinfo=UTC)]}),
        catalogue,
    )
    new = Histories.of(pl.DataFrame({"user_id": [1], "item_id": [11], "timestamp": earlier}), catalogue)
    assert new.times.tolist() == [1577923200]
    assert old.followed_by(new).items.tolist() == [1, 0]


def test_followed_by_keeps_queries_apart():
    def searched(*queries):
        frame = pl.DataFrame({"query": queries}).with_columns(
            pl.lit(1).alias("user_id"), pl.lit(None, dtype=pl.Int64).alias("item_id")
        )
        return Histories.of(frame, catalogue)

    catalogue = Catalogue.of(Dataset(pl.DataFrame({"user_id": [1], "item_id": [2]})))
    joined = searched("b", "a").followed_by(searched("c", "b"))
    assert [joined.texts[query] for query in joined.queries] == ["b", "a", "c", "b"]


@settings(deadline=None)
@given(logs)
def test_matrix_sums_weights_and_marked_is_where_it_is_not_zero(log):
    events = pl.DataFrame(log, schema=["user_id", "item_id", "timestamp"], orient="row")
    catalogue = Catalogue.of(Dataset(events))
    weights = np.arange(1.0, len(log) + 1)
    histories = Histories.of(events, catalogue, weights)
    dense = np.zeros((len(catalogue.users), len(catalogue.items)))
    for (user, item, _), weight in zip(log, weights, strict=True):
        row, column = locate(catalogue.users, pl.Series([user])), locate(catalogue.items, pl.Series([item]))
        dense[row, column] += weight
    assert np.array_equal(histories.matrix(len(catalogue.items)).toarray(), dense)
    assert np.array_equal(histories.marked(len(catalogue.items)), dense > 0)
