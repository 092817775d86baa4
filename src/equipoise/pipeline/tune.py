"""Choose hyper-parameters by search, on training and validation events only."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from equipoise import metrics as m
from equipoise.component import Runtime
from equipoise.config import Config, SearchSpace, read_config
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.data.splits import k_fold
from equipoise.errors import ConfigError, DataError, MissingExtraError, ModelError
from equipoise.models import Fitted, models
from equipoise.pipeline.encode import encode
from equipoise.pipeline.held_out import held_out
from equipoise.pipeline.prepare import Prepared, prepare
from equipoise.progress import track

if TYPE_CHECKING:
    from optuna import Trial


@dataclass(frozen=True)
class Tuned:
    """The outcome of a search.

    Attributes:
        settings: Best value of each searched field.
        metric: What was maximised.
        value: Its mean over the folds.
        trials: Trials in all.
        config: The configuration with the best settings, as a file.
        protocol: How the value was taken, in a line.
    """

    settings: dict[str, Any]
    metric: str
    value: float
    trials: int
    config: Path
    protocol: str


def tune(
    config: Config | Mapping[str, Any] | Path | str,
    *,
    out: Path | str | None = None,
    trials: int | None = None,
    overrides: Iterable[str] = (),
    seed: int | None = None,
) -> Tuned:
    """Search the fields of `[tune.space]` for the model of a configuration.

    The test events are split off first and never looked at. Each trial fits on the training part of every fold and is
    measured on the fold's held-out part; with one fold, that is the configured train and valid parts. Nothing stops a
    training early, since what it would stop by is what it is measured by: epochs are a field like any other. The
    search is kept in `search.db` of the folder: asked again, it goes on.

    Raises:
        ConfigError: if there is nothing to search.
        MissingExtraError: if Optuna is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise MissingExtraError("optuna", extra="tune", purpose="A search") from None
    settings = read_config(config, [*overrides, *([] if seed is None else [f"seed={seed}"])])
    if settings.tune is None or not settings.tune.space:
        raise ConfigError(
            "There is nothing to search", where="section [tune.space]",
            todo='Give ranges there, as in reg = { low = 50.0, high = 2000.0, log = true }.',
        )  # fmt: skip
    search = settings.tune
    wanted = trials or search.trials
    folder = Path(out) if out is not None else Path("runs") / f"tune-{settings.name}"
    folder.mkdir(parents=True, exist_ok=True)
    runtime = Runtime(seed=settings.seed, progress=False)
    data, _ = prepare(settings, runtime)
    vectors = encode(settings, data.train, runtime)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=_identity(settings), storage=f"sqlite:///{folder / 'search.db'}", direction="maximize",
        load_if_exists=True,
    )  # fmt: skip
    finished = sum(trial.state.is_finished() for trial in study.trials)
    # Another seed for each continuation: the same one would propose the same settings again.
    study.sampler = optuna.samplers.TPESampler(seed=settings.seed + finished)
    parts = _folds(data, settings)

    def objective(trial: Trial) -> float:
        fields = settings.model.fields | {
            key: _suggest(trial, key, space) for key, space in search.space.items()
        }
        recommender = models.build(settings.model.name, fields)
        values = []
        for train, judged in parts:
            fitted = recommender.fit(train, vectors=vectors, runtime=runtime)
            values.append(_quality(fitted, train, judged, settings, runtime))
        return float(np.mean(values))

    for _ in track(range(max(wanted - finished, 0)), "searching"):
        study.optimize(objective, n_trials=1, catch=(ModelError,))  # a training that diverged
    if not any(trial.value is not None for trial in study.trials):
        raise ModelError(
            "No trial could be trained", where=f"{len(study.trials)} trials", todo="Narrow [tune.space]."
        )
    best = settings.model_copy(
        update={
            "model": type(settings.model)(
                name=settings.model.name, **settings.model.fields | study.best_params
            )
        }
    )
    target = folder / "best.toml"
    target.write_text(best.to_toml(), "utf-8")
    protocol = f"mean over users of {len(parts)} held-out part(s) of what is not test; split {settings.split.strategy}"
    return Tuned(study.best_params, search.metric, study.best_value, len(study.trials), target, protocol)


def _folds(data: Prepared, settings: Config) -> list[tuple[Dataset, Dataset]]:
    """Pairs of what to fit on and what to measure by; the test events are in none of them."""
    assert settings.tune is not None
    if settings.tune.folds == 1:
        return [(data.train, data.valid)]
    known = data.train.with_events(pl.concat([data.train.events, data.valid.events]))
    return [(fold.train, fold.valid) for fold in k_fold(known, settings.tune.folds, seed=settings.seed)]


def _quality(fitted: Fitted, train: Dataset, judged: Dataset, settings: Config, runtime: Runtime) -> float:
    """Mean of the metric over users with relevant events in the held-out part."""
    assert settings.tune is not None
    wanted, audit = m.parse(settings.tune.metric), settings.audit
    truth = held_out(judged, (train,), audit).events.select(v.USER, v.ITEM)
    if truth.is_empty():
        raise DataError("A fold has no relevant event to measure by", todo="Take fewer folds, or more data.")
    users = truth[v.USER].unique().sort()
    lists = fitted.recommend(users, wanted.k, exclude_seen=audit.exclude_seen, runtime=runtime)
    return float(wanted(lists, truth)["value"].mean())


def _suggest(trial: Trial, key: str, space: SearchSpace) -> Any:
    if space.choices is not None:
        return trial.suggest_categorical(key, list(space.choices))
    assert space.low is not None
    assert space.high is not None
    if space.whole:
        return trial.suggest_int(key, math.ceil(space.low), math.floor(space.high), log=space.log)
    return trial.suggest_float(key, space.low, space.high, log=space.log)


def _identity(settings: Config) -> str:
    """A name under which only trials of the same question are kept together."""
    assert settings.tune is not None
    kept = {"seed", "data", "clean", "split", "encoder", "model"}
    asked = settings.model_dump(mode="json", include=kept) | {
        "judged": [settings.audit.relevant, settings.audit.exclude_seen],
        "search": settings.tune.model_dump(mode="json", exclude={"trials"}),
    }
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    return f"{settings.name}-{digest[:12]}"
