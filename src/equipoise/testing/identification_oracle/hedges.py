"""A judge of hedges, written from the definition alone and independent of the algorithm that finds them."""

from __future__ import annotations

from collections.abc import Iterable

from equipoise.causal.graph import CausalGraph
from equipoise.causal.identification import Hedge

Edges = frozenset[tuple[str, str]]


def hedge_faults(graph: CausalGraph, hedge: Hedge) -> list[str]:
    """What keeps a hedge from being one, in words; nothing where it is valid.

    Shpitser & Pearl (2006), definitions 3, 5 and 6: F and F' are forests rooted in the same set R, each one
    district; F' is part of F; F meets X and F' does not; R are ancestors of Y in the graph without arrows
    into X.

    Args:
        graph: Only its edges are read.
        hedge: What was found for P(hedge.outcome | do(hedge.do)).
    """
    faults: list[str] = []
    if not hedge.inner <= hedge.outer or not hedge.inner_edges <= hedge.outer_edges:
        faults.append("the inner forest is no part of the outer one")
    if not hedge.outer_edges <= graph.directed:
        faults.append("a forest has an arrow that the graph does not have")
    for name, members, edges in (
        ("outer", hedge.outer, hedge.outer_edges),
        ("inner", hedge.inner, hedge.inner_edges),
    ):
        faults += [
            f"the {name} forest {fault}" for fault in _forest_faults(graph, members, edges, hedge.roots)
        ]
    if not hedge.outer & hedge.do:
        faults.append("the outer forest holds nothing that is set")
    if hedge.inner & hedge.do:
        faults.append("the inner forest holds something that is set")
    cut = frozenset((a, b) for a, b in graph.directed if b not in hedge.do)
    if not hedge.roots <= _upstream(hedge.outcome, cut):
        faults.append("a root does not cause the outcome")
    return faults


def _forest_faults(
    graph: CausalGraph, members: frozenset[str], edges: Edges, roots: frozenset[str]
) -> Iterable[str]:
    if any(a not in members or b not in members for a, b in edges):
        yield "has an arrow that leaves it"
    tails = [a for a, _ in edges]
    if len(tails) > len(set(tails)):
        yield "has a variable with two children"
    if members - set(tails) != roots:
        yield "has other roots"
    arcs = [arc for arc in graph.bidirected if arc <= members]
    joined = set(sorted(members)[:1])
    while growth := [arc for arc in arcs if arc & joined and not arc <= joined]:
        joined |= growth[0]
    if joined != members or not members:
        yield "is not one district"


def _upstream(names: frozenset[str], edges: Edges) -> frozenset[str]:
    found = set(names)
    while growth := {a for a, b in edges if b in found} - found:
        found |= growth
    return frozenset(found)
