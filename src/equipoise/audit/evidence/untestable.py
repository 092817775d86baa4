"""What an audit could not say, and why: told before anyone takes silence for a pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from equipoise.audit.evidence.rows import Row
from equipoise.audit.evidence.systems import SYSTEM
from equipoise.audit.request import Settings, Tables
from equipoise.data.vocabulary import UNKNOWN


def untestable(
    tables: Tables, settings: Settings, sections: Mapping[str, Sequence[Row]], measured: bool
) -> list[Row]:
    """The section `not_testable`, of tables that were not given and of groups that were too small.

    Args:
        tables: What was given.
        settings: What was asked.
        sections: `gaps` and `groups`, as they are published.
        measured: Whether explanations were told to be faithful or not.
    """
    missing = [
        ("no_train", tables.train is None),
        ("no_items", tables.items is None),
        ("no_catalogue", tables.items is None and tables.train is None),
        ("no_item_groups", tables.items is not None and not settings.item_groups),
        ("no_vectors", bool(settings.attackers) and not tables.vectors),
        ("no_explanations", not measured),
    ]
    found = [_row(code) for code, applies in missing if applies]
    judged = [gap for gap in sections["gaps"] if gap["verdict"] is not None]
    if judged and all(gap["tolerance"] is None for gap in judged):
        found.append(_row("no_tolerance"))
    found += [
        _row(
            "underpowered",
            system=gap[SYSTEM],
            attribute=gap["attribute"],
            metric=gap["metric"],
            minimum_detectable=gap["minimum_detectable"],
            tolerance=gap["tolerance"],
        )
        for gap in judged
        if gap["tolerance"] is not None
        and gap["minimum_detectable"] is not None
        and gap["minimum_detectable"] > gap["tolerance"]
    ]
    small = dict.fromkeys(
        (row["attribute"], row["group"])
        for row in sections["groups"]
        if row["suppressed"] and row["group"] != UNKNOWN
    )
    found += [_row("small_group", attribute=attribute, group=group) for attribute, group in small]
    return found


def _row(code: str, **values: Any) -> Row:
    return {"code": code, "values": values}
