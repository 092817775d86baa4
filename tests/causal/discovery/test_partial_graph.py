from __future__ import annotations

from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.causal.discovery import (
    PartialGraph,
    essential_graph,
    skeleton_distance,
    structural_hamming_distance,
)
from equipoise.causal.graph import CausalGraph, GraphError
from equipoise.errors import DataError


def edges(graph: PartialGraph) -> set[str]:
    return {" ".join(edge) for edge in graph.edges}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a -> b -> c", {"a -- b", "b -- c"}),
        ("a -> c <- b", {"a -> c", "b -> c"}),
        ("a -> c <- b; c -> d", {"a -> c", "b -> c", "c -> d"}),  # rule 1
        ("a -> b -> c; a -> c", {"a -- b", "b -- c", "a -- c"}),
        (
            "a -> b; a -> c; a -> d; c -> b; d -> b",
            {"a -- c", "a -- d", "a -> b", "c -> b", "d -> b"},
        ),  # rule 3
    ],
)
def test_essential_graphs_of_the_textbook(text: str, expected: set[str]) -> None:
    assert edges(essential_graph(CausalGraph.parse(text))) == expected


def collisions(graph: CausalGraph) -> tuple[frozenset, frozenset]:
    near = frozenset(frozenset(edge) for edge in graph.directed)
    colliders = frozenset(
        (frozenset({a, b}), effect)
        for effect in graph.nodes
        for a, b in combinations(sorted(graph.parents(effect)), 2)
        if frozenset({a, b}) not in near
    )
    return near, colliders


@settings(max_examples=40, deadline=None)
@given(st.lists(st.booleans(), min_size=6, max_size=6))
def test_an_arrow_is_kept_exactly_where_all_equivalent_graphs_have_it(there: list[bool]) -> None:
    pairs = [pair for pair, kept in zip(combinations("abcd", 2), there, strict=True) if kept]
    graph = CausalGraph.from_edges(pairs, nodes="abcd")
    equivalent = []
    for turned in product([False, True], repeat=len(pairs)):
        arrows = [(b, a) if turn else (a, b) for (a, b), turn in zip(pairs, turned, strict=True)]
        try:
            other = CausalGraph.from_edges(arrows, nodes="abcd")
        except GraphError:
            continue
        if collisions(other) == collisions(graph):
            equivalent.append(other)
    found = essential_graph(graph)
    sure = frozenset.intersection(*(other.directed for other in equivalent))
    assert {(a, b) for a, kind, b in found.edges if kind == "->"} == sure
    assert len(found.edges) == len(pairs)
    assert all(essential_graph(other) == found for other in equivalent)


def test_distances_by_hand() -> None:
    truth = CausalGraph.parse("a -> c <- b; c -> d")
    found = PartialGraph(tuple("dcba"), frozenset({("a", "->", "c"), ("c", "--", "b"), ("a", "--", "b")}))
    # right: a -> c; wrong: b - c; surplus: a - b; missing: c -> d
    assert structural_hamming_distance(found, truth) == 3
    assert skeleton_distance(found, truth) == 2
    assert structural_hamming_distance(essential_graph(truth), truth) == 0
    assert structural_hamming_distance(PartialGraph(tuple("abcd"), frozenset()), truth) == 3
    reversed_order = CausalGraph(tuple("cba"), frozenset({("a", "b"), ("b", "c")}))
    assert structural_hamming_distance(essential_graph(reversed_order), CausalGraph.parse("a -> b -> c")) == 0


def test_what_cannot_be_compared_is_told() -> None:
    with pytest.raises(DataError, match="not of the same variables"):
        skeleton_distance(PartialGraph(("a",), frozenset()), CausalGraph.parse("a -> b"))
    with pytest.raises(GraphError, match="no CPDAG"):
        essential_graph(CausalGraph.parse("a <-> b"))
