"""Geometry of the figures of causal pages: places in per cent, labels in words. The templates draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.report.figures import Curve, Mark, Ticks
from equipoise.report.numbers import brief, number
from equipoise.report.scales import Scale

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """A value with its interval, under a label: what it reads, and its interval in words."""

    label: str
    mark: Mark
    said: str
    range: str
    note: str = ""


@dataclass(frozen=True)
class Forest:
    """Values on one scale, and the place of what they are held against."""

    lines: tuple[Line, ...]
    ticks: Ticks
    reference: float | None


@dataclass(frozen=True)
class Entry:
    """One line of a forest before it is placed; `value` has `value`, `low`, `high`, each perhaps None."""

    label: str
    stage: str
    value: Row
    note: str = ""


def forest(
    entries: Sequence[Entry], to: str, reference: float | None = 0.0, signed: bool = False
) -> Forest | None:
    """Values with intervals on one scale that holds the reference; None without any value.

    Args:
        entries: What to draw, in order.
        to: The word between the ends of an interval.
        reference: What the values are held against.
        signed: Whether values show a plus sign.
    """
    ends = [entry.value.get(key) for entry in entries for key in ("value", "low", "high")]
    if all(end is None for end in ends):
        return None
    scale = Scale.around([*ends, reference], left=2, right=98)
    lines = tuple(_line(entry, scale, to, signed) for entry in entries)
    return Forest(lines, scale.ticks(3), None if reference is None else scale(reference))


def _line(entry: Entry, scale: Scale, to: str, signed: bool) -> Line:
    value, low, high = (entry.value.get(key) for key in ("value", "low", "high"))
    told = "" if low is None or high is None else f"{number(low, signed)} {to} {number(high, signed)}"
    said = number(value, signed) if value is not None else ""
    spoken = f"{entry.label}: {said}" + (f" [{told}]" if told else "")
    places = [None if end is None else scale(end) for end in (value, low, high)]
    mark = Mark(entry.stage, places[0], places[1], places[2], spoken)
    return Line(entry.label, mark, said, told, entry.note)


@dataclass(frozen=True)
class Small:
    """One value beside what it should be, on a scale of its own."""

    mark: Mark
    expected: float | None
    ends: tuple[str, str]


def small(row: Row, stage: str, title: str) -> Small | None:
    """A check's value, interval and expected value; None without a value."""
    if row.get("value") is None:
        return None
    ends = [row.get(key) for key in ("value", "low", "high", "expected")]
    scale = Scale.around(ends, left=5, right=95)
    places = [None if row.get(key) is None else scale(row[key]) for key in ("value", "low", "high")]
    expected = None if row.get("expected") is None else scale(row["expected"])
    return Small(
        Mark(stage, places[0], places[1], places[2], f"{title}: {number(row['value'])}"),
        expected,
        (number(scale.low), number(scale.high)),
    )


@dataclass(frozen=True)
class Moved:
    """One covariate: imbalance before and after, as places and in words."""

    label: str
    before: float | None
    after: float | None
    said: str
    title: str


@dataclass(frozen=True)
class LovePlot:
    """Imbalance of all covariates, the largest first, and where the tolerated band ends."""

    lines: tuple[Moved, ...]
    ticks: Ticks
    threshold: float


def love(rows: Sequence[Row], tolerated: float) -> LovePlot:
    """Absolute standardised mean differences before and after, on one scale from 0."""
    sizes = [abs(row[key]) for row in rows for key in ("before", "after") if row.get(key) is not None]
    scale = Scale(0.0, max([*sizes, 2 * tolerated]) * 1.03)

    def place(value: float | None) -> float | None:
        return None if value is None else scale(abs(value))

    lines = []
    for row in rows:
        before, after = (row.get(key) for key in ("before", "after"))
        said = " → ".join(brief(None if v is None else round(abs(v), 3)) for v in (before, after))
        lines.append(
            Moved(str(row["covariate"]), place(before), place(after), said, f"{row['covariate']}: {said}")
        )
    return LovePlot(tuple(lines), scale.ticks(5), scale(tolerated))


@dataclass(frozen=True)
class Column:
    """A bar of a histogram: places in per cent across, pixels down."""

    stage: str
    x: float
    width: float
    y: float
    height: float
    title: str


@dataclass(frozen=True)
class Mirror:
    """Two histograms back to back: the treated upwards, the others downwards."""

    bars: tuple[Column, ...]
    ticks: Ticks
    height: int


def mirror(bins: Sequence[Row], titles: tuple[str, str], height: int = 84) -> Mirror:
    """Shares of the treated and of the others by propensity; both sides have one scale of shares.

    Args:
        bins: `low`, `high`, and the counts `treated` and `control`.
        titles: Names of both sides.
        height: Pixels of each side.
    """
    scale = Scale(0.0, 1.0)
    totals = {side: sum(row[side] for row in bins) or 1 for side in ("treated", "control")}
    most = max((row[side] / totals[side] for row in bins for side in totals), default=1.0) or 1.0
    bars = []
    for row in bins:
        x, end = scale(row["low"]), scale(row["high"])
        for side, stage, title in (
            ("treated", "corrected", titles[0]),
            ("control", "baseline", titles[1]),
        ):
            tall = round(row[side] / totals[side] / most * (height - 4), 1)
            if not tall:
                continue
            told = f"{title}, {number(row['low'])}–{number(row['high'])}: {row[side]:,}"
            y = height - tall if side == "treated" else height
            bars.append(Column(stage, x, round(max(0.2, end - x - 0.35), 2), round(y, 1), tall, told))
    return Mirror(tuple(bars), scale.ticks(5), height)


@dataclass(frozen=True)
class Dot:
    """A named point of a plot; `down` is how far its label stands below its middle."""

    x: float
    y: float
    stage: str
    label: str
    title: str
    down: float = 1.3


@dataclass(frozen=True)
class Plot:
    """Curves and points in a square of 100 by 100, y downwards; levels are horizontal lines, y upwards."""

    title: str
    xlabel: str
    ylabel: str
    xticks: Ticks
    yticks: Ticks
    curves: tuple[Curve, ...] = ()
    dots: tuple[Dot, ...] = ()
    levels: tuple[tuple[float, str], ...] = ()


def gammas(curve: Sequence[Row], level: float, words: tuple[str, str, str]) -> Plot:
    """The upper p-value of Rosenbaum's bounds by the strength of hidden bias.

    Args:
        curve: `gamma` and `p_high`, by rising gamma.
        level: p below which the effect is still significant.
        words: Title, and labels of both axes.
    """
    across = Scale.around([row["gamma"] for row in curve])
    up = Scale(0.0, max(2 * level, min(1.0, 1.05 * max(row["p_high"] for row in curve))))
    points = " ".join(f"{across(row['gamma']):g},{100 - up(row['p_high']):g}" for row in curve)
    return Plot(
        *words,
        across.ticks(5),
        up.ticks(4),
        (Curve("level", points),),
        levels=((up(level), f"p = {level:g}"),),
    )


def explained_away(partial: Row, words: Mapping[str, str]) -> Plot | None:
    """How strong a hidden cause must be, with treatment and with outcome, to explain the estimate away.

    Along the curve a hidden cause with these partial R2 brings the estimate to 0 (Cinelli and Hazlett 2020, section
    4.3): R2 of the outcome = f2 (1 - R2 of the treatment) / R2 of the treatment, with f2 = RV^2 / (1 - RV).

    Args:
        partial: The `partial_r2` of a card.
        words: `title`, `x`, `y`, and the names of both curves, `zero` and `significance`.

    Returns:
        None where the robustness value is 0 or 1: then there is no curve.
    """
    strengths = {
        "level": partial.get("robustness_value"),
        "significance": partial.get("robustness_value_significance"),
    }
    strongest = strengths["level"] or 0.0
    if not 0 < strongest < 1:
        return None
    marks = [row for row in partial.get("benchmarks") or () if row.get("treatment") is not None]
    reach = max([1.6 * strongest, *(1.15 * row[key] for row in marks for key in ("treatment", "outcome"))])
    scale = Scale(0.0, min(1.0, reach))
    curves = []
    for stage, strength in strengths.items():
        if strength is None or not 0 < strength < 1:
            continue
        f2 = strength**2 / (1 - strength)
        x = np.geomspace(max(1e-6, f2 / (f2 + scale.high)), scale.high, 60)
        y = f2 * (1 - x) / x
        points = " ".join(f"{scale(a):g},{100 - scale(b):g}" for a, b in zip(x, y, strict=True) if b >= 0)
        curves.append(Curve(stage, points))
    dots = []
    for i, row in enumerate(marks):
        told = f"{row['covariate']}: {number(row['treatment'])}, {number(row['outcome'])}"
        dots.append(
            Dot(
                scale(row["treatment"]),
                round(100 - scale(row["outcome"]), 2),
                "gone-dot",
                _short(str(row["covariate"])),
                told,
                1.3 if i % 2 else -2.2,
            )
        )
    ticks = scale.ticks(4, share=True)
    return Plot(words["title"], words["x"], words["y"], ticks, ticks, tuple(curves), tuple(dots))


def _short(name: str, most: int = 16) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
