"""What hostile texts of items do to each kind of ranker that reads texts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.machine import threads
from benchmarks.row import CACHE, Part, Row
from equipoise.audit.injection import ATTACKS
from equipoise.component import Runtime
from equipoise.language import encode_items
from equipoise.models import models
from equipoise.pipeline.injection import injection_row

_CONTENT = {"name": "content"}
_WARM = {"name": "warm", "model": {"name": "ease", "reg": 300.0}}
_SEQUENCE = {"name": "sequence", "epochs": 10, "length": 50}
_SMOLLM2 = {
    "name": "llm_ranker",
    "base": {"name": "ease", "reg": 300.0},
    "generator": "smollm2",
    "settings": {"precision": "bfloat16"},
    "pool": 8,
}
_WHOLE_LIST = {**_SMOLLM2, "pool": 6, "shifts": 1}  # an attack costs every candidate's question anew

_ANSWERING = "llm_ranker, smollm2 answering"  # writes JSON, as servers do; the others compare likelihoods

_RANKERS: Mapping[str, Mapping[str, Any]] = {
    "content, tfidf": _CONTENT,
    "content, minilm": _CONTENT,
    "warm ease, tfidf": _WARM,
    "warm ease, minilm": _WARM,
    "sequence, minilm": _SEQUENCE,
    "llm_ranker, smollm2": _WHOLE_LIST,
    "llm_ranker, smollm2 alone": {**_WHOLE_LIST, "reach": None},
    "llm_ranker, smollm2 isolated": {**_SMOLLM2, "isolated": True},
    _ANSWERING: {
        **_SMOLLM2,
        "mode": "answer",
        "pool": 4,
        "shifts": 1,
        "calibrated": False,
        "retries": 0,
    },
}
_FEW = "llm_ranker"  # asks a language model for every list
_SHARE = 4  # one attack in so many where it asks about whole lists


def _measure(setting: str, seed: int, folder: Path) -> Part:
    fields, encoder = dict(_RANKERS[setting]), setting.partition(", ")[2]
    known, runtime = data.read("ml-latest-small", "movielens"), Runtime(seed=seed, threads=threads())
    assert known.items is not None
    vectors = None
    if not setting.startswith(_FEW):
        cache = None if encoder == "tfidf" else CACHE / "vectors"
        vectors = encode_items(known.items, known.text, encoder, cache=cache)
    model = models.build(fields.pop("name"), fields).fit(known, vectors=vectors, runtime=runtime)
    users, targets, every = 20, 5, 1
    if setting.startswith(_FEW):
        users, targets, every = (2, 2, 1) if "isolated" in _RANKERS[setting] else (1, 2, _SHARE)
    told = injection_row(
        model, known, users, ranker=setting, targets=targets, attacks=ATTACKS[::every], seed=seed
    )
    values = {
        name.replace("_", " "): float(value)
        for name, value in told.row(0, named=True).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return Part(values, notes={"component": model.config.describe()})


ROWS = [
    Row(
        "hostile-texts",
        "ml-latest-small, titles and genres; the kit of attacks in the texts of items drawn at random, lists of drawn "
        "users before and after; lift in places, beyond what a harmless sentence does",
        dict.fromkeys(_RANKERS, (0,)),
        _measure,
        "a line for each ranker",
        lambda setting: str(_RANKERS[setting]),
    )
]
