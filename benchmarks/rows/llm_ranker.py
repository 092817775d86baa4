"""A small language model puts the best items of EASE in order: what that does to accuracy, and what places do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import data
from benchmarks.machine import Meter, threads
from benchmarks.row import Part, Row
from equipoise.component import Runtime
from equipoise.metrics import hit_rate, ndcg, per_user
from equipoise.models import models
from equipoise.models.llm_ranker.desk import Desk
from equipoise.models.llm_ranker.position import position_curve
from equipoise.models.llm_ranker.ranker import FittedLLMRanker, LLMRanker

_USERS = 50
_BASE: Mapping[str, Any] = {"name": "ease", "reg": 500.0}
_FIELDS: Mapping[str, Any] = {
    "base": _BASE,
    "generator": "smollm2",
    "settings": {"precision": "bfloat16"},
    "pool": 20,
    "shifts": 4,
    "columns": ["title"],
}
_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "ease": {},
    "smollm2, at most 10 places": {"reach": 10},
    "smollm2 alone": {"reach": None},
    "smollm2 alone, not calibrated": {"reach": None, "calibrated": False},
    "not accuracy, rank of a target by the place it is shown at": {"reach": None},
}
_CURVE = list(_SETTINGS)[-1]
_TARGETS = 20  # users whose held-out item is put into each place


@cache
def _desk() -> Desk:
    """One language model for all settings, which is asked no question twice."""
    asked = models.build("llm_ranker", _FIELDS)
    assert isinstance(asked, LLMRanker)
    return asked.desk().remembering()


def _measure(setting: str, seed: int, folder: Path) -> Part:
    parts = data.leave_last(data.read("ml-1m", "movielens"))
    known, runtime = data.joined(parts.train, parts.valid), Runtime(seed=seed, threads=threads())
    drawn = runtime.rng("users").choice(parts.test.events["user_id"].unique().sort(), _USERS, replace=False)
    users = pl.Series("user_id", drawn).sort()
    truth = parts.test.events.filter(pl.col("user_id").is_in(users.implode()))
    if setting == "ease":
        model = models.build("ease", {"reg": _BASE["reg"]}).fit(known, runtime=runtime)
    else:
        model = models.build("llm_ranker", {**_FIELDS, **_SETTINGS[setting]}).fit(known, runtime=runtime)
        assert isinstance(model, FittedLLMRanker)
        model = replace(model, desk=_desk())
        if setting == _CURVE:
            return _curve(model, truth, runtime)
    with Meter() as meter:
        lists = model.recommend(users, 10, runtime=runtime)
    frame = pl.DataFrame(per_user(lists, truth, {"NDCG@10": ndcg(10), "HR@10": hit_rate(10)}))
    values = {name: float(frame[name].mean()) for name in ("NDCG@10", "HR@10")}
    notes = {"component": model.config.describe(), "CPU s per list": meter.cpu_seconds / _USERS}
    if isinstance(model, FittedLLMRanker):
        before = models.build("ease", {"reg": _BASE["reg"]}).fit(known, runtime=runtime)
        values["lists changed"] = float(_changed(lists, before.recommend(users, 10, runtime=runtime)))
    return Part(values, frame, notes)


def _changed(lists: pl.DataFrame, before: pl.DataFrame) -> int:
    """How many lists are other ones than they were."""
    both = lists.join(before, on=["user_id", "rank"], suffix="_before")
    return both.filter(pl.col("item_id") != pl.col("item_id_before"))["user_id"].n_unique()


def _curve(model: FittedLLMRanker, truth: pl.DataFrame, runtime: Runtime) -> Part:
    """Where a held-out item ends that is put into each place in turn."""
    targets = truth.select("user_id", "item_id").sort("user_id").head(_TARGETS)
    values: dict[str, float] = {}
    for row in position_curve(model, targets, shifts=1, runtime=runtime).to_dicts():
        place = f"at {row['position']}"
        values |= {place: row["mean_rank"], f"{place}, low": row["low"], f"{place}, high": row["high"]}
    return Part(values, notes={"component": model.config.describe()})


ROWS = [
    Row(
        "llm-ranker",
        f"ML-1M, {_USERS} users drawn at random, last event held out; all 3,416 items ranked, seen ones left out: the "
        "best 20 of EASE put in order by the log-probability of SmolLM2-135M (bfloat16), 4 cyclic shifts, less what it "
        f"says without a history; 'not accuracy': the held-out item of {_TARGETS} users put into each place, one shift",
        dict.fromkeys(_SETTINGS, (0,)),
        _measure,
        "NDCG@10 before and after, with intervals; the curve by place",
        lambda setting: str({**_FIELDS, **_SETTINGS[setting]}),
        dict.fromkeys(list(_SETTINGS)[1:-1], "ease"),
    )
]
