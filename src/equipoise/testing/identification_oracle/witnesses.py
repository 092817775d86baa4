"""Two models that agree on all that is observed and differ in an effect: why it cannot be identified.

The construction of Shpitser & Pearl (2006, theorem 4): hidden causes are fair coins and every variable is the
parity of its causes. In the first model all of the outer forest is wired so; in the second, the inner forest is
deaf to the rest. Either way the roots have an even sum as long as nobody acts. After the action they keep it in
the second model only. Ways from the roots to the outcome pass the sum on, in a second bit of each variable on
them, so that they may lead back through the forests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from equipoise.causal.graph import CausalGraph
from equipoise.causal.identification import Hedge

Arc = frozenset[str]
Row = tuple[int, ...]


@dataclass(frozen=True)
class ParityModel:
    """Every variable has two bits: its own, the parity of its causes; and one that it passes on.

    Attributes:
        causes: Observed causes of each variable's own bit; the variables stand causes before effects.
        coins: Hidden causes of each variable's own bit: fair coins.
        passing: For each variable, those that pass bits on to it: roots both of theirs, others the second.
        roots: Variables whose own bits are passed on.
    """

    causes: Mapping[str, tuple[str, ...]]
    coins: Mapping[str, tuple[Arc, ...]]
    passing: Mapping[str, tuple[str, ...]]
    roots: frozenset[str]

    def distribution(self, do: Iterable[str] = ()) -> Counter[Row]:
        """How many outcomes of the coins lead to each row of values, 0 to 3, with `do` set to 0."""
        arcs = sorted({arc for coins in self.coins.values() for arc in coins}, key=sorted)
        cut = frozenset(do)
        counts: Counter[Row] = Counter()
        for tossed in product((0, 1), repeat=len(arcs)):
            coin = dict(zip(arcs, tossed, strict=True))
            own: dict[str, int] = {}
            passed: dict[str, int] = {}
            for name, causes in self.causes.items():
                noise = sum(coin[arc] for arc in self.coins[name])
                own[name] = 0 if name in cut else (noise + sum(own[cause] for cause in causes)) % 2
                received = sum(passed[a] + own[a] * (a in self.roots) for a in self.passing[name])
                passed[name] = 0 if name in cut else received % 2
            counts[tuple(own[name] + 2 * passed[name] for name in self.causes)] += 1
        return counts


@dataclass(frozen=True)
class Witness:
    """Two models over the same variables.

    Attributes:
        variables: Variables of both, in the order of the rows; all others of the graph stay constant.
        first: The model that the action changes.
        second: The model that it leaves alone.
        outcome: Outcome variables among them.
        do: Set variables among them.
    """

    variables: tuple[str, ...]
    first: ParityModel
    second: ParityModel
    outcome: frozenset[str]
    do: frozenset[str]

    @property
    def agree(self) -> bool:
        """Whether both have the same distribution as long as nobody acts."""
        return _shares(self.first.distribution()) == _shares(self.second.distribution())

    @property
    def differ(self) -> bool:
        """Whether the outcome differs in distribution after the action."""
        return self._acted(self.first) != self._acted(self.second)

    def _acted(self, model: ParityModel) -> dict[Row, float]:
        places = [place for place, name in enumerate(self.variables) if name in self.outcome]
        counts: Counter[Row] = Counter()
        for row, count in model.distribution(self.do).items():
            counts[tuple(row[place] for place in places)] += count
        return _shares(counts)


def witness(graph: CausalGraph, hedge: Hedge) -> Witness:
    """Two models that prove the query of a hedge not identifiable."""
    ways = _ways_to_outcome(graph, hedge)
    members = hedge.outer | {name for edge in ways for name in edge}
    order = [name for name in graph.topological_order() if name in members]
    tree = _spanning_tree(graph, hedge)
    passing = {name: tuple(a for a, b in sorted(ways) if b == name) for name in order}

    def model(*, deaf: bool) -> ParityModel:
        """The parity model; `deaf` cuts what enters the inner forest from the rest of the outer one."""

        def heard(name: str, others: Iterable[str]) -> bool:
            return not deaf or name not in hedge.inner or hedge.inner.issuperset(others)

        causes = {
            name: tuple(a for a, b in sorted(hedge.outer_edges) if b == name and heard(name, (a,)))
            for name in order
        }
        coins = {name: tuple(arc for arc in tree if name in arc and heard(name, arc)) for name in order}
        return ParityModel(causes, coins, passing, hedge.roots)

    return Witness(
        tuple(order), model(deaf=False), model(deaf=True), hedge.outcome & members, hedge.do & members
    )


def _ways_to_outcome(graph: CausalGraph, hedge: Hedge) -> frozenset[tuple[str, str]]:
    """Arrows along which every root that is no outcome reaches one, whatever is set."""
    edges = sorted((a, b) for a, b in graph.directed if b not in hedge.do)
    following: dict[str, str] = {}
    while new := {
        a: b
        for a, b in edges
        if b in hedge.outcome | following.keys() and a not in hedge.outcome | following.keys()
    }:
        following |= new
    ways: set[tuple[str, str]] = set()
    for root in hedge.roots:
        name = root
        while name in following:
            ways.add((name, following[name]))
            name = following[name]
    return frozenset(ways)


def _spanning_tree(graph: CausalGraph, hedge: Hedge) -> list[Arc]:
    """Arcs that join the inner forest, and then all of the outer one, without a circle."""
    tree: list[Arc] = []
    joined = set(sorted(hedge.inner)[:1])
    for members in (hedge.inner, hedge.outer):
        arcs = sorted((arc for arc in graph.bidirected if arc <= members), key=sorted)
        while arc := next((arc for arc in arcs if len(arc & joined) == 1), None):
            tree.append(arc)
            joined |= arc
    return tree


def _shares(counts: Counter[Row]) -> dict[Row, float]:
    whole = sum(counts.values())
    return {row: count / whole for row, count in counts.items()}
