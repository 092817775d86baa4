"""What networks and structural models are asked with: a graph, and how much to draw."""

from __future__ import annotations

from equipoise.causal.graph import CausalGraph
from equipoise.errors import DataError


def read_graph(graph: CausalGraph | str) -> CausalGraph:
    """A graph as it is, or from its text.

    Raises:
        GraphError: if the text is none.
    """
    return CausalGraph.parse(graph) if isinstance(graph, str) else graph


def check_draws(n: int, seed: int) -> None:
    """Refuse to draw fewer than no rows, or from a seed below 0.

    Raises:
        DataError: if either is negative.
    """
    if n < 0:
        raise DataError(f"{n} rows cannot be drawn", todo="Give a number of at least 0.")
    if seed < 0:
        raise DataError(f"A seed of {seed} is below 0", todo="Give a number of at least 0.")
