"""The distribution that ID carries through its recursion."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.causal.graph import CausalGraph
from equipoise.causal.identification.expressions import Expression, Probability, product, ratio, total


@dataclass(frozen=True)
class Distribution:
    """A distribution over the variables of a graph, as a formula over the observed one.

    At first it is the observed distribution itself; line 7 of ID replaces it by an interventional one, and
    conditionals must from then on be taken of that.

    Attributes:
        graph: Its variables, and a graph to which it is Markov.
        formula: Its formula. What is free in it beside the variables of the graph has been set by `do`.
    """

    graph: CausalGraph
    formula: Expression

    @classmethod
    def observed(cls, graph: CausalGraph) -> Distribution:
        """The observed distribution."""
        return cls(graph, Probability(frozenset(graph.nodes)))

    def marginal(self, names: frozenset[str]) -> Expression:
        """P(names)."""
        return total(frozenset(self.graph.nodes) - names, self.formula)

    def of_ancestors(self, names: frozenset[str]) -> Distribution:
        """The distribution over an ancestral set, with the graph of that set."""
        return Distribution(self.graph.subgraph(names), self.marginal(names))

    def factors(self, names: frozenset[str]) -> Expression:
        """Product over `names` of P(variable | what stands before it in topological order).

        Of what stands before, only the variable's district there and the parents of that matter (ordered
        local Markov property, Richardson 2003); the rest is left out.
        """
        order = self.graph.topological_order()
        return product(
            self._conditional(name, self._pillow(name, frozenset(order[: order.index(name)])))
            for name in reversed(order)
            if name in names
        )

    def _pillow(self, name: str, before: frozenset[str]) -> frozenset[str]:
        past = self.graph.subgraph(before | {name})
        district = next(district for district in past.districts() if name in district)
        return (district | past.parents(district)) - {name}

    def _conditional(self, name: str, given: frozenset[str]) -> Expression:
        if isinstance(self.formula, Probability) and not self.formula.given:
            return Probability(frozenset({name}), given)
        return ratio(self.marginal(given | {name}), self.marginal(given))
