"""Relations, separation, projection, implications and drawings of graphs."""

from itertools import combinations

import networkx as nx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from equipoise.causal.graph import CausalGraph, GraphError, Independence
from tests.causal.graph.random_graphs import drawn_in, graphs

NAPKIN = CausalGraph.parse("w -> z -> x -> y; w <-> x; w <-> y")


def test_relations():
    assert NAPKIN.parents("x") == {"z"}
    assert NAPKIN.parents(["x", "y"]) == {"z", "x"}
    assert NAPKIN.children("w") == {"z"}
    assert NAPKIN.siblings("w") == {"x", "y"}
    assert NAPKIN.ancestors("x") == {"w", "z", "x"}
    assert NAPKIN.descendants(["x"]) == {"x", "y"}
    assert NAPKIN.districts() == [{"w", "x", "y"}, {"z"}]
    assert NAPKIN.topological_order() == ("w", "z", "x", "y")
    assert NAPKIN.ordered({"y", "w"}) == ("w", "y")


def test_cut_graphs():
    assert NAPKIN.without_incoming("x") == CausalGraph.parse("w -> z; x -> y; w <-> y")
    assert NAPKIN.without_outgoing("x") == CausalGraph.parse("w -> z -> x; w <-> x; w <-> y")
    assert NAPKIN.subgraph(["w", "x", "y"]) == CausalGraph.parse("x -> y; w <-> x; w <-> y")


def test_unknown_variables_get_the_nearest_name():
    graph = CausalGraph.parse("history -> click")
    for ask in (graph.parents, graph.ancestors, graph.subgraph, graph.latent_projection):
        with pytest.raises(GraphError, match=r"no variable 'clik'.*Did you mean 'click'"):
            ask("clik")
    with pytest.raises(GraphError, match="stands on two sides"):
        graph.d_separated("history", "click", given="click")


@settings(max_examples=60, deadline=None)
@given(graphs(least=2), st.data())
def test_separation_is_that_of_networkx_with_hidden_causes_drawn_in(graph, data):
    a, b = data.draw(st.permutations(graph.nodes))[:2]
    rest = [name for name in graph.nodes if name not in (a, b)]
    fixed = data.draw(st.lists(st.sampled_from(rest), unique=True)) if rest else []
    assert graph.d_separated(a, b, fixed) == nx.is_d_separator(drawn_in(graph), {a}, {b}, set(fixed))


@settings(max_examples=60, deadline=None)
@given(graphs(least=3), st.data())
def test_projection_keeps_every_separation_and_order_among_the_shown(graph, data):
    hidden = data.draw(st.lists(st.sampled_from(graph.nodes), unique=True, max_size=4))
    shown = [name for name in graph.nodes if name not in hidden]
    assume(len(shown) >= 2)
    projected = graph.latent_projection(hidden)
    assert projected.nodes == tuple(shown)
    for name in shown:
        assert projected.ancestors(name) == graph.ancestors(name) & set(shown)
    for a, b in combinations(shown, 2):
        rest = [name for name in shown if name not in (a, b)]
        for size in range(len(rest) + 1):
            for fixed in combinations(rest, size):
                assert projected.d_separated(a, b, fixed) == graph.d_separated(a, b, fixed)


@pytest.mark.parametrize(
    ("text", "hidden", "projected"),
    [
        ("u -> x; u -> y; x -> y", ["u"], "x -> y; x <-> y"),
        ("x -> u -> y", ["u"], "x -> y"),
        ("x -> u; u -> a; u -> b", ["u"], "x -> a; x -> b; a <-> b"),
        ("u <-> x; u -> y", ["u"], "x <-> y"),
        ("u -> v; v -> a; u -> b; v <-> c", ["u", "v"], "a <-> b; a <-> c"),
        ("a -> u <- b", ["u"], "a; b"),
    ],
)
def test_projections_by_hand(text, hidden, projected):
    assert CausalGraph.parse(text).latent_projection(hidden) == CausalGraph.parse(projected)


def test_implications_by_hand():
    chain = CausalGraph.parse("a -> b -> c; a -> d")
    assert chain.implications() == [
        Independence("a", "c", ("b",)),
        Independence("b", "d", ("a",)),
        Independence("c", "d", ("a",)),
    ]
    assert str(chain.implications()[0]) == "a ⊥ c | b"
    assert str(CausalGraph.parse("a -> c <- b").implications()[0]) == "a ⊥ b"
    assert NAPKIN.implications() == []  # z and y are not adjacent, yet no set separates them


@settings(max_examples=60, deadline=None)
@given(graphs(least=2))
def test_implications_are_all_the_pairs_that_any_set_separates(graph):
    found = {frozenset((one.a, one.b)): one for one in graph.implications()}
    for a, b in combinations(graph.nodes, 2):
        rest = [name for name in graph.nodes if name not in (a, b)]
        sets = [fixed for size in range(len(rest) + 1) for fixed in combinations(rest, size)]
        assert (frozenset((a, b)) in found) == any(graph.d_separated(a, b, fixed) for fixed in sets)
    for one in found.values():
        assert graph.d_separated(one.a, one.b, one.given)
        for name in one.given:
            assert not graph.d_separated(one.a, one.b, set(one.given) - {name})


def test_drawings():
    graph = CausalGraph.parse("""'say "hi"' -> b; b <-> c""")
    assert graph.to_mermaid().splitlines() == [
        "flowchart LR",
        '  v0["say #quot;hi#quot;"]',
        '  v1["b"]',
        '  v2["c"]',
        "  v0 --> v1",
        "  v1 <-.-> v2",
    ]
    drawn = graph.to_graphviz()
    assert r'"say \"hi\"" -> "b";' in drawn
    assert '"b" -> "c" [dir=both, style=dashed' in drawn
