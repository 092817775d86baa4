"""Graphs that leave directions open: what can be learned without a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations, permutations

from equipoise.causal.graph import CausalGraph, GraphError
from equipoise.errors import DataError

TAIL, HEAD, CIRCLE = "-", ">", "o"
"""Marks at an end of an edge: a cause stands here, no cause of the other, or not known which."""

KINDS = {
    (TAIL, HEAD): "->",
    (TAIL, TAIL): "--",
    (CIRCLE, HEAD): "o->",
    (HEAD, HEAD): "<->",
    (CIRCLE, CIRCLE): "o-o",
    (CIRCLE, TAIL): "o--",
}
"""Edges by the marks at their two ends.

``->`` causes; ``--`` one causes the other; ``<->`` neither does, they have a hidden common cause; ``o->`` the
left one is a cause or shares a hidden cause; ``o-o`` anything of these.
"""

DECIDED = ("->", "<->")

Edge = tuple[str, str, str]


@dataclass(frozen=True)
class PartialGraph:
    """Edges of several kinds (CPDAGs and PAGs among others).

    Attributes:
        nodes: Variables.
        edges: (a, kind, b), at most one of each pair, written as in `KINDS`; the two ends of a symmetric kind
            stand in the order of `nodes`.
    """

    nodes: tuple[str, ...]
    edges: frozenset[Edge]

    @classmethod
    def from_marks(cls, nodes: tuple[str, ...], marks: Iterable[tuple[str, str, str, str]]) -> PartialGraph:
        """A graph of edges (a, mark at a, mark at b, b)."""
        place = {name: rank for rank, name in enumerate(nodes)}
        edges = set()
        for a, left, right, b in marks:
            turned = (left, right) not in KINDS or (left == right and place[a] > place[b])
            edges.add((b, KINDS[right, left], a) if turned else (a, KINDS[left, right], b))
        return cls(nodes, frozenset(edges))

    @property
    def ordered(self) -> list[Edge]:
        """The edges in the order of `nodes`."""
        place = {name: rank for rank, name in enumerate(self.nodes)}
        return sorted(self.edges, key=lambda edge: (place[edge[0]], place[edge[2]]))

    @property
    def by_pair(self) -> dict[frozenset[str], Edge]:
        """The edge of each adjacent pair."""
        return {frozenset({a, b}): (a, kind, b) for a, kind, b in self.edges}


def essential_graph(graph: CausalGraph) -> PartialGraph:
    """The CPDAG of a DAG: what all graphs with the same independences agree on.

    Colliders whose causes are not adjacent keep their arrows; Meek's rules 1 to 3 add what follows from them
    without a cycle or a new collider (Meek 1995; Verma & Pearl 1990).

    Raises:
        GraphError: if the graph has hidden common causes: their equivalence classes are PAGs.
    """
    if graph.bidirected:
        raise GraphError("Graphs with hidden common causes have no CPDAG", where=str(graph))
    near = {name: graph.parents(name) | graph.children(name) for name in graph.nodes}
    arrows = {
        (cause, effect)
        for effect in graph.nodes
        for one, other in combinations(sorted(graph.parents(effect)), 2)
        if other not in near[one]
        for cause in (one, other)
    }
    growing = True
    while growing:
        new = {
            (a, b)
            for a, b in permutations(graph.nodes, 2)
            if b in near[a] and not {(a, b), (b, a)} & arrows and _follows(a, b, near, arrows)
        }
        arrows |= new
        growing = bool(new)
    lines = {frozenset(edge) for edge in graph.directed} - {frozenset(edge) for edge in arrows}
    marks = [(a, TAIL, HEAD, b) for a, b in arrows]
    marks += [(a, TAIL, TAIL, b) for a, b in map(sorted, lines)]
    return PartialGraph.from_marks(graph.nodes, marks)


def _follows(a: str, b: str, near: dict[str, frozenset[str]], arrows: set[tuple[str, str]]) -> bool:
    """Whether a - b must be a -> b."""
    into_a = [c for c in near[a] if (c, a) in arrows]
    if any(c not in near[b] for c in into_a):  # else a new collider at a
        return True
    if any((a, c) in arrows and (c, b) in arrows for c in near[a]):  # else a cycle
        return True
    open_a = [c for c in near[a] & near[b] if (c, b) in arrows and not {(a, c), (c, a)} & arrows]
    return any(c not in near[d] for c, d in combinations(open_a, 2))


def structural_hamming_distance(found: PartialGraph, truth: CausalGraph | PartialGraph) -> int:
    """How many pairs have another edge, or none, in place of the right one.

    Held against the CPDAG of the truth where the truth is a DAG: which of an equivalence class it is cannot be
    learned from independences. A wrong, missing or surplus edge counts 1 (Tsamardinos, Brown & Aliferis 2006).

    Raises:
        DataError: if the two graphs are not of the same variables.
    """
    right = essential_graph(truth) if isinstance(truth, CausalGraph) else truth
    left, true = _comparable(found, right)
    return sum(left.get(pair) != true.get(pair) for pair in left.keys() | true.keys())


def skeleton_distance(found: PartialGraph, truth: CausalGraph | PartialGraph) -> int:
    """How many pairs are adjacent in one graph only, whatever the directions."""
    right = essential_graph(truth) if isinstance(truth, CausalGraph) else truth
    left, true = _comparable(found, right)
    return len(left.keys() ^ true.keys())


def _comparable(
    found: PartialGraph, truth: PartialGraph
) -> tuple[dict[frozenset[str], Edge], dict[frozenset[str], Edge]]:
    if odd := set(found.nodes) ^ set(truth.nodes):
        raise DataError("The two graphs are not of the same variables", where=", ".join(sorted(odd)))
    same_order = PartialGraph.from_marks(found.nodes, _marks(truth))
    return found.by_pair, same_order.by_pair


def _marks(graph: PartialGraph) -> list[tuple[str, str, str, str]]:
    ends = {kind: marks for marks, kind in KINDS.items()}
    return [(a, *ends[kind], b) for a, kind, b in graph.edges]
