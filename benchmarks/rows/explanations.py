"""How long a reason takes, and whether it is one: what is cited is deleted, and the model asked again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks import data
from benchmarks.machine import threads
from benchmarks.row import Part, Row
from equipoise.component import Runtime
from equipoise.explain import Explainer
from equipoise.explain.faithfulness import faithfulness, summary
from equipoise.models import models

_REQUESTS = 60  # users drawn at random, the first item of each one's list
_FAITHFUL = 30  # users whose ten places are tried

_MODELS: Mapping[str, Mapping[str, Any]] = {
    "ease": {"name": "ease", "reg": 500.0},
    "sequence": {"name": "sequence", "dropout": 0.2, "epochs": 3},
}


def _measure(setting: str, seed: int, folder: Path) -> Part:
    parts = data.leave_last(data.read("ml-1m", "movielens"))
    known, runtime = (
        data.joined(parts.train, parts.valid),
        Runtime(seed=seed, threads=threads(), progress=False),
    )
    rest = {key: value for key, value in _MODELS[setting].items() if key != "name"}
    model = models.build(_MODELS[setting]["name"], rest).fit(known, runtime=runtime)
    users = pl.Series(runtime.rng("users").choice(model.catalogue.users.to_numpy(), _REQUESTS, replace=False))
    lists, explainer = model.recommend(users, 10, runtime=runtime), Explainer(model, known, "title")
    asked = list(lists.filter(pl.col("rank") == 1).select("user_id", "item_id").iter_rows())
    explainer.explain(*asked[0])  # what is made once for all requests
    values: dict[str, float] = {}
    sets = []
    for name, wanted in (("reasons", False), ("with counterfactual", True)):
        taken = []
        for user, item in asked:
            began = time.perf_counter()
            told = explainer.explain(user, item, counterfactual=wanted)
            taken.append(1000 * (time.perf_counter() - began))
            if told.counterfactual is not None:
                sets.append(told.counterfactual)
        values |= {f"{name}, median ms": float(np.median(taken)), f"{name}, longest ms": max(taken)}
    values |= {
        "sets found": float(np.mean([one.found for one in sets])),
        "of these irreducible": float(np.mean([one.irreducible for one in sets if one.found])),
        "most histories answered": float(max(one.forwards for one in sets)),
    }
    tried = lists.filter(pl.col("user_id").is_in(users.head(_FAITHFUL).implode()))
    told = summary(faithfulness(explainer, tried, 10, runtime), runtime)
    for name in ("faithful", "size", "chance", "gain"):
        found = getattr(told, name)
        values |= {name: found.value, f"{name}, low": found.low, f"{name}, high": found.high}
    values = {name: value for name, value in values.items() if value is not None}
    return Part(values, notes={"component": model.config.describe(), "threads": runtime.cores})


ROWS = [
    Row(
        "explanations",
        f"ML-1M, 3,416 items; {_REQUESTS} users drawn at random, why the first item of the list, model at hand; k 10, "
        "at most 256 histories answered; sequence: 3 epochs; faithful: share of the places of "
        f"{_FAITHFUL} lists that the item leaves without what is cited, chance: by random deletions as large",
        dict.fromkeys(_MODELS, (0,)),
        _measure,
        "reasons below 200 ms, with the counterfactual set below 1 s",
        lambda setting: str(_MODELS[setting]),
    )
]
