"""Geometry of the figures: places in per cent, labels in words. The templates draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.metrics import lorenz
from equipoise.report.numbers import number
from equipoise.report.scales import Scale
from equipoise.statistics import Reliability

Ticks = tuple[tuple[float, str], ...]
"""Places in per cent, and their labels."""


@dataclass(frozen=True)
class Mark:
    """A value with its interval on a horizontal scale.

    Attributes:
        stage: Which system, as a style name.
        at: Place of the value, in per cent; None where there is no value.
        low: Place of the lower end; None without an interval.
        high: Place of the upper end; None without an interval.
        title: What a pointer resting on it reads.
    """

    stage: str
    at: float | None
    low: float | None
    high: float | None
    title: str


@dataclass(frozen=True)
class Axis:
    """Ticks of a scale: places in per cent and labels; and the ends of the scale as labels."""

    ticks: Ticks
    ends: tuple[str, str]
    zero: float


@dataclass(frozen=True)
class Strip:
    """Marks of several systems on one scale."""

    marks: tuple[Mark, ...]
    axis: Axis


@dataclass(frozen=True)
class Curve:
    """A line in a square drawing of 100 by 100, y downwards: points as SVG writes them."""

    stage: str
    points: str
    dots: tuple[tuple[float, float, float, str], ...] = ()


@dataclass(frozen=True)
class Bar:
    """A horizontal bar: where it starts and how wide it is, in per cent."""

    label: str
    start: float
    width: float
    value: str
    kind: str


def _mark(stage: str, title: str, value: Mapping[str, Any], scale: Scale) -> Mark:
    places = [None if value[key] is None else scale(value[key]) for key in ("value", "low", "high")]
    spoken = number(value["value"])
    if value["low"] is not None:
        spoken += f" [{number(value['low'])}, {number(value['high'])}]"
    return Mark(stage, places[0], places[1], places[2], f"{title}: {spoken}")


def _axis(scale: Scale, about: int = 4) -> Axis:
    return Axis(scale.ticks(about), (number(scale.low), number(scale.high)), scale(0.0))


def strip(stages: Mapping[str, Mapping[str, Any]], titles: Mapping[str, str]) -> Strip:
    """One metric of all systems, each with `value`, `low`, `high`, on a scale of its own."""
    ends = [value[key] for value in stages.values() for key in ("value", "low", "high")]
    scale = Scale.around(ends, left=4, right=96)
    marks = tuple(_mark(stage, titles[stage], value, scale) for stage, value in stages.items())
    return Strip(marks, _axis(scale))


def group_strips(
    groups: Mapping[str, Mapping[str, Mapping[str, Any]]], titles: Mapping[str, str]
) -> tuple[dict[str, tuple[Mark, ...]], Axis]:
    """One metric of all groups and systems on one scale that begins at 0.

    Args:
        groups: Group to stage to `value`, `low`, `high`.
        titles: Stage to its name.
    """
    ends = [
        one[key] for stages in groups.values() for one in stages.values() for key in ("value", "low", "high")
    ]
    scale = Scale.around(ends, right=97, zero=True)
    strips = {
        group: tuple(
            _mark(stage, f"{group}, {titles[stage]}", value, scale) for stage, value in stages.items()
        )
        for group, stages in groups.items()
    }
    return strips, _axis(scale, about=5)


def lorenz_curves(exposure: Mapping[str, Sequence[float]]) -> tuple[list[Curve], Ticks]:
    """Lorenz curve of each system's exposure counts, and the ticks of both axes."""
    curves = []
    for stage, counts in exposure.items():
        share, held = lorenz(np.asarray(counts, dtype=np.float64))
        curves.append(Curve(stage, _points(100 * share, 100 - 100 * held)))
    return curves, Scale(0.0, 1.0).ticks(share=True)


def lorenz_table(exposure: Mapping[str, Sequence[float]]) -> list[tuple[float, dict[str, float]]]:
    """Share of items, and the share of places that these least shown items hold, in tenths."""
    held = {
        stage: lorenz(np.asarray(counts, dtype=np.float64), points=11)[1]
        for stage, counts in exposure.items()
    }
    return [(i / 10, {stage: float(values[i]) for stage, values in held.items()}) for i in range(1, 11)]


def reliability_curves(
    bins: Mapping[str, Reliability], titles: Mapping[str, str]
) -> tuple[list[Curve], Ticks]:
    """Reliability of each system, and the ticks of both axes."""
    top = max((float(max(one.said.max(), one.seen.max())) for one in bins.values()), default=1.0)
    scale = Scale(0.0, min(1.0, top * 1.05) or 1.0)
    curves = []
    for stage, one in bins.items():
        places = [
            (scale(said), round(100 - scale(seen), 2)) for said, seen in zip(one.said, one.seen, strict=True)
        ]
        sizes = 0.7 + 1.0 * np.sqrt(one.n / one.n.max())
        dots = tuple(
            (
                x,
                y,
                round(float(size), 2),
                f"{titles[stage]}: {number(float(said))} → {number(float(seen))} (n = {n:,})",
            )
            for (x, y), size, said, seen, n in zip(places, sizes, one.said, one.seen, one.n, strict=True)
        )
        curves.append(Curve(stage, " ".join(f"{x:g},{y:g}" for x, y in places), dots))
    return curves, scale.ticks(share=True)


def waterfall(steps: Sequence[tuple[str, int]], start: tuple[str, int], end: str) -> list[Bar]:
    """What was read, what each reason took away, and what is left.

    Args:
        steps: Reason and number of dropped rows, in order.
        start: Label and number of rows read.
        end: Label of what is left.
    """
    left = start[1]
    scale = Scale(0.0, float(max(1, left)))
    bars = [Bar(start[0], 0.0, scale(left), f"{left:,}", "whole")]
    for reason, dropped in steps:
        left -= dropped
        bars.append(Bar(reason, scale(left), round(scale(dropped), 2), f"−{dropped:,}", "gone"))
    bars.append(Bar(end, 0.0, scale(left), f"{left:,}", "whole"))
    return bars


def _points(x: np.ndarray[Any, np.dtype[np.float64]], y: np.ndarray[Any, np.dtype[np.float64]]) -> str:
    return " ".join(f"{a:.4g},{b:.4g}" for a, b in zip(x, y, strict=True))
