"""The table: one line per row of the comparison, one column per measure, marks where the base is left behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from equipoise.report.debias.sentences import measured
from equipoise.report.languages import Words
from equipoise.report.numbers import percent

Row = Mapping[str, Any]

_INTERVALS = ("true_ndcg", "favour", "ndcg", "weighted_ndcg", "recall", "mse", "lift", "gap")
_WHOLE = ("coverage", "gini", "ece", "seconds", "latency")
_DIGITS = {"gini": 3, "ece": 4, "seconds": 1, "latency": 2}
_BEHIND = {"lift": "bias", "favour": "planted"}  # what is shown, and the measure whose difference is tested


@dataclass(frozen=True)
class Cell:
    """A number, its interval in words, the style of its mark ("good", "bad" or none), and a number to sort by."""

    value: str
    range: str = ""
    mark: str = ""
    order: float | None = None


@dataclass(frozen=True)
class Line:
    """A row: its number, name, what it is, and its cells in the order of the columns."""

    number: int
    name: str
    kind: str
    note: str
    front: bool
    cells: tuple[Cell, ...]


def table(content: Row, words: Words) -> tuple[list[tuple[str, str]], list[Line]]:
    """Heads of the columns, each with what it means, and the lines."""
    rows = content["rows"]
    names = [name for name in _INTERVALS if name in rows[0]["test"]]
    if rows[0]["strongest"] is not None:
        names.append("leakage")
    names += [name for name in _WHOLE if any(row[name] is not None for row in rows)]
    heads = [
        (measured(f"head.{name}", content, words), measured(f"meaning.{name}", content, words))
        for name in names
    ]
    members = set(content["front"]["members"])
    lines = [
        Line(
            place, row["name"], row["kind"], _note(row, words), row["name"] in members,
            tuple(_cell(name, row, content, words) for name in names),
        )
        for place, row in enumerate(rows, start=1)
    ]  # fmt: skip
    return heads, lines


def _note(row: Row, words: Words) -> str:
    if row["kind"] == "method":
        return words(f"debias.stage.{row['stages'][0]}")
    return words(f"debias.kind.{row['kind']}")


def _cell(name: str, row: Row, content: Row, words: Words) -> Cell:
    if name in _WHOLE:
        value = row[name]
        return Cell(_plain(name, value), order=value)
    told: Row = row["strongest"] if name == "leakage" else row["test"][name]
    if told is None or told.get("value") is None:
        return Cell("–")
    spoken = percent if name == "leakage" else even
    said = percent(told["value"]) if name == "leakage" else even(told["value"], signed=name in _BEHIND)
    low, high = told.get("low"), told.get("high")
    between = "" if low is None or high is None else f"{spoken(low)} {words('to')} {spoken(high)}"
    return Cell(said, between, _mark(name, row, content), told["value"])


def even(value: float | None, signed: bool = False) -> str:
    """Three decimals, so that a column of numbers stands in line; "–" for nothing."""
    if value is None:
        return "–"
    text = f"{abs(value):.3f}"
    negative = value < 0 and float(text) > 0
    return ("−" if negative else "+" if signed else "") + text


def _mark(name: str, row: Row, content: Row) -> str:
    """The style of a correction that is clearly better or worse than the base on test."""
    change = row["difference"].get(_BEHIND.get(name, name))
    return {"better": "good", "worse": "bad"}.get(marked(name, change, content), "")


def marked(name: str, change: Row | None, content: Row) -> str:
    """Better, worse or neither, as a word: harm by the interval alone, betterment also by the adjusted p-value."""
    if change is None or change["p_adjusted"] is None or change["low"] is None:
        return ""
    if change["low"] <= 0 <= change["high"]:
        return ""
    if (change["high"] < 0) != (name in (*_BEHIND, "gap", "mse")):
        return "worse"
    return "better" if change["p_adjusted"] <= 1 - content["protocol"]["level"] else ""


def _plain(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    if name == "coverage":
        return percent(value)
    return f"{value:,.{_DIGITS[name]}f}"
