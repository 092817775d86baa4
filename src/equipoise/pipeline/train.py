"""Fit the stages of a run and let them recommend: the model as it is, and with its corrections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.component import Runtime
from equipoise.config import Config
from equipoise.data import vocabulary as v
from equipoise.debias import AfterTraining, Context, Correction, corrections
from equipoise.debias.corrected import fit, rerank
from equipoise.errors import ModelError
from equipoise.language import Vectors
from equipoise.models import Fitted, Recommender, models
from equipoise.models.histories import Catalogue, locate
from equipoise.pipeline.folder import RunFolder
from equipoise.pipeline.held_out import held_out
from equipoise.pipeline.origins import origins
from equipoise.pipeline.prepare import Prepared


def chosen_corrections(config: Config) -> list[Correction]:
    """The corrections of a configuration, in order."""
    return [corrections.build(section.method, section.fields) for section in config.debias]


def chosen_model(config: Config) -> Recommender:
    """The model of a configuration, not yet fitted."""
    return models.build(config.model.name, config.model.fields)


def retrains(chosen: Sequence[Correction]) -> bool:
    """Whether any correction acts before or during training, so that the model has to be trained anew."""
    return any(not isinstance(correction, AfterTraining) for correction in chosen)


def train(
    config: Config,
    prepared: Prepared,
    vectors: Vectors | None,
    chosen: Sequence[Correction],
    runtime: Runtime,
    checkpoint: Path | None = None,
) -> tuple[Fitted, dict[str, Any]]:
    """Fit the configured model under the corrections that act before or during training, and calibrate it.

    Returns:
        The model, fitted on train and calibrated on valid; what the corrections reported, what became of the images and
        numbers that the model reads itself, and what its parts learned elsewhere.
    """
    valid = held_out(prepared.valid, (prepared.train,), config.audit)
    corrected = fit(
        chosen_model(config), prepared.train, chosen, valid=valid, vectors=vectors, runtime=runtime,
        checkpoint=checkpoint, exclude_seen=config.audit.exclude_seen,
    )  # fmt: skip
    model, facts = corrected.model, corrected.diagnostics
    if model.account:
        facts = facts | {"modalities": list(model.account)}
    if known := origins(config, model, prepared, vectors):
        facts = facts | {"origins": known}
    try:
        return model.calibrate(valid, runtime, exclude_seen=config.audit.exclude_seen), facts
    except (
        ModelError
    ) as error:  # too few held-out events; the lists go without probabilities, and the page says so
        return model, facts | {"uncalibrated": error.paragraph}


def recommend_all(
    config: Config,
    fitted: Mapping[str, Fitted],
    stages: Mapping[str, Sequence[Correction]],
    prepared: Prepared,
    vectors: Vectors | None,
    runtime: Runtime,
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Lists of every stage for every user, and what the re-rankers reported."""
    parts, facts = [], dict[str, Any]()
    for stage, chosen in stages.items():
        lists, reported = _recommend(config, fitted[stage], chosen, prepared, vectors, runtime)
        parts.append(lists.with_columns(pl.lit(stage).alias(v.STAGE)))
        facts |= reported
    return pl.concat(parts), facts


def write_vectors(fitted: Mapping[str, Fitted], prepared: Prepared, folder: RunFolder) -> None:
    """Vectors of users and items of the last stage, where its model has them; users as lists are made for them."""
    model = list(fitted.values())[-1].observe(prepared.valid.events)
    known = _people(model, prepared)
    users = locate(model.catalogue.users, known)
    found = {
        "users": (v.USER, known, model.user_vectors(users, model.histories.take(users))),
        "items": (v.ITEM, model.catalogue.items, model.item_vectors()),
    }
    for name, (key, ids, matrix) in found.items():
        if matrix is not None:
            folder.write_frame(f"vectors/{name}.parquet", Vectors(ids, matrix).frame(key))


def _people(model: Fitted, prepared: Prepared) -> pl.Series:
    """Users that the model knows, without those that a correction made up."""
    known = model.catalogue.users
    return known.filter(known.is_in(Catalogue.of(prepared.train).users.implode()))


def _recommend(
    config: Config,
    model: Fitted,
    chosen: Sequence[Correction],
    prepared: Prepared,
    vectors: Vectors | None,
    runtime: Runtime,
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Lists of the longest configured length, after the corrections that re-rank."""
    rerankers = [correction for correction in chosen if isinstance(correction, AfterTraining)]
    k = max(config.audit.k)
    depth = max([k, *(correction.pool for correction in rerankers)])
    known = _people(model, prepared)
    users = pl.concat([known, prepared.test.events[v.USER].cast(known.dtype)]).unique().sort()
    knowing = model.observe(prepared.valid.events)
    lists = knowing.recommend(users, depth, exclude_seen=config.audit.exclude_seen, runtime=runtime)
    valid = held_out(prepared.valid, (prepared.train,), config.audit)
    context = Context(
        prepared.train,
        runtime,
        valid=valid,
        vectors=vectors,
        model=model,
        exclude_seen=config.audit.exclude_seen,
    )
    prepared_once = [one.prepare(context) for one in rerankers]
    return rerank(lists, prepared_once, context, k, depth), context.diagnostics
