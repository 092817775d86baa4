"""Latent projection: what a graph with hidden variables says of the others (Verma 1993; Tian & Pearl 2002)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

Edge = tuple[str, str]


def project(
    hidden: frozenset[str],
    directed: frozenset[Edge],
    bidirected: frozenset[frozenset[str]],
    children: Callable[[str], frozenset[str]],
) -> tuple[set[Edge], set[frozenset[str]]]:
    """Edges among the variables that are not hidden.

    A directed edge stands for directed paths that run through hidden variables only; a bidirected edge for
    a path through hidden variables without colliders, with an arrowhead at both of its ends.

    Returns:
        Directed edges and bidirected edges.
    """
    reached = {name: _reached(name, hidden, children) for name in hidden}

    def shown(name: str) -> frozenset[str]:
        return reached[name] if name in hidden else frozenset({name})

    arrows = {(a, end) for a, b in directed if a not in hidden for end in shown(b)}
    arcs = {frozenset(pair) for name in hidden for pair in combinations(reached[name], 2)}
    for a, b in map(tuple, bidirected):
        arcs |= {frozenset({left, right}) for left in shown(a) for right in shown(b) if left != right}
    return arrows, arcs


def _reached(start: str, hidden: frozenset[str], children: Callable[[str], frozenset[str]]) -> frozenset[str]:
    """Shown variables at the end of directed paths from `start` whose inner variables are hidden."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for child in children(waiting.pop()) - found:
            found.add(child)
            if child in hidden:
                waiting.append(child)
    return frozenset(found - hidden)
