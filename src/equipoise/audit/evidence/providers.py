"""Provider side: which groups of items, and whose items, are shown."""

from __future__ import annotations

import polars as pl

from equipoise.audit.evidence.rows import Row, rows
from equipoise.audit.evidence.systems import SYSTEM, Systems
from equipoise.audit.exposure.providers import provider_exposure, provider_metrics
from equipoise.audit.request import Settings, Tables
from equipoise.metrics.providers import without_group


def providers(tables: Tables, systems: Systems, settings: Settings) -> tuple[list[Row], list[Row], list[Row]]:
    """The sections `exposure` and `provider`, for every column of the items that is asked for; and notes."""
    exposure: list[Row] = []
    unequal: list[Row] = []
    notes: list[Row] = []
    k = settings.k[0]
    asked = {"k": k, "target": settings.target, "truth": tables.truth, **settings.resampling}
    for column in settings.item_groups:
        for name, shown in systems.lists.items():
            places, share = without_group(shown, tables.items, column, k)
            if places:
                values = {SYSTEM: name, "attribute": column, "places": places, "share": share}
                notes.append({"code": "items_without_group", "values": values})
            named = [pl.lit(name).alias(SYSTEM), pl.lit(column).alias("attribute")]
            shares = provider_exposure(shown, tables.items, column, **asked)
            told = shares.select(*named, pl.all(), pl.lit(settings.target).alias("target_name"))
            exposure += rows(told, "exposure", (SYSTEM, "attribute", "group"))
            metrics = provider_metrics(shown, tables.items, column, train=tables.train, **asked)
            unequal += rows(metrics.select(*named, pl.all()), "provider", (SYSTEM, "attribute", "metric"))
    return exposure, unequal, notes
