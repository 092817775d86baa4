"""Front-door sets: what carries the whole effect and is not itself confounded (Pearl 2009, section 3.3.2)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from equipoise.causal.graph import CausalGraph
from equipoise.causal.graph.causal_graph import Names
from equipoise.causal.identification.expressions import Expression, Probability, product, total
from equipoise.causal.identification.query import Query, query


def front_door_sets(
    graph: CausalGraph, outcome: Names, do: Names, observed: Names | None = None
) -> list[frozenset[str]]:
    """All minimal sets that meet the front-door criterion, the smallest first.

    A set meets it when it intercepts every directed path from the treatment to the outcome, no back-door
    path leads from the treatment to it, and the treatment blocks all back-door paths from it to the outcome.

    Args:
        graph: The graph.
        outcome: One variable.
        do: One variable.
        observed: Variables that are observed; all by default.

    Returns:
        Sets with at least one variable each; an empty list where there is none. The search goes through
        the subsets of the candidates, whose number is exponential in theirs.

    Raises:
        GraphError: if a variable is unknown or plays two parts.
    """
    return list(sets(query(graph, outcome, do, None, observed)))


def sets(asked: Query, largest: int | None = None) -> Iterator[frozenset[str]]:
    """Minimal sets of at most `largest` variables, by size; see `front_door_sets`."""
    if len(asked.do) != 1 or len(asked.outcome) != 1 or asked.given:
        return
    graph, outcome, do = asked.graph, asked.outcome, asked.do
    if not graph.ancestors(outcome) & do:
        return
    no_way_out = graph.without_outgoing(do)
    candidates = [
        name
        for name in graph.ordered(graph.ancestors(outcome) - outcome - do)
        if no_way_out.d_separated(do, name)
    ]
    found: list[frozenset[str]] = []
    for size in range(1, min(len(candidates), largest or len(candidates)) + 1):
        for chosen in map(frozenset, combinations(candidates, size)):
            if not any(smaller <= chosen for smaller in found) and _applies(graph, outcome, do, chosen):
                found.append(chosen)
                yield chosen


def _applies(graph: CausalGraph, outcome: frozenset[str], do: frozenset[str], chosen: frozenset[str]) -> bool:
    intercepts = graph.without_incoming(chosen).descendants(do).isdisjoint(outcome)
    return intercepts and graph.without_outgoing(chosen).d_separated(chosen, outcome, do)


def front_door_formula(asked: Query, mediators: frozenset[str]) -> Expression:
    """Sum over the mediators m of P(m | x) times the sum over x' of P(outcome | m, x') P(x')."""
    inner = product([Probability(asked.outcome, mediators | asked.do), Probability(asked.do)])
    return total(mediators, product([Probability(mediators, asked.do), total(asked.do, inner)]))
