"""Values with intervals in horizontal strips, under one axis, as Plotly draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from equipoise.report.audit.marks import Style

ROW, HEAD, GAP, FOOT = 19, 26, 10, 54
"""Pixels of a row, of a block's heading, between blocks, and under the last block."""

SOFT, FAINT, LINE, GRID, INK = "--soft", "--faint", "--line", "--grid", "--ink"


def plain_text(text: object) -> str:
    """Text that Plotly shows as it is: it reads a subset of HTML in every label."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def short(text: str, most: int = 44) -> str:
    """Long names end in an ellipsis; the table behind the chart has them whole."""
    return text if len(text) <= most else text[: most - 1] + "…"


def rounded(value: float | None) -> float | None:
    """Six significant digits, which is more than a chart can show."""
    return None if value is None else float(f"{value:.6g}")


@dataclass(frozen=True)
class Point:
    """One value with its interval.

    Attributes:
        style: How it is drawn.
        value: Where it stands.
        low: Lower end of the interval, or None.
        high: Upper end of the interval, or None.
        title: What a pointer resting on it reads.
        marks: Places of other marks in its row: kind ("detectable", "null", "target", "control") and value.
        bar: A bar behind the point, from and to.
    """

    style: Style
    value: float | None
    low: float | None
    high: float | None
    title: str
    marks: Sequence[tuple[str, float]] = ()
    bar: tuple[float, float] | None = None


@dataclass(frozen=True)
class Block:
    """Points under one heading, on a band that reaches from `band[0]` to `band[1]`, beside a line at `reference`."""

    label: str
    points: Sequence[Point]
    band: tuple[float, float] | None = None
    reference: float | None = None


@dataclass(frozen=True)
class Chart:
    """A figure for Plotly.

    Attributes:
        title: What it shows, for those who do not see it.
        height: Pixels.
        figure: `data` and `layout`; colours are names of style variables.
    """

    title: str
    height: int
    figure: dict[str, Any] = field(default_factory=dict)


_MARKS: dict[str, dict[str, Any]] = {
    "detectable": {
        "symbol": "line-ns-open",
        "size": 11,
        "color": FAINT,
        "line": {"width": 1.5, "color": FAINT},
    },
    "null": {"symbol": "line-ns-open", "size": 13, "color": SOFT, "line": {"width": 1.5, "color": SOFT}},
    "target": {"symbol": "line-ns-open", "size": 15, "color": INK, "line": {"width": 2.5, "color": INK}},
    "control": {"symbol": "x-thin-open", "size": 7, "color": FAINT, "line": {"width": 1.5, "color": FAINT}},
}


def strips(title: str, blocks: Sequence[Block], axis: str, reference: float | None = None) -> Chart:
    """Blocks of strips below each other; the headings stand above their rows, so that no label is cut.

    Args:
        title: What the chart shows.
        blocks: What stands in it.
        axis: Title of the axis.
        reference: Place of a vertical line through all blocks.
    """
    if blocks and reference is None and len({block.reference for block in blocks}) == 1:
        reference = blocks[0].reference
    top, shapes, annotations = 0.0, [], []
    marks: dict[str, tuple[list[float], list[float]]] = {}
    points: list[tuple[float, Point]] = []
    for block in blocks:
        first = top + HEAD
        annotations.append(_heading(block.label, top + HEAD / 2 + 2))
        for i, point in enumerate(block.points):
            y = first + ROW * (i + 0.5)
            points.append((y, point))
            if point.bar is not None:
                shapes.append(_rectangle(point.bar, y - ROW * 0.36, y + ROW * 0.36, "--chance"))
            for kind, value in point.marks:
                xs, ys = marks.setdefault(kind, ([], []))
                xs.append(rounded(value) or 0.0)
                ys.append(y)
        bottom = first + ROW * len(block.points)
        if block.band is not None:
            shapes.insert(0, _rectangle(block.band, first, bottom, "--band"))
        if reference is None and block.reference is not None:
            shapes.append(_vertical(block.reference, first, bottom))
        top = bottom + GAP
    if reference is not None:
        shapes.append(_vertical(reference, 0, top))
    data = [_trace(*places, _MARKS[kind]) for kind, places in marks.items()]
    data += [_value(y, point) for y, point in points if point.value is not None]
    layout = {
        "height": round(top + FOOT),
        "margin": {"l": 8, "r": 14, "t": 0, "b": FOOT},
        "yaxis": {"range": [top, 0], "visible": False, "fixedrange": True},
        "xaxis": axis_of(axis),
        "shapes": shapes,
        "annotations": annotations,
        "showlegend": False,
    }
    return Chart(title, round(top + FOOT), {"data": data, "layout": layout})


def axis_of(title: str) -> dict[str, Any]:
    """An axis with a title and quiet lines."""
    return {
        "title": {"text": plain_text(title), "standoff": 8, "font": {"size": 12}},
        "gridcolor": GRID,
        "zeroline": False,
        "fixedrange": True,
        "nticks": 7,
    }


def _heading(text: str, y: float) -> dict[str, Any]:
    return {"text": plain_text(short(text)), "x": 0, "xref": "paper", "y": y, "yref": "y", "xanchor": "left",
            "yanchor": "middle", "showarrow": False, "font": {"size": 13, "color": INK}}  # fmt: skip


def _rectangle(band: tuple[float, float], top: float, bottom: float, colour: str) -> dict[str, Any]:
    return {"type": "rect", "x0": band[0], "x1": band[1], "y0": top, "y1": bottom, "layer": "below",
            "fillcolor": colour, "line": {"width": 1, "color": colour + "-edge"}}  # fmt: skip


def _vertical(x: float, top: float, bottom: float) -> dict[str, Any]:
    return {"type": "line", "x0": x, "x1": x, "y0": top, "y1": bottom, "layer": "below",
            "line": {"width": 1, "color": FAINT}}  # fmt: skip


def _trace(xs: list[float], ys: list[float], marker: dict[str, Any]) -> dict[str, Any]:
    return {"type": "scatter", "mode": "markers", "x": xs, "y": ys, "marker": marker, "hoverinfo": "skip"}


def _value(y: float, point: Point) -> dict[str, Any]:
    x = rounded(point.value)
    return {
        "type": "scatter", "mode": "markers", "x": [x], "y": [y], "hoverinfo": "text",
        "hovertext": [plain_text(point.title)], "marker": point.style.marker(), **whiskers(point, "error_x"),
    }  # fmt: skip


def whiskers(point: Point, name: str) -> dict[str, Any]:
    """The interval of a point as Plotly's error bar, which counts from the value."""
    if point.low is None or point.high is None or point.value is None:
        return {}
    return {
        name: {
            "type": "data", "symmetric": False, "array": [rounded(point.high - point.value)],
            "arrayminus": [rounded(point.value - point.low)], "color": point.style.colour, "thickness": 2, "width": 0,
        }
    }  # fmt: skip
