"""Causal graphs with hidden common causes: acyclic directed mixed graphs (ADMGs)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

from equipoise.causal.graph import drawing, separation, text
from equipoise.causal.graph.errors import GraphError
from equipoise.causal.graph.independence import Independence
from equipoise.causal.graph.projection import project
from equipoise.errors import nearest

if TYPE_CHECKING:
    from equipoise.causal.graph.implications import Implications

Names = str | Iterable[str]
Edge = tuple[str, str]


@dataclass(frozen=True, eq=False)
class CausalGraph:
    """What causes what, and where a hidden common cause may stand behind two variables.

    Two graphs are equal when they have the same variables and edges; the order of variables is for reading
    only. Relations such as `ancestors` answer in sets, and a variable is its own ancestor and descendant, as
    in Pearl (2009).

    Attributes:
        nodes: Variables.
        directed: Pairs (cause, effect).
        bidirected: Pairs of variables with a hidden common cause, written ``a <-> b``.

    Raises:
        GraphError: when made with a cycle, a self-loop or an edge to an unknown variable.
    """

    nodes: tuple[str, ...]
    directed: frozenset[Edge] = field(default_factory=frozenset)
    bidirected: frozenset[frozenset[str]] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        loops = [a for a, b in self.directed if a == b]
        loops += [name for arc in self.bidirected if len(arc) == 1 for name in arc]
        if loops:
            raise GraphError(
                f"The variable '{loops[0]}' has an edge to itself",
                todo="Leave it out; for causes over time, give each moment a variable of its own.",
            )
        if len(set(self.nodes)) < len(self.nodes):
            raise GraphError("A variable is listed twice", where=", ".join(self.nodes))
        if any(name.splitlines() != [name] or ('"' in name and "'" in name) for name in self.nodes):
            raise GraphError("A variable has a name that cannot be written", todo="Rename the column.")
        self._known({name for edge in (*self.directed, *self.bidirected) for name in edge})
        self.topological_order()

    @classmethod
    def parse(cls, text_of_graph: str) -> CausalGraph:
        """Read a graph such as ``age -> history -> click; age -> click; history <-> click; weather``.

        Statements end with ``;`` or a line; names that hold other characters than letters, digits, ``_`` and
        ``.`` stand in quotes.

        Raises:
            GraphError: if the text is no graph, or the graph has a cycle or a self-loop.
        """
        nodes, directed, bidirected = text.parse(text_of_graph)
        return cls.from_edges(directed, bidirected, nodes)

    @classmethod
    def from_edges(
        cls, directed: Iterable[Edge], bidirected: Iterable[Iterable[str]] = (), nodes: Iterable[str] = ()
    ) -> CausalGraph:
        """A graph of these edges; `nodes` names variables without any, and sets the order."""
        arrows, arcs = [(a, b) for a, b in directed], [tuple(arc) for arc in bidirected]
        names = dict.fromkeys([*nodes, *(name for edge in (*arrows, *arcs) for name in edge)])
        return cls(tuple(names), frozenset(arrows), frozenset(map(frozenset, arcs)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CausalGraph) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __str__(self) -> str:
        """The text that `parse` reads back to the same graph, in the same order of variables."""
        arrows = [(f"{text.quoted(a)} -> {text.quoted(b)}", (a, b)) for a, b in self._arrows]
        arcs = [(f"{text.quoted(a)} <-> {text.quoted(b)}", (a, b)) for a, b in self._arcs]
        mentioned = tuple(dict.fromkeys(name for _, edge in (*arrows, *arcs) for name in edge))
        first = [] if mentioned == self.nodes else [text.quoted(name) for name in self.nodes]
        return "; ".join([*first, *(word for word, _ in (*arrows, *arcs))])

    @cached_property
    def _identity(self) -> tuple[frozenset[str], frozenset[Edge], frozenset[frozenset[str]]]:
        return frozenset(self.nodes), self.directed, self.bidirected

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.nodes)}

    @cached_property
    def _arrows(self) -> list[Edge]:
        return sorted(self.directed, key=lambda edge: (self._place[edge[0]], self._place[edge[1]]))

    @cached_property
    def _arcs(self) -> list[Edge]:
        pairs = [tuple(sorted(arc, key=self._place.__getitem__)) for arc in self.bidirected]
        return sorted(((a, b) for a, b in pairs), key=lambda arc: (self._place[arc[0]], self._place[arc[1]]))

    @cached_property
    def _parents(self) -> dict[str, frozenset[str]]:
        return self._neighbours((b, a) for a, b in self.directed)

    @cached_property
    def _children(self) -> dict[str, frozenset[str]]:
        return self._neighbours(self.directed)

    @cached_property
    def _siblings(self) -> dict[str, frozenset[str]]:
        return self._neighbours(edge for a, b in self._arcs for edge in ((a, b), (b, a)))

    def _neighbours(self, edges: Iterable[Edge]) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {name: set() for name in self.nodes}
        for a, b in edges:
            found[a].add(b)
        return {name: frozenset(others) for name, others in found.items()}

    def _known(self, names: Names) -> frozenset[str]:
        wanted = frozenset({names} if isinstance(names, str) else names)
        for name in sorted(wanted - set(self.nodes)):
            raise GraphError(f"The graph has no variable '{name}'", todo=nearest(name, self.nodes))
        return wanted

    def _closure(self, names: Names, step: Mapping[str, frozenset[str]]) -> frozenset[str]:
        found = set(self._known(names))
        waiting = list(found)
        while waiting:
            new = step[waiting.pop()] - found
            found |= new
            waiting += new
        return frozenset(found)

    def ordered(self, names: Names) -> tuple[str, ...]:
        """These variables in the order of `nodes`."""
        return tuple(sorted(self._known(names), key=self._place.__getitem__))

    def parents(self, names: Names) -> frozenset[str]:
        """All direct causes of any of these variables; they may be among them."""
        return frozenset().union(*(self._parents[name] for name in self._known(names)))

    def children(self, names: Names) -> frozenset[str]:
        """All direct effects of any of these variables; they may be among them."""
        return frozenset().union(*(self._children[name] for name in self._known(names)))

    def siblings(self, names: Names) -> frozenset[str]:
        """All variables that share a hidden cause with any of these; they may be among them."""
        return frozenset().union(*(self._siblings[name] for name in self._known(names)))

    def ancestors(self, names: Names) -> frozenset[str]:
        """These variables and everything that causes them."""
        return self._closure(names, self._parents)

    def descendants(self, names: Names) -> frozenset[str]:
        """These variables and everything that they cause."""
        return self._closure(names, self._children)

    def districts(self) -> list[frozenset[str]]:
        """Sets joined by bidirected edges (c-components, Tian & Pearl 2002), in the order of `nodes`."""
        found: list[frozenset[str]] = []
        for name in self.nodes:
            if not any(name in district for district in found):
                found.append(self._closure(name, self._siblings))
        return found

    def topological_order(self) -> tuple[str, ...]:
        """Variables with all causes before their effects; among equals, in the order of `nodes`.

        Raises:
            GraphError: if there is a cycle, which it names.
        """
        return self._order

    @cached_property
    def _order(self) -> tuple[str, ...]:
        placed: dict[str, None] = {}
        left = list(self.nodes)
        while left:
            ready = next((name for name in left if self._parents[name] <= placed.keys()), None)
            if ready is None:
                raise GraphError(
                    f"The graph has a cycle: {' -> '.join(self._cycle(left))}",
                    todo="Nothing causes itself: take one of these arrows away, or give each moment its own variable.",
                )
            placed[ready] = None
            left.remove(ready)
        return tuple(placed)

    def _cycle(self, left: list[str]) -> list[str]:
        """A cycle among variables each of which has a parent among them."""
        walk = [left[0]]
        while walk[-1] not in walk[:-1]:
            walk.append(min(self._parents[walk[-1]] & set(left), key=self._place.__getitem__))
        return walk[walk.index(walk[-1]) :][::-1]

    def subgraph(self, names: Names) -> CausalGraph:
        """The graph of these variables and the edges among them. Nothing is projected: see `latent_projection`."""
        kept = self._known(names)
        return CausalGraph(
            self.ordered(kept),
            frozenset((a, b) for a, b in self.directed if a in kept and b in kept),
            frozenset(arc for arc in self.bidirected if arc <= kept),
        )

    def without_incoming(self, names: Names) -> CausalGraph:
        """The graph after an intervention: no edge points into these variables any more."""
        cut = self._known(names)
        return CausalGraph(
            self.nodes,
            frozenset((a, b) for a, b in self.directed if b not in cut),
            frozenset(arc for arc in self.bidirected if arc.isdisjoint(cut)),
        )

    def without_outgoing(self, names: Names) -> CausalGraph:
        """The graph without arrows out of these variables; bidirected edges stay, they point into them."""
        cut = self._known(names)
        arrows = frozenset((a, b) for a, b in self.directed if a not in cut)
        return CausalGraph(self.nodes, arrows, self.bidirected)

    def latent_projection(self, hidden: Names) -> CausalGraph:
        """The graph over the other variables, with `hidden` ones told by bidirected edges (Verma 1993)."""
        unseen = self._known(hidden)
        arrows, arcs = project(unseen, self.directed, self.bidirected, self._children.__getitem__)
        return CausalGraph(
            tuple(name for name in self.nodes if name not in unseen), frozenset(arrows), frozenset(arcs)
        )

    def d_separated(self, a: Names, b: Names, given: Names = ()) -> bool:
        """Whether the graph implies that `a` is independent of `b` given `given` (m-separation).

        Raises:
            GraphError: if a variable is unknown, or stands in two of the three sets.
        """
        left, right, fixed = self._known(a), self._known(b), self._known(given)
        twice = (left & right) | (left & fixed) | (right & fixed)
        if twice:
            raise GraphError(f"The variable '{min(twice)}' stands on two sides of a question of independence")
        return self._reaching(left, fixed).isdisjoint(right)

    def _reaching(self, start: frozenset[str], given: frozenset[str]) -> frozenset[str]:
        return separation.connected(
            start,
            given,
            ancestors_of_given=self.ancestors(given),
            parents=self._parents.__getitem__,
            children=self._children.__getitem__,
            siblings=self._siblings.__getitem__,
        )

    def implications(self) -> list[Independence]:
        """Independences that the graph implies: one for each pair that some set separates.

        Each is given a smallest set in the sense that no variable can be left out of it. Constraints that are
        no independences (Verma & Pearl 1990) are not listed.
        """
        found: list[Independence] = []
        for a, b in combinations(self.nodes, 2):
            # Where any set separates, the ancestors of the pair do (Richardson & Spirtes 2002, lemma 3.9).
            given = self.ancestors((a, b)) - {a, b}
            if self.d_separated(a, b, given):
                for name in reversed(self.ordered(given)):
                    if self.d_separated(a, b, given - {name}):
                        given -= {name}
                found.append(Independence(a, b, self.ordered(given)))
        return found

    def test_implications(self, data: Any, level: float = 0.05, cluster: str | None = None) -> Implications:
        """Test the implied independences on data: see `equipoise.causal.graph.implications`."""
        from equipoise.causal.graph.implications import test_implications

        return test_implications(self, data, level=level, cluster=cluster)

    def to_mermaid(self) -> str:
        """The graph as a Mermaid flowchart; hidden common causes are dotted."""
        return drawing.mermaid(self.nodes, self._arrows, self._arcs)

    def to_graphviz(self) -> str:
        """The graph in Graphviz's language; hidden common causes are dashed."""
        return drawing.graphviz(self.nodes, self._arrows, self._arcs)

    def as_dict(self) -> dict[str, Any]:
        """The graph as plain JSON values: text, nodes, edges with their kinds, and two languages of drawings."""
        edges = [("->", self._arrows), ("<->", self._arcs)]
        return {
            "text": str(self),
            "nodes": list(self.nodes),
            "edges": [{"from": a, "to": b, "kind": kind} for kind, pairs in edges for a, b in pairs],
            "mermaid": self.to_mermaid(),
            "graphviz": self.to_graphviz(),
        }
