"""What identification answers with: a formula that can be read, typeset and evaluated."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.causal.graph import CausalGraph
from equipoise.causal.identification.discrete import DiscreteJoint
from equipoise.causal.identification.expressions import Expression
from equipoise.causal.identification.instruments import Instrument, LinearInstrument
from equipoise.causal.identification.rendering import LATEX, PLAIN, Style, left_side, render
from equipoise.errors import DataError, nearest

Values = Mapping[str, Hashable]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimand:
    """P(outcome | do(do), given) as a formula over the distribution of observed variables.

    Attributes:
        graph: The graph over observed variables.
        outcome: What is asked about, in the order of the graph.
        do: What is set.
        given: What is conditioned on.
        expression: The formula as an expression.
        strategy: "backdoor", "frontdoor", "id" or "iv".
        assumptions: What must be true for the formula to be the effect, in sentences.
        adjustment_set: Covariates, where the strategy is "backdoor".
        mediators: Front-door set, where the strategy is "frontdoor".
        instrument: Where the strategy is "iv".
        steps: Lines of ID and IDC gone through, where the strategy is "id".
    """

    graph: CausalGraph
    outcome: tuple[str, ...]
    do: tuple[str, ...]
    given: tuple[str, ...]
    expression: Expression | LinearInstrument
    strategy: str
    assumptions: tuple[str, ...]
    adjustment_set: tuple[str, ...] | None = None
    mediators: tuple[str, ...] | None = None
    instrument: Instrument | None = None
    steps: tuple[str, ...] = ()

    @property
    def parametric(self) -> bool:
        """Whether the formula rests on a model of numbers (linearity) besides the graph."""
        return isinstance(self.expression, LinearInstrument)

    @cached_property
    def formula(self) -> str:
        """The formula to be read, such as ``P(y | do(x)) = Σ_{z} P(y | x, z) P(z)``."""
        return self._written(PLAIN)

    @cached_property
    def latex(self) -> str:
        """The formula in LaTeX, without dollar signs."""
        return self._written(LATEX)

    def _written(self, style: Style) -> str:
        order = self.graph.nodes.index
        left = left_side(self.outcome, self.do, self.given, style, order)
        if isinstance(self.expression, LinearInstrument):
            return f"{left} = {self.expression.render(style, order)}"
        return f"{left} = {render(self.expression, style, order)}"

    @property
    def arbitrary(self) -> tuple[str, ...]:
        """Variables the formula mentions whose value plays no part: any one gives the same answer."""
        if isinstance(self.expression, LinearInstrument):
            return ()
        return self.graph.ordered(self.expression.free - {*self.outcome, *self.do, *self.given})

    def evaluate(
        self, joint: Any, outcome: Values, do: Values | None = None, given: Values | None = None
    ) -> float:
        """The probability of an outcome under an action.

        Where the formula mentions variables whose value plays no part, their values are averaged over, weighted
        by how often they go with the action.

        Args:
            joint: Table of any engine with discrete columns: one row per combination with its probability
                in the column "p"; or raw rows, which are counted.
            outcome: Value of each outcome variable.
            do: Value of each variable that is set.
            given: Value of each variable that is conditioned on.

        Returns:
            A probability; in [0, 1] but for rounding, and but for a linear model that does not hold.

        Raises:
            DataError: if a column or a value is missing, or the formula conditions on an event of probability
                zero, which it names.
        """
        values = {
            **_complete("outcome", self.outcome, outcome),
            **_complete("do", self.do, do or {}),
            **_complete("given", self.given, given or {}),
        }
        read = DiscreteJoint.read(joint, self.graph.ordered(self.expression.mentioned))
        if isinstance(self.expression, LinearInstrument):
            return self.expression.value(read, values)
        at = {name: read.index(name, value) for name, value in values.items() if name in self.expression.free}
        return self._average(read, self.expression, at)

    def _average(self, joint: DiscreteJoint, formula: Expression, at: Mapping[str, int]) -> float:
        """The formula at a place, averaged over the values that play no part wherever it is defined."""

        def cut(values: Floats, free: frozenset[str]) -> Floats:
            place = (at.get(name, slice(None)) if name in free else 0 for name in joint.levels)
            return np.atleast_1d(values[tuple(place)])

        values = cut(joint.values(formula), formula.free)
        names = frozenset(self.arbitrary) | (formula.free & set(self.do))
        weights = cut(joint.marginal(names), names)
        defined = ~np.isnan(values)
        if not defined.any():
            likeliest = np.unravel_index(int(weights.argmax()), weights.shape)
            place = {**at, **dict(zip(self.arbitrary, map(int, likeliest), strict=False))}
            raise DataError(
                "The formula cannot be evaluated: it conditions on something that never happens",
                where=joint.why_undefined(formula, place),
                todo="Without such rows the data cannot tell (positivity): ask about fewer or coarser variables, "
                "or gather data where it happens.",
            )
        weights = np.where(defined, weights, 0.0)
        if not weights.any():
            weights = defined.astype(np.float64)
        return float(np.average(np.where(defined, values, 0.0), weights=weights))


def _complete(part: str, names: tuple[str, ...], values: Values) -> Values:
    """The values asked about, checked to be one for each variable of the query's part."""
    for name in values:
        if name not in names:
            raise DataError(f"The query has no '{name}' under '{part}'", todo=nearest(name, names))
    missing = [name for name in names if name not in values]
    if missing:
        raise DataError(f"No value is given for '{missing[0]}'", todo=f"Pass {part}={{'{missing[0]}': ...}}.")
    return values
