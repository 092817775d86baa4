"""Two pieces of evidence, value by value."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from equipoise.errors import DataError

T = TypeVar("T")

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
    """Values that are not the same in two pieces of evidence, and how many were compared.

    Raises:
        DataError: if two values of one evidence stand in the same place, so that one would hide the other.
    """
    recorded, recomputed = _values(then), _values(now)
    places = dict.fromkeys([*recorded, *recomputed])
    found = [
        Difference(place, recorded.get(place), recomputed.get(place))
        for place in places
        if place not in recorded or place not in recomputed or not same(recorded[place], recomputed[place])
    ]
    return found, len(places)


def rows_by_id(evidence: Mapping[str, Any]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Every row that has an id: id -> section, row.

    Raises:
        DataError: if two rows have the same id.
    """

    def rows(section: str, value: Any) -> Iterator[tuple[str, tuple[str, Mapping[str, Any]]]]:
        if isinstance(value, dict):
            if "id" in value:
                yield str(value["id"]), (section, value)
            value = list(value.values())
        if isinstance(value, list):
            for entry in value:
                yield from rows(section, entry)

    return _once(entry for section, content in evidence.items() for entry in rows(section, content))


def same(one: Any, other: Any) -> bool:
    """Whether two values agree: numbers to `TOLERANCE`, everything else exactly."""
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (one, other))
    if numbers:
        try:
            return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        except OverflowError:  # a whole number beyond all floats
            return bool(one == other)
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

    compared = {name: content for name, content in evidence.items() if name not in _NOT_COMPARED}
    return _once(entry for section, content in compared.items() for entry in leaves(section, content))


def _once(entries: Iterable[tuple[str, T]]) -> dict[str, T]:
    """Entries by place, of which there may be one each."""
    found: dict[str, T] = {}
    for place, entry in entries:
        if place in found:
            raise DataError(
                f"The evidence says two things of '{place}'",
                where="evidence.json",
                todo="It was changed, or made from tables whose names cannot be told apart.",
            )
        found[place] = entry
    return found
