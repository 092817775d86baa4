"""From tables to evidence, top to bottom."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from equipoise.audit.evidence.leakage import leakage
from equipoise.audit.evidence.lists import collapse, concentration, framed_lists, lists, transparency
from equipoise.audit.evidence.masking import Mask
from equipoise.audit.evidence.people import People
from equipoise.audit.evidence.providers import providers
from equipoise.audit.evidence.questions import answer
from equipoise.audit.evidence.systems import Systems
from equipoise.audit.evidence.untestable import untestable
from equipoise.audit.request import Settings, Tables
from equipoise.audit.verification import SCHEMA
from equipoise.errors import DataError
from equipoise.metrics import DEFINITIONS, KINDS

_PACKAGES = ("equipoise", "numpy", "scipy", "scikit-learn", "narwhals", "polars", "plotly", "jinja2")
_SECTIONS = ("overall", "groups", "gaps", "concentration", "lists", "exposure", "provider", "attackers")


def assemble(tables: Tables, settings: Settings) -> dict[str, Any]:
    """Everything an audit finds, as plain data: what `evidence.json` holds and pages are made from.

    Args:
        tables: What is measured.
        settings: How.

    Returns:
        Sections by name. Every row of numbers has an `id` of its own; numbers that do not exist are None, and so
        are those that would tell of a small group (`Mask`).

    Raises:
        DataError: if a table cannot be measured; the message says which and why.
    """
    if tables.users is None:
        raise DataError("There is no users table, and so no groups", todo="Name one: --users users.csv.")
    systems = Systems.of(tables, settings)
    people = People.of(tables, systems, settings)
    described = framed_lists(tables, systems, settings)
    mask = Mask.of([frame for frame in (*people.frames, described) if frame is not None], settings.min_cell)
    measured: dict[str, Any] = people.sections()
    members = people.members
    measured["lists"] = lists(tables, systems, members, described, settings)
    read = leakage(tables, systems, members, settings)
    measured["attackers"] = read.rows
    sections = mask.applied(measured)
    sections["concentration"], curves = concentration(systems, settings)
    sections["exposure"], sections["provider"], groupless = providers(tables, systems, settings)
    explained = transparency(tables, settings)
    evidence: dict[str, Any] = {
        "schema": SCHEMA,
        "name": settings.name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": settings.command,
        "lang": settings.lang,
        "seed": settings.seed,
        "versions": {name: version(name) for name in _PACKAGES},
        "settings": _told(settings),
        "policy": _policy(settings),
        "data": tables.sources,
        "notes": [*tables.notes, *people.notes(), *groupless, *read.notes],
        "systems": systems.told,
        "definitions": _definitions(sections, explained),
        **sections,
        "transparency": explained,
        "lorenz": curves,
        "collapse": collapse(systems, settings),
        "not_testable": [*untestable(tables, settings, sections, explained["measured"]), *read.missing],
    }
    evidence["questions"] = answer(evidence)
    return evidence


def _told(settings: Settings) -> dict[str, Any]:
    """The settings that pages tell."""
    chosen = settings.model_dump(
        mode="json",
        include={
            "k", "groups", "intersections", "controls", "level", "n_bootstrap", "n_permutations", "min_cell",
            "item_groups", "target", "protocol",
        },
    )  # fmt: skip
    return {**chosen, "metrics": list(settings.metric_names)}


def _policy(settings: Settings) -> dict[str, Any]:
    if settings.policy is None:
        return {"owner": None, "rules": []}
    told = settings.policy.model_dump(mode="json", by_alias=False)
    return {"owner": told["owner"], "rules": told["rules"]}


def _definitions(sections: dict[str, Any], explained: dict[str, Any]) -> dict[str, Any]:
    """What every metric and every kind of gap in the sections means."""
    named = {
        str(row["metric"]).partition("@")[0]
        for rows in (*(sections[name] for name in _SECTIONS), explained["rows"])
        for row in rows
        if row.get("metric")
    }
    kinds = {row["kind"] for row in sections["gaps"]}
    asked = {"group_exposure"} if sections["exposure"] else set()
    known = DEFINITIONS | KINDS
    return {name: asdict(known[name]) for name in sorted(named | kinds | asked) if name in known}
