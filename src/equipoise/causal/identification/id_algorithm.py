"""The complete identification algorithms ID and IDC.

Shpitser & Pearl (2006), "Identification of joint interventional distributions in recursive semi-Markovian
causal models" (AAAI), figure 3; and "Identification of conditional interventional distributions" (UAI),
figure 3. Lines are numbered as there, and arguments named: outcome is y, do is x, given is z.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from equipoise.causal.graph import CausalGraph
from equipoise.causal.identification.distribution import Distribution
from equipoise.causal.identification.expressions import Expression, product, ratio, total
from equipoise.causal.identification.hedge import Hedge, hedge

Names = frozenset[str]


class HedgeFound(Exception):
    """ID has failed on its line 5."""

    def __init__(self, found: Hedge) -> None:
        self.hedge = found
        super().__init__()


@dataclass
class Identification:
    """One run of ID or IDC.

    Attributes:
        graph: Variables are all observed; hidden ones are in its bidirected edges.
        steps: Lines gone through so far, such as "ID 4".
    """

    graph: CausalGraph
    steps: list[str] = field(default_factory=list)

    def conditional(self, outcome: Names, do: Names, given: Names) -> Expression:
        """IDC: the formula of P(outcome | do(do), given).

        Raises:
            HedgeFound: if there is none.
        """
        for name in self.graph.ordered(given):
            mutilated = self.graph.without_incoming(do).without_outgoing(name)
            # Rule 2 of the do-calculus: here, seeing a value and setting it are the same.
            if mutilated.d_separated(outcome, name, do | (given - {name})):
                self.steps.append("IDC 1")
                return self.conditional(outcome, do | {name}, given - {name})
        self.steps.append("IDC 2")
        joint = self.unconditional(outcome | given, do)
        return ratio(joint, total(outcome, joint)) if given else joint

    def unconditional(self, outcome: Names, do: Names) -> Expression:
        """ID: the formula of P(outcome | do(do)).

        Raises:
            HedgeFound: if there is none.
        """
        try:
            return self._id(outcome, do, Distribution.observed(self.graph))
        except _LineFive as failure:
            raise HedgeFound(hedge(failure.graph, failure.district, outcome, do)) from None

    def _id(self, y: Names, x: Names, p: Distribution) -> Expression:
        graph = p.graph
        nodes = frozenset(graph.nodes)
        if not x:
            self.steps.append("ID 1")
            return p.marginal(y)

        ancestors = graph.ancestors(y)
        if ancestors != nodes:
            self.steps.append("ID 2")
            return self._id(y, x & ancestors, p.of_ancestors(ancestors))

        idle = nodes - x - graph.without_incoming(x).ancestors(y)
        if idle:
            self.steps.append("ID 3")
            return self._id(y, x | idle, p)

        districts = graph.subgraph(nodes - x).districts()
        if len(districts) > 1:
            self.steps.append("ID 4")
            parts = [self._id(district, nodes - district, p) for district in self._latest_first(districts)]
            return total(nodes - y - x, product(parts))

        (district,) = districts
        around = graph.districts()
        if len(around) == 1:
            self.steps.append("ID 5")
            raise _LineFive(graph, district)

        if district in around:
            self.steps.append("ID 6")
            return total(district - y, p.factors(district))

        self.steps.append("ID 7")
        larger = next(candidate for candidate in around if district < candidate)
        return self._id(y, x & larger, Distribution(graph.subgraph(larger), p.factors(larger)))

    def _latest_first(self, districts: list[Names]) -> list[Names]:
        order = self.graph.topological_order()
        return sorted(districts, key=lambda names: -max(map(order.index, names)))


class _LineFive(Exception):
    def __init__(self, graph: CausalGraph, district: Names) -> None:
        self.graph, self.district = graph, district
        super().__init__()
