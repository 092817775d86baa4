from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.data import Dataset, cuts, to_polars
from equipoise.data.config import Source, read
from equipoise.data.splits import Split, k_fold, split
from equipoise.errors import DataError

from .conftest import same

WAYS: dict[str, Any] = {
    "temporal": cuts.temporal,
    "leave_last": cuts.leave_last,
    "temporal_user": cuts.temporal_user,
    "random": cuts.random,
    "k_fold": cuts.k_fold,
    "cold_users": lambda events: cuts.cold(events, "user_id"),
    "cold_items": lambda events: cuts.cold(events, "item_id"),
}


def events_of(
    *rows: tuple[Any, ...], columns: tuple[str, ...] = ("user_id", "item_id", "timestamp")
) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=list(columns), orient="row")


@pytest.mark.parametrize("way", WAYS)
def test_parts_are_the_same_on_every_engine(way: str, engine: Any, shop: pl.DataFrame) -> None:
    for ours, theirs in zip(WAYS[way](shop), WAYS[way](engine(shop)), strict=True):
        same(theirs, ours)


def test_eager_frames_stay_their_own_kind(shop: pl.DataFrame) -> None:
    import pandas as pd

    assert isinstance(cuts.temporal(shop.to_pandas()).train, pd.DataFrame)
    assert isinstance(cuts.temporal(shop.lazy()).train, pl.DataFrame)


@pytest.mark.parametrize("way", WAYS)
def test_no_row_is_lost_or_doubled(way: str, shop: pl.DataFrame) -> None:
    same(pl.concat(WAYS[way](shop)), shop)


rows = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.integers(0, 6),
        st.integers(0, 5),
        st.sampled_from(["click", "impression", "buy"]),
    ),
    min_size=12,
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(rows=rows, seed=st.integers(0, 99), way=st.sampled_from(sorted(WAYS)))
def test_the_order_of_rows_plays_no_part(rows: list[tuple[Any, ...]], seed: int, way: str) -> None:
    frame = events_of(*rows, columns=("user_id", "item_id", "timestamp", "event"))
    shuffled = frame[np.random.default_rng(seed).permutation(len(frame))]
    try:
        parts = WAYS[way](frame)
    except DataError as error:
        with pytest.raises(DataError, match=error.what[:20]):
            WAYS[way](shuffled)
        return
    for one, other in zip(parts, WAYS[way](shuffled), strict=True):
        assert one.rows() == other.rows()  # the same rows in the same order


@settings(max_examples=60, deadline=None)
@given(rows=rows)
def test_temporal_never_looks_ahead_and_never_tears_a_moment(rows: list[tuple[Any, ...]]) -> None:
    frame = events_of(*rows, columns=("user_id", "item_id", "timestamp", "event"))
    try:
        train, valid, test = cuts.temporal(frame, valid=0.2, test=0.2)
    except DataError:
        taste = frame.filter(pl.col("event") != "impression")
        assert taste["timestamp"].n_unique() < 3  # three moments always give three parts
        return
    assert train["timestamp"].max() < valid["timestamp"].min()  # type: ignore[operator]
    assert valid["timestamp"].max() < test["timestamp"].min()  # type: ignore[operator]


def test_temporal_takes_the_shares_asked_for() -> None:
    frame = events_of(*[(i % 3, i, i) for i in range(100)])
    train, valid, test = cuts.temporal(frame, valid=0.1, test=0.2)
    assert [len(part) for part in (train, valid, test)] == [70, 10, 20]
    assert test["timestamp"].min() == 80


def test_temporal_keeps_equal_times_together() -> None:
    frame = events_of(
        *[(0, i, 0) for i in range(5)], *[(0, i, 1) for i in range(5)], *[(0, i, 2) for i in range(5)]
    )
    parts = cuts.temporal(frame, valid=0.1, test=0.1)
    assert [part["timestamp"].unique().to_list() for part in parts] == [[0], [1], [2]]


def test_temporal_without_a_timestamp_points_to_leave_last() -> None:
    frame = events_of((1, 1, 0), (1, 2, 1), columns=("user_id", "item_id", "order"))
    with pytest.raises(DataError, match="leave_last"):
        cuts.temporal(frame)


def test_temporal_refuses_one_moment() -> None:
    with pytest.raises(DataError, match="too few to cut"):
        cuts.temporal(events_of((1, 1, 5), (2, 2, 5)))


@pytest.mark.parametrize("way", [cuts.temporal, cuts.temporal_user, cuts.random])
def test_shares_must_leave_something_for_training(way: Any) -> None:
    frame = events_of(*[(1, i, i) for i in range(10)])
    with pytest.raises(DataError, match="Nothing would be left"):
        way(frame, valid=0.6, test=0.6)


@pytest.mark.parametrize("way", [cuts.temporal, cuts.leave_last])
def test_a_missing_time_is_told(way: Any) -> None:
    with pytest.raises(DataError, match="1 of 3 events have no timestamp"):
        way(events_of((1, 1, 1), (1, 2, None), (1, 3, 3)))


def test_datetimes_split_like_numbers(shop: pl.DataFrame) -> None:
    dated = shop.with_columns(pl.from_epoch("timestamp").dt.replace_time_zone("UTC"))
    for plain, moment in zip(cuts.temporal(shop), cuts.temporal(dated), strict=True):
        same(moment.with_columns(pl.col("timestamp").dt.epoch("s")), plain)


def test_leave_last_by_hand() -> None:
    frame = events_of((1, 10, 3), (1, 11, 1), (1, 12, 2), (2, 10, 1), (2, 11, 2), (3, 10, 1))
    train, valid, test = cuts.leave_last(frame)
    assert sorted(train.rows()) == [(1, 11, 1), (2, 10, 1), (3, 10, 1)]
    assert valid.rows() == [(1, 12, 2)]
    assert sorted(test.rows()) == [(1, 10, 3), (2, 11, 2)]
    assert cuts.leave_last(frame, valid=False).valid.is_empty()


def test_leave_last_breaks_ties_by_item() -> None:
    frame = events_of((1, 30, 5), (1, 10, 5), (1, 20, 5))
    assert [part["item_id"].to_list() for part in cuts.leave_last(frame)] == [[10], [20], [30]]


def test_order_breaks_ties_in_time_before_the_item_does() -> None:
    columns = ("user_id", "item_id", "timestamp", "order")
    frame = events_of((1, 10, 5, 2), (1, 30, 5, 0), (1, 20, 5, 1), columns=columns)
    assert [part["item_id"].to_list() for part in cuts.leave_last(frame)] == [[30], [20], [10]]
    by_share = cuts.temporal_user(frame, valid=0.3, test=0.3)
    assert [part["item_id"].to_list() for part in by_share] == [[30], [20], [10]]
    assert cuts.temporal_user(frame, valid=0, test=0.5).train["item_id"].to_list() == [30]


def test_a_search_between_two_events_of_one_moment_goes_by_its_order() -> None:
    columns = ("user_id", "item_id", "timestamp", "order", "event")
    frame = events_of(
        (1, None, 5, 0, "search"),
        (1, 30, 5, 1, "click"),
        (1, None, 5, 2, "search"),
        (1, 10, 5, 3, "click"),
        (1, None, 5, None, "search"),
        columns=columns,
    )
    train, _, test = cuts.leave_last(frame, valid=False)
    assert train["order"].to_list() == [0, 1, 2]
    assert test["order"].to_list() == [3, None]


SEARCHES = ("user_id", "item_id", "timestamp", "event", "query", "request_id")


@pytest.mark.parametrize("way", [cuts.random, cuts.k_fold])
@pytest.mark.parametrize("seed", range(5))
def test_a_search_goes_where_the_next_event_of_its_user_goes(way: Any, seed: int) -> None:
    rows: list[tuple[Any, ...]] = []
    for user in range(3):
        for i in range(10):
            rows.append((user, None, 10 * i + 4 * user, "search", f"{user}/{i}", None))
            rows.append((user, i, 10 * i + 4 * user + 3, "click", f"{user}/{i}", None))
        rows.append((user, None, 1_000, "search", f"{user}/after", None))
    frame = events_of(*rows, columns=SEARCHES)
    parts = way(frame, seed=seed)
    for part in parts:
        asked, clicked = (set(part.filter(event=kind)["query"]) for kind in ("search", "click"))
        assert clicked
        assert {query for query in asked if "after" not in query} == clicked
    assert parts.train["query"].str.contains("after").sum() == 3


@pytest.mark.parametrize("seed", range(5))
def test_a_search_goes_with_its_request_before_it_goes_by_time(seed: int) -> None:
    rows: list[tuple[Any, ...]] = []
    for i in range(10):
        rows += [(1, None, i, "search", None, i), (1, i, 100 - i, "click", None, i)]
    for part in cuts.random(events_of(*rows, columns=SEARCHES), valid=0.2, test=0.3, seed=seed):
        asked, clicked = (set(part.filter(event=kind)["request_id"]) for kind in ("search", "click"))
        assert asked == clicked
    timeless = events_of(*rows, columns=SEARCHES).drop("timestamp").with_columns(slate_id=pl.lit(None))
    for part in cuts.random(timeless, valid=0.2, test=0.3, seed=seed):
        asked, clicked = (set(part.filter(event=kind)["request_id"]) for kind in ("search", "click"))
        assert asked == clicked


def test_random_needs_no_times_to_be_complete() -> None:
    rows = [(1, None, None, "search"), *((1, i, i or None, "click") for i in range(10))]
    frame = events_of(*rows, columns=("user_id", "item_id", "timestamp", "event"))
    train, _, test = cuts.random(frame)
    assert train["event"].to_list().count("search") == 1
    assert len(test) == 1


def test_the_protocol_tells_the_cut_and_not_the_slates_that_moved_over_it() -> None:
    columns = ("user_id", "item_id", "timestamp", "event", "slate_id")
    filler = [(1, 90 + i, i, "click", None) for i in range(8)]
    slates = [(1, 10, 2, "impression", 6), (1, 10, 8, "click", 6)]
    slates += [(1, 11, 3, "impression", 7), (1, 11, 9, "click", 7)]
    parts = split(Dataset(events_of(*filler, *slates, columns=columns)), Split(valid=0.1, test=0.1))
    assert parts.test.events["timestamp"].min() == 3
    assert (parts.protocol["valid_from"], parts.protocol["test_from"]) == (8, 9)


def test_leave_last_needs_an_order() -> None:
    with pytest.raises(DataError, match="timestamp' or 'order'"):
        cuts.leave_last(events_of((1, 1), (1, 2), columns=("user_id", "item_id")))


def test_searches_and_impressions_after_the_held_out_event_leave_the_history() -> None:
    columns = ("user_id", "item_id", "timestamp", "event", "query")
    frame = events_of(
        (1, 10, 1, "click", None),
        (1, None, 2, "search", "early"),
        (1, 11, 3, "click", None),
        (1, None, 4, "search", "between"),
        (1, 12, 5, "click", None),
        (1, None, 5, "search", "same time"),
        (1, None, 6, "search", "late"),
        columns=columns,
    )
    train, valid, test = cuts.leave_last(frame)
    assert train["query"].drop_nulls().to_list() == ["early"]
    assert valid["query"].drop_nulls().to_list() == ["between"]
    assert set(test["query"].drop_nulls()) == {"same time", "late"}


def test_a_slate_is_never_cut_in_two() -> None:
    columns = ("user_id", "item_id", "timestamp", "event", "slate_id")
    filler = [(1, 90 + i, i, "click", None) for i in range(8)]
    slate = [(1, 10, 9, "impression", 7), (1, 11, 9, "impression", 7), (1, 11, 10, "click", 7)]
    train, _, test = cuts.temporal(events_of(*filler, *slate, columns=columns), valid=0, test=0.11)
    assert test.filter(pl.col("slate_id") == 7).height == 3
    assert train["slate_id"].drop_nulls().is_empty()


def test_random_takes_the_impression_of_a_held_out_click_with_it(shop: pl.DataFrame) -> None:
    train, valid, test = cuts.random(shop.drop("slate_id"), valid=0.2, test=0.2, seed=3)
    pairs = [
        set(part.filter(pl.col("event").is_in(["click", "purchase"])).select("user_id", "item_id").rows())
        for part in (train, valid, test)
    ]
    shown = set(train.filter(pl.col("event") == "impression").select("user_id", "item_id").rows())
    assert shown
    assert not shown & (pairs[1] | pairs[2])
    positives = [p.filter(pl.col("event").is_in(["click", "purchase"])).height for p in (valid, test)]
    total = shop.filter(pl.col("event").is_in(["click", "purchase"])).height
    assert positives == [round(0.2 * total)] * 2


def test_random_depends_on_the_seed(shop: pl.DataFrame) -> None:
    one, other = (cuts.random(shop, seed=seed).test.rows() for seed in (0, 1))
    assert one != other
    assert cuts.random(shop, seed=0).test.rows() == one


def test_temporal_user_by_hand() -> None:
    frame = events_of(*[(1, i, i) for i in range(10)], *[(2, i, 0) for i in (9, 10, 2)])
    train, valid, test = cuts.temporal_user(frame, valid=0.1, test=0.2)
    of = {
        user: [p.filter(pl.col("user_id") == user)["item_id"].to_list() for p in (train, valid, test)]
        for user in (1, 2)
    }
    assert of[1] == [[0, 1, 2, 3, 4, 5, 6], [7], [8, 9]]
    assert of[2] == [[2, 10], [], [9]]  # as text "10" < "2" < "9"; floor(.7 * 3) = floor(.8 * 3) = 2


@pytest.mark.parametrize("column", ["user_id", "item_id"])
def test_cold_parts_share_nobody(column: str, shop: pl.DataFrame) -> None:
    parts = cuts.cold(shop, column, valid=0.2, test=0.2)
    ids = [set(part[column].drop_nulls()) for part in parts]
    assert all(ids)
    assert not ids[0] & ids[1]
    assert not ids[0] & ids[2]
    assert not ids[1] & ids[2]


def test_cold_refuses_to_leave_nothing() -> None:
    with pytest.raises(DataError, match="Nothing would be left"):
        cuts.cold(events_of((1, 1, 1), (2, 1, 1)), "user_id", valid=0.5, test=0.5)


@pytest.mark.parametrize("by", ["event", "user"])
def test_every_event_is_validated_once(by: Any, shop: pl.DataFrame) -> None:
    data = Dataset(shop)
    folds = list(k_fold(data, 4, by))
    same(pl.concat([fold.valid.positives for fold in folds]), data.positives)
    assert all(fold.test.events.is_empty() for fold in folds)
    if by == "user":
        assert all(not set(f.train.events["user_id"]) & set(f.valid.events["user_id"]) for f in folds)


def test_k_fold_as_a_split_takes_two_folds(shop: pl.DataFrame) -> None:
    data = Dataset(shop)
    folds = [split(data, Split(strategy="k_fold", folds=4, fold=fold)) for fold in range(4)]
    same(folds[0].valid.positives, folds[1].test.positives)
    same(pl.concat([fold.test.positives for fold in folds]), data.positives)


def test_nothing_but_impressions_cannot_be_split() -> None:
    frame = events_of((1, 1, 1, "impression"), columns=("user_id", "item_id", "timestamp", "event"))
    with pytest.raises(DataError, match="none of them tells of taste"):
        cuts.temporal(frame)


@pytest.mark.parametrize("strategy", WAYS)
def test_the_protocol_counts_every_part(strategy: Any, shop: pl.DataFrame) -> None:
    parts = split(Dataset(shop), Split(strategy=strategy), seed=5)
    assert parts.protocol["split"] == strategy
    assert parts.protocol["seed"] == 5
    assert sum(parts.protocol[part]["events"] for part in ("train", "valid", "test")) == len(shop)
    assert parts.protocol["test"]["users"] == parts.test.events["user_id"].n_unique()


def test_users_and_items_stay_whole(shop: pl.DataFrame) -> None:
    users = pl.DataFrame({"user_id": range(12)})
    assert split(Dataset(shop, users)).test.users is users


def test_ml_100k_top_popular_reaches_the_published_protocols_value(real_data: Path) -> None:
    """NDCG@10 .0970 of the most popular items for 909 users: 80/20 per user, ties by item id as text."""
    data = read(Source(format="movielens", path=str(real_data / "ml-100k")))
    train, _, test = (to_polars(p) for p in cuts.temporal_user(data.events, valid=0, test=0.2))
    assert (len(train), len(test)) == (79_619, 20_381)
    popular = (
        train.group_by("item_id").len().sort("len", "item_id", descending=[True, False])["item_id"].to_list()
    )
    seen = {user: set(items) for user, items in train.group_by("user_id").agg("item_id").rows()}
    values = []
    for user, relevant in test.filter(pl.col("value") >= 4).group_by("user_id").agg("item_id").rows():
        ranked = [item for item in popular if item not in seen[user]][:10]
        gains = [1 / np.log2(rank + 2) for rank, item in enumerate(ranked) if item in relevant]
        values.append(sum(gains) / sum(1 / np.log2(rank + 2) for rank in range(min(10, len(relevant)))))
    assert len(values) == 909
    assert np.mean(values) == pytest.approx(0.0970, abs=5e-5)


def test_ml_1m_leaves_the_last_of_every_user(real_data: Path) -> None:
    data = read(Source(format="movielens", path=str(real_data / "ml-1m")))
    parts = split(data, Split(strategy="leave_last"))
    assert [len(p.events) for p in (parts.train, parts.valid, parts.test)] == [987_531, 6_040, 6_040]
    last = data.events.group_by("user_id").agg(pl.col("order").max())
    same(parts.test.events.select("user_id", "order"), last)


def test_a_search_for_a_cold_item_is_not_left_in_training() -> None:
    rows = [
        row
        for item in range(20)
        for row in (
            {
                "user_id": 1,
                "item_id": None,
                "event": "search",
                "query": f"item {item}",
                "timestamp": 10 * item,
            },
            {"user_id": 1, "item_id": item, "event": "click", "query": None, "timestamp": 10 * item + 1},
        )
    ]
    parts = cuts.cold(pl.DataFrame(rows), "item_id", valid=0.2, test=0.3, seed=3)
    for part in (parts.train, parts.valid, parts.test):
        clicked = part.filter(pl.col("event") == "click")["item_id"].to_list()
        searched = part.filter(pl.col("event") == "search")["query"].to_list()
        assert sorted(searched) == sorted(f"item {item}" for item in clicked)
    assert len(parts.test) == 12
