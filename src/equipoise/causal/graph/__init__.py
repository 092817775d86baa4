"""Causal graphs: what causes what, what is hidden, and what must then be independent."""

from equipoise.causal.graph.causal_graph import CausalGraph
from equipoise.causal.graph.errors import GraphError
from equipoise.causal.graph.independence import Independence

__all__ = ["CausalGraph", "GraphError", "Independence"]
