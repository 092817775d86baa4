from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.component import build
from equipoise.data import Dataset, rules, to_polars
from equipoise.data.cleaning import Cleaning, clean
from equipoise.errors import ConfigError, DataError

from .conftest import same

KEEP_ALL = Cleaning(duplicates="keep", min_user_events=0, min_item_events=0)


def dropped(data: Dataset) -> dict[str, int]:
    return {row["reason"]: row["dropped"] for row in data.account if row["dropped"]}


def test_every_dropped_row_is_counted_by_its_reason() -> None:
    nan, inf = float("nan"), float("inf")
    good = {"user_id": 1, "item_id": 1, "event": "rating", "query": None, "timestamp": 5.0, "value": 3.0}
    good |= {"propensity": 0.5, "position": 1}
    bad = [
        {"user_id": None},
        {"item_id": None},
        {"event": None},
        {"event": "search", "item_id": None},
        {"event": "search", "item_id": None, "query": ""},
        {"timestamp": None},
        {"timestamp": -1.0},
        {"timestamp": inf},
        {"value": nan},
        {"value": inf},
        {"value": 0.5},
        {"value": 5.5},
        {"propensity": 0.0},
        {"propensity": 1.1},
        {"propensity": nan},
        {"position": 0},
    ]
    fine = [{}, {"value": None}, {"propensity": None}, {"event": "search", "item_id": None, "query": "q"}]
    rows = [good | {"user_id": 1 + i % 2} | change for i, change in enumerate([*bad, *fine])]
    data = Dataset(pl.DataFrame(rows, schema_overrides={"query": pl.String, "event": pl.String}))
    config = KEEP_ALL.model_copy(update={"value_min": 1.0, "value_max": 5.0})
    cleaned = clean(data, config)
    assert dropped(cleaned) == {
        "missing user id": 1,
        "missing kind of event": 1,
        "missing item id": 1,
        "search without a query": 2,
        "missing timestamp": 1,
        "timestamp before 1970 or not finite": 2,
        "propensity outside (0, 1]": 3,
        "position below 1": 1,
        "value not finite": 2,
        "value below 1": 1,
        "value above 5": 1,
    }
    assert len(cleaned.events) == len(fine)
    assert sum(dropped(cleaned).values()) == len(bad)


def test_the_account_adds_up(shop: pl.DataFrame) -> None:
    dirty = pl.concat([shop, shop[:30], shop[:10].with_columns(user_id=None)], how="vertical_relaxed")
    data = clean(Dataset(dirty), Cleaning(min_user_events=10, min_item_events=4))
    steps = [row for row in data.account if row["table"] == "events" and row["dropped"]]
    assert steps[0] == {
        "step": "clean",
        "reason": "missing user id",
        "table": "events",
        "dropped": 10,
        "kept": 330,
    }
    assert len(dirty) - sum(row["dropped"] for row in steps) == len(data.events) == steps[-1]["kept"]
    assert [row["reason"] for row in steps] == [
        "missing user id",
        "duplicate row",
        "k-core of 10 events per user, 4 per item",
    ]


def test_the_account_tells_which_kinds_count_as_taste(shop: pl.DataFrame) -> None:
    told = [row for row in clean(Dataset(shop), KEEP_ALL).account if "count as taste" in row["reason"]]
    clicks, purchases = (len(shop.filter(event=kind)) for kind in ("click", "purchase"))
    assert [row["reason"] for row in told] == [
        f"kinds of events that count as taste: click ({clicks}), purchase ({purchases})"
    ]
    assert told[0]["dropped"] == 0
    without = clean(Dataset(shop.drop("event", "query")), Cleaning(min_user_events=0))
    assert not any("count as taste" in row["reason"] for row in without.account)


def test_clean_data_stays_as_it_is(shop: pl.DataFrame) -> None:
    data = clean(Dataset(shop.unique()), Cleaning(min_user_events=1))
    assert not dropped(data)


def test_datetimes_before_1970_are_impossible() -> None:
    times = [datetime(1969, 12, 31, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)]
    events = pl.DataFrame({"user_id": [1, 1], "item_id": [1, 2], "timestamp": times})
    assert clean(Dataset(events), KEEP_ALL).events["item_id"].to_list() == [2]


def test_an_order_of_its_own_tells_rows_apart() -> None:
    events = pl.DataFrame({"user_id": [1, 1], "item_id": [2, 2], "order": [0, 1]})
    keep = Cleaning(min_user_events=0)
    assert len(clean(Dataset(events), keep).events) == 2
    assert clean(Dataset(events, numbered=True), keep).events["order"].to_list() == [0]


def test_pairs_keep_the_latest_event_by_order_where_times_tie() -> None:
    columns = ["user_id", "item_id", "timestamp", "order", "event"]
    events = pl.DataFrame([(1, 1, 5, 2, "buy"), (1, 1, 5, 1, "click")], schema=columns, orient="row")
    other = events.with_columns(order=pl.Series([1, 2]))
    assert rules.drop_duplicates(events, of="pairs")["event"].to_list() == ["buy"]
    assert rules.drop_duplicates(other, of="pairs")["event"].to_list() == ["click"]


def test_pairs_keep_the_latest_event() -> None:
    rows = [
        (1, 1, 5, "click"),
        (1, 1, 9, "click"),
        (1, 1, 7, "buy"),
        (1, 1, 1, "impression"),
        (1, 1, 2, "impression"),
    ]
    events = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp", "event"], orient="row")
    kept = rules.drop_duplicates(events, of="pairs")
    assert sorted(kept["timestamp"].to_list()) == [1, 2, 9]


def test_outliers_by_hand() -> None:
    """Median 3, absolute deviations 2 1 0 1 97: MAD 1, so that 100 has z = 97 / 1.4826 = 65.4."""
    events = pl.DataFrame({"user_id": 1, "item_id": range(6), "value": [1.0, 2.0, 3.0, 4.0, 100.0, None]})
    assert rules.drop_outliers(events, z=65.5)["value"].to_list() == [1, 2, 3, 4, 100, None]
    assert rules.drop_outliers(events, z=65.4)["value"].to_list() == [1, 2, 3, 4, None]
    same_values = events.with_columns(value=pl.lit(3.0))
    assert len(rules.drop_outliers(same_values, z=0.1)) == 6


def test_bots_are_dropped_only_when_asked() -> None:
    sizes = [3, 4, 5, 6, 7, 3_000]
    users = np.repeat(np.arange(6), sizes)
    data = Dataset(pl.DataFrame({"user_id": users, "item_id": np.arange(len(users))}))
    assert len(clean(data).events) == len(users)
    cleaned = clean(data, Cleaning(bot_z=5))
    assert set(cleaned.events["user_id"]) == {0, 1, 2, 3, 4}
    assert dropped(cleaned) == {"bot-like user (robust z above 5)": 3_000}


def test_k_core_by_hand() -> None:
    """Item 9 falls first, which takes user 3 below two events, which takes item 2 below two."""
    pairs = [(1, 1), (1, 4), (2, 1), (2, 4), (3, 2), (3, 9), (1, 2)]
    events = pl.DataFrame(pairs, schema=["user_id", "item_id"], orient="row")
    assert rules.k_core(events, 2, 2).rows() == [(1, 1), (1, 4), (2, 1), (2, 4)]


def test_k_core_ignores_searches_and_impressions_but_keeps_those_of_who_stays() -> None:
    rows = [(1, 1, "click"), (1, 2, "click"), (1, None, "search"), (1, 8, "impression")]
    rows += [(2, 1, "click"), (2, None, "search"), (2, 2, "impression"), (2, 3, "impression")]
    events = pl.DataFrame(rows, schema=["user_id", "item_id", "event"], orient="row")
    assert rules.k_core(events, 2, 0).rows() == rows[:4]


def test_k_core_of_nobody_says_how_many_there_were() -> None:
    events = pl.DataFrame({"user_id": [1, 2, 3], "item_id": [1, 1, 2]})
    with pytest.raises(
        DataError, match=r"leaves nobody.*3 users, 2 items, 3 positive events.*min_user_events"
    ):
        rules.k_core(events, 2, 2)


pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=60)


@settings(max_examples=80, deadline=None)
@given(pairs=pairs, user=st.integers(1, 4), item=st.integers(1, 4))
def test_k_core_is_the_largest_such_part(pairs: list[tuple[int, int]], user: int, item: int) -> None:
    events = pl.DataFrame(pairs, schema=["user_id", "item_id"], orient="row")
    left = list(pairs)
    while True:  # one fault at a time, the plainest way there is
        users, items = [u for u, _ in left], [i for _, i in left]
        fault = next(
            (k for k, (u, i) in enumerate(left) if users.count(u) < user or items.count(i) < item), None
        )
        if fault is None:
            break
        del left[fault]
    if not left:
        with pytest.raises(DataError):
            rules.k_core(events, user, item)
        return
    assert rules.k_core(events, user, item).rows() == left


@pytest.mark.parametrize(
    "rule",
    [
        rules.drop_missing,
        rules.drop_duplicates,
        lambda events: rules.drop_duplicates(events, of="pairs"),
        lambda events: rules.drop_impossible(events, value_max=4.5),
        lambda events: rules.drop_outliers(events, 2.0),
        lambda events: rules.drop_bots(events, 1.0),
        lambda events: rules.k_core(events, 11, 5),
    ],
)
def test_rules_are_the_same_on_every_engine(rule: Any, engine: Any, shop: pl.DataFrame) -> None:
    values = pl.Series("value", np.random.default_rng(1).normal(3, 1, len(shop)).round(3))
    events = pl.concat([frame := shop.with_columns(values), frame[:20]])
    ours = rule(events)
    assert 0 < len(ours) < len(events) or rule in (rules.drop_missing,)
    same(rule(engine(events)), ours)


def test_rules_give_pandas_back_to_pandas(shop: pl.DataFrame) -> None:
    import pandas as pd

    assert isinstance(rules.k_core(shop.to_pandas(), 2, 2), pd.DataFrame)
    assert isinstance(rules.drop_duplicates(shop.lazy()), pl.DataFrame)


def test_who_fell_leaves_the_tables_and_who_was_never_there_stays() -> None:
    events = pl.DataFrame({"user_id": [1, 1, 1, 2], "item_id": [1, 2, 3, 4]})
    users, items = pl.DataFrame({"user_id": [1, 2, 3]}), pl.DataFrame({"item_id": [1, 2, 3, 4, 5]})
    data = clean(Dataset(events, users, items))
    assert data.users is not None
    assert data.users["user_id"].to_list() == [1, 3]
    assert data.items is not None
    assert data.items["item_id"].to_list() == [1, 2, 3, 5]
    assert dropped(data)["all events dropped"] == 1


def test_unknown_ids_are_kept_and_counted() -> None:
    events = pl.DataFrame({"user_id": [1, 1, 1], "item_id": [1, 2, 3]})
    data = clean(Dataset(events, items=pl.DataFrame({"item_id": [1, 2]})))
    assert len(data.events) == 3
    assert "1 ids are not in the items table, kept (such as 3)" in [row["reason"] for row in data.account]


def test_ids_that_never_meet_are_an_error() -> None:
    events = pl.DataFrame({"user_id": [1, 1, 1], "item_id": ["a", "b", "c"]})
    with pytest.raises(DataError, match=r"No item_id of the events is in the items table.*a, b, c.*A, B"):
        clean(Dataset(events, items=pl.DataFrame({"item_id": ["A", "B"]})))


def test_duplicate_ids_are_dropped_when_identical_and_refused_when_not() -> None:
    events = pl.DataFrame({"user_id": [1, 1, 1], "item_id": [1, 2, 3]})
    twice = pl.DataFrame({"user_id": [1, 1, None], "gender": ["F", "F", "M"]})
    data = clean(Dataset(events, twice))
    assert data.users is not None
    assert data.users.rows() == [(1, "F")]
    assert dropped(data) == {"missing id": 1, "duplicate row": 1}
    with pytest.raises(
        DataError, match=r"1 ids have several rows that contradict.*users, column 'user_id': 1"
    ):
        clean(Dataset(events, twice.with_columns(gender=pl.Series(["F", "M", "F"]))))


def test_nothing_left_says_for_what() -> None:
    events = pl.DataFrame({"user_id": [1], "item_id": [1], "value": [9.0]})
    with pytest.raises(DataError, match=r"No event is left.*value above 5"):
        clean(Dataset(events), Cleaning(value_max=5))


def test_standardisation_leaves_ids_and_sensitive_columns() -> None:
    events = pl.DataFrame({"user_id": [1, 1, 1], "item_id": [1, 2, 3]})
    users = pl.DataFrame(
        {"user_id": [1, 2, 3], "age": [20, 30, 40], "income": [1.0, 2.0, 3.0], "same": [1, 1, 1]}
    )
    data = clean(Dataset(events, users, sensitive=("age",)), Cleaning(standardise=True))
    assert data.users is not None
    assert data.users["age"].to_list() == [20, 30, 40]
    assert data.users["income"].to_list() == [-1, 0, 1]
    assert data.users["same"].to_list() == [1, 1, 1]


def test_a_setting_that_is_not_there_suggests_the_near_one() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'min_user_events'"):
        build(Cleaning, {"min_user_event": 5}, where="[clean]")


def test_cleaning_keeps_the_order_of_rows(shop: pl.DataFrame) -> None:
    cleaned = clean(Dataset(shop.with_row_index("n")), Cleaning(min_user_events=2, min_item_events=2))
    assert cleaned.events["n"].is_sorted()
    assert to_polars(cleaned.events).height > 200
