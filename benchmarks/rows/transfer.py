"""A sequence model by text alone: trained in one catalogue, used in another, as it is and to begin training from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import data
from benchmarks.machine import threads
from benchmarks.row import Part, Row
from benchmarks.rows.cold_items import encoded, movies, reviewed
from benchmarks.rows.leave_last import measured
from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.data.splits import Splits
from equipoise.models import Fitted, models, save_model

_SEEDS = (0, 1, 2)
_METRIC = "NDCG@10"
_GAINS: Mapping[str, tuple[str, ...]] = {
    "transferred": ("untrained", "popularity", "content", "from nothing"),
    "begun there": ("from nothing", "content", "popularity"),
}
_CATALOGUES: Mapping[str, Callable[[], Dataset]] = {"ML-1M": movies, "instruments": reviewed}
_NETWORK: Mapping[str, Any] = {"text": "alone", "blocks": 2, "length": 50, "check_every": 1, "patience": 4}
_TRAINED: Mapping[str, Mapping[str, Any]] = {
    "ML-1M": {"epochs": 10, "dropout": 0.2},
    "instruments": {"epochs": 40, "dropout": 0.4},
}
"""How each catalogue is trained on, from nothing or from the other one's network."""

_PROTOCOL = (
    "last event held out, the one before for validation; all items ranked, seen ones left out; texts by MiniLM: titles "
    "and genres of ML-1M, of an instrument its earliest review, which is no event; 'transferred' was trained on the "
    "other catalogue alone and sees of this one texts and histories; 'begun there' goes on from it, 'from nothing' is "
    "the same network trained on this catalogue alone, both stopped by validation; the other "
    "catalogue's network is trained once for all seeds; NDCG@10"
)


def _fields(catalogue: str) -> dict[str, Any]:
    return {**_NETWORK, **_TRAINED[catalogue]}


def _measure(setting: str, seed: int, folder: Path) -> Part:
    """One direction, `<trained on> to <used on>`."""
    there, here = setting.split(" to ")
    runtime = Runtime(seed=seed, threads=threads())

    def fitted(name: str, parts: Splits, whole: Dataset, **fields: Any) -> Fitted:
        model = models.build(name, fields)
        return model.fit(parts.train, valid=parts.valid, vectors=encoded(whole, "minilm"), runtime=runtime)

    source, target = _CATALOGUES[there](), _CATALOGUES[here]()
    parts = data.leave_last(target)
    begin = folder / there
    if not begin.exists():
        save_model(fitted("sequence", data.leave_last(source), source, **_fields(there)), begin)
    systems = {
        "transferred": fitted("sequence", parts, target, **{**_fields(here), "start": begin, "epochs": 0}),
        "begun there": fitted("sequence", parts, target, **_fields(here), start=begin),
        "from nothing": fitted("sequence", parts, target, **_fields(here)),
        "untrained": fitted("sequence", parts, target, **{**_fields(here), "epochs": 0}),
        "content": fitted("content", parts, target),
        "popularity": fitted("popular", parts, target),
    }
    measures = {
        name: measured(model.observe(parts.valid.events), parts)[1].sort("user_id")
        for name, model in systems.items()
    }
    users = measures["popularity"]["user_id"]
    values = {name: frame[_METRIC].rename(name) for name, frame in measures.items()}
    told = pl.DataFrame([users, *values.values()]).with_columns(
        (pl.col(own) - pl.col(other)).alias(f"{own} over {other}")
        for own, others in _GAINS.items()
        for other in others
    )
    found = {name: float(told[name].mean()) for name in told.columns[1:]}
    return Part(found, told, {"users": len(users), "fields": {name: _fields(name) for name in (there, here)}})


ROWS = [
    Row(
        "transfer",
        "ML-1M, 6,040 users, 3,416 items; musical instruments, 1,429 users, 900 items; " + _PROTOCOL,
        dict.fromkeys(("ML-1M to instruments", "instruments to ML-1M"), _SEEDS),
        _measure,
        "transferred above popularity and the untrained network, begun there above from nothing, with intervals",
        lambda setting: str([_fields(name) for name in setting.split(" to ")]),
    )
]
