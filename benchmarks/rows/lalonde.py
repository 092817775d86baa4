"""Can adjustment recover an experiment? The treated of a job training experiment against people of surveys."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from benchmarks import data
from benchmarks.row import Part, Row
from equipoise.causal.effects import Effect, estimate_effect
from equipoise.causal.refutation import card

_COVARIATES = ["age", "education", "black", "hispanic", "married", "nodegree", "re74", "re75"]
_METHODS = ("aipw", "ipw", "overlap", "regression", "matching")
_SURVEYS = {"CPS": "cps_controls", "PSID": "psid_controls"}


def _read(name: str) -> pl.DataFrame:
    import pandas as pd

    frame = pl.from_pandas(pd.read_stata(data.folder("lalonde") / f"{name}.dta"))
    return frame.select(pl.col(*_COVARIATES, "treat", "re78").cast(pl.Float64))


def _measure(setting: str, seed: int, folder: Path) -> Part:
    experiment = _read("nsw_dw")
    truth = estimate_effect(experiment, "treat", "re78", adjust=[])
    values = _ends("experiment", truth)
    survey, model = setting.split(", ")
    mixed = pl.concat([experiment.filter(pl.col("treat") == 1), _read(_SURVEYS[survey])])
    notes = {}
    for method in _METHODS:
        effect = _effect(mixed, "re78", _COVARIATES, method, model, seed)
        naive = effect.naive
        values |= {"naive": naive.value, "naive low": naive.low, "naive high": naive.high}
        if model != "linear":  # hundreds of refits take long with 44 columns
            values |= _ends(method, effect)
            continue
        said = card(effect, seed=seed, show=False)
        values |= _ends(f"{method} ({said['verdict']['code']})", effect)
        notes[method] = {
            "verdict": said["verdict"],
            "overlap": {key: value for key, value in (said["overlap"] or {}).items() if key != "histogram"},
            "balance": said["balance"],
            "refutations": [
                {key: line[key] for key in ("name", "status", "says")} for line in said["refutations"]
            ],
        }
    # earnings before the training cannot have been changed by it
    others = [name for name in _COVARIATES if name != "re75"]
    values |= _ends("negative control, earnings of 1975", _effect(mixed, "re75", others, "aipw", model, seed))
    return Part(values, notes=notes)


def _effect(
    frame: pl.DataFrame, outcome: str, adjust: list[str], method: str, model: str, seed: int
) -> Effect:
    return estimate_effect(
        frame,
        "treat",
        outcome,
        adjust=adjust,
        method=method,
        estimand="ate" if method == "overlap" else "att",  # overlap weights have an estimand of their own
        outcome_model=model,
        propensity_model=model,
        seed=seed,
    )


def _ends(name: str, effect: Effect) -> dict[str, float]:
    if effect.value is None or effect.low is None or effect.high is None:
        return {f"{name} refused": 1.0}
    return {name: effect.value, f"{name} low": effect.low, f"{name} high": effect.high}


ROWS = [
    Row(
        "lalonde",
        "NSW (Dehejia and Wahba): earnings of 1978 in dollars; 185 treated of the experiment against survey controls "
        "(CPS 15,992, PSID 2,490), effect on the treated, 8 covariates; experiment: difference of its own means; "
        "95 % intervals; in brackets the card's verdict; quadratic: squares and products in both models, no card",
        {f"{survey}, {model}": [0] for survey in _SURVEYS for model in ("linear", "quadratic")},
        _measure,
        "adjusted values inside the experiment's interval, with the card's verdict beside them",
    ),
]
