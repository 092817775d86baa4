"""Rows of the evidence arranged as tables: verdicts, groups by metrics, curves at tenths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from equipoise.report.audit.evidence import Row, distinct
from equipoise.report.audit.sentences import Tally


@dataclass(frozen=True)
class Verdicts:
    """Verdicts of one system: a table of attributes by metrics, and sentences."""

    system: str
    tally: Tally
    metrics: Sequence[str]
    table: Mapping[str, Mapping[str, Row]]
    sentences: Sequence[str]


@dataclass(frozen=True)
class Matrix:
    """Groups of one attribute by metrics, for one system."""

    system: str
    metrics: Sequence[str]
    table: Mapping[str, Mapping[str, Row]]


def by(rows: Iterable[Row], first: str, second: str) -> dict[str, dict[str, Row]]:
    """Rows by the values of two columns, in their order."""
    table: dict[str, dict[str, Row]] = {}
    for row in rows:
        table.setdefault(str(row[first]), {})[str(row[second])] = row
    return table


def matrices(
    rows: Iterable[Row], attribute: str, systems: Sequence[str], headline: str | None
) -> list[Matrix]:
    """One table for each system, in the order of the systems; the headline metric first."""
    these = [row for row in rows if row["attribute"] == attribute]
    found = []
    for system in sorted(
        distinct(these, "system"), key=lambda name: systems.index(name) if name in systems else len(systems)
    ):
        own = [row for row in these if row["system"] == system]
        metrics = sorted(distinct(own, "metric"), key=lambda name: name != headline)
        found.append(Matrix(system, metrics, by(own, "group", "metric")))
    return found


def lorenz_table(curves: Mapping[str, Any]) -> list[tuple[float, dict[str, float]]]:
    """Lorenz curves at tenths of the items."""
    return [
        (i / 10, {name: _at(i / 10, curve["items"], curve["exposure"]) for name, curve in curves.items()})
        for i in range(1, 11)
    ]


def _at(share: float, xs: Sequence[float], ys: Sequence[float]) -> float:
    """A curve's height between its points."""
    for (x0, y0), (x1, y1) in zip(zip(xs, ys, strict=True), zip(xs[1:], ys[1:], strict=True), strict=False):
        if x0 <= share <= x1:
            return y0 if x1 == x0 else y0 + (y1 - y0) * (share - x0) / (x1 - x0)
    return ys[-1] if ys else 0.0
