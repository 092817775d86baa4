"""m-separation: d-separation in graphs with bidirected edges (Richardson 2003, section 2)."""

from __future__ import annotations

from collections.abc import Callable

Neighbours = Callable[[str], frozenset[str]]


def connected(
    start: frozenset[str],
    given: frozenset[str],
    *,
    ancestors_of_given: frozenset[str],
    parents: Neighbours,
    children: Neighbours,
    siblings: Neighbours,
) -> frozenset[str]:
    """Variables outside `given` that some m-connecting walk joins to `start`, `start` among them.

    A walk connects when each of its colliders is an ancestor of `given` and none of its other inner
    variables is in `given`. Each variable is visited at most twice: once reached by an arrowhead, once by
    a tail.
    """
    found: set[tuple[str, bool]] = set()
    waiting = [(name, False) for name in start]
    while waiting:
        visit = waiting.pop()
        if visit in found:
            continue
        found.add(visit)
        name, by_arrowhead = visit
        if name not in given:  # passes as a non-collider
            waiting += [(child, True) for child in children(name)]
            if not by_arrowhead:
                waiting += [(parent, False) for parent in parents(name)]
                waiting += [(sibling, True) for sibling in siblings(name)]
        if by_arrowhead and name in ancestors_of_given:  # passes as an open collider
            waiting += [(parent, False) for parent in parents(name)]
            waiting += [(sibling, True) for sibling in siblings(name)]
    return frozenset(name for name, _ in found) - given
