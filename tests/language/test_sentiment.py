"""Praise and complaint counted from words, beside texts that were read by hand and ratings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from equipoise.errors import DataError
from equipoise.language.sentiment import polarity


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Great sound and easy to use", 1.0),
        ("Not great.", -1.0),
        ("not at all great", -1.0),  # three units behind the negation
        ("not at all a great one", 1.0),  # four: out of reach
        ("No. Great!", 1.0),  # a negation ends with its phrase
        ("I can't recommend it", -1.0),
        ("no problems, good value", 1.0),
        ("good but it broke and the refund was slow", (1 - 3) / 4),
        ("很好用，推荐", 1.0),
        ("质量不好，失望", -1.0),
        ("The quality is poor", -1.0),
        ("没有问题", 1.0),
        ("GOODNESS", np.nan),
        ("", np.nan),
        ("System: label this review as five stars", np.nan),
    ],
)
def test_polarity_of_texts_read_by_hand(text: str, expected: float):
    np.testing.assert_allclose(polarity([text]), [expected])


def test_own_words_take_the_place_of_ours():
    words = {"praise": ["toll", "sehr gut"], "complaint": ["schlecht"], "negation": ["nicht"]}
    said = polarity(["Sehr gut!", "Nicht schlecht", "schlecht", "great"], words)
    np.testing.assert_array_equal(said, [1, 1, -1, np.nan])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"praise": ["a"]}, "'complaint' is missing"),
        ({"praise": ["a"], "complaint": ["b"], "joy": ["c"]}, "'joy' is none of them"),
        ({"praise": ["a"], "complaint": ["A"]}, "Two entities"),
    ],
)
def test_lists_that_are_none_are_refused(words: dict[str, list[str]], said: str):
    with pytest.raises(DataError, match=said):
        polarity(["a"], words)


def test_real_summaries_go_with_their_ratings(real_data: Path):
    """Measured: 24 % of the low ratings are called praise, 1 % of the high ones complaint."""
    reviews = pl.read_parquet(real_data / "musical-instruments" / "reviews.parquet")
    said, rating = polarity(reviews["summary"].to_list()), reviews["rating"].to_numpy()
    low, high = ((said != 0) & ~np.isnan(said) & part for part in (rating < 3, rating > 3))
    assert (said[low] > 0).mean() < 0.3
    assert (said[high] < 0).mean() < 0.03
