"""The rows by the truth: of a generated world, or of the twin of a log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from equipoise.report.debias.table import Cell, even
from equipoise.report.languages import Words
from equipoise.report.numbers import brief, count

Row = Mapping[str, Any]

_KINDS = {"policy value": "estimator", "propensity": "propensity"}
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
class Like:
    """One measure of the log and of its twin: how far apart, how far chance alone brings two logs, and a mark."""

    measure: str
    meaning: str
    log: str
    twin: str
    distance: str
    band: str
    mark: str


@dataclass(frozen=True)
class Twin:
    """The comparison on a world like the log.

    Attributes:
        size: Users, items and events of the twin, in words.
        rows: By the truth.
        notes: What was cut or guessed.
        likeness: How far it is from the log, by measure.
        alike: How many measures are within what chance does, and how many were held against it.
        estimators: Estimators of policy values, with their name in words, the best first.
        propensities: Models of propensities, with their name in words.
        skipped: Corrections that cannot act there, with the reason.
    """

    size: dict[str, str]
    rows: list[Ranked]
    notes: list[str]
    likeness: list[Like]
    alike: tuple[int, int]
    estimators: list[tuple[str, Row]]
    propensities: list[tuple[str, Row]]
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
    judged = [row for row in told["likeness"] if row["alike"] is not None]
    estimators, models = (
        [(words.known(prefix, row["name"]), row) for row in told["estimators"] if row["kind"] == kind]
        for kind, prefix in _KINDS.items()
    )
    return Twin(
        size={name: count(size) for name, size in told["size"].items()},
        rows=ranked(told["ranking"], words),
        notes=[words.phrase(note) for note in told["notes"]],
        likeness=[_like(row, words) for row in told["likeness"]],
        alike=(sum(row["alike"] is True for row in judged), len(judged)),
        estimators=estimators,
        propensities=models,
        skipped=[(one["method"], words.phrase(one["reason"])) for one in told["skipped"]],
    )


def _like(row: Row, words: Words) -> Like:
    mark = {True: "good", False: "weak", None: "open"}[row["alike"]]
    return Like(
        words.phrase(row["measure"]), words.phrase(row["meaning"]), brief(row["log"]), brief(row["twin"]),
        brief(row["distance"]), brief(row["band"]), mark,
    )  # fmt: skip


def _cell(value: Row, name: str, words: Words, signed: bool = False) -> Cell:
    low, high = value["low"], value["high"]
    between = "" if low is None or high is None else f"{even(low, signed)} {words('to')} {even(high, signed)}"
    return Cell(even(value[name], signed), between, order=value[name])
