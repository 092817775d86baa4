"""Where the variables of a graph stand and how its arrows run: layers from causes to effects.

The way of Sugiyama, Tagawa and Toda (1981), "Methods for visual understanding of hierarchical system structures":
layers by longest path, places in a layer by barycentres, long arrows led through empty places. Everything is in
pixels of the drawing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.optimize import isotonic_regression

from equipoise.report.causal.arrows import Arrow, Point, arch, arrow

HEIGHT, LAYER, GAP, MARGIN = 34.0, 92.0, 26.0, 10.0
"""Pixels: height of a variable's box, from layer to layer, least room between boxes, and around the drawing."""
_LETTER, _WIDE_LETTER, _LONGEST = 7.4, 14.0, 24
_SWEEPS = 12
_ROW = 640.0  # width after which variables without arrows begin another row


@dataclass(frozen=True)
class Box:
    """A variable: its middle, its width, what stands in it, and its role."""

    name: str
    label: str
    x: float
    y: float
    width: float
    role: str


@dataclass(frozen=True)
class Drawing:
    """Boxes and arrows, the size of the whole, and how far arrows rise above it."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width: float
    height: float
    top: float


def lay_out(
    nodes: Sequence[str], edges: Sequence[Mapping[str, Any]], roles: Mapping[str, str] | None = None
) -> Drawing:
    """A drawing of a graph.

    Args:
        nodes: Names of the variables.
        edges: `from`, `to`, `kind` ("->", "<->", "--", "o->", "o-o" or "o--") and perhaps `confidence` in [0, 1].
        roles: Variable to the name of its style.
    """
    drawn = [edge for edge in edges if edge["from"] in nodes and edge["to"] in nodes]
    joined = {edge[end] for edge in drawn for end in ("from", "to")}
    layers = _Layers.of([name for name in nodes if name in joined], drawn)
    layers.untangle()
    places, styles = layers.places(), roles or {}
    boxes = [_box(name, *places[name], styles.get(name, "")) for name in layers.ranks]
    left = min((box.x - box.width / 2 for box in boxes), default=0.0)
    below = MARGIN + (LAYER * len(layers.rows) - (LAYER - HEIGHT) + GAP if boxes else 0.0)
    boxes += _rows([name for name in nodes if name not in joined], left, below, styles)
    arrows = _arrows(drawn, {box.name: box for box in boxes}, layers, places)
    bends = [places[name][0] for chain in layers.chains.values() for name in chain]
    left = min([box.x - box.width / 2 for box in boxes] + [x - GAP / 2 for x in bends], default=0.0) - MARGIN
    right = max([box.x + box.width / 2 for box in boxes] + [x + GAP / 2 for x in bends], default=0.0) + MARGIN
    return Drawing(
        tuple(_moved(box, left) for box in boxes),
        tuple(one.moved(-left) for one in arrows),
        right - left,
        max((box.y + HEIGHT / 2 for box in boxes), default=0.0) + MARGIN,
        max([0.0, *(MARGIN - one.label[1] for one in arrows)]),
    )


def _moved(box: Box, left: float) -> Box:
    return Box(box.name, box.label, round(box.x - left, 1), box.y, box.width, box.role)


def _box(name: str, x: float, y: float, role: str) -> Box:
    label = name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
    return Box(name, label, x, y, _width(label), role)


def _width(label: str) -> float:
    return 26 + sum(_WIDE_LETTER if ord(letter) > 0x2E7F else _LETTER for letter in label)


def _rows(names: Sequence[str], left: float, top: float, roles: Mapping[str, str]) -> list[Box]:
    """Variables without arrows, in rows under the others."""
    boxes, x, y = [], left, top + HEIGHT / 2
    for name in names:
        wide = _width(name[:_LONGEST])
        if x > left and x + wide > left + _ROW:
            x, y = left, y + HEIGHT + GAP / 2
        boxes.append(_box(name, x + wide / 2, y, roles.get(name, "")))
        x += wide + GAP / 2
    return boxes


@dataclass
class _Layers:
    """Variables and the empty places of long arrows, by layer.

    Attributes:
        ranks: Variable to its layer.
        rows: Names in each layer, left to right; empty places have names of their own.
        chains: Number of an edge to the names it passes, from the upper to the lower end.
    """

    ranks: dict[str, int]
    rows: list[list[str]]
    chains: dict[int, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, nodes: Sequence[str], edges: Sequence[Mapping[str, Any]]) -> _Layers:
        ranks = _ranked(nodes, [(e["from"], e["to"]) for e in edges if e["kind"] != "<->"])
        rows: list[list[str]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
        for name in nodes:
            rows[ranks[name]].append(name)
        layers = cls(ranks, rows)
        for number, edge in enumerate(edges):
            upper, lower = sorted((edge["from"], edge["to"]), key=lambda name: ranks[name])
            between = [f"\0{number}:{rank}" for rank in range(ranks[upper] + 1, ranks[lower])]
            for rank, name in enumerate(between, start=ranks[upper] + 1):
                rows[rank].append(name)
            if ranks[upper] != ranks[lower]:
                layers.chains[number] = [upper, *between, lower]
        return layers

    def _neighbours(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        above: dict[str, list[str]] = {name: [] for row in self.rows for name in row}
        below: dict[str, list[str]] = {name: [] for row in self.rows for name in row}
        for chain in self.chains.values():
            for upper, lower in pairwise(chain):
                below[upper].append(lower)
                above[lower].append(upper)
        return above, below

    def untangle(self) -> None:
        """Sort each layer by the mean place of its neighbours, down and up; keep the order with fewest crossings."""
        above, below = self._neighbours()
        best, fewest = [list(row) for row in self.rows], self._crossings()
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            for row in self.rows if down else reversed(self.rows):
                place = {name: i for other in self.rows for i, name in enumerate(other)}
                near = above if down else below
                mean = {name: np.mean([place[n] for n in near[name]] or [place[name]]) for name in row}
                row.sort(key=lambda name: mean[name])
            if (now := self._crossings()) < fewest:
                best, fewest = [list(row) for row in self.rows], now
        self.rows = best

    def _crossings(self) -> int:
        place = {name: i for row in self.rows for i, name in enumerate(row)}
        rank = {name: r for r, row in enumerate(self.rows) for name in row}
        spans: dict[int, list[tuple[int, int]]] = {}
        for chain in self.chains.values():
            for upper, lower in pairwise(chain):
                spans.setdefault(rank[upper], []).append((place[upper], place[lower]))
        return sum(
            (a - c) * (b - d) < 0
            for lines in spans.values()
            for i, (a, b) in enumerate(lines)
            for c, d in lines[:i]
        )

    def places(self) -> dict[str, Point]:
        """Middle of every box and empty place: as near to its neighbours as the room between boxes allows."""
        above, below = self._neighbours()
        x: dict[str, float] = {}
        for row in self.rows:
            x |= dict(zip(row, _spaced(row, np.zeros(len(row))), strict=True))
        for sweep in range(_SWEEPS):
            near = above if sweep % 2 == 0 else below
            for row in self.rows if sweep % 2 == 0 else reversed(self.rows):
                wanted = [float(np.mean([x[n] for n in near[name]] or [x[name]])) for name in row]
                x |= dict(zip(row, _spaced(row, np.array(wanted)), strict=True))
        return {
            name: (x[name], MARGIN + HEIGHT / 2 + LAYER * rank)
            for rank, row in enumerate(self.rows)
            for name in row
        }


def _spaced(row: Sequence[str], wanted: np.ndarray[Any, np.dtype[np.float64]]) -> list[float]:
    """The places nearest to those wanted, in least squares, that keep order and room between neighbours."""
    if not row:
        return []
    widths = np.array([12.0 if name.startswith("\0") else _width(name[:_LONGEST]) for name in row])
    offsets = np.concatenate([[0.0], np.cumsum((widths[:-1] + widths[1:]) / 2 + GAP)])
    placed: list[float] = (isotonic_regression(wanted - offsets).x + offsets).tolist()
    return placed


def _ranked(nodes: Sequence[str], arrows: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Layer of each variable: below all its causes, and causes as near above their effects as they can be."""
    forward = _acyclic(nodes, arrows)
    ranks = dict.fromkeys(nodes, 0)
    for _ in nodes:
        for cause, effect in forward:
            ranks[effect] = max(ranks[effect], ranks[cause] + 1)
    effects = {name: [effect for cause, effect in forward if cause == name] for name in nodes}
    headed = {effect for _, effect in forward}
    for name in nodes:
        if name not in headed and effects[name]:
            ranks[name] = min(ranks[effect] for effect in effects[name]) - 1
    used = {rank: i for i, rank in enumerate(sorted(set(ranks.values())))}
    return {name: used[rank] for name, rank in ranks.items()}


def _acyclic(nodes: Iterable[str], arrows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The arrows, with those turned round that close a cycle: proposals may have some."""
    forward: list[tuple[str, str]] = []
    after: dict[str, set[str]] = {name: set() for name in nodes}
    for cause, effect in arrows:
        if cause == effect:
            continue
        back = cause in _reached(after, effect)
        pair = (effect, cause) if back else (cause, effect)
        after[pair[0]].add(pair[1])
        forward.append(pair)
    return forward


def _reached(after: Mapping[str, set[str]], start: str) -> set[str]:
    found, open_ = {start}, [start]
    while open_:
        for name in after[open_.pop()] - found:
            found.add(name)
            open_.append(name)
    return found


def _arrows(
    edges: Sequence[Mapping[str, Any]],
    boxes: Mapping[str, Box],
    layers: _Layers,
    places: Mapping[str, Point],
) -> list[Arrow]:
    """The arrows, each meeting its boxes at a place of its own."""
    ports = _ports(layers, boxes, places)
    found = []
    for number, edge in enumerate(edges):
        if number in layers.chains:
            chain = layers.chains[number]
            middle = [places[name] for name in chain[1:-1]]
            points = [ports[number, "below"], *middle, ports[number, "above"]]
            found.append(arrow(edge, points if chain[0] == edge["from"] else points[::-1]))
        elif edge["from"] != edge["to"]:
            found.append(arch(edge, boxes[edge["from"]], boxes[edge["to"]], HEIGHT))
    return found


def _ports(
    layers: _Layers, boxes: Mapping[str, Box], places: Mapping[str, Point]
) -> dict[tuple[int, str], Point]:
    """Where each arrow meets its boxes: spread over the box's edge in the order of where they come from."""
    meeting: dict[tuple[str, str], list[tuple[float, int]]] = {}
    for number, chain in layers.chains.items():
        meeting.setdefault((chain[0], "below"), []).append((places[chain[1]][0], number))
        meeting.setdefault((chain[-1], "above"), []).append((places[chain[-2]][0], number))
    found = {}
    for (name, side), arrivals in meeting.items():
        box = boxes[name]
        room = min(22.0, 0.75 * box.width / len(arrivals))
        y = box.y + (HEIGHT / 2 if side == "below" else -HEIGHT / 2)
        for i, (_, number) in enumerate(sorted(arrivals)):
            found[number, side] = (round(box.x + room * (i - (len(arrivals) - 1) / 2), 1), y)
    return found
