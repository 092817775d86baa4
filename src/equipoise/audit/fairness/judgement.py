"""Gaps with their verdicts: which of them are tests, corrected for their number, and what may be said."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from equipoise.audit.fairness.gaps import Gap
from equipoise.audit.fairness.inputs import SYSTEM
from equipoise.audit.fairness.resampling import Settings
from equipoise.statistics import INSUFFICIENT, Verdict, holm, verdict


class Found(NamedTuple):
    """One kind of gap of one metric by one attribute.

    Attributes:
        column: Place of the system and metric.
        attribute: Name of the attribute.
        smallest: Users of the smallest known group.
        gap: The gap.
    """

    column: int
    attribute: str
    smallest: int
    gap: Gap


@dataclass(frozen=True)
class Family:
    """What verdicts are spoken by.

    Attributes:
        names: System and metric of a column.
        primary: Of a column and an attribute, the kind of gap that gets the verdict, and its tolerance.
        references: Systems that get no verdict and are not counted as tests.
        settings: How numbers are made.
    """

    names: Callable[[int], tuple[str, str]]
    primary: Callable[[int, str], tuple[str, float | None]]
    references: Collection[str]
    settings: Settings

    def judges(self, found: Found) -> bool:
        """Whether this gap gets a verdict."""
        kind, _ = self.primary(found.column, found.attribute)
        return found.gap.kind == kind and self.names(found.column)[0] not in self.references


def judged(gaps: Sequence[Found], family: Family) -> list[dict[str, Any]]:
    """Rows of gaps; `p_adjusted` by Holm over all that get a verdict and have a test."""
    tested = [i for i, one in enumerate(gaps) if family.judges(one) and one.gap.p_value is not None]
    adjusted = dict(zip(tested, holm([gaps[i].gap.p_value or 0.0 for i in tested]), strict=True))
    return [_row(one, family, adjusted.get(i)) for i, one in enumerate(gaps)]


def _row(found: Found, family: Family, adjusted: float | None) -> dict[str, Any]:
    system, metric = family.names(found.column)
    _, tolerance = family.primary(found.column, found.attribute)
    gap, interval, spoken = found.gap, found.gap.interval, family.judges(found)
    p_adjusted = None if adjusted is None else float(adjusted)
    bare = gap.null_mean is None or interval.value is None
    return {
        SYSTEM: system,
        "attribute": found.attribute,
        "metric": metric,
        "kind": gap.kind,
        "gap": interval.value,
        "low": interval.low,
        "high": interval.high,
        "p_value": gap.p_value if spoken or "difference" in gap.kind else None,
        "p_adjusted": p_adjusted,
        "minimum_detectable": gap.detectable,
        "verdict": _said(found, family.settings, p_adjusted, tolerance) if spoken else None,
        "groups": gap.groups,
        "users": found.smallest,
        "tolerance": tolerance if spoken else None,
        "null_mean": gap.null_mean,
        "null_high": gap.null_high,
        "excess": None if bare else (interval.value or 0.0) - (gap.null_mean or 0.0),
    }


def _said(found: Found, settings: Settings, p_adjusted: float | None, tolerance: float | None) -> Verdict:
    distance = found.gap.distance
    if distance.low is None:
        return INSUFFICIENT
    return verdict(distance, p_adjusted, tolerance, found.smallest, settings.min_cell, settings.level)
