"""Items that training never saw: a tenth of the catalogue is held out whole, and ranked by texts alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks import data
from benchmarks.machine import threads
from benchmarks.row import CACHE, Part, Row
from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.data.splits import Split, split
from equipoise.language import Vectors, encode_items
from equipoise.metrics import hit_rate, ndcg, per_user
from equipoise.models import models

_SEEDS = (0, 1, 2)
_METRICS = {"NDCG@10": ndcg(10), "HR@10": hit_rate(10)}
_CONTENT: Mapping[str, Any] = {"name": "content"}
_BASELINES: Mapping[str, Mapping[str, Any]] = {
    "popularity": {"name": "popular"},
    "popularity by text": {"name": "warm", "model": {"name": "popular"}, "half": 0.0},
    "content": _CONTENT,
}
_PROTOCOL = (
    "a tenth of the items held out of training whole, half of their events tested; of the held-out items, those that "
    "the person has no other event with are ranked; 'known' was trained with the other half of their events; "
    "popularity gives all of them 0, and ranks by id; 'content' reads the setting's own vectors; gains "
    "are of NDCG@10, user by user"
)


def movies() -> Dataset:
    """ML-1M."""
    return data.read("ml-1m", "movielens")


def _tagged() -> Dataset:
    """Titles, genres and tags."""
    return replace(data.read("ml-latest-small", "movielens"), text=("title", "genres", "tags"))


def reviewed() -> Dataset:
    """An item's text is its earliest review, which is no event any more; at equal times the first by user id."""
    events = data.read("musical-instruments", "amazon-reviews").events.sort("item_id", "timestamp", "user_id")
    first = pl.int_range(pl.len()).over("item_id") == 0
    items = events.filter(first).select("item_id", review=pl.concat_str("summary", "text", separator="\n"))
    return Dataset(events.filter(~first).drop("summary", "text"), None, items, text=("review",))


def encoded(whole: Dataset, name: str) -> Vectors:
    """Vectors of all items; those of TF-IDF are quickly made, others are kept."""
    assert whole.items is not None
    return encode_items(whole.items, whole.text, name, cache=None if name == "tfidf" else CACHE / "vectors")


def _measure(
    read: Callable[[], Dataset], fitted: Mapping[str, Mapping[str, Any]]
) -> Callable[[str, int, Path], Part]:
    def measure(setting: str, seed: int, folder: Path) -> Part:
        whole, (name, encoder) = read(), setting.split(", ")
        parts = split(whole, Split(strategy="cold_items", valid=0.0, test=0.1), seed)
        held_out = parts.test.positives.unique(["user_id", "item_id"], maintain_order=True)
        tested = np.random.default_rng(seed).random(len(held_out)) < 0.5
        truth, record = held_out.filter(tested), held_out.filter(~tested)
        users, cold = truth.select("user_id").unique().sort("user_id"), held_out.select("item_id").unique()
        candidates = users.join(cold, how="cross").join(record, on=["user_id", "item_id"], how="anti")
        vectors, runtime = encoded(whole, encoder), Runtime(seed=seed, threads=threads())
        words = encoded(whole, "tfidf")

        def values(fields: Mapping[str, Any], train: Dataset, read: Vectors = vectors) -> pl.DataFrame:
            rest = {key: value for key, value in fields.items() if key != "name"}
            model = models.build(fields["name"], rest).fit(train, vectors=read, runtime=runtime)
            lists = model.recommend(users["user_id"], 10, candidates=candidates, runtime=runtime)
            return pl.DataFrame(per_user(lists, truth, _METRICS)).sort("user_id")

        base = {"name": "warm", "model": fitted[name], "half": 0.0}
        own = values(base, parts.train)
        others = {label: values(fields, parts.train) for label, fields in _BASELINES.items()}
        others["content by TF-IDF"] = values(_CONTENT, parts.train, words)
        others["known"] = values(fitted[name], data.joined(parts.train, parts.train.with_events(record)))
        gains = {f"over {label}": own["NDCG@10"] - frame["NDCG@10"] for label, frame in others.items()}
        told = own.with_columns(**gains)
        found = {name: float(told[name].mean()) for name in (*_METRICS, *gains)}
        found |= {label: float(frame["NDCG@10"].mean()) for label, frame in others.items()}
        return Part(found, told, {"component": base, "users": len(users), "cold items": len(cold)})

    return measure


def _row(
    name: str,
    what: str,
    read: Callable[[], Dataset],
    fitted: Mapping[str, Mapping[str, Any]],
    encoders: tuple[str, ...] = ("tfidf", "minilm"),
) -> Row:
    settings = {f"{model}, {encoder}": _SEEDS for model in fitted for encoder in encoders}
    target = "above content and popularity, with intervals; the distance to items that are known"
    return Row(
        name,
        f"{what}; {_PROTOCOL}",
        settings,
        _measure(read, fitted),
        target,
        lambda setting: str(fitted[setting.split(", ")[0]]),
    )


_FACTORS = {"name": "ials", "factors": 32}

ROWS = [
    _row(
        "cold-ml1m",
        "ML-1M, 6,040 users, 3,416 items, texts: titles and genres",
        movies,
        {"ease": {"name": "ease", "reg": 500.0}, "ials": _FACTORS},
    ),
    _row(
        "cold-ml-latest-small",
        "ml-latest-small, 671 users, 9,066 items, texts: titles, genres and tags",
        _tagged,
        {"ease": {"name": "ease", "reg": 300.0}, "ials": _FACTORS},
    ),
    _row(
        "cold-musical-instruments",
        "Musical instruments, 1,429 users, 900 items; an item's text is its earliest review, which is no event",
        reviewed,
        {"ease": {"name": "ease", "reg": 100.0}, "ials": _FACTORS},
    ),
]
