"""`Proposal`: a graph that no person has accepted yet, and which nothing else accepts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import polars as pl

from equipoise.causal.discovery.partial_graph import DECIDED, PartialGraph
from equipoise.causal.graph import CausalGraph, GraphError
from equipoise.errors import EquipoiseError

_DOUBTFUL = 0.5
_GRAPH_ONLY = frozenset(
    name for name in (*dir(CausalGraph), "nodes", "directed", "bidirected") if name[0] != "_"
)

Edges = str | Iterable[str] | CausalGraph


class NotAcceptedError(EquipoiseError, TypeError):
    """A proposal stands where a graph is wanted that a person answers for."""


@dataclass(frozen=True)
class Proposal:
    """Edges that a method or a language model proposes. It answers no causal question until it is accepted.

    Attributes:
        method: Who proposed it.
        found: The edges, with the directions that are known.
        edges: One row per edge: `a`, `kind` (as in `KINDS`), `b`; `confidence`, the share of resamples (or of
            repeated answers) with the same edge; `adjacent`, the share with any edge between the two;
            `forward` and `backward`, the shares with a -> b and b -> a; `reason`, where one was given. Shares
            are null where nothing was resampled.
        n: Rows that were learned from; None where no row was looked at.
        n_bootstrap: Resamples, or answers, behind the confidence.
        refused: Edges that were proposed and left out, since they name no column or lead back to their own.
        notes: What else a reader has to know, in sentences.
    """

    method: str
    found: PartialGraph
    edges: pl.DataFrame
    n: int | None
    n_bootstrap: int
    refused: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> NoReturn:
        """Whoever takes a proposal for a graph is told so."""
        if name in _GRAPH_ONLY:
            raise NotAcceptedError(
                "This is a proposal, not a graph: nobody has accepted it yet",
                where=f"{self.__dict__.get('method', 'unfinished')} proposal, asked for its {name}",
                todo="Look at its edges, decide what they leave open, and pass on what .accept() returns.",
            )
        raise AttributeError(f"'Proposal' has no attribute '{name}'")

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it is about."""
        return self.found.nodes

    @property
    def open(self) -> list[tuple[str, str, str]]:
        """Edges whose direction is to be decided by a person."""
        return [edge for edge in self.found.ordered if edge[1] not in DECIDED]

    @property
    def graph_if_accepted(self) -> CausalGraph | None:
        """The graph that accepting everything would give; None while directions are open or make a cycle."""
        try:
            return self.accept()
        except (GraphError, NotAcceptedError):
            return None

    def accept(self, edges: Edges | None = None, *, directions: Edges | None = None) -> CausalGraph:
        """The graph that a person accepts, and answers for from here on.

        Args:
            edges: All edges of the graph, such as ``"age -> click; click <- price"``: any of the proposed pairs,
                in whatever direction the person knows to be right. None to take all that is proposed.
            directions: Only the edges that the proposal leaves open, likewise.

        Raises:
            NotAcceptedError: if directions are open that nobody has decided.
            GraphError: if an edge is between two columns that were not proposed to be adjacent (write your own
                graph then), or the edges make a cycle.
        """
        if edges is not None and directions is not None:
            raise GraphError("Either all edges are named, or the directions of the open ones, not both")
        proposed = self.found.by_pair
        named = _graph(edges if edges is not None else directions)
        decided = {frozenset(edge) for edge in named.directed} | named.bidirected
        for pair in decided - set(proposed):
            raise GraphError(
                f"No edge was proposed between {' and '.join(map(repr, sorted(pair)))}",
                todo="To say more than the proposal does, write the graph yourself: CausalGraph.parse(...).",
            )
        directed, bidirected = set(named.directed), set(named.bidirected)
        if edges is None:
            left = [edge for edge in self.open if frozenset({edge[0], edge[2]}) not in decided]
            if left:
                shown = "; ".join(" ".join(edge) for edge in left[:5]) + ("; ..." if len(left) > 5 else "")
                raise NotAcceptedError(
                    f"The direction of {len(left)} edges is not known, and nobody has decided it",
                    where=shown,
                    todo="Decide each, as in .accept(directions='a -> b; c <-> d').",
                )
            taken = [edge for pair, edge in proposed.items() if pair not in decided]
            directed |= {(a, b) for a, kind, b in taken if kind == "->"}
            bidirected |= {frozenset({a, b}) for a, kind, b in taken if kind == "<->"}
        return CausalGraph.from_edges(directed, bidirected, self.variables)

    @property
    def summary(self) -> str:
        """What is proposed, in one short sentence."""
        edges = "1 edge" if len(self.edges) == 1 else f"{len(self.edges)} edges"
        return (
            f"{self.method} proposes {edges} among {len(self.variables)} columns; nobody has accepted them."
        )

    @property
    def sentence(self) -> str:
        """What is proposed and how sure it is, in plain words."""
        count, open_ = len(self.edges), len(self.open)
        rows = f" from {self.n:,} rows" if self.n is not None else ""
        said = f"A proposal by {self.method}{rows}, not a finding: {count} edges among {len(self.variables)} columns"
        said += f", the direction of {open_} still open." if open_ else "."
        unsure = int((self.edges["confidence"] < _DOUBTFUL).sum()) if self.n_bootstrap else 0
        if unsure:
            source = "answers" if self.method == "llm" else "resamples"
            said += f" {unsure} of them came back the same in fewer than half of {self.n_bootstrap} {source}."
        if self.refused:
            said += f" {sum(self.refused.values())} further edges were refused: they name no column, or their own."
        return " ".join([said, *self.notes, "A person decides: nothing uses it before it is accepted."])

    def to_mermaid(self) -> str:
        """The proposal as a Mermaid flowchart; open directions are lines, confidences their labels."""
        drawn = CausalGraph(self.variables).to_mermaid().splitlines()
        key = {name: f"v{place}" for place, name in enumerate(self.variables)}
        arrow = {"->": "-->", "<->": "<-.->"}
        for row in self.edges.iter_rows(named=True):
            sure = "" if row["confidence"] is None else f" {row['confidence']:.0%}"
            label = f'|"{sure.strip() if row["kind"] in arrow else row["kind"] + sure}"|'
            drawn.append(f"  {key[row['a']]} {arrow.get(row['kind'], '---')}{label} {key[row['b']]}")
        return "\n".join(drawn).replace('|""|', "")

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        ready = self.graph_if_accepted
        return {
            "kind": "graph-proposal",
            "schema": 1,
            "method": self.method,
            "variables": list(self.variables),
            "n": self.n,
            "n_bootstrap": self.n_bootstrap,
            "edges": self.edges.to_dicts(),
            "open": [" ".join(edge) for edge in self.open],
            "refused": dict(self.refused),
            "graph_if_accepted": None if ready is None else str(ready),
            "sentence": self.sentence,
            "mermaid": self.to_mermaid(),
        }


def _graph(edges: Edges | None) -> CausalGraph:
    if edges is None:
        return CausalGraph(())
    if isinstance(edges, CausalGraph):
        return edges
    return CausalGraph.parse(edges if isinstance(edges, str) else "; ".join(edges))
