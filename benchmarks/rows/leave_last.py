"""Leave-last, full ranking: train on all but the two last events, rank the whole catalogue for the last one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from equipoise.data.splits import Splits
from equipoise.errors import DataError
from equipoise.language import Vectors, encode_items
from equipoise.metrics import hit_rate, ndcg, per_user
from equipoise.models import Fitted, Training, models
from equipoise.pipeline.finetune import finetune
from equipoise.pipeline.finetuned import MANIFEST

_SEEDS = (0, 1, 2)
_RANKED = "last event held out, the one before for validation; all items ranked, seen ones left out"

_ML_1M = f"ML-1M, 6,040 users, 3,416 items, 999,611 events; {_RANKED}"
_BEAUTY = f"Amazon Beauty (S3Rec), 22,363 users, 12,101 items, 198,502 events; {_RANKED}"

_SMALL = f"ml-latest-small, 671 users, 9,066 items, 100,004 ratings; texts: titles, genres, tags; {_RANKED}"
_MUSICAL = (
    "Musical instruments, 1,429 users, 900 items, 10,261 reviews; an item's text is its reviews in training, "
    f"the summaries first; {_RANKED}"
)
_AIM = "above the tuned text-free model; +15 % where the held-out item is in the rarest fifth"
_AGAINST = {"text on": "text off", "text fine-tuned": "text off"}

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


def _alike(fields: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The same fields whatever is read of texts."""
    return dict.fromkeys(("off", "on", "fine-tuned"), fields)


# Without text the best on validation of four settings; with text the best of five, that one among them.
_ON_SMALL = {
    **_alike(
        {
            "blocks": 1,
            "length": 100,
            "dropout": 0.4,
            "epochs": 40,
            "learning_rate": 1e-3,
            "batch_places": 1600,
        }
    ),
    "off": {
        "width": 128,
        "length": 100,
        "dropout": 0.7,
        "epochs": 40,
        "learning_rate": 2e-3,
        "batch_places": 1600,
    },
}
# The best on validation of 16 settings drawn at random, each without and with text; training stops early.
_MUSICAL_FIELDS: Mapping[str, Any] = {
    "blocks": 2,
    "length": 50,
    "batch_places": 1600,
    "epochs": 40,
    "learning_rate": 2e-3,
}
_ON_MUSICAL = {
    **_alike({**_MUSICAL_FIELDS, "width": 64, "dropout": 0.4, "id_dropout": 0.0}),
    "off": {**_MUSICAL_FIELDS, "width": 128, "dropout": 0.6},
}
_FINE_TUNING: Mapping[str, Any] = {"minutes": 20, "steps": 400, "checks": 4}

Texts = Mapping[str, Callable[[Splits, Path], Vectors]]


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


def rarest(frame: pl.DataFrame, parts: Splits) -> pl.DataFrame:
    """The values once more for those whose held-out item is in the rarest fifth by events in training; null for others.

    Where events are equally many, the first by id; items without any are none of them.
    """
    counts = parts.train.events.group_by("item_id").len().sort("len", "item_id")
    rare = counts["item_id"].head(len(counts) // 5)
    tested = parts.test.events.filter(pl.col("item_id").is_in(rare.implode()))["user_id"]
    metrics = [name for name in frame.columns if name != "user_id"]
    among = pl.when(pl.col("user_id").is_in(tested.implode()))
    return frame.with_columns(among.then(pl.col(name)).alias(f"{name}, rarest fifth") for name in metrics)


def _sequence(
    read: Callable[[], Dataset], fields: Mapping[str, Mapping[str, Any]], texts: Texts
) -> Callable[[str, int, Path], Part]:
    def measure(setting: str, seed: int, folder: Path) -> Part:
        parts = data.leave_last(read())
        of = setting.removeprefix("text ").partition(",")[0]
        vectors = texts[of](parts, folder) if of in texts else None
        sampled = {"loss": "sampled_softmax", "negatives": 1024} if _SHARED in setting else {}
        config = models.build("sequence", {**fields[of], **sampled})
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
        frame = rarest(frame, parts)
        values |= {"training s": float(log[:, 1].sum()), "s/epoch": float(np.median(log[:, 1]))}
        unfinished.unlink(missing_ok=True)
        return Part(values, frame, {"component": config.describe(), "log": log.tolist()})

    return measure


def _frozen(parts: Splits, folder: Path) -> Vectors:
    return encode_items(*_read(parts), "minilm", cache=CACHE / "vectors")


def _attributes(parts: Splits, folder: Path) -> Vectors:
    return encode_items(*_read(parts), "tfidf")


def _fine_tuned(parts: Splits, folder: Path) -> Vectors:
    """By MiniLM after a training on pairs of the training part, which is done once for all seeds."""
    kept = folder / "fine-tuned"
    if not (kept / MANIFEST).exists():
        items, text = _read(parts)
        folder.mkdir(parents=True, exist_ok=True)
        pl.concat([part.events for part in (parts.train, parts.valid, parts.test)]).write_parquet(
            folder / "events.parquet"
        )
        items.select("item_id", *text).write_parquet(folder / "items.parquet")
        source = {
            "events": str(folder / "events.parquet"),
            "items": str(folder / "items.parquet"),
            "text": list(text),
        }
        settings = {"data": source, "split": {"strategy": "leave_last"}, "finetune": _FINE_TUNING}
        finetune(settings, out=kept, seed=0)
    if not (kept / "encoder").exists():
        raise DataError("No step of the training was better than the base", where=str(kept))
    return encode_items(*_read(parts), f"hf:{kept / 'encoder'}", cache=CACHE / "vectors")


def _read(parts: Splits) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The items and their text columns; without a table of items, an item's text is its training reviews."""
    if parts.train.items is not None:
        return parts.train.items, parts.train.text
    order = parts.train.events.sort("item_id", "timestamp", "user_id")
    said = order.group_by("item_id", maintain_order=True).agg(
        summaries=pl.col("summary").str.join(". "), reviews=pl.col("text").str.join("\n")
    )
    return said, ("summaries", "reviews")


_ENCODED: Texts = {"on": _frozen, "fine-tuned": _fine_tuned}


def _tagged() -> Dataset:
    return replace(data.read("ml-latest-small", "movielens"), text=("title", "genres", "tags"))


def _settings(*names: str, seeds: Sequence[int] = _SEEDS) -> dict[str, Sequence[int]]:
    return dict.fromkeys(names, seeds)


ROWS = [
    Row("ml1m-ease", _ML_1M, {f"reg {reg}": (0,) for reg in (100, 500, 2000)}, _ease),
    Row(
        "ml1m-sequence",
        _ML_1M,
        _settings("text off", "text on", "text fine-tuned") | {f"text off, 1,024 {_SHARED}": (0,)},
        _sequence(lambda: data.read("ml-1m", "movielens"), _alike(_ON_ML_1M), _ENCODED),
        _AIM,
        against=_AGAINST,
    ),
    Row(
        "ml-latest-small-sequence",
        _SMALL,
        _settings("text off", "text on", "text fine-tuned"),
        _sequence(_tagged, _ON_SMALL, _ENCODED),
        _AIM,
        lambda setting: str(_ON_SMALL[setting.removeprefix("text ")]),
        _AGAINST,
    ),
    Row(
        "musical-instruments-sequence",
        _MUSICAL,
        _settings("text off", "text on", "text fine-tuned"),
        _sequence(lambda: data.read("musical-instruments", "amazon-reviews"), _ON_MUSICAL, _ENCODED),
        _AIM,
        lambda setting: str(_ON_MUSICAL[setting.removeprefix("text ")]),
        _AGAINST,
    ),
    Row(
        "beauty-sequence",
        _BEAUTY,
        _settings("text off", "text on"),
        _sequence(lambda: data.read("amazon-beauty", "s3rec"), _alike(_ON_BEAUTY), {"on": _attributes}),
        against={"text on": "text off"},
    ),
]
