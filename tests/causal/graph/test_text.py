"""Graphs as text: what is read, what is written, what is refused."""

import pytest
from hypothesis import given, settings

from equipoise.causal.graph import CausalGraph, GraphError
from tests.causal.graph.random_graphs import graphs


def test_statements_chains_and_lone_variables():
    graph = CausalGraph.parse("age -> history -> click <- age; history <-> click\nweather")
    assert graph.nodes == ("age", "history", "click", "weather")
    assert graph.directed == {("age", "history"), ("history", "click"), ("age", "click")}
    assert graph.bidirected == {frozenset({"history", "click"})}


def test_names_in_quotes_and_of_other_scripts():
    graph = CausalGraph.parse("""'time on page' -> "a;b"; 年龄 -> 'time on page'""")
    assert graph.directed == {("time on page", "a;b"), ("年龄", "time on page")}


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_text_is_read_back_to_the_same_graph(graph):
    again = CausalGraph.parse(str(graph))
    assert again == graph
    assert hash(again) == hash(graph)
    assert again.nodes == graph.nodes


def test_equality_is_of_variables_and_edges_not_of_their_order():
    assert CausalGraph.parse("a -> b; c") == CausalGraph.parse("c; b <- a")
    assert CausalGraph.parse("a -> b; c") != CausalGraph.parse("a -> b")
    assert CausalGraph.parse("a -> b") != CausalGraph.parse("a <-> b")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no variable"),
        (" ;\n ", "names no variable"),
        ("a b", "no arrow between 'a' and 'b'"),
        ("a -- b", "cannot be read at '-- b'"),
        ("a -> b; b o-> c", "no arrow between 'b' and 'o'"),
        ("a ->", "no variable at one of its ends"),
        ("-> a", "no variable at one of its ends"),
        ("a -> -> b", "no variable at one of its ends"),
        ("a -> a", "'a' has an edge to itself"),
        ("a <-> a", "'a' has an edge to itself"),
        ("a -> b -> c -> a", "cycle: a -> b -> c -> a"),
        ("z -> a; a -> b; b -> a", "cycle: "),
        ("click -> shown -> click", "cycle: click -> shown -> click"),
    ],
)
def test_what_is_no_graph_is_refused_in_words(text, said):
    with pytest.raises(GraphError, match=said.replace("(", r"\(")):
        CausalGraph.parse(text)


def test_edges_to_unknown_variables_and_double_ones():
    with pytest.raises(GraphError, match="no variable 'c'"):
        CausalGraph(("a", "b"), frozenset({("a", "c")}))
    with pytest.raises(GraphError, match="listed twice"):
        CausalGraph(("a", "a"))
    for name in ("", "a\nb", "a\rb", "a\n", "a\u2028b"):
        with pytest.raises(GraphError, match="cannot be written"):
            CausalGraph((name,))


def test_a_cycle_is_named_even_where_much_hangs_on_it():
    with pytest.raises(GraphError) as refused:
        CausalGraph.parse("a -> b -> c -> d -> b; d -> e; x -> a")
    cycle = refused.value.what.split(": ")[1].split(" -> ")
    assert cycle[0] == cycle[-1]
    assert set(cycle) == {"b", "c", "d"}


def test_no_name_is_markup_in_mermaid():
    drawn = CausalGraph(("<img src=x>", '`**bold**` & "more" #1')).to_mermaid()
    assert '["#lt;img src=x#gt;"]' in drawn
    assert '["#96;**bold**#96; #amp; #quot;more#quot; #35;1"]' in drawn
