"""Adjustment sets, front-door sets and instruments against brute force, and instruments against a linear model."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.causal.graph import CausalGraph, GraphError
from equipoise.causal.identification import (
    Instrument,
    adjustment_sets,
    front_door_sets,
    identify,
    instruments,
)
from equipoise.causal.identification.separators import minimal_separators
from equipoise.errors import DataError
from tests.causal.graph.random_graphs import graphs
from tests.causal.identification.tables import bernoulli, joint


def subsets(names):
    return [
        frozenset(chosen) for size in range(len(names) + 1) for chosen in combinations(sorted(names), size)
    ]


def minimal(sets):
    return {one for one in sets if not any(other < one for other in sets)}


@settings(max_examples=60, deadline=None)
@given(graphs(least=2), st.data())
def test_minimal_separators_are_all_of_them(graph, data):
    names = data.draw(st.permutations(graph.nodes))
    some = data.draw(st.integers(1, len(names) - 1))
    a, b = frozenset(names[:1]), frozenset(names[some : some + 2])
    rest = [name for name in names if name not in a | b]
    held = (
        frozenset(data.draw(st.lists(st.sampled_from(rest), unique=True, max_size=1)))
        if rest
        else frozenset()
    )
    allowed = (
        frozenset(data.draw(st.lists(st.sampled_from(rest), unique=True))) - held if rest else frozenset()
    )
    found = list(minimal_separators(graph, a, b, allowed=allowed, given=held))
    assert len(found) == len(set(found))
    assert set(found) == minimal([one for one in subsets(allowed) if graph.d_separated(a, b, one | held)])


@settings(max_examples=60, deadline=None)
@given(graphs(least=2), st.data())
def test_adjustment_for_one_action_is_the_back_door_criterion(graph, data):
    x, y = data.draw(st.permutations(graph.nodes))[:2]
    no_effects = graph.without_outgoing(x)
    rest = set(graph.nodes) - graph.descendants(x) - {y}
    valid = [one for one in subsets(rest) if no_effects.d_separated(x, y, one)]
    if y in graph.ancestors(x):  # the back-door criterion has sets here, but no effect to adjust for
        valid = [one for one in valid if graph.d_separated(x, y, one)]
    assert set(adjustment_sets(graph, y, x)) == minimal(valid)


@settings(max_examples=60, deadline=None)
@given(graphs(least=3, most=5), st.data())
def test_front_door_sets_are_all_that_meet_the_criterion(graph, data):
    x, y = data.draw(st.permutations(graph.nodes))[:2]

    def meets(chosen):
        return (
            y not in graph.subgraph(set(graph.nodes) - chosen).descendants(x)
            and graph.without_outgoing(x).d_separated(x, chosen)
            and graph.without_outgoing(chosen).d_separated(chosen, y, x)
        )

    valid = [one for one in subsets(set(graph.nodes) - {x, y}) if one and meets(one)]
    expected = minimal(valid) if y in graph.descendants(x) else set()
    assert set(front_door_sets(graph, y, x)) == expected


def test_all_minimal_sets_by_hand():
    butterfly = CausalGraph.parse("a -> x; a -> z; b -> z; b -> y; z -> x; z -> y; x -> y")
    assert adjustment_sets(butterfly, "y", "x") == [{"a", "z"}, {"z", "b"}]
    assert adjustment_sets(butterfly, "y", "x", observed=["x", "y", "a", "b"]) == []
    assert adjustment_sets(CausalGraph.parse("x -> y"), "y", "x") == [frozenset()]
    assert adjustment_sets(CausalGraph.parse("x -> m -> y; m -> c"), "y", "x") == [frozenset()]
    chained = CausalGraph.parse("x -> m1 -> m2 -> y; x <-> y")
    assert front_door_sets(chained, "y", "x") == [{"m1"}, {"m2"}]
    assert front_door_sets(chained, "y", "x", observed=["x", "y", "m2"]) == [{"m2"}]
    with pytest.raises(GraphError, match="no variable 'q'"):
        adjustment_sets(butterfly, "y", "q")


def test_instruments_by_hand():
    assert instruments(CausalGraph.parse("z -> x -> y; x <-> y"), "y", "x") == [Instrument("z")]
    conditional = CausalGraph.parse("w -> z -> x -> y; w -> y; x <-> y")
    assert instruments(conditional, "y", "x") == [Instrument("z", frozenset({"w"}))]
    assert instruments(conditional, "y", "x", observed=["x", "y", "z"]) == []
    assert instruments(CausalGraph.parse("z -> x -> y; z -> y; x <-> y"), "y", "x") == []
    assert instruments(CausalGraph.parse("x -> z; x -> y; x <-> y"), "y", "x") == []
    assert instruments(CausalGraph.parse("z -> x -> y; x <-> y"), "y", ["x", "z"]) == []
    proxy = CausalGraph.parse("z <-> x; x -> y; x <-> y")
    assert instruments(proxy, "y", "x") == [Instrument("z")]


def linear(w, z, x, y):
    """w -> z -> x -> y; w -> y; u behind x and y, summed out; the effect of x on P(y) is .3 everywhere."""
    return sum(
        0.5
        * bernoulli(0.4, w)
        * bernoulli((0.3, 0.7)[w], z)
        * bernoulli(0.1 + 0.4 * z + 0.4 * u, x)
        * bernoulli(0.1 + 0.3 * x + 0.3 * u + 0.2 * w, y)
        for u in (0, 1)
    )


def test_a_conditional_instrument_finds_the_effect_of_a_linear_model():
    table = joint("wzxy", linear)
    estimand = identify(CausalGraph.parse("w -> z -> x -> y; w -> y; x <-> y"), "y", "x", strategy="iv")
    assert estimand.parametric
    assert estimand.instrument == Instrument("z", frozenset({"w"}))
    assert estimand.formula == "P(y | do(x)) = P(y) + [E Cov(y, z | w)] / [E Cov(x, z | w)] (x - E(x))"
    assert r"\operatorname{Cov}(y, z \mid w)" in estimand.latex
    for level in (0, 1):
        truth = 0.1 + 0.3 * level + 0.15 + 0.08
        assert estimand.evaluate(table, {"y": 1}, {"x": level}) == pytest.approx(truth)
        assert estimand.evaluate(table, {"y": 0}, {"x": level}) == pytest.approx(1 - truth)


def test_instruments_of_two_words_count_as_0_and_1_and_others_must_be_numbers():
    estimand = identify(CausalGraph.parse("w -> z -> x -> y; w -> y; x <-> y"), "y", "x", strategy="iv")
    table = joint("wzxy", linear)
    words = table.with_columns(z=table["z"].replace_strict({0: "held out", 1: "invited"}))
    assert estimand.evaluate(words, {"y": 1}, {"x": 1}) == pytest.approx(0.63)
    idle = joint("wzxy", lambda w, z, x, y: 1 / 16)
    with pytest.raises(DataError, match="'z' does not move 'x'"):
        estimand.evaluate(idle, {"y": 1}, {"x": 1})
    with pytest.raises(DataError, match="needs numbers in 'x'"):
        estimand.evaluate(table.with_columns(x=table["x"].cast(str)), {"y": 1}, {"x": "1"})


def test_of_exponentially_many_sets_as_many_as_asked_for_are_found():
    paths = [f"x <- a{i} -> b{i} -> y" for i in range(24)]  # 2^24 minimal sets: one variable of each path
    graph = CausalGraph.parse("; ".join(["x -> y", *paths]))
    found = adjustment_sets(graph, "y", "x", limit=5)
    assert len(found) == len(set(found)) == 5
    assert {len(names) for names in found} == {24}
