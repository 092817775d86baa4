"""Two pieces of evidence, value by value."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

TOLERANCE: Final = 1e-9
"""Numbers that differ by no more than this, absolutely or relatively, are the same."""

_NOT_COMPARED = {"created", "versions", "signature", "request"}
"""Sections that tell of the computation and not of its outcome."""


@dataclass(frozen=True)
class Difference:
    """A value that is not what the evidence says.

    Attributes:
        place: The number's id and column, or the path to the value.
        recorded: What the evidence says; None where it says nothing.
        recomputed: What came out now; None where nothing did.
    """

    place: str
    recorded: Any
    recomputed: Any


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[list[Difference], int]:
    """Values that are not the same in two pieces of evidence, and how many were compared."""
    recorded, recomputed = _values(then), _values(now)
    places = dict.fromkeys([*recorded, *recomputed])
    found = [
        Difference(place, recorded.get(place), recomputed.get(place))
        for place in places
        if place not in recorded or place not in recomputed or not same(recorded[place], recomputed[place])
    ]
    return found, len(places)


def rows_by_id(evidence: Mapping[str, Any]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Every row that has an id: id -> section, row."""

    def rows(section: str, value: Any) -> Iterator[tuple[str, tuple[str, Mapping[str, Any]]]]:
        if isinstance(value, dict):
            if "id" in value:
                yield str(value["id"]), (section, value)
            value = list(value.values())
        if isinstance(value, list):
            for entry in value:
                yield from rows(section, entry)

    return {key: found for section, content in evidence.items() for key, found in rows(section, content)}


def same(one: Any, other: Any) -> bool:
    """Whether two values agree: numbers to `TOLERANCE`, everything else exactly."""
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (one, other))
    if numbers:
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return type(one) is type(other) and bool(one == other)


def _values(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Place -> value of everything that is compared; rows are found by their id, whatever their order."""

    def leaves(place: str, value: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(value, dict):
            start = f"{value['id']} " if "id" in value else f"{place}."
            for key, entry in value.items():
                yield from leaves(f"{start}{key}", entry)
        elif isinstance(value, list):
            yield f"{place} (length)", len(value)
            for position, entry in enumerate(value):
                yield from leaves(f"{place}[{position}]", entry)
        else:
            yield place, value

    found: dict[str, Any] = {}
    for section, content in evidence.items():
        if section not in _NOT_COMPARED:
            found |= dict(leaves(section, content))
    return found
