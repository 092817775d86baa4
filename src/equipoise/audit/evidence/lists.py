"""What lists are like, whatever their users took: personal or all the same, fitting the taste of each group."""

from __future__ import annotations

from typing import Any

import polars as pl

from equipoise.audit.evidence.people import by_group, framed
from equipoise.audit.evidence.rows import Row, identifier, rows
from equipoise.audit.evidence.systems import SYSTEM, TOP_POPULAR, Systems
from equipoise.audit.fairness.frame import FairnessFrame
from equipoise.audit.lists.similarity import cross_group, shared_places, within_group
from equipoise.audit.request import Settings, Tables
from equipoise.data import vocabulary as v
from equipoise.metrics import (
    Metric,
    calibration,
    category_coverage,
    coverage,
    entropy,
    exposure,
    faithful,
    gini,
    intra_list_diversity,
    jensen_shannon_calibration,
    lorenz,
    mean_popularity,
    novelty,
    system,
)
from equipoise.statistics import bootstrap_means

_GROUP = (SYSTEM, "attribute", "group", "metric")
_NEIGHBOURS = 2_000
"""Neighbours are sought among a random sample of so many users: every pair of them is looked at."""
_NAMED = 0.5
"""A system shows everybody the same when at least half of its places are shared, or are TopPop's too."""


def framed_lists(tables: Tables, systems: Systems, settings: Settings) -> FairnessFrame | None:
    """All systems by the metrics of lists that the tables allow; None where they allow none."""
    metrics = _of_lists(tables, settings, settings.k[0])
    if not metrics:
        return None
    return framed(tables, systems.everybody, metrics, settings, controls=(), tolerance=None, policy=None)


def lists(
    tables: Tables,
    systems: Systems,
    members: pl.DataFrame,
    described: FairnessFrame | None,
    settings: Settings,
) -> list[Row]:
    """The section `lists`: within and across groups, and how lists fit what each group had before.

    Args:
        tables: What is measured.
        systems: Lists by system.
        members: `user_id` and groups of the measured users.
        described: What `framed_lists` gave.
        settings: How.
    """
    k = settings.k[0]
    crossed = members.select(v.USER, *settings.groups)
    found = []
    for name, shown in systems.lists.items():
        parts = [within_group(shown, crossed, k=k, level=settings.level)]
        if tables.train is not None:
            parts.append(
                cross_group(
                    shown,
                    crossed,
                    tables.train,
                    k=k,
                    max_users=_NEIGHBOURS,
                    level=settings.level,
                    seed=settings.seed,
                )
            )
        table = pl.concat(parts).with_columns(pl.lit(name).alias(SYSTEM)).select(SYSTEM, pl.exclude(SYSTEM))
        small = pl.col("users") < settings.min_cell  # an interval of a few users would tell of each
        hidden = [pl.when(~small).then(pl.col(c)).alias(c) for c in ("value", "low", "high", "users")]
        found += rows(table.with_columns(*hidden, small.alias("suppressed")), "list", _GROUP)
    if described is not None:
        kept = [row for row in by_group(described, "list") if row["attribute"] in settings.groups]
        found += [{key: row[key] for key in row if key != "excluded"} for row in kept]
    return found


def _of_lists(tables: Tables, settings: Settings, k: int) -> dict[str, Metric]:
    """Metrics of lists that the tables have what is needed for."""
    metrics: list[Metric] = []
    if tables.train is not None:
        metrics += [mean_popularity(k, tables.train), novelty(k, tables.train)]
    if tables.items is not None and settings.item_groups:
        column = settings.item_groups[0]
        if k > 1:
            metrics.append(intra_list_diversity(k, tables.items, column))
        if tables.train is not None:
            for metric in (calibration, jensen_shannon_calibration, category_coverage):
                metrics.append(metric(k, tables.items, column, tables.train))
    return {metric.name: metric for metric in metrics}


def concentration(systems: Systems, settings: Settings) -> tuple[list[Row], dict[str, Any]]:
    """The sections `concentration` and `lorenz`: system values, which have no interval over users.

    Without a catalogue they do not exist: of the items that were shown, all were shown.
    """
    wanted = {
        metric.name: metric for k in settings.k for make in (coverage, gini, entropy) for metric in [make(k)]
    }
    found: list[Row] = []
    curves: dict[str, Any] = {}
    for name, shown in systems.lists.items():
        values: dict[str, float | None] = dict.fromkeys(wanted)
        if systems.catalogue is not None:
            values = dict(system(shown, systems.catalogue, wanted))
            items, held = lorenz(exposure(shown, systems.catalogue, settings.k[0]))
            curves[name] = {"items": items.round(6).tolist(), "exposure": held.round(6).tolist()}
        for metric, value in values.items():
            number = identifier("concentration", name, metric)
            found.append({"id": number, SYSTEM: name, "metric": metric, "value": value})
    return found, curves


def collapse(systems: Systems, settings: Settings) -> list[Row]:
    """The section `collapse`: whether everybody is shown the same, and whether that is what is popular."""
    k, by_name = settings.k[0], systems.lists
    popular = by_name.get(TOP_POPULAR)
    found = []
    for name, shown in by_name.items():
        told = shared_places(shown, k=k, popular=popular, **settings.resampling)
        values = {
            str(metric).partition("@")[0]: value for metric, value in told.select("metric", "value").rows()
        }
        shared, overlap = values.get("shared_places"), values.get("popularity_overlap")
        found.append(
            {
                "id": identifier("collapse", name),
                SYSTEM: name,
                "shared": shared,
                "popularity_overlap": overlap,
                "named": max(shared or 0.0, overlap or 0.0) >= _NAMED,
            }
        )
    return found


def transparency(tables: Tables, settings: Settings) -> dict[str, Any]:
    """The section `transparency`: the share of places whose explanation is faithful, where that is told.

    Where explanations are told apart from the lists, it is of the users whose explanations were tried, and of no more
    places than were.
    """
    told = tables.recommendations if tables.explanations is None else tables.explanations
    deepest = settings.k[0] if tables.explanations is None else int(str(told[v.RANK].max()))
    metric, found = faithful(min(settings.k[0], deepest)), []
    measured = metric.measurable(told)
    for (name,), shown in told.group_by(SYSTEM, maintain_order=True) if measured else ():
        values = metric(shown.drop(SYSTEM))["value"].to_numpy()
        (interval,) = bootstrap_means(values, **settings.resampling)
        found.append(
            {
                "id": identifier("transparency", name, metric.name),
                SYSTEM: str(name),
                "metric": metric.name,
                **interval.as_dict(),
                "users": interval.n,
            }
        )
    return {"measured": measured, "rows": found}
