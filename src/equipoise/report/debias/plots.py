"""Accuracy against bias, gap and leakage: where each row stands, numbered as in the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from equipoise.report.figures import Ticks
from equipoise.report.numbers import number
from equipoise.report.scales import Scale

_ROOM = 0.08  # of the span, left free at both ends for the marks


@dataclass(frozen=True)
class Place:
    """One row in a plot: its middle, the ends of both intervals, in a square of 100 by 100, y downwards."""

    number: int
    stage: str
    x: float
    y: float
    left: float
    right: float
    top: float
    bottom: float
    title: str


@dataclass(frozen=True)
class Scatter:
    """Rows in a square; right is more accurate, down is better in the other respect."""

    title: str
    xlabel: str
    ylabel: str
    xticks: Ticks
    yticks: Ticks
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Point:
    """A row before it is placed: `x` and `y` have `value`, `low`, `high`."""

    number: int
    name: str
    stage: str
    x: Mapping[str, Any]
    y: Mapping[str, Any]


def scatter(points: Sequence[Point], title: str, xlabel: str, ylabel: str, *, share: bool) -> Scatter | None:
    """Points with the intervals of both values; None without any.

    Args:
        points: The rows, those in front last.
        title: Name of the figure.
        xlabel: What lies across.
        ylabel: What goes up.
        share: Whether the upward values are told as per cent.
    """
    there = [one for one in points if one.x.get("value") is not None and one.y.get("value") is not None]
    if not there:
        return None
    across, up = (
        _roomy([getattr(one, axis)[key] for one in there for key in ("value", "low", "high")])
        for axis in ("x", "y")
    )
    places = []
    for one in there:
        x, left, right = (_place(across, one.x, key) for key in ("value", "low", "high"))
        y, bottom, top = (100 - _place(up, one.y, key) for key in ("value", "low", "high"))
        said = f"{one.number}. {one.name}: {number(one.x['value'])}, {number(one.y['value'])}"
        places.append(
            Place(one.number, one.stage, x, round(y, 2), left, right, round(top, 2), round(bottom, 2), said)
        )
    return Scatter(title, xlabel, ylabel, across.ticks(4), up.ticks(4, share=share), tuple(places))


def _roomy(ends: Sequence[float | None]) -> Scale:
    scale = Scale.around(ends)
    room = _ROOM * (scale.high - scale.low)
    return Scale(scale.low - room, scale.high + room)


def _place(scale: Scale, value: Mapping[str, Any], key: str) -> float:
    """Place of a value or of an end of its interval, which is the value where there is none."""
    end = value.get(key)
    return scale(value["value"] if end is None else end)
