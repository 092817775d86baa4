"""Statements of conditional independence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Independence:
    """`a` is independent of `b` given the variables of `given`.

    Attributes:
        a: A variable.
        b: Another.
        given: What is held fixed, in the order of the graph.
    """

    a: str
    b: str
    given: tuple[str, ...] = ()

    def __str__(self) -> str:
        condition = f" | {', '.join(self.given)}" if self.given else ""
        return f"{self.a} ⊥ {self.b}{condition}"
