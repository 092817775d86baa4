from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.component import Runtime
from equipoise.language.tfidf import Tfidf

TEXTS = [
    "Red wool socks for winter",
    "Blue wool scarf for winter",
    "Green tea, loose leaves",
    "Black tea in bags",
    "红色羊毛袜子",
    "蓝色羊毛围巾",
    "散装绿茶",
]


def test_words_where_there_are_spaces_and_characters_where_there_are_none() -> None:
    assert Tfidf().terms("Red wool-socks, 红袜子") == [
        "red", "wool", "socks", "red wool", "wool socks", "红", "袜", "子", "红袜", "袜子",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Children's", ["childrens"]),
        ("ＡＢＣ Straße", ["abc", "strasse", "abc strasse"]),
        ("हिन्दी", ["हिन्दी"]),
        ("ไทย", ["ไ", "ท", "ย", "ไท", "ทย"]),
        ("한국어 책", ["한국어", "책", "한국어 책"]),
        ("!!! ...", []),
    ],
)
def test_terms_of_many_scripts(text: str, terms: list[str]) -> None:
    assert Tfidf().terms(text) == terms


def test_a_dot_product_is_a_cosine_and_like_texts_lie_near() -> None:
    vectors = Tfidf(width=5).fit(TEXTS).encode(TEXTS)
    cosine = vectors @ vectors.T
    assert np.allclose(np.diag(cosine), 1, atol=1e-5)
    assert cosine[0, 1] > cosine[0, 2]
    assert cosine[2, 3] > cosine[2, 0]
    assert cosine[4, 5] > cosine[4, 6]


def test_weights_are_those_worked_by_hand() -> None:
    fitted = Tfidf(words=1).fit(["a b", "a a c"])
    # n = 2: idf(a) = ln 3/2, idf(b) = idf(c) = ln 3; "a" twice counts 1 + ln 2.
    raw = np.array([[np.log(1.5), np.log(3), 0], [(1 + np.log(2)) * np.log(1.5), 0, np.log(3)]])
    assert fitted.vocabulary == ["a", "b", "c"]
    weights = fitted.weights(["a b", "a a c"]).toarray()
    assert np.allclose(weights, raw / np.linalg.norm(raw, axis=1, keepdims=True), atol=1e-6)


def test_at_full_rank_the_latent_space_keeps_all_cosines() -> None:
    fitted = Tfidf(width=len(TEXTS)).fit(TEXTS)
    weights, vectors = fitted.weights(TEXTS), fitted.encode(TEXTS)
    assert np.allclose(vectors @ vectors.T, (weights @ weights.T).toarray(), atol=1e-4)


def test_order_repetition_and_threads_make_no_difference() -> None:
    one = Tfidf(width=4).fit(TEXTS, Runtime(threads=1))
    two = Tfidf(width=4).fit([*reversed(TEXTS), TEXTS[0]], Runtime(threads=2))
    assert one.identity == two.identity
    assert np.array_equal(one.encode(TEXTS), two.encode(TEXTS))


def test_the_identity_tells_what_was_learned() -> None:
    assert Tfidf().fit(TEXTS).identity != Tfidf().fit(TEXTS[:4]).identity
    assert Tfidf(width=4).fit(TEXTS).identity != Tfidf(width=5).fit(TEXTS).identity


def test_the_width_is_kept_where_the_rank_is_lower() -> None:
    vectors = Tfidf(width=64).fit(TEXTS[:2]).encode(TEXTS[:2])
    assert vectors.shape == (2, 64)
    assert not vectors[:, 2:].any()


def test_only_the_most_widespread_terms_are_kept() -> None:
    fitted = Tfidf(max_terms=2, words=1).fit(["a b z", "a b y", "a x"])
    assert fitted.vocabulary == ["a", "b"]


@pytest.mark.parametrize("texts", [[], ["", "  "], ["!!!"]])
def test_nothing_to_learn_from_gives_zero_vectors(texts: list[str]) -> None:
    vectors = Tfidf(width=3).fit(texts).encode(["anything", ""])
    assert vectors.shape == (2, 3)
    assert not vectors.any()


def test_only_the_beginning_of_a_very_long_text_is_read() -> None:
    fitted = Tfidf(width=4).fit(TEXTS)
    long = "red wool socks " * 7_000
    assert len(long) > 100_000
    head = long[: fitted.config.max_characters]
    assert np.array_equal(fitted.encode([long + "tea"]), fitted.encode([head]))
    assert np.isclose(np.linalg.norm(fitted.encode([long])), 1, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(st.characters(), max_size=60), max_size=6),
    st.lists(st.text(st.characters()), max_size=3),
)
def test_any_script_is_handled(known: list[str], new: list[str]) -> None:
    """Lone surrogates included: a row is of length one, or zero where no term is known."""
    fitted = Tfidf(width=8).fit(known)
    vectors = fitted.encode(known + new)
    lengths = np.linalg.norm(vectors, axis=1)
    assert vectors.shape == (len(known + new), 8)
    assert vectors.dtype == np.float32
    assert np.all(np.isclose(lengths, 1, atol=1e-3) | (lengths == 0))
