"""Arrows between variables as SVG paths, with what stands at either end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from equipoise.report.numbers import percent

Point = tuple[float, float]
_HEAD, _HALF, _RING = 9.0, 4.2, 3.6  # length and half width of an arrow head, radius of an open end


class Placed(Protocol):
    """Something with a middle and a width."""

    @property
    def x(self) -> float:
        """Middle, from the left."""
        ...

    @property
    def y(self) -> float:
        """Middle, from the top."""
        ...

    @property
    def width(self) -> float:
        """Width."""
        ...


@dataclass(frozen=True)
class Arrow:
    """One edge.

    Attributes:
        path: SVG path of the line.
        heads: SVG paths of filled arrow heads.
        rings: Middles of open ends, whose mark is not known.
        dashed: Whether it stands for a hidden common cause.
        confidence: Share of resamples that have the edge; None where that was not asked.
        title: What a pointer resting on it reads.
        label: Where its confidence is written, and the text; empty text for none.
        shift: How far the whole is moved to the right.
    """

    path: str
    heads: tuple[str, ...]
    rings: tuple[Point, ...]
    dashed: bool
    confidence: float | None
    title: str
    label: tuple[float, float, str]
    shift: float = 0.0

    def moved(self, right: float) -> Arrow:
        """The same arrow further to the right."""
        return Arrow(
            self.path, self.heads, self.rings, self.dashed, self.confidence, self.title, self.label, right
        )


def arrow(edge: Mapping[str, Any], points: Sequence[Point]) -> Arrow:
    """An arrow from the first point to the last, leaving and arriving upright."""
    left, right = ends(str(edge["kind"]))
    down = points[-1][1] > points[0][1]
    sign = 1.0 if down else -1.0
    start, end = _shortened(points[0], left, -sign), _shortened(points[-1], right, sign)
    line = [start, *points[1:-1], end]
    path = f"M{start[0]:g} {start[1]:g}" + "".join(
        f"C{x0:g} {(y0 + y1) / 2:g} {x1:g} {(y0 + y1) / 2:g} {x1:g} {y1:g}"
        for (x0, y0), (x1, y1) in pairwise(line)
    )
    middle = line[len(line) // 2] if len(line) > 2 else _between(line[0], line[1])
    return _made(edge, path, (left, points[0], -sign), (right, points[-1], sign), middle)


def arch(edge: Mapping[str, Any], one: Placed, other: Placed, height: float) -> Arrow:
    """An arrow between two boxes of one layer, over their heads."""
    left, right = ends(str(edge["kind"]))
    inward = 1.0 if other.x > one.x else -1.0
    first = (one.x + inward * one.width / 4, one.y - height / 2)
    last = (other.x - inward * other.width / 4, other.y - height / 2)
    rise = min(44.0, 22.0 + abs(other.x - one.x) / 12)
    start, end = _shortened(first, left, 1.0), _shortened(last, right, 1.0)
    top = first[1] - rise
    path = f"M{start[0]:g} {start[1]:g}C{first[0]:g} {top:g} {last[0]:g} {top:g} {end[0]:g} {end[1]:g}"
    middle = ((first[0] + last[0]) / 2, first[1] - 0.75 * rise)
    return _made(edge, path, (left, first, 1.0), (right, last, 1.0), middle)


def ends(kind: str) -> tuple[str, str]:
    """What stands at either end: "arrow", "ring" or nothing."""
    marks = {"<": "arrow", ">": "arrow", "o": "ring"}
    return marks.get(kind[0], ""), marks.get(kind[-1], "")


def _made(
    edge: Mapping[str, Any],
    path: str,
    first: tuple[str, Point, float],
    last: tuple[str, Point, float],
    middle: Point,
) -> Arrow:
    heads = tuple(_head(point, sign) for mark, point, sign in (first, last) if mark == "arrow")
    rings = tuple((x, y - sign * _RING) for mark, (x, y), sign in (first, last) if mark == "ring")
    confidence = edge.get("confidence")
    told = "" if confidence is None else percent(confidence)
    title = f"{edge['from']} {edge['kind']} {edge['to']}" + (f": {told}" if told else "")
    return Arrow(
        path,
        heads,
        rings,
        edge["kind"] == "<->",
        confidence,
        title,
        (round(middle[0], 1), round(middle[1], 1), told),
    )


def _shortened(point: Point, mark: str, sign: float) -> Point:
    """Where the line ends so that its mark fits before the box; `sign` is 1 where it arrives from above."""
    taken = {"arrow": _HEAD - 1, "ring": 2 * _RING}.get(mark, 0.0)
    return point[0], point[1] - sign * taken


def _head(point: Point, sign: float) -> str:
    x, y = point
    return f"M{x:g} {y:g}L{x - _HALF:g} {y - sign * _HEAD:g}L{x + _HALF:g} {y - sign * _HEAD:g}z"


def _between(one: Point, other: Point) -> Point:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2
