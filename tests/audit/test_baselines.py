"""Lists by popularity and at random: what is in them, in which order, for whom."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.audit.lists.baselines import random_lists, top_popular
from equipoise.errors import ConfigError, DataError
from equipoise.metrics import ndcg, per_user

TRAIN = pl.DataFrame(
    {"user_id": [1, 1, 2, 2, 3, 3, 3, 4], "item_id": [10, 9, 10, 7, 10, 9, 2, 7]}
)  # counts: 10 has 3, 9 and 7 have 2, item 2 has 1


def lists_of(frame):
    return {key[0]: part["item_id"].to_list() for key, part in frame.group_by("user_id", maintain_order=True)}


def test_popular_items_come_by_count_then_by_number_without_what_was_seen():
    lists = top_popular(TRAIN, [4, 1, 2, 3, 5, 1], 3)
    assert lists_of(lists) == {1: [7, 2], 2: [9, 2], 3: [7], 4: [10, 9, 2], 5: [10, 7, 9]}
    assert lists.filter(pl.col("user_id") == 4)["rank"].to_list() == [1, 2, 3]


def test_equal_text_ids_stand_by_their_characters():
    text = TRAIN.with_columns(pl.col("item_id").cast(pl.String))
    train = text.filter(pl.col("item_id") != "10").vstack(
        pl.DataFrame({"user_id": [8, 9], "item_id": ["10", "10"]})
    )
    assert lists_of(top_popular(train, [5], 3)) == {5: ["10", "7", "9"]}


def test_impressions_and_searches_make_nothing_popular():
    train = pl.DataFrame(
        {
            "user_id": [1, 2, 3, 3],
            "item_id": [5, 5, 6, None],
            "event": ["impression", "impression", "click", "search"],
        }
    )
    assert lists_of(top_popular(train, [9], 2)) == {9: [6]}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 12))
def test_lists_match_a_plain_reading_of_the_rule(seed, k, n_items):
    rng = np.random.default_rng(seed)
    train = pl.DataFrame({"user_id": rng.integers(0, 6, 25), "item_id": rng.integers(0, n_items, 25)})
    counts = dict(train.group_by("item_id").len().iter_rows())
    order = sorted(counts, key=lambda item: (-counts[item], item))
    drawn = lists_of(random_lists(train, range_of(8), k, seed))
    popular = lists_of(top_popular(train.sample(fraction=1, shuffle=True, seed=seed), range_of(8), k))
    for user in range(8):
        seen = set(train.filter(pl.col("user_id") == user)["item_id"])
        unseen = [item for item in order if item not in seen]
        assert popular.get(user, []) == unseen[:k]
        found = drawn.get(user, [])
        assert len(set(found)) == len(found) == min(k, len(unseen))
        assert set(found) <= set(unseen)


def range_of(n):
    return np.arange(n)


def test_random_lists_give_every_item_every_place_equally_often():
    catalogue = pl.DataFrame({"item_id": list(range(6))})
    train = pl.DataFrame({"user_id": np.arange(30_000), "item_id": np.zeros(30_000, dtype=np.int64)})
    lists = random_lists(catalogue, np.arange(30_000), 3, 1, train=train)
    counts = lists.group_by("item_id", "rank").len()
    assert set(counts["item_id"]) == {1, 2, 3, 4, 5}
    assert counts["len"].sum() == 90_000
    expected, deviation = 6_000, np.sqrt(30_000 * 0.2 * 0.8)
    assert (counts["len"].cast(pl.Int64) - expected).abs().max() < 4.5 * deviation


def test_random_lists_depend_on_the_seed_and_not_on_the_order_of_rows():
    again = random_lists(TRAIN.reverse(), [5, 4, 3, 2, 1], 2, 7)
    assert again.equals(random_lists(TRAIN, [1, 2, 3, 4, 5], 2, 7))
    users = list(range(100, 140))
    assert not random_lists(TRAIN, users, 2, 7).equals(random_lists(TRAIN, users, 2, 8))


def test_blocks_of_users_leave_no_seam(monkeypatch):
    whole = top_popular(TRAIN, [1, 2, 3, 4, 5], 2)
    monkeypatch.setattr("equipoise.audit.lists.baselines._BLOCK", 2)
    assert top_popular(TRAIN, [1, 2, 3, 4, 5], 2).equals(whole)
    assert len(random_lists(TRAIN, [1, 2, 3, 4, 5], 2)) == len(whole)


def test_other_frames_and_id_widths_are_taken():
    pandas = pytest.importorskip("pandas")
    users = pandas.DataFrame({"user_id": np.array([4, 5], dtype=np.int32)})
    assert top_popular(TRAIN.to_pandas(), users, 3).equals(top_popular(TRAIN, [4, 5], 3))
    assert top_popular(TRAIN, users["user_id"], 3).equals(top_popular(TRAIN, [4, 5], 3))


def test_what_cannot_be_done_is_said():
    with pytest.raises(ConfigError, match="k of at least 1"):
        top_popular(TRAIN, [1], 0)
    with pytest.raises(DataError, match="no items"):
        top_popular(TRAIN.clear(), [1], 1)
    with pytest.raises(DataError, match="in one table and"):
        top_popular(TRAIN, ["a"], 1)
    with pytest.raises(DataError, match="no column 'item_id'"):
        random_lists(TRAIN.drop("item_id"), [1], 1)


def test_popularity_on_movielens_gives_the_known_number(real_data):
    table = pl.read_csv(next((real_data / "ml-100k").glob("*.inter")), separator="\t", quote_char=None)
    table = table.rename(lambda name: name.partition(":")[0])
    events = table.with_columns(pl.col("item_id").cast(pl.String).alias("id")).sort(
        "user_id", "timestamp", "id"
    )
    place, first = pl.int_range(pl.len()).over("user_id"), (pl.len().over("user_id") * 0.8).floor()
    train, test = events.filter(place < first), events.filter(place >= first)
    truth = test.filter(pl.col("rating") >= 4)
    values = per_user(top_popular(train, truth, 10), truth, {"ndcg": ndcg(10)})
    assert len(values) == 909
    assert values["ndcg"].mean() == pytest.approx(0.0970, abs=5e-5)
