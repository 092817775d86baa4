"""ML-100K by popularity: the row by which the ranking and its rule for ties are checked against a printed number."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from benchmarks import data
from benchmarks.row import Part, Row
from equipoise.metrics import hit_rate, ndcg, per_user
from equipoise.models import models

_SHARE = 0.8
_RELEVANT = 4


def _popular(setting: str, seed: int, folder: Path) -> Part:
    whole = data.read("ml-100k", "movielens")
    # Equal times stand in the order of the item ids as text, as in the protocol that the number comes from.
    events = whole.events.with_columns(pl.col("item_id").cast(pl.String).alias("id")).sort(
        "user_id", "timestamp", "id"
    )
    place = pl.int_range(pl.len()).over("user_id")
    first = (pl.len().over("user_id") * _SHARE).floor()
    train, test = events.filter(place < first), events.filter(place >= first)
    model = models.build("popular").fit(whole.with_events(train.drop("id")))
    truth = test.filter(pl.col("value") >= _RELEVANT)
    lists = model.recommend(truth["user_id"].unique().sort(), 10)
    frame = pl.DataFrame(per_user(lists, truth, {"NDCG@10": ndcg(10), "HR@10": hit_rate(10)}))
    return Part({"NDCG@10": float(frame["NDCG@10"].mean()), "HR@10": float(frame["HR@10"].mean())}, frame)


ROWS = [
    Row(
        "ml100k-popular",
        "ML-100K, 943 users, 1,682 items, 100,000 ratings; first 80 % of each user's time for training; relevant: "
        "rating >= 4; all items ranked, seen ones left out",
        {"popular": (0,)},
        _popular,
    )
]
