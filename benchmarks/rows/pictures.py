"""What pictures add to titles for new items, and what stands for the missing ones, on a world that knows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.machine import threads
from benchmarks.row import Part, Row
from equipoise.component import Runtime
from equipoise.data.splits import Split, split
from equipoise.language import encode_items, encoder
from equipoise.metrics import ndcg, per_user
from equipoise.models import models
from equipoise.worlds import Gallery

_SEEDS = (0, 1, 2)
_WORLD: Mapping[str, Any] = {
    "n_users": 400,
    "n_items": 300,
    "days": 20,
    "unpictured": 0,
    "untitled": 0,
    "unmeasured": 0,
}
_TITLES: Mapping[str, Any] = {"name": "tfidf", "width": 32}
_BOTH: Mapping[str, Any] = {"modalities": [_TITLES, {"name": "image"}]}
_WAYS: Mapping[str, Mapping[str, Any]] = {
    "mean": {"name": "concat", **_BOTH},
    "ridge": {"name": "concat", **_BOTH, "missing": "ridge"},
    "gan": {"name": "gan", **_BOTH},
    "align": {"name": "align", **_BOTH},
}
_HIDDEN = {"0 %": 0.0, "40 %": 0.4, "80 %": 0.8}
_TEXT, _ALL, _SHUFFLED = "titles", "pictures too", "pictures of other items too"
_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    _TEXT: _TITLES,
    _ALL: _WAYS["mean"],
    _SHUFFLED: _WAYS["mean"],
    "pictures too, align": _WAYS["align"],
    **{f"{share} of pictures hidden, {way}": _WAYS[way] for share in ("40 %", "80 %") for way in _WAYS},
}


def _measure(setting: str, seed: int, folder: Path) -> Part:
    world, runtime = Gallery(seed=seed, **_WORLD).generate(), Runtime(seed=seed, threads=threads())
    parts = split(world.dataset(), Split(strategy="cold_items", valid=0.1, test=0.2), seed)
    known = parts.train
    assert known.items is not None
    items, rng = known.items, np.random.default_rng([seed, 1])
    if setting == _SHUFFLED:
        items = items.with_columns(items["picture"].gather(rng.permutation(len(items))))
    elif "hidden" in setting:
        kept = pl.Series(rng.random(len(items)) >= _HIDDEN[setting.partition(" of")[0]])
        items = items.with_columns(pl.when(kept).then("picture"))
    fields = dict(_SETTINGS[setting])
    vectors = encode_items(
        items,
        known.text,
        encoder(fields.pop("name"), **fields),
        images=known.images,
        numeric=known.numeric,
        runtime=runtime,
    )
    warm = {"model": {"name": "ease"}, "half": 2.0}
    model = models.build("warm", warm).fit(known, vectors=vectors, runtime=runtime)
    new = parts.test.positives["item_id"].unique().sort()
    places = [world.items["item_id"].to_list().index(item) for item in new]
    liked = world.preference[:, places]
    users, columns = np.nonzero(np.random.default_rng([seed, 77]).random(liked.shape) < liked)
    truth = pl.DataFrame({"user_id": world.users["user_id"].gather(users), "item_id": new.gather(columns)})
    there = known.events["user_id"].unique().sort()
    truth = truth.filter(pl.col("user_id").is_in(there.implode()))
    candidates = pl.DataFrame({"user_id": there}).join(pl.DataFrame({"item_id": new}), how="cross")
    lists = model.recommend(there, 10, candidates=candidates, runtime=runtime)
    frame = pl.DataFrame(per_user(lists, truth, {"NDCG@10": ndcg(10)}))
    # users of another seed are other people
    frame = frame.with_columns(pl.format("{} {}", pl.lit(seed), "user_id").alias("user_id"))
    return Part({"NDCG@10": float(frame["NDCG@10"].mean())}, frame, {"new items": len(new)})


ROWS = [
    Row(
        "pictures",
        "the world `gallery`, 400 users, 300 items, a fifth of them new, and shown to everybody once: clicks are drawn "
        "from the planted preference; titles by TF-IDF, pictures by a network of no training; model warm over EASE; "
        "intervals are over users, not over draws of items",
        dict.fromkeys(_SETTINGS, _SEEDS),
        _measure,
        "pictures above titles alone, those of other items not; what stands for missing ones",
        lambda setting: str(_SETTINGS[setting]),
        dict.fromkeys(list(_SETTINGS)[1:], _TEXT),
    )
]
