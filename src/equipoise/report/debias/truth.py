"""The rows by the truth: of a generated world, or of the twin of a log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from equipoise.report.debias.table import Cell, even
from equipoise.report.languages import Words
from equipoise.report.numbers import count

Row = Mapping[str, Any]

BIASES = ("popularity", "exposure", "position", "group_gap")


@dataclass(frozen=True)
class Ranked:
    """A row by the truth: its place, name, true NDCG, difference to the base, and its biases."""

    place: int
    name: str
    kind: str
    accuracy: Cell
    difference: Cell
    biases: tuple[str, ...]


@dataclass(frozen=True)
class Twin:
    """The comparison on a world like the log.

    Attributes:
        size: Users, items and events of the twin, in words.
        rows: By the truth.
        likeness: Measure, value of the log, value of the twin, distance.
        estimators: Name, what it says, the truth, the error.
        skipped: Corrections that cannot act there, with the reason.
    """

    size: dict[str, str]
    rows: list[Ranked]
    likeness: list[Row]
    estimators: list[Row]
    skipped: list[tuple[str, str]]


def ranked(rows: Sequence[Row], words: Words) -> list[Ranked]:
    """Rows that are already in order, in words."""
    found = []
    for place, row in enumerate(rows, start=1):
        planted = row["planted"] or {}
        biases = tuple(even(planted.get(name), signed=True) for name in BIASES)
        accuracy, change = row["true_ndcg"], row["difference"]
        difference = Cell("–") if change is None else _cell(change, "difference", words, signed=True)
        found.append(
            Ranked(place, row["name"], row["kind"], _cell(accuracy, "value", words), difference, biases)
        )
    return found


def twin(told: Row, words: Words) -> Twin:
    """What the twin says, in words."""
    return Twin(
        {name: count(size) for name, size in told["size"].items()},
        ranked(told["ranking"], words),
        list(told["likeness"]),
        list(told["estimators"]),
        [(one["method"], words.phrase(one["reason"])) for one in told["skipped"]],
    )


def _cell(value: Row, name: str, words: Words, signed: bool = False) -> Cell:
    low, high = value["low"], value["high"]
    between = "" if low is None or high is None else f"{even(low, signed)} {words('to')} {even(high, signed)}"
    return Cell(even(value[name], signed), between, order=value[name])
