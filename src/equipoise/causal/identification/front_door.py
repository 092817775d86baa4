"""Front-door sets: what carries the whole effect and is not itself confounded (Pearl 2009, section 3.3.2)."""

from __future__ import annotations

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
    asked = query(graph, outcome, do, None, observed)
    candidates = asked.graph.ordered(_largest_set(asked) or ())
    found: list[frozenset[str]] = []
    for size in range(1, len(candidates) + 1):
        for chosen in map(frozenset, combinations(candidates, size)):
            if not any(smaller <= chosen for smaller in found) and _applies(asked, chosen):
                found.append(chosen)
    return found


def small_set(asked: Query) -> frozenset[str] | None:
    """A front-door set of one variable, or else one that no variable can be left out of, if there is any."""
    chosen = _largest_set(asked)
    if chosen is None:
        return None
    for name in asked.graph.ordered(chosen):
        if _applies(asked, frozenset({name})):
            return frozenset({name})
    for name in asked.graph.ordered(chosen):
        if _applies(asked, chosen - {name}):
            chosen -= {name}
    return chosen


def _largest_set(asked: Query) -> frozenset[str] | None:
    """The union of all front-door sets among the outcome's causes, which is one itself, if there is any.

    A variable that its set leaves confounded with the outcome stays so in every smaller set, since fewer arrows
    are cut then (Jeong, Tian & Bareinboim 2022): such ones are dropped until none is left.
    """
    if len(asked.do) != 1 or len(asked.outcome) != 1 or asked.given:
        return None
    graph, outcome, do = asked.graph, asked.outcome, asked.do
    if not graph.ancestors(outcome) & do:
        return None
    unconfounded = graph.without_outgoing(do)
    candidates = graph.ancestors(outcome) - outcome - do
    chosen = frozenset(name for name in candidates if unconfounded.d_separated(do, name))
    while True:
        cut = graph.without_outgoing(chosen)
        kept = frozenset(name for name in chosen if cut.d_separated(name, outcome, do))
        if kept == chosen:
            return chosen if _applies(asked, chosen) else None
        chosen = kept


def _applies(asked: Query, chosen: frozenset[str]) -> bool:
    """Whether the criterion is met by a set of variables that share no cause with the treatment."""
    graph, outcome, do = asked.graph, asked.outcome, asked.do
    intercepts = graph.without_incoming(chosen).descendants(do).isdisjoint(outcome)
    return intercepts and graph.without_outgoing(chosen).d_separated(chosen, outcome, do)


def front_door_formula(
    asked: Query, mediators: frozenset[str], covariates: frozenset[str] = frozenset()
) -> Expression:
    """Sum over the mediators m of P(m | x) times the sum over x' of P(outcome | m, x') P(x'); where there are
    covariates c, all of it given c, averaged over P(c).
    """
    inner = product(
        [Probability(asked.outcome, mediators | asked.do | covariates), Probability(asked.do, covariates)]
    )
    parts = [Probability(mediators, asked.do | covariates), total(asked.do, inner)]
    if covariates:
        parts.append(Probability(covariates))
    return total(mediators | covariates, product(parts))
