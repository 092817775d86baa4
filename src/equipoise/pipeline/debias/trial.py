"""One row, trained once: fit, calibrate on valid, recommend for valid and for test, measure."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from equipoise.audit.lists import random_lists
from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias import AfterTraining
from equipoise.debias.corrected import Corrected, fit, instead
from equipoise.errors import EquipoiseError, ModelError
from equipoise.models import models
from equipoise.models.optimised import Optimised
from equipoise.models.recommender import Recommender
from equipoise.pipeline.debias.ground import PARTS, Ground, Part
from equipoise.pipeline.debias.leakage import TRAININGS, Attack
from equipoise.pipeline.debias.systems import POPULAR, RANDOM, System
from equipoise.pipeline.debias.values import Values, per_user, whole

PART = "part"
_CALLS = 3  # timed calls for lists, of which the median counts
_LONG = 5.0  # seconds of timed calls after which no further one is made
_FEW = 50  # users of the fit that warms up
_WARM: set[str] = set()  # models whose first fit, with the loading it brings, lies behind


@dataclass(frozen=True)
class Trained:
    """A row fitted for one seed.

    Attributes:
        corrected: The model with its re-rankers; calibrated on valid where that has enough.
        seconds: Wall time of the fit; loading and warming up lie before.
        uncalibrated: Why there are no probabilities; None where there are.
    """

    corrected: Corrected
    seconds: float
    uncalibrated: str | None


@dataclass(frozen=True)
class Trial:
    """What came of one row and seed.

    Attributes:
        values: What each user contributes, see `per_user`, of both parts told apart by `part`.
        facts: Everything else, as plain values.
    """

    values: Values
    facts: dict[str, Any]


def train(system: System, ground: Ground, seed: int, checkpoint: Path | None = None) -> Trained:
    """Fit a row that has a model; nothing of test is looked at."""
    runtime = ground.runtime(seed)
    recommender = models.build("popular") if system.name == POPULAR else ground.recommender
    _warm_up(instead(recommender, _data(system, ground), system.chosen), ground)
    started = time.perf_counter()
    corrected = fit(
        recommender, _data(system, ground), system.chosen, valid=ground.valid, vectors=ground.vectors, runtime=runtime,
        checkpoint=checkpoint, exclude_seen=ground.config.audit.exclude_seen,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    uncalibrated = None
    try:
        model = corrected.model.calibrate(
            ground.valid, runtime, exclude_seen=ground.config.audit.exclude_seen
        )
        corrected = replace(corrected, model=model, context=replace(corrected.context, model=model))
    except ModelError as error:  # too few held-out events: lists without probabilities
        uncalibrated = error.paragraph
    return Trained(corrected, seconds, uncalibrated)


def reranked(base: Trained, system: System, ground: Ground) -> Trained:
    """The base model of the same seed under corrections of its lists alone."""
    rerankers = tuple(one for one in system.chosen if isinstance(one, AfterTraining))
    context = replace(base.corrected.context, data=_data(system, ground), diagnostics={})
    return replace(base, corrected=Corrected(base.corrected.model, rerankers, context))


def trial(
    system: System,
    ground: Ground,
    seed: int,
    attack: Attack,
    base: Callable[[], Trained],
    checkpoint: Path | None = None,
) -> Trial:
    """Train one row for one seed, and measure it.

    Args:
        system: The row.
        ground: What all rows stand on.
        seed: Which training, from 0.
        attack: Reads the attribute from what came out.
        base: Gives the base of the same seed.
        checkpoint: File that keeps the state of an interrupted training.
    """
    if system.name == RANDOM:
        lists = {part: _at_random(part, ground, seed) for part in PARTS}
        return _measured(lists, ground, None, attack(lists["test"], None) if seed < TRAININGS else {}, {})
    if system.kind == "base":
        trained = base()
    elif system.chosen and not system.retrains:
        trained = reranked(base(), system, ground)
    else:
        trained = train(system, ground, seed, checkpoint)
    unheard = replace(trained.corrected, context=replace(trained.corrected.context, diagnostics={}))
    chooses = any(one.chooses for one in system.chosen if isinstance(one, AfterTraining))
    lists = {"valid": (_crossed if chooses else _for_valid)(unheard, ground)}
    lists["test"] = _lists(trained.corrected, ground.served, ground, ground.prepared.valid)
    diagnostics = dict(trained.corrected.diagnostics)  # what later lists report says the same
    latency = _latency(unheard, ground)
    if len(ground.strangers):
        others = _lists(unheard, ground.strangers, ground, ground.prepared.valid)
        lists["test"] = pl.concat([lists["test"], others])
    started = time.perf_counter()
    leakage = attack(lists["test"], unheard) if seed < TRAININGS else {}
    told = {
        "seconds": trained.seconds,
        "latency": latency,
        "attacking": time.perf_counter() - started,
        "diagnostics": diagnostics,
        "uncalibrated": trained.uncalibrated,
    }
    return _measured(lists, ground, None if system.name == POPULAR else unheard, leakage, told)


def _warm_up(recommender: Recommender, ground: Ground) -> None:
    """The first fit of a model loads libraries and compiles: done on few users before any training is timed."""
    if recommender.name in _WARM:
        return
    _WARM.add(recommender.name)
    short = recommender
    if isinstance(recommender, Optimised):
        import_module("equipoise.models.loop")  # torch
        short = recommender.model_copy(update={"epochs": 1})
    few = ground.train.events.filter(pl.col(v.USER).is_in(ground.served.head(_FEW).implode()))
    with suppress(EquipoiseError):  # few users may be too few to learn from
        short.fit(ground.train.with_events(few), vectors=ground.vectors, runtime=ground.runtime(0))


def _for_valid(corrected: Corrected, ground: Ground) -> pl.DataFrame:
    return _lists(corrected, ground.held_out["valid"].users[v.USER], ground, None)


def _crossed(corrected: Corrected, ground: Ground) -> pl.DataFrame:
    """Lists for validation users of a correction that chooses by such users: each half under what the other chose.

    By what they chose themselves, they would praise whatever was chosen.
    """
    users = ground.held_out["valid"].users[v.USER]
    half = np.random.default_rng([ground.config.seed, 5]).permutation(len(users)) % 2
    found = []
    for side in (0, 1):
        asked, choosing = users.filter(pl.Series(half == side)), users.filter(pl.Series(half != side))
        events = ground.valid.events.filter(pl.col(v.USER).is_in(choosing.implode()))
        context = replace(corrected.context, valid=ground.valid.with_events(events))
        found.append(_lists(replace(corrected, context=context), asked, ground, None))
    return pl.concat(found)


def _latency(corrected: Corrected, ground: Ground) -> float:
    """Milliseconds per user of making the lists of test time together: the median of calls, after one that warmed up.

    What a correction of lists prepares once for all calls is no part of it.
    """
    spent = list[float]()
    while len(spent) < _CALLS and sum(spent) < _LONG:
        started = time.perf_counter()
        _lists(corrected, ground.served, ground, ground.prepared.valid)
        spent.append(time.perf_counter() - started)
    return 1000 * float(np.median(spent)) / max(1, len(ground.served))


def _measured(
    lists: dict[Part, pl.DataFrame],
    ground: Ground,
    predicting: Corrected | None,
    leakage: dict[str, Any],
    told: dict[str, Any],
) -> Trial:
    values = [
        per_user(lists[part], part, ground, predicting).select(pl.lit(part).alias(PART), pl.all())
        for part in PARTS
    ]
    empty: dict[str, Any] = {
        "seconds": None, "latency": None, "attacking": 0.0, "diagnostics": {}, "uncalibrated": None
    }  # fmt: skip
    return Trial(pl.concat(values), {**empty, **told, "leakage": leakage, **whole(lists["test"], ground)})


def _data(system: System, ground: Ground) -> Dataset:
    """What a row is trained on: configured corrections choose their attribute as a run does."""
    return ground.prepared.train if system.kind == "configured" else ground.train


def _lists(corrected: Corrected, users: pl.Series, ground: Ground, observed: Dataset | None) -> pl.DataFrame:
    """The first k of a row for these users."""
    seen = ground.config.audit.exclude_seen
    lists = corrected.recommend(users, ground.k, exclude_seen=seen, observed=observed)
    return lists.with_columns(pl.col(v.USER).cast(users.dtype))


def _at_random(part: Part, ground: Ground, seed: int) -> pl.DataFrame:
    users = ground.held_out[part].users[v.USER]
    had = None
    if ground.config.audit.exclude_seen:
        had = ground.prepared.train.positives if part == "valid" else ground.seen
    if part == "test":
        users = pl.concat([ground.served, ground.strangers])
    drawn = Runtime(seed=ground.config.seed + seed).rng("random lists").integers(2**31)
    return random_lists(ground.catalogue, users, ground.k, int(drawn), train=had)
