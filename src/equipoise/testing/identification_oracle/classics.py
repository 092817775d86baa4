"""Graphs of the literature with what is known of their effects."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Classic:
    """A graph, a question, and whether the effect is identifiable.

    Attributes:
        name: What the graph is called.
        graph: As `CausalGraph.parse` reads it.
        identifiable: Whether P(outcome | do(do)) is.
        outcome: One variable.
        do: One or more.
    """

    name: str
    graph: str
    identifiable: bool
    outcome: str = "y"
    do: tuple[str, ...] = ("x",)


CLASSICS = (
    Classic("one arrow", "x -> y", True),
    Classic("bow", "x -> y; x <-> y", False),
    Classic("instrument", "z -> x -> y; x <-> y", False),
    Classic("confounder seen", "z -> x -> y; z -> y", True),
    Classic("back door through a hidden cause", "x <-> z; z -> y; x -> y", True),
    Classic("M-bias", "x <-> z; z <-> y; x -> y", True),
    Classic("butterfly", "a -> x; a -> z; b -> z; b -> y; z -> x; z -> y; x -> y", True),
    Classic("front door", "x -> m -> y; x <-> y", True),
    Classic("front door, mediator confounded with the treatment", "x -> m -> y; x <-> y; x <-> m", False),
    Classic("front door, mediator confounded with the outcome", "x -> m -> y; x <-> y; m <-> y", False),
    Classic("front door and a direct arrow", "x -> m -> y; x -> y; x <-> y", False),
    Classic("mediator confounded with the outcome", "x -> m -> y; m <-> y", True),
    Classic("mediator confounded with the treatment", "x -> m -> y; x <-> m", False),
    Classic("napkin", "w -> z -> x -> y; w <-> x; w <-> y", True),
    Classic("napkin with an arrow from z to y", "w -> z -> x -> y; z -> y; w <-> x; w <-> y", False),
    Classic("Verma", "a -> b -> c -> d; a -> c; b <-> d", True, "d", ("a", "c")),
    Classic("hedge above the outcome", "x -> z -> y; x <-> z", False),
    Classic("two actions, one confounded with a mediator", "x1 -> z -> x2 -> y; x1 <-> z; z -> y", True, "y", ("x2",)),
    Classic("sequential plan", "x1 -> z -> y; x1 -> x2 -> y; z -> x2; u -> z; u -> y", True, "y", ("x1", "x2")),
    Classic("mediation with a confounded outcome, effect of the cause", "x -> y -> z; x -> z; y <-> z", True, "z"),
    Classic(
        "mediation with a confounded outcome, effect of the mediator",
        "x -> y -> z; x -> z; y <-> z", False, "z", ("y",),
    ),
    Classic("mediation with a confounded cause", "x -> y -> z; x -> z; x <-> z", False, "z"),
)  # fmt: skip
