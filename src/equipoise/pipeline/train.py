"""Fit one stage of a run: the model as it is, or with its corrections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from equipoise.component import Runtime
from equipoise.config import Config
from equipoise.data import vocabulary as v
from equipoise.debias import AfterTraining, BeforeTraining, Context, Correction, DuringTraining, corrections
from equipoise.errors import ModelError
from equipoise.language import Vectors
from equipoise.models import Fitted, Training, models
from equipoise.pipeline.prepare import Prepared


@dataclass(frozen=True)
class Trained:
    """A fitted stage.

    Attributes:
        model: Fitted on train, calibrated on valid, and knowing of both what users did.
        facts: What the corrections reported while it was trained.
    """

    model: Fitted
    facts: dict[str, Any]


def chosen_corrections(config: Config) -> list[Correction]:
    """The corrections of a configuration, in order."""
    return [corrections.build(section.method, section.fields) for section in config.debias]


def retrains(chosen: Sequence[Correction]) -> bool:
    """Whether any correction acts before or during training, so that the model has to be trained anew."""
    return any(not isinstance(correction, AfterTraining) for correction in chosen)


def train(
    config: Config, prepared: Prepared, vectors: Vectors | None, chosen: Sequence[Correction], runtime: Runtime
) -> Trained:
    """Fit the configured model under the corrections that act before or during training."""
    data, facts = prepared.train, dict[str, Any]()
    training = Training()
    for correction in chosen:
        context = Context(data=data, runtime=runtime)
        if isinstance(correction, BeforeTraining):
            data = correction.transform(data, context)
        elif isinstance(correction, DuringTraining):
            training = training.merged(correction.training(data, context))
        facts |= context.diagnostics
    recommender = models.build(config.model.name, config.model.fields)
    model = recommender.fit(data, valid=prepared.valid, vectors=vectors, training=training, runtime=runtime)
    return Trained(_calibrated(model, prepared, runtime, facts), facts)


def recommend(
    model: Fitted, prepared: Prepared, chosen: Sequence[Correction], k: int, exclude_seen: bool, runtime: Runtime
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Lists of length `k` for every user, after the corrections that re-rank; and what these reported."""
    rerankers = [correction for correction in chosen if isinstance(correction, AfterTraining)]
    depth = max([k, *(correction.pool for correction in rerankers)])
    knowing = model.observe(prepared.valid.events)
    users = pl.concat([model.catalogue.users, prepared.test.events[v.USER].cast(model.catalogue.users.dtype)])
    lists = knowing.recommend(users.unique().sort(), depth, exclude_seen=exclude_seen, runtime=runtime)
    context = Context(data=prepared.train, runtime=runtime)
    for place, correction in enumerate(rerankers, start=1):
        last = place == len(rerankers)
        lists = correction.rerank(lists, context, k if last else depth)
    return lists.filter(pl.col(v.RANK) <= k), context.diagnostics


def _calibrated(model: Fitted, prepared: Prepared, runtime: Runtime, facts: dict[str, Any]) -> Fitted:
    try:
        return model.calibrate(prepared.valid, runtime)
    except ModelError as error:
        facts["calibration"] = error.paragraph
        return model
