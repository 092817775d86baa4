"""How well groups can be read from what each system holds or shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Leakage:
    """What attackers found.

    Attributes:
        rows: The section `attackers`.
        missing: What could not be attacked, and why.
        notes: Which users and groups were left out.
    """

    rows: list[Row]
    missing: list[Row]
    notes: list[Row]


def leakage(tables: Tables, systems: Systems, members: pl.DataFrame, settings: Settings) -> Leakage:
    """Attack every view of every audited system, for every attribute.

    The raw profile is what could be read from the training events themselves: a ceiling, the same for all
    systems, told once, under an empty name. Groups below the smallest cell are left out: an attacker that finds
    them would tell who they are.
    """
    if not settings.attackers:
        return Leakage([], [{"code": "no_attackers", "values": {}}], [])
    names = None if isinstance(settings.attackers, bool) else list(settings.attackers)
    found: list[Row] = []
    missing: list[Row] = []
    notes: list[Row] = []
    work = [
        (system, view, matrix, attribute)
        for system, view, matrix in _views(tables, systems, members, settings)
        for attribute in settings.groups
    ]
    for system, view, matrix, attribute in track(work, "training attackers"):
        try:
            told = infer_attribute(
                matrix,
                members[attribute],
                attackers=names,
                level=settings.level,
                seed=settings.seed,
                min_class=settings.min_cell,
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
        notes += [note for note in _left_out(attribute, told) if note not in notes]
    return Leakage(found, missing, notes)


def _left_out(attribute: str, told: pl.DataFrame) -> Iterator[Row]:
    """Users and groups that the attackers did not look at."""
    facts = told.row(0, named=True)
    for group in facts["dropped"]:
        yield {"code": "attack_group_dropped", "values": {"attribute": attribute, "group": group}}
    if facts["sampled_from"] > facts["users"]:
        values = {
            "attribute": attribute,
            "users": facts["users"],
        }  # of how many would tell the size of the rest
        yield {"code": "attack_sampled", "values": values}


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
