"""What a world's truth says of a run: only where the data was generated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from equipoise.component import Runtime
from equipoise.config import Config
from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive
from equipoise.debias.during.inverse_propensity import InversePropensity
from equipoise.pipeline.prepare import Prepared
from equipoise.pipeline.train import chosen_corrections
from equipoise.worlds import World
from equipoise.worlds.planted import planted, propensity_error


def against_truth(
    world: World, lists: Mapping[str, pl.DataFrame], prepared: Prepared, config: Config, runtime: Runtime
) -> dict[str, Any]:
    """Stage -> quality against true preference, error of the propensities, gap between the planted groups."""
    seen = None
    if config.audit.exclude_seen:
        seen = pl.concat([part.positives.select(v.USER, v.ITEM) for part in (prepared.train, prepared.valid)])
    found: dict[str, Any] = {}
    for stage, table in lists.items():
        found[stage] = {}
        for k in config.audit.k:
            values = planted(world, table, k, seen)
            gap = values.pop("group_gap")
            found[stage] |= values
            found[stage]["group_gap"] = found[stage].get("group_gap", {}) | gap
        found[stage]["propensity_error"] = _propensity_error(world, stage, prepared, config, runtime)
    return found


def _propensity_error(
    world: World, stage: str, prepared: Prepared, config: Config, runtime: Runtime
) -> dict[str, float]:
    """Of the propensities a stage weighs by, on the training events it weighs.

    A stage that weighs by none takes all exposure for equally likely; so does one that weighs by places alone, whose
    propensities are no chance of being shown.
    """
    train = prepared.train
    said = np.ones(len(train.events))
    weighing = [
        one
        for one in chosen_corrections(config)
        if isinstance(one, InversePropensity) and one.estimand == "all_items_alike"
    ]
    if weighing and stage == v.CORRECTED:
        fitted = weighing[0].fitted(train, runtime.seed)
        said = np.where(fitted.known, fitted.values, np.nan)
    events = train.events.with_columns(pl.Series("_said", said)).filter(positive(train.events))
    if v.PROPENSITY in events.columns:  # what was taken without being shown has none
        events = events.filter(pl.col(v.PROPENSITY).is_not_null())
    return propensity_error(world, events, events["_said"].to_numpy())
