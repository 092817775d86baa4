"""Leave-last, full ranking: train on all but the two last events, rank the whole catalogue for the last one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks import data
from benchmarks.machine import threads
from benchmarks.row import CACHE, Part, Row
from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.data.splits import Splits
from equipoise.language import Vectors, encode_items
from equipoise.metrics import hit_rate, ndcg, per_user
from equipoise.models import Fitted, Training, models

_SEEDS = (0, 1, 2)
_RANKED = "last event held out, the one before for validation; all items ranked, seen ones left out"

_ML_1M = f"ML-1M, 6,040 users, 3,416 items, 999,611 events; {_RANKED}"
_BEAUTY = f"Amazon Beauty (S3Rec), 22,363 users, 12,101 items, 198,502 events; {_RANKED}"

_SHARED = "shared negatives"  # drawn once per batch, with the logQ correction, in place of all items

_ON_ML_1M: Mapping[str, Any] = {"batch_places": 1600, "epochs": 20, "learning_rate": 2e-3, "dropout": 0.2}
_ON_BEAUTY: Mapping[str, Any] = {
    "blocks": 1,
    "length": 50,
    "dropout": 0.4,
    "batch_places": 1600,
    "epochs": 32,
    "learning_rate": 1e-3,
}


def measured(model: Fitted, parts: Splits) -> tuple[dict[str, float], pl.DataFrame]:
    """HR@10 and NDCG@10 on the test part, of a model that knows what came before it."""
    users = parts.test.events["user_id"].unique().sort()
    lists = model.recommend(users, 10)
    values = per_user(lists, parts.test.events, {"HR@10": hit_rate(10), "NDCG@10": ndcg(10)})
    frame = pl.DataFrame(values)
    return {name: float(frame[name].mean()) for name in ("HR@10", "NDCG@10")}, frame


def _ease(setting: str, seed: int, folder: Path) -> Part:
    parts = data.leave_last(data.read("ml-1m", "movielens"))
    config = models.build("ease", {"reg": float(setting.removeprefix("reg "))})
    model = config.fit(data.joined(parts.train, parts.valid))
    return Part(*measured(model, parts))


def _sequence(
    read: Callable[[], Dataset], fields: Mapping[str, Any], texts: Callable[[Dataset], Vectors]
) -> Callable[[str, int, Path], Part]:
    def measure(setting: str, seed: int, folder: Path) -> Part:
        whole = read()
        parts = data.leave_last(whole)
        vectors = texts(whole) if "text on" in setting else None
        sampled = {"loss": "sampled_softmax", "negatives": 1024} if _SHARED in setting else {}
        config = models.build("sequence", {**fields, **sampled})
        unfinished = folder / f"{setting.replace(' ', '_')}-{seed}.safetensors"
        model = config.fit(
            parts.train,
            valid=parts.valid,
            vectors=vectors,
            training=Training(checkpoint=unfinished),
            runtime=Runtime(seed=seed, threads=threads()),
        )
        values, frame = measured(model.observe(parts.valid.events), parts)
        log = model.arrays()["log"]
        values |= {"training s": float(log[:, 1].sum()), "s/epoch": float(np.median(log[:, 1]))}
        unfinished.unlink(missing_ok=True)
        return Part(values, frame, {"component": config.describe(), "log": log.tolist()})

    return measure


def _titles(whole: Dataset) -> Vectors:
    assert whole.items is not None
    return encode_items(whole.items, whole.text, "minilm", cache=CACHE / "vectors")


def _attributes(whole: Dataset) -> Vectors:
    assert whole.items is not None
    return encode_items(whole.items, whole.text, "tfidf")


def _settings(*names: str, seeds: Sequence[int] = _SEEDS) -> dict[str, Sequence[int]]:
    return dict.fromkeys(names, seeds)


ROWS = [
    Row("ml1m-ease", _ML_1M, {f"reg {reg}": (0,) for reg in (100, 500, 2000)}, _ease),
    Row(
        "ml1m-sequence",
        _ML_1M,
        _settings("text off", "text on") | {f"text off, 1,024 {_SHARED}": (0,)},
        _sequence(lambda: data.read("ml-1m", "movielens"), _ON_ML_1M, _titles),
    ),
    Row(
        "beauty-sequence",
        _BEAUTY,
        _settings("text off", "text on"),
        _sequence(lambda: data.read("amazon-beauty", "s3rec"), _ON_BEAUTY, _attributes),
    ),
]
