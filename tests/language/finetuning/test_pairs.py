import numpy as np
import polars as pl
import pytest

from equipoise.data import Dataset
from equipoise.errors import DataError
from equipoise.language.finetuning.pairs import Pairs, Texts, held_out_pairs, training_pairs

TEXTS = Texts.of(pl.Series("item_id", ["a", "b", "c", "d", "e"]), ["ant", "bee", "cat", "", "ant"])
DAY = 86_400


def log(rows, **columns):
    users, items, times = zip(*rows, strict=True)
    return Dataset(pl.DataFrame({"user_id": users, "item_id": items, "timestamp": times, **columns}))


def words(pairs):
    return sorted(
        zip(
            pairs.users.tolist(),
            [TEXTS.texts[text] for text in pairs.first],
            [TEXTS.texts[text] for text in pairs.second],
            strict=True,
        )
    )


def test_items_that_read_the_same_are_one_and_blank_ones_none():
    assert TEXTS.texts == ("ant", "bee", "cat")
    assert dict(TEXTS.places.iter_rows()) == {"a": 0, "b": 1, "c": 2, "e": 0}


def test_pairs_stand_near_each_other_in_one_history():
    train = log([(1, "c", 30), (1, "a", 10), (1, "b", 20), (2, "b", 5), (2, "c", 6), (3, "a", 1)])
    assert words(training_pairs(train, TEXTS, window=1, days=1.0)) == [
        (0, "ant", "bee"), (0, "bee", "cat"), (1, "bee", "cat"),
    ]  # fmt: skip
    wider = words(training_pairs(train, TEXTS, window=2, days=1.0))
    assert wider == [(0, "ant", "bee"), (0, "ant", "cat"), (0, "bee", "cat"), (1, "bee", "cat")]


def test_pairs_are_near_in_time_too_however_time_is_told():
    train = log([(1, "a", 0), (1, "b", DAY), (1, "c", 5 * DAY)])
    dated = train.with_events(train.events.with_columns(pl.from_epoch("timestamp")))
    for data in (train, dated):
        assert words(training_pairs(data, TEXTS, window=2, days=1.0)) == [(0, "ant", "bee")]
        assert len(training_pairs(data, TEXTS, window=2, days=5.0)) == 3


def test_what_is_said_again_and_what_has_no_words_is_no_step():
    """Viewed, then bought; the same words under another id; nothing to read: none of it parts ant from bee."""
    train = log([(1, "a", 1), (1, "a", 2), (1, "e", 3), (1, "d", 4), (1, "b", 5)])
    assert words(training_pairs(train, TEXTS, window=1, days=1.0)) == [(0, "ant", "bee")]


def test_impressions_and_searches_are_no_choices():
    train = log(
        [(1, "a", 1), (1, "c", 2), (1, "b", 3)], event=["click", "impression", "click"]
    )  # fmt: skip
    assert words(training_pairs(train, TEXTS, window=3, days=1.0)) == [(0, "ant", "bee")]


def test_the_order_of_rows_does_not_matter():
    rows = [(user, item, 7) for user in range(20) for item in "abc"]
    train = log(rows)
    shuffled = train.with_events(train.events.sample(fraction=1, shuffle=True, seed=1))
    expected, found = (training_pairs(data, TEXTS, window=2, days=1.0) for data in (train, shuffled))
    assert words(found) == words(expected)


def test_what_else_a_log_says_is_not_looked_at():
    rows = [(1, "a", 1), (1, "b", 2), (2, "b", 3), (2, "c", 4)]
    reviews = {name: ["i liked it"] * 4 for name in ("text", "said", "user", "seconds")}
    assert words(training_pairs(log(rows, **reviews), TEXTS, window=1, days=1.0)) == words(
        training_pairs(log(rows), TEXTS, window=1, days=1.0)
    )


def test_held_out_pairs_end_in_validation():
    train = log([(1, "a", 1), (1, "b", 2), (2, "c", 1)])
    valid = log([(1, "c", 3), (1, "a", 4), (2, "b", 9), (3, "a", 1)])
    assert words(held_out_pairs(train, valid, TEXTS)) == [
        (0, "bee", "cat"), (0, "cat", "ant"), (1, "cat", "bee"),
    ]  # fmt: skip


def test_too_little_is_told():
    lonely = log([(1, "a", 1), (2, "b", 1)])
    with pytest.raises(DataError, match="2 events, 3 distinct texts"):
        training_pairs(lonely, TEXTS, window=3, days=1.0)
    with pytest.raises(DataError, match=r"validation.*valid"):
        held_out_pairs(lonely, log([(3, "a", 2)]), TEXTS)


def test_chances_count_both_ends():
    pairs = Pairs(np.array([0, 0, 1]), np.array([1, 2, 0]), np.array([0, 0, 1]))
    assert pairs.chances(4).tolist() == pytest.approx([3 / 6, 2 / 6, 1 / 6, 0])
