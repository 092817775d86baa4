"""Hedges: why an effect cannot be known from observation (Shpitser & Pearl 2006, definition 6)."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.causal.graph import CausalGraph

Edge = tuple[str, str]


@dataclass(frozen=True)
class Hedge:
    """Two nested forests of confounded variables: the witness that P(outcome | do(do)) is not identifiable.

    Both are joined throughout by hidden common causes, in both every variable has at most one child, and
    both grow from the same roots, which cause the outcome (or are it) whatever `do` is set to. Only the outer
    one holds variables of `do`. Two models then agree on everything observed and differ in the effect
    (Shpitser & Pearl 2006, theorem 4).

    Attributes:
        outer: Variables of the larger forest, some of `do` among them.
        inner: Variables of the smaller, none of `do` among them.
        roots: Variables of both that have no child in either.
        outer_edges: Arrows of the larger forest.
        inner_edges: Arrows of the smaller, which are among those of the larger.
        outcome: Outcome of the query that the hedge stands against.
        do: Variables that the query sets. For a conditional query these two differ from what was asked:
            what is conditioned on has moved to either side of the bar (Shpitser & Pearl 2006b, theorem 6).
    """

    outer: frozenset[str]
    inner: frozenset[str]
    roots: frozenset[str]
    outer_edges: frozenset[Edge]
    inner_edges: frozenset[Edge]
    outcome: frozenset[str]
    do: frozenset[str]


def hedge(graph: CausalGraph, inner: frozenset[str], outcome: frozenset[str], do: frozenset[str]) -> Hedge:
    """The hedge at which line 5 of ID has failed.

    Args:
        graph: The graph at that line: one district.
        inner: What is left of it without the variables that are set: one district, too.
        outcome: Outcome of the whole query.
        do: What the whole query sets.
    """
    within = graph.subgraph(inner)
    roots = frozenset(name for name in inner if not within.children(name))
    inner_edges = _forest(within, roots)
    # The forest of the others grows on until it meets the inner one.
    outer_edges = inner_edges | {(a, b) for a, b in _forest(graph, inner) if a not in inner}
    return Hedge(frozenset(graph.nodes), inner, roots, outer_edges, inner_edges, outcome, do)


def _forest(graph: CausalGraph, roots: frozenset[str]) -> frozenset[Edge]:
    """One arrow for each variable that is no root, on a shortest way to the roots."""
    edges: set[Edge] = set()
    reached, border = set(roots), set(roots)
    while border:
        level: set[str] = set()
        for name in graph.ordered(graph.parents(border) - reached):
            edges.add((name, graph.ordered(graph.children(name) & border)[0]))
            level.add(name)
        reached |= level
        border = level
    return frozenset(edges)
