"""All minimal sets that separate two sets of variables in a graph.

A set of ancestors m-separates two sets of variables just when it cuts them in the augmented graph of their
ancestors (Richardson & Spirtes 2002, theorem 3.18); minimal cuts are listed as by Shen & Liang (1997).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from equipoise.causal.graph import CausalGraph

Adjacency = dict[str, frozenset[str]]
_SOURCE, _TARGET = "\nsource", "\ntarget"  # no variable has a line break in its name


def minimal_separators(
    graph: CausalGraph,
    a: frozenset[str],
    b: frozenset[str],
    *,
    allowed: frozenset[str],
    given: frozenset[str] = frozenset(),
) -> Iterator[frozenset[str]]:
    """All minimal sets of allowed variables that, with `given`, separate `a` from `b`.

    Yields:
        Sets, each once, none within another; a set is found in time polynomial in the number of variables.
    """
    adjacent = _augmented(graph, a | b | given)
    for name in given | (adjacent.keys() - allowed - a - b):
        _take_out(adjacent, name, join=name not in given)
    _merge(adjacent, a, _SOURCE)
    _merge(adjacent, b, _TARGET)
    if _TARGET in adjacent[_SOURCE]:
        return
    first = _nearest(adjacent, frozenset({_SOURCE}))
    found, waiting = {first}, [first]
    while waiting:
        separator = waiting.pop(0)
        yield separator
        side = _component(adjacent, _SOURCE, separator)
        for name in sorted(separator - adjacent[_TARGET]):
            following = _nearest(adjacent, side | {name})
            if following not in found:
                found.add(following)
                waiting.append(following)


def _augmented(graph: CausalGraph, names: frozenset[str]) -> dict[str, set[str]]:
    """Undirected graph of the ancestors, in which variables that a path of colliders joins are adjacent."""
    past = graph.subgraph(graph.ancestors(names))
    adjacent: dict[str, set[str]] = {name: set() for name in past.nodes}
    for district in past.districts():
        for u, v in combinations(district | past.parents(district), 2):
            adjacent[u].add(v)
            adjacent[v].add(u)
    return adjacent


def _take_out(adjacent: dict[str, set[str]], name: str, *, join: bool) -> None:
    """Remove a variable; join its neighbours where paths through it stay open."""
    around = adjacent.pop(name)
    for neighbour in around:
        adjacent[neighbour].discard(name)
        if join:
            adjacent[neighbour] |= around - {neighbour}


def _merge(adjacent: dict[str, set[str]], names: frozenset[str], label: str) -> None:
    """Make one variable of several."""
    around = set().union(*(adjacent[name] for name in names)) - names
    for name in names:
        _take_out(adjacent, name, join=False)
    adjacent[label] = around
    for neighbour in around:
        adjacent[neighbour].add(label)


def _component(adjacent: Mapping[str, set[str]], start: str, without: frozenset[str]) -> frozenset[str]:
    found, waiting = {start}, [start]
    while waiting:
        new = adjacent[waiting.pop()] - found - without
        found |= new
        waiting += new
    return frozenset(found)


def _nearest(adjacent: Mapping[str, set[str]], side: frozenset[str]) -> frozenset[str]:
    """The minimal separator nearest to a connected side that holds the source and does not touch the target."""
    border = frozenset().union(*(adjacent[name] for name in side)) | side
    beyond = _component(adjacent, _TARGET, border)
    return frozenset().union(*(adjacent[name] for name in beyond)) - beyond
