from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from equipoise.data import Dataset
from equipoise.debias import Context
from equipoise.errors import DataError
from equipoise.language.vectors import Vectors
from tests.debias.after.small import data_of, pool_of, rerank

ROWS = np.array([[1, 0], [1, 0], [0, 1], [1, 1]], dtype=np.float32)


def with_texts(data: Dataset) -> Context:
    return Context(data, vectors=Vectors(pl.Series("item_id", [0, 1, 2, 3]), ROWS))


def test_a_hand_worked_list():
    """Scores 1, .9, .5, 0 (of 0 to 1); after item 0 the cosines are 1, 0 and .7071.

    Item 1 is worth .9 (1 - s) - s, item 2 .5 (1 - s): item 2 comes second from .4 (1 - s) < s, so from s > .2857.
    """
    pool, data = pool_of(np.array([[10.0, 9.0, 5.0, 0.0]])), data_of(["a", "b", "a", "b"])
    for strength, order in ((0.28, [0, 1, 2]), (0.29, [0, 2, 1])):
        lists, facts = rerank("mmr", pool, data, 3, with_texts(data), strength=strength)
        assert lists["item_id"].to_list() == order
        assert facts["likeness_by"] == "text"
    lists, facts = rerank("mmr", pool, data, 2, with_texts(data), strength=0.29)
    assert (facts["likeness_before"], facts["likeness_after"]) == pytest.approx((1, 0))
    lists, facts = rerank("mmr", pool, data, 3, with_texts(data), strength=1.0)
    assert lists["item_id"].to_list() == [0, 2, 3]
    assert facts["likeness_after"] == pytest.approx(2 / 3 * np.sqrt(0.5))


def test_likeness_by_histories_is_that_of_the_takers():
    """Items 0 and 1 share two of their two and three users: 2 / sqrt(6); 2 shares none."""
    events = {"user_id": [1, 2, 1, 2, 3, 4], "item_id": [0, 0, 1, 1, 1, 2]}
    pool, data = pool_of(np.array([[3.0, 2.0, 1.0]])), data_of(["a"] * 3, events=events)
    _, facts = rerank("mmr", pool, data, 2, strength=0)
    assert facts["likeness_by"] == "histories"
    assert facts["likeness_before"] == pytest.approx(2 / np.sqrt(6), abs=1e-6)
    assert rerank("mmr", pool, data, 2, strength=0.9)[1]["likeness_after"] == 0


def test_likeness_falls_with_strength_and_score_pays():
    rng = np.random.default_rng(0)
    kinds = np.repeat(list("abcdef"), 10)
    pool = pool_of(rng.normal(size=(50, 60)) + (kinds == "a"))
    facts = [
        rerank("mmr", pool, data_of(kinds.tolist()), strength=s, similarity="categories")[1]
        for s in (0, 0.2, 0.5, 0.9)
    ]
    assert (np.diff([fact["likeness_after"] for fact in facts]) <= 1e-9).all()
    assert (np.diff([fact["score_given_up"] for fact in facts]) >= -1e-9).all()
    assert facts[-1]["likeness_after"] < 0.75 * facts[0]["likeness_after"]


def test_the_model_s_vectors_tell_likeness_in_its_own_order_of_items():
    class Model:
        catalogue = type("Catalogue", (), {"items": pl.Series("item_id", [3, 2, 1, 0])})

        def item_vectors(self) -> np.ndarray:
            return ROWS[::-1] * 7

    pool, data = pool_of(np.array([[10.0, 9.0, 5.0, 0.0]])), data_of(["a", "b", "a", "b"])
    context = Context(data, model=Model())  # type: ignore[arg-type]
    lists, facts = rerank("mmr", pool, data, 3, context, strength=0.29)
    assert facts["likeness_by"] == "model"
    assert lists["item_id"].to_list() == [0, 2, 1]


def test_an_item_without_a_vector_is_like_nothing():
    pool, data = pool_of(np.array([[10.0, 9.0, 5.0]])), data_of(["a"] * 3)
    context = Context(data, vectors=Vectors(pl.Series("item_id", [0, 1]), ROWS[:2]))
    assert rerank("mmr", pool, data, 2, context, strength=0.5)[0]["item_id"].to_list() == [0, 2]


def test_a_source_that_is_not_there():
    pool, data = pool_of(np.zeros((1, 3))), data_of(["a", "b", "c"])
    with pytest.raises(DataError, match=r"from 'text'. Available here: histories\."):
        rerank("mmr", pool, data, similarity="text")
    with pytest.raises(DataError, match="nothing to tell the likeness"):
        rerank("mmr", pool, data_of(["a", "b", "c"], events=data.events.clear()))
