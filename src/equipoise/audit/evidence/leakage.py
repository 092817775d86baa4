"""How well groups can be read from what each system holds or shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from equipoise.audit.attackers import infer_attribute, views
from equipoise.audit.evidence.rows import Row, rows
from equipoise.audit.evidence.systems import SYSTEM, Systems
from equipoise.audit.request import Settings, Tables
from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.progress import track

_PROFILE = "profile"
_TOLD = ["attacker", "metric", "value", "low", "high", "users", "control", "strongest"]


def leakage(
    tables: Tables, systems: Systems, members: pl.DataFrame, settings: Settings
) -> tuple[list[Row], list[Row]]:
    """The section `attackers`, and what could not be attacked.

    The raw profile is what could be read from the training events themselves: a ceiling, the same for all
    systems, told once, under an empty name.
    """
    if not settings.attackers:
        return [], [{"code": "no_attackers", "values": {}}]
    names = None if isinstance(settings.attackers, bool) else list(settings.attackers)
    found: list[Row] = []
    missing: list[Row] = []
    work = [
        (system, view, matrix, attribute)
        for system, view, matrix in _views(tables, systems, members, settings)
        for attribute in settings.groups
    ]
    for system, view, matrix, attribute in track(work, "training attackers"):
        try:
            told = infer_attribute(
                matrix, members[attribute], attackers=names, level=settings.level, seed=settings.seed
            )
        except DataError as error:
            values = {"system": system, "view": view, "attribute": attribute, "reason": error.what}
            missing.append({"code": "attack_impossible", "values": values})
            continue
        named = [
            pl.lit(value).alias(name)
            for name, value in ((SYSTEM, system), ("attribute", attribute), ("view", view))
        ]
        found += rows(
            told.select(*named, *_TOLD), "attacker", (SYSTEM, "attribute", "view", "attacker", "metric")
        )
    return found, missing


def _views(
    tables: Tables, systems: Systems, members: pl.DataFrame, settings: Settings
) -> Iterator[tuple[str, str, Any]]:
    """System, view and matrix of everything that an attacker could read."""
    users, k = members[v.USER], max(settings.k)
    for name in tables.systems:
        shown = tables.recommendations.filter(pl.col(SYSTEM) == name)
        if v.SCORE in shown.columns and shown[v.SCORE].null_count() == len(shown):
            shown = shown.drop(v.SCORE)
        vectors = None if tables.vectors is None else tables.vectors.get(name)
        for view, matrix in views(shown, users, vectors=vectors, k=k).items():
            yield name, view, matrix
    if tables.train is not None:
        shown = systems.audited.head(0)
        yield "", _PROFILE, views(shown, users, train=tables.train)[_PROFILE]
