"""Anchors on ML-1M: leave the last item out, rank all items not seen, count strictly higher scores."""

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.models.ease import EASE
from equipoise.models.histories import locate
from equipoise.models.item_knn import ItemKNN
from equipoise.models.popular import Popular

FOLDER = os.environ.get("EQUIPOISE_DATA")
pytestmark = pytest.mark.skipif(not FOLDER, reason="EQUIPOISE_DATA names no folder of real data")

QUIET = Runtime(progress=False)


@pytest.fixture(scope="module")
def split():
    events = pl.read_parquet(Path(FOLDER) / "ml-1m" / "interactions.parquet")
    last = pl.col("order") == pl.col("order").max().over("user_id")
    return Dataset(events.filter(~last)), events.filter(last).sort("user_id")


def ranks(fitted, test):
    """Number of unseen items with a higher score than the item left out: strictly, and with ties by item id."""
    rows = locate(fitted.catalogue.users, test["user_id"])
    targets = locate(fitted.catalogue.items, test["item_id"])[:, None]
    strict, listed = [], []
    for part, past, scores in fitted.blocks(rows, QUIET):
        unseen = ~past.marked(scores.shape[1])
        own = np.take_along_axis(scores, targets[part], axis=1)
        strict.append((unseen & (scores > own)).sum(axis=1))
        earlier = np.arange(scores.shape[1]) < targets[part]
        listed.append(strict[-1] + (unseen & (scores == own) & earlier).sum(axis=1))
    return np.concatenate(strict), np.concatenate(listed)


def quality(rank, k=10):
    """HR@k and NDCG@k with one relevant item per user; ranks from 0."""
    return np.array([(rank < k).mean(), np.where(rank < k, 1 / np.log2(rank + 2), 0).mean()])


@pytest.mark.parametrize(
    ("recommender", "anchor", "tie"),
    [
        (Popular(), (0.0364, 0.0179), 0.0001),
        (ItemKNN(), (0.0704, 0.0365), 0.0),
        (EASE(reg=500.0), (0.1099, 0.0544), 0.0),
        (EASE(reg=100.0), (0.1066, 0.0524), 0.0),
    ],
    ids=["popular", "item_knn", "ease-500", "ease-100"],
)
def test_anchors(split, recommender, anchor, tie):
    """To four digits; breaking ties by item id moves the fourth digit for popularity alone."""
    train, test = split
    fitted = recommender.fit(train, runtime=QUIET)
    strict, listed = (quality(rank) for rank in ranks(fitted, test))
    assert np.abs(strict - anchor).max() <= 0.00005
    assert np.abs(listed - anchor).max() <= tie + 0.00005


def test_lists_agree_with_ranks(split):
    train, test = split
    fitted = Popular().fit(train)
    lists = fitted.recommend(test["user_id"], 10, runtime=QUIET)
    found = lists.join(test, on=["user_id", "item_id"])["rank"].sort().to_list()
    _, listed = ranks(fitted, test)
    assert found == sorted(listed[listed < 10] + 1)
