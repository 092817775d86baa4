"""What is wrong with a causal graph, in words."""

from __future__ import annotations

from equipoise.errors import DataError


class GraphError(DataError):
    """A causal graph cannot be read, has a cycle, or does not know a variable asked for."""
