"""The paths by which an attribute of a user reaches a score, and which of them can be told apart."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from equipoise.causal.graph import CausalGraph

HISTORY, SCORE = "history", "score"
"""Where the paths of a graph over users and their histories go on to, whatever the graph says."""

_TOLD = 12  # paths of a route that are written down

Path = tuple[str, ...]


@dataclass(frozen=True)
class Route:
    """All paths that leave an attribute by the same arrow.

    What goes along them together is identified where no hidden cause comes in between, since no variable has to take
    two values at once. What goes along a single one is not where the paths part: the variable at which they do would
    have to be as the attribute makes it for one path, and as it was for the other (a recanting witness: Avin, Shpitser
    and Pearl 2005, "Identifiability of path-specific effects", theorem 5).

    Attributes:
        child: Where the arrow leads.
        paths: From the attribute to the score; the first ones where there are very many.
        reached: Variables of the graph on any of them, without the attribute.
        witness: Where the paths part; None where there is only one.
        why: Why what goes along them does not follow from data; empty where it does.
    """

    child: str
    paths: tuple[Path, ...]
    reached: frozenset[str]
    witness: str | None = None
    why: str = ""


def routes(
    graph: CausalGraph,
    attribute: str,
    features: Collection[str],
    categories: Collection[str] = (),
    read: Collection[str] = (),
) -> tuple[Route, ...]:
    """The routes from an attribute through the history to a score.

    Args:
        graph: What causes what, over columns of users and features of histories.
        attribute: A variable of the graph.
        features: Variables that tell of the history; the score is a function of it, and of what the model reads else.
        categories: Variables that hold no numbers: what a category would have been cannot be told from what it is.
        read: Columns of users that the model reads itself: paths that reach one end there, too.

    Raises:
        GraphError: if the graph has no such attribute.
    """
    ends = (frozenset(features) | frozenset(read)) & frozenset(graph.nodes)
    live = graph.ancestors(ends) if ends else frozenset[str]()
    found = []
    for child in graph.ordered(graph.children(attribute) & live):
        reached = graph.descendants(child) & live
        paths = tuple(_paths(graph, (attribute, child), live, ends, frozenset(read)))
        found.append(
            Route(
                child,
                paths[:_TOLD],
                reached,
                _parting(graph, child, live, ends),
                _why(graph, attribute, reached, live, set(categories), set(read)),
            )
        )
    return tuple(found)


def _paths(
    graph: CausalGraph, begun: Path, live: frozenset[str], ends: frozenset[str], read: frozenset[str]
) -> Iterator[Path]:
    """Paths that go on from a beginning to the score."""
    waiting = [begun]
    told = 0
    while waiting and told <= _TOLD:
        path = waiting.pop()
        waiting += [(*path, name) for name in reversed(graph.ordered(graph.children(path[-1]) & live))]
        if path[-1] in ends:
            told += 1
            yield (*path, SCORE) if path[-1] in read else (*path, HISTORY, SCORE)


def _parting(graph: CausalGraph, child: str, live: frozenset[str], ends: frozenset[str]) -> str | None:
    """The first variable from which two paths lead on."""
    here = child
    while True:
        onward = graph.ordered(graph.children(here) & live)
        if len(onward) + (here in ends) > 1:
            return here
        if not onward:
            return None
        here = onward[0]


def _why(
    graph: CausalGraph,
    attribute: str,
    reached: frozenset[str],
    live: frozenset[str],
    categories: set[str],
    read: set[str],
) -> str:
    for name in graph.ordered(reached):
        if hidden := graph.ordered(graph.siblings(name) & (live | {attribute})):
            return (
                f"by the graph '{name}' and '{hidden[0]}' have a hidden common cause, so that what '{attribute}' does "
                f"to '{name}' alone does not follow from data."
            )
    if named := graph.ordered(reached & categories):
        return f"'{named[0]}' is a category, and what it would have been does not follow from what it is."
    if named := graph.ordered(reached & read):
        return f"the model reads '{named[0]}' itself, beside the history."
    return ""
