"""Mediation: how much of an effect goes through mediators, and how much past them.

The natural direct effect changes the treatment and leaves the mediators as they would have been; the natural
indirect effect leaves the treatment and changes the mediators as the treatment would have (Pearl 2001).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.causal.graph import CausalGraph, GraphError
from equipoise.causal.graph.causal_graph import Names
from equipoise.causal.identification.adjustment import adjustment_formula, smallest_set
from equipoise.causal.identification.discrete import DiscreteJoint, Floats, multiply
from equipoise.causal.identification.errors import NotIdentifiable
from equipoise.causal.identification.expressions import Expression, Probability
from equipoise.causal.identification.identify import general_formula
from equipoise.causal.identification.query import Query, query
from equipoise.causal.identification.rendering import LATEX, PLAIN, Style, render
from equipoise.causal.identification.separators import minimal_separators
from equipoise.errors import DataError

_MARKS = {PLAIN: ("₀", "₁"), LATEX: ("_0", "_1")}


@dataclass(frozen=True)
class NestedFormula:
    """P(Y(t, M(t')) = y): the outcome under one treatment, with mediators as under another.

    It is the sum over mediators m and covariates w of P(y | do(t, m), w) P(m | do(t'), w) P(w).

    Attributes:
        graph: The graph over observed variables.
        treatment: A variable t.
        outcome: A variable y.
        mediators: Variables m.
        covariates: Variables w that the treatment does not affect.
        of_outcome: Formula of the first factor.
        of_mediators: Formula of the second.
    """

    graph: CausalGraph
    treatment: str
    outcome: str
    mediators: tuple[str, ...]
    covariates: tuple[str, ...]
    of_outcome: Expression
    of_mediators: Expression

    def render(self, style: Style, acting: int, mediating: int) -> str:
        """The formula; `acting` and `mediating` say at which of the two treatments, 0 or 1."""
        order, marks = self.graph.nodes.index, _MARKS[style]
        scope = dict.fromkeys((*self.mediators, *self.covariates, self.outcome), "")
        parts = [
            render(part, style, order, {**scope, self.treatment: marks[level]})
            for part, level in ((self.of_outcome, acting), (self.of_mediators, mediating))
        ]
        if self.covariates:
            parts.append(render(Probability(frozenset(self.covariates)), style, order, scope))
        bound = ", ".join(style.name(name) for name in (*self.mediators, *self.covariates))
        whole = [part if part[1:2] == "(" else part.join(style.brackets) for part in parts]
        return style.sum_over(bound) + " ".join(whole)

    def value(self, joint: DiscreteJoint, outcome: int, acting: int, mediating: int) -> float:
        """The formula at levels of the outcome and of the two treatments; NaN where it is undefined."""
        summed = frozenset({*self.mediators, *self.covariates})
        first = self._cut(joint, self.of_outcome, {self.outcome: outcome, self.treatment: acting}, summed)
        second = self._cut(joint, self.of_mediators, {self.treatment: mediating}, summed)
        return float(multiply([first, second, joint.marginal(frozenset(self.covariates))]).sum())

    def _cut(
        self, joint: DiscreteJoint, formula: Expression, at: Mapping[str, int], kept: frozenset[str]
    ) -> Floats:
        """A formula at some levels; variables whose value plays no part are taken at their likeliest."""
        arbitrary = formula.free - kept - at.keys()
        likeliest = {name: int(joint.marginal(frozenset({name})).argmax()) for name in arbitrary}
        values = joint.values(formula)
        for name, level in {**likeliest, **at}.items():
            if name in formula.free:
                values = np.take(values, [level], axis=joint.axis[name])
        return values


@dataclass(frozen=True)
class NaturalEffect:
    """The difference of two nested counterfactuals.

    Attributes:
        name: What it is called.
        nested: The formula of both.
        minuend: Which treatment, 0 or 1, acts and which sets the mediators; subtracted is (0, 0).
    """

    name: str
    nested: NestedFormula
    minuend: tuple[int, int]

    @property
    def formula(self) -> str:
        """The formula to be read; subscripts 0 and 1 are the two treatments."""
        return self._written(PLAIN)

    @property
    def latex(self) -> str:
        """The formula in LaTeX, without dollar signs."""
        return self._written(LATEX)

    def _written(self, style: Style) -> str:
        return f"{self.nested.render(style, *self.minuend)} - {self.nested.render(style, 0, 0)}"

    def evaluate(
        self, joint: Any, outcome: Mapping[str, Hashable], treatment: tuple[Hashable, Hashable] = (0, 1)
    ) -> float:
        """The change of the probability of an outcome.

        Args:
            joint: As for `Estimand.evaluate`.
            outcome: The outcome variable and its value.
            treatment: The treatment changed from, and to.

        Returns:
            A difference of probabilities, in [-1, 1].

        Raises:
            DataError: if a column or value is missing, or the formula conditions on what never happens.
        """
        nested = self.nested
        if set(outcome) != {nested.outcome}:
            raise DataError(
                f"The outcome asked about is {', '.join(outcome) or 'nothing'}, not '{nested.outcome}'",
                todo=f"Pass outcome={{'{nested.outcome}': ...}}.",
            )
        names = (
            nested.of_outcome.mentioned
            | nested.of_mediators.mentioned
            | {nested.treatment, *nested.covariates}
        )
        read = DiscreteJoint.read(joint, nested.graph.ordered(names))
        levels = [read.index(nested.treatment, value) for value in treatment]
        y = read.index(nested.outcome, outcome[nested.outcome])
        act, mediate = (levels[which] for which in self.minuend)
        value = nested.value(read, y, act, mediate) - nested.value(read, y, levels[0], levels[0])
        if np.isnan(value):
            raise DataError(
                f"The {self.name} cannot be evaluated: it conditions on something that never happens",
                where=f"'{nested.treatment}' = {treatment[0]!r} or {treatment[1]!r} with some value of "
                f"{', '.join((*nested.mediators, *nested.covariates))}",
                todo="Without such rows the data cannot tell (positivity): use coarser variables.",
            )
        return value


@dataclass(frozen=True)
class Mediation:
    """Natural effects of a treatment on an outcome.

    Attributes:
        nested: The formula that all three are made of.
        assumptions: What must be true besides the graph, in sentences.
    """

    nested: NestedFormula
    assumptions: tuple[str, ...]

    @classmethod
    def of(cls, nested: NestedFormula) -> Mediation:
        """The natural effects by a formula, with what must be true."""
        return cls(nested, _assumptions(nested))

    @property
    def covariates(self) -> tuple[str, ...]:
        """What is held fixed so that mediators and outcome share no cause."""
        return self.nested.covariates

    @property
    def direct(self) -> NaturalEffect:
        """Natural direct effect (NDE): past the mediators."""
        return NaturalEffect("natural direct effect", self.nested, (1, 0))

    @property
    def indirect(self) -> NaturalEffect:
        """Natural indirect effect (NIE): through the mediators."""
        return NaturalEffect("natural indirect effect", self.nested, (0, 1))

    @property
    def total(self) -> NaturalEffect:
        """Total effect; the sum of the two only where treatment and mediators do not interact."""
        return NaturalEffect("total effect", self.nested, (1, 1))


def mediation(
    graph: CausalGraph, treatment: str, outcome: str, mediators: Names, observed: Names | None = None
) -> Mediation:
    """Natural direct and indirect effects, by the conditions of Pearl (2014, "Interpretation and
    identification of causal mediation", section "Sufficient conditions").

    Covariates are sought that the treatment does not affect, that block all back-door paths between
    mediators and outcome, and given which the effects of the treatment on the mediators, and of both on the
    outcome, are identifiable.

    Raises:
        NotIdentifiable: if no such covariates are found among the minimal sets and the set of all.
        GraphError: if a variable is unknown or plays two parts, or no mediator is named.
    """
    between = frozenset({mediators} if isinstance(mediators, str) else mediators)
    if not between:
        raise GraphError("No mediator is named", todo="Say which variables carry the indirect effect.")
    asked = query(graph, outcome, {treatment, *between}, None, observed)
    if treatment in between:
        raise GraphError(f"The variable '{treatment}' is named both as treatment and as mediator")
    for covariates in _candidates(asked, treatment, between):
        try:
            of_outcome = _formula(Query(asked.graph, asked.outcome, asked.do, covariates))
            of_mediators = _formula(Query(asked.graph, between, frozenset({treatment}), covariates))
        except NotIdentifiable:
            continue
        order = asked.graph.ordered
        nested = NestedFormula(
            asked.graph, treatment, outcome, order(between), order(covariates), of_outcome, of_mediators
        )
        return Mediation.of(nested)
    names = ", ".join(f"'{name}'" for name in asked.graph.ordered(between))
    raise NotIdentifiable(
        f"What '{treatment}' does to '{outcome}' through {names} cannot be told from what it does past: no "
        f"observed covariates that '{treatment}' does not affect make {names} and '{outcome}' free of common "
        "causes with both effects still identifiable",
        todo="Observe the causes that they share, or ask for the total effect by `identify`.",
    )


def _formula(asked: Query) -> Expression:
    covariates = smallest_set(asked)
    return general_formula(asked)[0] if covariates is None else adjustment_formula(asked, covariates)


def _candidates(asked: Query, treatment: str, between: frozenset[str]) -> Iterator[frozenset[str]]:
    """Sets that block the back-door paths between mediators and outcome: the minimal ones, then the largest."""
    graph, outcome = asked.graph, asked.outcome
    allowed = frozenset(graph.nodes) - graph.descendants(treatment) - outcome - between
    mutilated = graph.without_outgoing({treatment, *between})
    minimal = minimal_separators(mutilated, between, outcome, allowed=allowed)
    yield from sorted(minimal, key=lambda names: (len(names), graph.ordered(names)))
    if mutilated.d_separated(between, outcome, allowed):
        yield allowed


def _assumptions(nested: NestedFormula) -> tuple[str, ...]:
    m, held = ", ".join(nested.mediators), ", ".join(nested.covariates)
    fixed = f" once {held} is held fixed" if held else ""
    return (
        f"No hidden cause is shared by {m} and {nested.outcome}{fixed}.",
        f"Nothing that {nested.treatment} affects is a common cause of {m} and {nested.outcome}.",
        "What an individual's mediators would be under one treatment and the outcome under another are "
        "independent given the covariates: no experiment can test this.",
    )
