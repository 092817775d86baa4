"""Instruments: what moves the treatment and nothing else of the outcome.

A graph with an instrument does not identify an effect by itself; a linear model does, in which one unit of
treatment has the same effect everywhere. Such estimands are marked as parametric.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.causal.graph import CausalGraph
from equipoise.causal.graph.causal_graph import Names
from equipoise.causal.identification.discrete import DiscreteJoint
from equipoise.causal.identification.query import query
from equipoise.causal.identification.rendering import Order, Style, listing
from equipoise.causal.identification.separators import minimal_separators
from equipoise.errors import DataError


@dataclass(frozen=True)
class Instrument:
    """A variable that is an instrument for an effect once some covariates are held fixed.

    Attributes:
        variable: The instrument.
        given: Covariates to hold fixed; none for an unconditional instrument.
    """

    variable: str
    given: frozenset[str] = frozenset()


def instruments(
    graph: CausalGraph, outcome: Names, do: Names, observed: Names | None = None
) -> list[Instrument]:
    """All instruments with each of their minimal sets of covariates, those with the fewest first.

    With the covariates held fixed, an instrument depends on the treatment and is independent of the outcome in
    the graph without the treatment's effects (Brito & Pearl 2002; van der Zander, Textor & Liskiewicz 2015);
    neither instrument nor covariates are effects of the treatment.

    Args:
        graph: The graph.
        outcome: One variable.
        do: One variable.
        observed: Variables that are observed; all by default.

    Raises:
        GraphError: if a variable is unknown or plays two parts.
    """
    asked = query(graph, outcome, do, None, observed)
    if len(asked.do) != 1 or len(asked.outcome) != 1:
        return []
    shown, effects = asked.graph, asked.graph.descendants(asked.do)
    mutilated = shown.without_outgoing(asked.do)
    allowed = frozenset(shown.nodes) - effects - asked.outcome
    found = [
        Instrument(name, given)
        for name in shown.ordered(allowed)
        for given in minimal_separators(mutilated, frozenset({name}), asked.outcome, allowed=allowed - {name})
        if not shown.d_separated(name, asked.do, given)
    ]
    return sorted(found, key=lambda one: len(one.given))


@dataclass(frozen=True)
class LinearInstrument:
    """P(outcome) + b (x - E x), where b = E Cov(outcome, z | w) / E Cov(x, z | w): two-stage least squares.

    Covariates w are held fixed value by value. The treatment x and the instrument z are numbers; of an
    instrument with two values that are no numbers, the second in order counts as 1.
    """

    outcome: str
    do: str
    instrument: Instrument

    @property
    def mentioned(self) -> frozenset[str]:
        """All its variables."""
        return frozenset({self.outcome, self.do, self.instrument.variable}) | self.instrument.given

    def render(self, style: Style, order: Order) -> str:
        """The formula in a style."""
        y, x, z, w = (
            listing(part, style, order, {})
            for part in ([self.outcome], [self.do], [self.instrument.variable], self.instrument.given)
        )
        within = style.bar + w if w else ""
        mean, covariance = style.operator("E"), style.operator("Cov")
        slope = style.fraction(
            *(f"{mean + ' ' if w else ''}{covariance}({one}, {z}{within})" for one in (y, x))
        )
        return f"P({y}) + {slope} ({x} - {mean}({x}))"

    def value(self, joint: DiscreteJoint, at: Mapping[str, Hashable]) -> float:
        """The probability of an outcome under an action, by the linear model; in [0, 1] where that holds.

        Args:
            joint: Distribution of all variables of the formula.
            at: Value of the outcome and of the treatment.

        Raises:
            DataError: if treatment or instrument are no numbers, or the instrument does not move the treatment.
        """
        x, z = (_numbers(joint, name) for name in (self.do, self.instrument.variable))
        index = joint.index(self.outcome, at[self.outcome])
        y = _along(joint, self.outcome, np.arange(len(joint.levels[self.outcome])) == index)
        moved, followed = (
            _covariance(joint, x, z, self.instrument.given),
            _covariance(joint, y, z, self.instrument.given),
        )
        if abs(moved) < 1e-12:
            raise DataError(
                f"The instrument '{self.instrument.variable}' does not move '{self.do}'",
                where=f"covariance {moved:g}",
                todo="Without relevance an instrument says nothing.",
            )
        p = joint.probabilities
        (level,) = _as_numbers((at[self.do],), self.do)
        return float((p * y).sum() + followed / moved * (level - (p * x).sum()))


def _covariance(
    joint: DiscreteJoint, a: NDArray[np.float64], b: NDArray[np.float64], given: frozenset[str]
) -> float:
    """Mean over `given` of the covariance within its values."""
    axes = tuple(axis for name, axis in joint.axis.items() if name not in given)
    p = joint.probabilities
    mass = p.sum(axis=axes, keepdims=True)
    safe = np.where(mass > 0, mass, 1.0)
    means = [(p * values).sum(axis=axes, keepdims=True) / safe for values in (a, b)]
    return float((p * (a - means[0]) * (b - means[1])).sum())


def _numbers(joint: DiscreteJoint, name: str) -> NDArray[np.float64]:
    levels = joint.levels[name]
    if len(levels) == 2 and not all(isinstance(value, int | float) for value in levels):
        return _along(joint, name, np.array([0.0, 1.0]))
    return _along(joint, name, np.array(_as_numbers(levels, name)))


def _as_numbers(levels: tuple[Hashable, ...], name: str) -> list[float]:
    numbers = [float(value) for value in levels if isinstance(value, int | float)]
    if len(numbers) < len(levels):
        raise DataError(
            f"A linear instrument needs numbers in '{name}'",
            where=f"values: {', '.join(map(repr, levels[:5]))}",
            todo="Code the column as numbers.",
        )
    return numbers


def _along(joint: DiscreteJoint, name: str, values: NDArray[np.generic]) -> NDArray[np.float64]:
    shape = [1] * len(joint.levels)
    shape[joint.axis[name]] = len(values)
    return values.astype(np.float64).reshape(shape)
