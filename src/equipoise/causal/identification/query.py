"""What is asked, checked: outcome, do and given in a graph of observed variables."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.causal.graph import CausalGraph, GraphError
from equipoise.causal.graph.causal_graph import Names


@dataclass(frozen=True)
class Query:
    """P(outcome | do(do), given) in a graph whose variables are all observed."""

    graph: CausalGraph
    outcome: frozenset[str]
    do: frozenset[str]
    given: frozenset[str]

    @property
    def words(self) -> str:
        """What the query asks for, as a noun."""
        outcome, do, given = (
            " and ".join(f"'{name}'" for name in self.graph.ordered(names))
            for names in (self.outcome, self.do, self.given)
        )
        effect = f"the effect of {do} on {outcome}" if do else f"the distribution of {outcome}"
        return f"{effect} given {given}" if given else effect


def query(
    graph: CausalGraph, outcome: Names, do: Names, given: Names | None = None, observed: Names | None = None
) -> Query:
    """Check a question, and project the graph onto what is observed.

    Raises:
        GraphError: if a variable is unknown, plays two parts, or is not observed; no outcome is named; or the
            graph is none: a text, or a proposal that nobody has accepted.
    """
    if not isinstance(graph, CausalGraph):
        raise GraphError(
            f"A causal graph is expected, not {type(graph).__name__}",
            todo="Read a text by CausalGraph.parse; what was proposed from data must be accepted by a person first.",
        )
    parts = {
        "outcome": _names(outcome),
        "do": _names(do),
        "given": _names(() if given is None else given),
    }
    for names in parts.values():
        graph.ordered(names)  # raises for names that the graph does not know
    if not parts["outcome"]:
        raise GraphError("No outcome is named", todo="Say which variable the effect is asked on.")
    for one, other in (("outcome", "do"), ("outcome", "given"), ("do", "given")):
        for name in sorted(parts[one] & parts[other]):
            raise GraphError(
                f"The variable '{name}' is named both as {one} and as {other}",
                todo="What is set by an action needs no condition: name it under 'do' alone."
                if one == "do"
                else "Name it once.",
            )
    seen = frozenset(graph.nodes) if observed is None else _names(observed)
    graph.ordered(seen)
    for part, names in parts.items():
        for name in sorted(names - seen):
            raise GraphError(
                f"The variable '{name}' is asked about ({part}) but is not observed",
                where=f"observed: {', '.join(graph.ordered(seen)) or 'nothing'}",
                todo="Observe it, or ask about a variable that stands for it.",
            )
    shown = graph.latent_projection(frozenset(graph.nodes) - seen)
    return Query(shown, parts["outcome"], parts["do"], parts["given"])


def _names(names: Names) -> frozenset[str]:
    return frozenset({names} if isinstance(names, str) else names)
