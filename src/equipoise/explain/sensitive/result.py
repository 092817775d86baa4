"""What is said of the paths of a sensitive attribute: plain data."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.statistics import Interval


@dataclass(frozen=True)
class Along:
    """What a set of paths carries.

    Attributes:
        paths: Each from the attribute to the score, variables parted by `->`.
        score: The score as it is less the score, had the attribute the other value along these paths and its own along
            all others; None where it is not identified. Its interval holds the chance of the draws and of the users
            that the mechanisms were fitted to.
        places: How many places higher the item stands than it would; None where it is not identified.
        why: Why it is not identified, or why it is exactly 0; empty otherwise.
        each: What is to be said of the single paths; empty where there is one.
    """

    paths: tuple[str, ...]
    score: Interval | None
    places: Interval | None
    why: str = ""
    each: str = ""


@dataclass(frozen=True)
class Sensitive:
    """The parts of a score that run along the paths of a graph from a sensitive attribute of a user.

    Attributes:
        attribute: A column of the users.
        value: What the user has in it.
        instead: The value that it is held against.
        graph: What causes what, as text.
        parts: One for each arrow that leaves the attribute, the direct one to the score last.
        total: Along all paths at once.
        interaction: The total less the sum of the parts: what paths only do together.
        score: Mean score where the history is redrawn and nothing changed, beside which all others are held.
        rank: Mean rank where the history is redrawn and nothing changed.
        draws: Redrawn histories that each mean is of.
        forwards: How many histories the model answered.
        assumptions: What must be true, in sentences.
        notes: What a reader must know, in sentences.
    """

    attribute: str
    value: str
    instead: str
    graph: str
    parts: tuple[Along, ...]
    total: Along
    interaction: Along
    score: float
    rank: float
    draws: int
    forwards: int
    assumptions: tuple[str, ...]
    notes: tuple[str, ...] = ()
