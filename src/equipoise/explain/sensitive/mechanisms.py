"""How what an attribute changes comes about, fitted to users; and what would have been, arrow by arrow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import polars as pl

from equipoise.causal.graph import CausalGraph
from equipoise.causal.independence.variables import Values, encode_all
from equipoise.causal.mechanisms.equations import AdditiveNoise, Equation
from equipoise.causal.mechanisms.structural_model import StructuralModel


@dataclass(frozen=True)
class Mechanisms:
    """Equations of a structural model with additive noise, and the users they were fitted to.

    Attributes:
        model: The fitted equations.
        attribute: The variable whose arrows are set.
        users: Values of all variables, one entry per user.
    """

    model: StructuralModel
    attribute: str
    users: Mapping[str, Values]

    @classmethod
    def fit(
        cls,
        graph: CausalGraph,
        attribute: str,
        changed: Iterable[str],
        facts: pl.DataFrame,
        regressor: Any,
        discrete: list[str],
    ) -> Self:
        """Fit what is changed to its causes.

        Args:
            graph: Without hidden causes of what is changed.
            attribute: A variable of the graph.
            changed: Variables whose equations are asked for.
            facts: A row for each user.
            regressor: As in `StructuralModel.fit`.
            discrete: Columns that are categories.

        Raises:
            DataError: if there are fewer than 20 users.
        """
        wanted = frozenset(changed)
        nodes = graph.ordered(wanted | graph.parents(wanted) | {attribute})
        arrows = [(a, b) for a, b in graph.directed if b in wanted]
        alone = CausalGraph.from_edges(arrows, (), nodes)
        known = [name for name in discrete if name in nodes]
        model = StructuralModel.fit(alone, facts, regressor, discrete=known)
        return cls(model, attribute, encode_all(model.variables, facts.select(nodes)))

    def again(self, rng: np.random.Generator) -> Self:
        """The same functions fitted to users drawn with replacement, as many of each value of the attribute."""
        from sklearn.base import clone

        values = self.users[self.attribute]
        groups = [np.flatnonzero(values == value) for value in np.unique(values)]
        drawn = np.concatenate([rng.choice(group, len(group)) for group in groups])
        users = {name: column[drawn] for name, column in self.users.items()}
        equations: dict[str, Equation] = dict(self.model.equations)
        for name, equation in equations.items():
            if isinstance(equation, AdditiveNoise):
                fitted = clone(equation.regressor).fit(equation.causes.matrix(users), users[name])
                equations[name] = replace(equation, regressor=fitted)
        return replace(self, model=replace(self.model, equations=equations))

    def person(self, values: Mapping[str, Any]) -> Mapping[str, Values]:
        """A person as `along` takes one, from the value of each variable.

        Raises:
            DataError: if a value is none that the users have.
        """
        table = pl.DataFrame({name: [values[name]] for name in self.model.graph.nodes})
        return encode_all(self.model.variables, table)

    def along(self, person: Mapping[str, Values], value: str, arrows: Iterable[str]) -> dict[str, float]:
        """The quantities of a person, had the attribute another value for some of the arrows that leave it.

        Abduction, action, prediction (Pearl 2009, section 7.1), where the action is on arrows and not on the variable
        (Shpitser and Tchetgen Tchetgen 2016, "Causal inference with a graphical hierarchy of interventions",
        section 4): each equation is fed the other value only where the arrow is among them.

        Args:
            person: Value of each variable.
            value: Of the attribute.
            arrows: Children of the attribute.

        Returns:
            What has an equation, by name.
        """
        graph, chosen = self.model.graph, frozenset(arrows)
        other = np.array([self.model.variables[self.attribute].code(value)])
        changed: dict[str, Values] = dict(person)
        found = {}
        for name in graph.topological_order():
            equation = self.model.equations[name]
            if not isinstance(equation, AdditiveNoise):
                continue
            fed = changed | ({self.attribute: other} if name in chosen else {})
            if any(fed[cause][0] != person[cause][0] for cause in graph.parents(name)):
                changed[name] = equation.again(name, person, fed)
            found[name] = float(changed[name][0])
        return found
