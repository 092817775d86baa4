"""Random causal graphs, and the same with their hidden causes drawn in for networkx."""

import networkx as nx
from hypothesis import strategies as st

from equipoise.causal.graph import CausalGraph

NAMES = ["a", "b", "two words", "d.1", "é", "it's"]


@st.composite
def graphs(draw, least=1, most=6):
    nodes = NAMES[: draw(st.integers(least, most))]
    order = draw(st.permutations(nodes))
    pairs = [(a, b) for place, a in enumerate(order) for b in order[place + 1 :]]
    some = st.lists(st.sampled_from(pairs), unique=True) if pairs else st.just([])
    return CausalGraph.from_edges(draw(some), draw(some), draw(st.permutations(nodes)))


def drawn_in(graph):
    """A DAG with one more node per bidirected edge."""
    full = nx.DiGraph(sorted(graph.directed))
    full.add_nodes_from(graph.nodes)
    full.add_edges_from((arc, name) for arc in graph.bidirected for name in arc)
    return full
