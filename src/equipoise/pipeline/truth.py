"""What a world's truth says of a run: only where the data was generated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from equipoise.causal.propensity import propensities
from equipoise.component import Runtime
from equipoise.config import Config
from equipoise.data import vocabulary as v
from equipoise.debias.inverse_propensity import InversePropensity
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
    """Of the propensities a stage weighs by; a stage that weighs by none takes all exposure for equally likely."""
    events = prepared.train.events
    weighing = (
        [c for c in chosen_corrections(config) if isinstance(c, InversePropensity)]
        if stage == v.CORRECTED
        else []
    )
    if not weighing:
        shown = prepared.train.positives
        return propensity_error(world, shown, np.ones(len(shown)))
    model = propensities.build(weighing[0].propensity, weighing[0].options)
    fitted = model.fit(events, prepared.train.users, prepared.train.items, seed=runtime.seed)
    return propensity_error(world, events, np.where(fitted.known, fitted.values, np.nan))
