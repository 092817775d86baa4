"""The time of an effect, beside EconML with the same nuisances."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import expit

from benchmarks.row import Part, Row
from equipoise.causal.effects import estimate_effect

_ROWS, _COVARIATES, _REPEATS = 100_000, 20, 3


def _sample(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(_ROWS, _COVARIATES))
    t = (rng.random(_ROWS) < expit(x[:, :4] @ [0.5, 0.3, -0.3, 0.2])).astype(int)
    return x, t, t + x @ np.linspace(1, 0, _COVARIATES) + rng.normal(size=_ROWS)


def _ours(x: np.ndarray, t: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    names = [f"x{j}" for j in range(_COVARIATES)]
    frame = pl.DataFrame(x, schema=names).with_columns(t=pl.Series(t), y=pl.Series(y))
    effect = estimate_effect(frame, "t", "y", adjust=names)
    assert effect.value is not None
    assert effect.standard_error is not None
    return effect.value, effect.standard_error


def _econml(x: np.ndarray, t: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    from econml.dr import LinearDRLearner
    from sklearn.linear_model import LinearRegression, LogisticRegression

    learner = LinearDRLearner(
        model_propensity=LogisticRegression(), model_regression=LinearRegression(), cv=5, random_state=0
    )
    learner.fit(y, t, X=None, W=x)
    said = learner.intercept__inference(T=1)
    return float(said.point_estimate), float(said.stderr)


_WAYS = {"ours": _ours, "EconML LinearDRLearner": _econml}


def _measure(setting: str, seed: int, folder: Path) -> Part:
    sample = _sample(seed)
    _WAYS[setting](*(part[:1000] for part in sample))  # imports are not timed
    seconds, processor = [], []
    for _ in range(_REPEATS):
        wall, busy = time.perf_counter(), time.process_time()
        value, error = _WAYS[setting](*sample)
        seconds.append(time.perf_counter() - wall)
        processor.append(time.process_time() - busy)
    return Part({"s": min(seconds), "CPU s": min(processor), "value": value, "standard error": error})


ROWS = [
    Row(
        "effect-speed",
        f"AIPW of {_ROWS:,} rows, {_COVARIATES} covariates, 5 folds, linear and logistic nuisances, effect 1; best of "
        f"{_REPEATS}; ours from a frame to the effect with its checks",
        {way: [0] for way in _WAYS},
        _measure,
    ),
]
