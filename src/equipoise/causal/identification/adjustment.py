"""Covariates to adjust for: the back-door criterion, generalised.

A set is valid when it holds nothing that lies on, or is caused by, a causal path from the treatment to the
outcome, and blocks all other paths: the adjustment criterion of Shpitser, VanderWeele & Robins (2010), in the
form of van der Zander, Liskiewicz & Textor (2014). For one treatment its minimal sets are those of Pearl's
back-door criterion.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from equipoise.causal.graph import CausalGraph
from equipoise.causal.graph.causal_graph import Names
from equipoise.causal.identification.expressions import Expression, Probability, product, total
from equipoise.causal.identification.query import Query, query
from equipoise.causal.identification.separators import minimal_separators


def adjustment_sets(
    graph: CausalGraph,
    outcome: Names,
    do: Names,
    given: Names | None = None,
    observed: Names | None = None,
    limit: int | None = None,
) -> list[frozenset[str]]:
    """All minimal sets of covariates, the smallest first.

    Args:
        graph: The graph.
        outcome: What is asked about.
        do: What is set.
        given: Conditions of the query; a set is then to be adjusted for together with them.
        observed: Variables that are observed; all by default.
        limit: How many to look for, as there can be exponentially many; all by default.

    Returns:
        Sets none of whose variables can be left out; an empty list where there is no valid set, a list of
        the empty set where nothing need be adjusted for.

    Raises:
        GraphError: if a variable is unknown or plays two parts.
    """
    asked = query(graph, outcome, do, given, observed)
    return sorted(
        islice(valid_sets(asked), limit), key=lambda names: (len(names), asked.graph.ordered(names))
    )


def valid_sets(asked: Query) -> Iterator[frozenset[str]]:
    """All minimal sets, in no order; see `adjustment_sets`."""
    graph, outcome, do, given = asked.graph, asked.outcome, asked.do, asked.given
    causal = causal_paths(graph, outcome, do)
    forbidden = graph.descendants(causal) | outcome | do
    if given:  # conditions must not be effects of the treatment, nor must what is averaged given them
        forbidden |= graph.descendants(do)
    if given & forbidden or not do:
        return
    others = CausalGraph(
        graph.nodes,
        frozenset((a, b) for a, b in graph.directed if not (a in do and b in causal)),
        graph.bidirected,
    )
    allowed = frozenset(graph.nodes) - forbidden
    yield from minimal_separators(others, do, outcome, allowed=allowed, given=given)


def smallest_set(asked: Query) -> frozenset[str] | None:
    """The smallest among the minimal sets (among the first thousand, where there are more), if there is any."""
    found = islice(valid_sets(asked), 1000)
    return min(found, key=lambda names: (len(names), asked.graph.ordered(names)), default=None)


def causal_paths(graph: CausalGraph, outcome: frozenset[str], do: frozenset[str]) -> frozenset[str]:
    """Variables, other than `do`, on directed paths to the outcome that leave `do` at once and for good."""
    after = graph.without_incoming(do).descendants(do) - do
    return after & graph.without_outgoing(do).ancestors(outcome)


def adjustment_formula(asked: Query, covariates: frozenset[str]) -> Expression:
    """The sum over the covariates z of P(outcome | do, given, z) P(z | given)."""
    inner = Probability(asked.outcome, asked.do | asked.given | covariates)
    if not covariates:
        return inner
    return total(covariates, product([inner, Probability(covariates, asked.given)]))
