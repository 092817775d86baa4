"""Structural causal models with additive noise: what would have happened to this very row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from equipoise.causal.graph import CausalGraph, GraphError
from equipoise.causal.independence.variables import Values, Variable, encode_all, read_variables
from equipoise.causal.mechanisms.equations import (
    AdditiveNoise,
    Causes,
    Equation,
    Marginal,
    classifiers,
    fit_category,
    fit_quantity,
    regressors,
)
from equipoise.causal.mechanisms.inputs import check_draws, read_graph
from equipoise.data.dataset import to_polars
from equipoise.data.frames import eager, require
from equipoise.errors import ConfigError, DataError, ModelError, nearest

_LEAST = 20  # rows to fit to

Intervention = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class StructuralModel:
    """Each quantity is a function of its causes plus a noise of its own: x_j = f_j(parents) + u_j.

    The noises of different variables are independent of each other and of the causes. A category with causes
    is drawn with probabilities that depend on them (see `counterfactual` for what that forbids). Source:
    Peters, Janzing & Schölkopf (2017), chapters 4 and 6.

    Attributes:
        graph: A graph without hidden common causes.
        variables: What each variable's values are.
        equations: How each variable comes about.
    """

    graph: CausalGraph
    variables: Mapping[str, Variable]
    equations: Mapping[str, Equation]

    @classmethod
    def fit(
        cls,
        graph: CausalGraph | str,
        data: Any,
        regressor: Any = None,
        discrete: str | Iterable[str] | None = None,
    ) -> StructuralModel:
        """Fit every variable to its causes.

        Args:
            graph: A graph without hidden common causes, or its text.
            data: Frame with a column for each variable.
            regressor: Any scikit-learn regressor, fitted for each quantity anew; None to choose for each by
                squared error out of fold between linear, additive smooth and boosted functions.
            discrete: Columns that are categories; None to tell from the values: texts, truth values, and whole
                numbers of at most ten kinds are.

        Raises:
            GraphError: if the graph has hidden common causes.
            ConfigError: if the regressor is none of scikit-learn.
            DataError: if a column is missing, has gaps, or is neither number nor category; if there are fewer
                than 20 rows.
        """
        if regressor is not None and (isinstance(regressor, type) or not hasattr(regressor, "predict")):
            raise ConfigError(
                f"{regressor!r} is no regressor",
                todo="Give an unfitted one of scikit-learn, as LinearRegression(), or None to choose by the data.",
            )
        graph = read_graph(graph)
        if graph.bidirected:
            a, b = graph.ordered(min(graph.bidirected, key=sorted))
            raise GraphError(
                f"'{a}' and '{b}' have a hidden common cause, so their noises depend on each other",
                where=f"{len(graph.bidirected)} such pairs",
                todo="A model of independent noises would give wrong answers: make the cause a variable, or ask "
                "identify() whether the effect follows from what is seen.",
            )
        variables, table = read_variables(data, graph.nodes, discrete=discrete)
        if len(table) < _LEAST:
            raise DataError(
                f"{len(table)} rows are too few to fit a model to", todo=f"Give at least {_LEAST}."
            )
        columns = encode_all(variables, table)
        equations: dict[str, Equation] = {}
        for name in graph.nodes:
            causes = Causes(tuple(variables[one] for one in graph.ordered(graph.parents(name))))
            if not causes.variables:
                equations[name] = Marginal(columns[name])
            elif variables[name].discrete:
                equations[name] = fit_category(causes, columns, columns[name], classifiers())
            else:
                candidates = regressors() if regressor is None else [regressor]
                equations[name] = fit_quantity(causes, columns, columns[name], candidates)
        return cls(graph, variables, equations)

    def sample(self, n: int, do: Intervention | None = None, seed: int = 0) -> pl.DataFrame:
        """Draws of all variables, forward along the graph.

        The same seed draws the same noise for every intervention, so that two samples differ only where the
        intervention reaches.

        Args:
            n: Number of rows.
            do: Variables that are set, each to one value or to n values.
            seed: Root of all random numbers.

        Returns:
            Frame of n rows, with the variables in the order of the graph.

        Raises:
            GraphError: if an intervention is on an unknown variable.
            DataError: if a value is no level of a category, no finite number, or not one of n; if `n` or `seed`
                is negative.
        """
        check_draws(n, seed)
        held = self._held(do or {}, n)
        columns: dict[str, Values] = {}
        for name in self.graph.topological_order():
            rng = np.random.default_rng([seed, self.graph.nodes.index(name)])
            columns[name] = held[name] if name in held else self.equations[name].draw(columns, n, rng)
        return pl.DataFrame([self.variables[name].decode(columns[name]) for name in self.graph.nodes])

    def counterfactual(self, rows: Any, do: Intervention) -> Any:
        """What these rows would have been, had the intervention been made.

        Abduction: each quantity's noise is what its function leaves of its value. Action: the variables of
        `do` are set. Prediction: what they cause is computed anew with the same noises (Pearl 2009, section
        7.1). All else stays as it is.

        A category's noise cannot be told from its value: one that is neither set nor out of reach of the
        intervention is refused.

        Args:
            rows: Frame with all variables; other columns are handed through.
            do: Variables that are set, each to one value or to one per row.

        Returns:
            The frame with new values; of the caller's own kind where it is eager, else Polars.

        Raises:
            GraphError: if an intervention is on an unknown variable.
            DataError: if the rows lack a variable or hold gaps, or a value is not usable.
            ModelError: if the intervention reaches a category.
        """
        frame = eager(rows)
        table = to_polars(rows if isinstance(frame.to_native(), type(rows)) else frame.to_native())
        require(table.columns, *self.graph.nodes, table="rows")
        factual = encode_all(self.variables, table.select(self.graph.nodes))
        held = self._held(do, len(table))
        reached = self.graph.descendants(do) - set(held)
        counterfactual: dict[str, Values] = {**factual, **held}
        for name in self.graph.topological_order():
            if name not in reached:
                continue
            equation = self.equations[name]
            if not isinstance(equation, AdditiveNoise):
                raise ModelError(
                    f"What '{name}' would have been cannot be told: it is a category, whose noise does not "
                    "follow from its value",
                    where=f"it is caused by {', '.join(self.graph.ordered(self.graph.parents(name)))}",
                    todo=f"Set '{name}' too, or ask sample(do=...) for what happens on average.",
                )
            counterfactual[name] = equation.again(name, factual, counterfactual)
        changed = [self.variables[name].decode(counterfactual[name]) for name in [*held, *reached]]
        backend = nw.get_native_namespace(frame)
        series = [nw.new_series(one.name, one.to_list(), backend=backend) for one in changed]
        return frame.with_columns(*series).to_native()

    def _held(self, do: Intervention, n: int) -> dict[str, Values]:
        """The values that variables are set to: (n,) each."""
        held: dict[str, Values] = {}
        for name, value in do.items():
            if name not in self.variables:
                raise GraphError(f"The graph has no variable '{name}'", todo=nearest(name, self.graph.nodes))
            given = _column(value)
            if len(given) not in (1, n):
                raise DataError(
                    f"'{name}' is set to {len(given)} values for {n} rows", todo="Give one, or one per row."
                )
            values = self.variables[name].encode(given.rename(name))
            held[name] = values if len(values) == n else values.repeat(n)
        return held


def _column(value: Any) -> pl.Series:
    """One value, or an array or a series of any kind, as a Polars series."""
    native = nw.from_native(value, series_only=True, pass_through=True)
    if isinstance(native, nw.Series):
        return pl.Series(native.to_list())
    array: ArrayLike = np.atleast_1d(np.asarray(value))
    return pl.Series(np.asarray(array).tolist())
