"""Discrete Bayesian networks: tables of probabilities on a graph, asked exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from equipoise.causal.graph import CausalGraph, GraphError
from equipoise.causal.independence.variables import Variable, encode_all, read_variables
from equipoise.causal.mechanisms.elimination import Factor, eliminate
from equipoise.causal.mechanisms.inputs import check_draws, read_graph
from equipoise.errors import DataError, nearest

_LARGEST = 10_000_000  # cells of one variable's table

Assignment = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class BayesianNetwork:
    """The distribution P(v) = Π P(v_i | parents of v_i), and what interventions make of it.

    An intervention replaces the table of a variable by a value (truncated factorisation, Pearl 2009,
    section 1.3). Answers are exact, by variable elimination.

    Attributes:
        graph: A graph without hidden common causes.
        variables: Levels of each variable.
        tables: For each variable, P(variable | parents): one axis per parent, in the order of the graph, and
            a last one for the variable, along which it sums to 1.
    """

    graph: CausalGraph
    variables: Mapping[str, Variable]
    tables: Mapping[str, NDArray[np.float64]]

    @classmethod
    def fit(cls, graph: CausalGraph | str, data: Any, prior: float = 1.0) -> BayesianNetwork:
        """Count how often each level follows each combination of the parents' levels.

        Args:
            graph: A graph without hidden common causes, or its text.
            data: Frame with a column for each variable; every column is taken for a category.
            prior: Pseudo-count of every cell (a symmetric Dirichlet prior); the table holds posterior means.

        Raises:
            GraphError: if the graph has hidden common causes.
            DataError: if a column is missing, has gaps or over 100 values; if `prior` is negative, or 0 where
                some combination of the parents' levels never occurs.
        """
        graph = read_graph(graph)
        _refuse_hidden(graph)
        if not (np.isfinite(prior) and prior >= 0):
            raise DataError(f"The prior is a pseudo-count of at least 0, not {prior}")
        variables, table = read_variables(data, graph.nodes, discrete=graph.nodes)
        codes = {name: values.astype(np.int64) for name, values in encode_all(variables, table).items()}
        tables = {}
        for name in graph.nodes:
            family = (*graph.ordered(graph.parents(name)), name)
            shape = [len(variables[one].levels or ()) for one in family]
            if prod(shape) > _LARGEST:
                raise DataError(
                    f"The table of '{name}' would have {prod(shape):.1e} cells",
                    where=f"parents {', '.join(family[:-1])}",
                    todo="Give the variables fewer levels.",
                )
            cell = np.ravel_multi_index(tuple(codes[one] for one in family), shape)
            counts = np.bincount(cell, minlength=prod(shape)).reshape(shape) + prior
            total = counts.sum(axis=-1, keepdims=True)
            if (total == 0).any():
                raise DataError(
                    f"Some combination of the parents of '{name}' never occurs, so nothing is known of it",
                    where=f"{int((total == 0).sum())} of {total.size} combinations of {', '.join(family[:-1])}",
                    todo="Use a prior above 0.",
                )
            tables[name] = counts / total
        return cls(graph, variables, tables)

    @classmethod
    def from_tables(
        cls,
        graph: CausalGraph | str,
        tables: Mapping[str, ArrayLike],
        levels: Mapping[str, Sequence[Any]] | None = None,
    ) -> BayesianNetwork:
        """A network of known probabilities.

        Args:
            graph: A graph without hidden common causes, or its text.
            tables: For each variable an array as in the attribute `tables`.
            levels: Values of each variable, in the order of its axis; 0, 1, 2, ... where none are given.

        Raises:
            GraphError: if the graph has hidden common causes.
            DataError: if a table is missing, of the wrong shape, or does not hold probabilities.
        """
        graph = read_graph(graph)
        _refuse_hidden(graph)
        for named in (tables, levels or {}):
            for name in set(named) - set(graph.nodes):
                raise GraphError(f"The graph has no variable '{name}'", todo=nearest(name, graph.nodes))
        for name in set(graph.nodes) - set(tables):
            raise DataError(f"There is no table for '{name}'", todo=nearest(name, tables))
        arrays = {name: np.asarray(tables[name], dtype=np.float64) for name in graph.nodes}
        variables = {
            name: Variable(name, tuple((levels or {}).get(name, range(array.shape[-1] if array.ndim else 0))))
            for name, array in arrays.items()
        }
        for name, array in arrays.items():
            family = (*graph.ordered(graph.parents(name)), name)
            shape = tuple(len(variables[one].levels or ()) for one in family)
            if array.shape != shape:
                raise DataError(
                    f"The table of '{name}' has the shape {array.shape}, not {shape}",
                    where=f"axes {', '.join(family)}",
                )
            sums = array.sum(axis=-1)
            if not ((array >= 0).all() and np.allclose(sums, 1, rtol=0, atol=1e-9)):
                raise DataError(
                    f"The table of '{name}' holds no probabilities",
                    where=f"smallest value {array.min():g}, sums from {sums.min():g} to {sums.max():g}",
                    todo="Along the last axis, values are at least 0 and sum to 1.",
                )
        return cls(graph, variables, arrays)

    def probability(
        self, outcome: Assignment, given: Assignment | None = None, do: Assignment | None = None
    ) -> float:
        """P(outcome | given, do), exactly.

        Args:
            outcome: Value of each variable asked for.
            given: Values that were observed (after the intervention).
            do: Values that were set.

        Raises:
            GraphError: if a variable is unknown, or stands in two of the three places.
            DataError: if a value is no level of its variable, or `given` has probability zero.
        """
        asked = {name: self._variable(name).code(level) for name, level in outcome.items()}
        share = self._distribution(tuple(asked), given or {}, do or {})
        return float(share[tuple(asked.values())])

    def distribution(
        self, outcome: str | Sequence[str], given: Assignment | None = None, do: Assignment | None = None
    ) -> pl.DataFrame:
        """P(outcome | given, do) for all values of the outcome.

        Returns:
            One row per combination of levels, with the probability in the column ``p``.

        Raises:
            GraphError: if a variable is unknown, or stands in two of the three places.
            DataError: if a value is no level, `given` has probability zero, or a variable is called ``p``.
        """
        names = (outcome,) if isinstance(outcome, str) else tuple(outcome)
        if "p" in names:
            raise DataError("A variable is called 'p', as the column of probabilities is", todo="Rename it.")
        shares = self._distribution(names, given or {}, do or {})
        codes = np.indices(shares.shape).reshape(len(names), shares.size)
        columns = [self.variables[name].decode(code) for name, code in zip(names, codes, strict=True)]
        return pl.DataFrame([*columns, pl.Series("p", shares.ravel())])

    def joint(self, do: Assignment | None = None) -> pl.DataFrame:
        """The distribution of all variables that are not set: one row per combination, and ``p``; ``p`` of 1
        alone where all are set.
        """
        names = tuple(name for name in self.graph.nodes if name not in (do or {}))
        return self.distribution(names, do=do)

    def sample(self, n: int, do: Assignment | None = None, seed: int = 0) -> pl.DataFrame:
        """Draws of all variables, forward along the graph.

        The same seed draws the same noise for every intervention, so that two samples differ only where the
        intervention reaches.

        Returns:
            Frame of n rows, with the variables in the order of the graph.

        Raises:
            GraphError: if an intervention is on an unknown variable.
            DataError: if a value is no level of its variable, or `n` or `seed` is negative.
        """
        check_draws(n, seed)
        held = {name: self._variable(name).code(level) for name, level in (do or {}).items()}
        codes: dict[str, NDArray[np.int64]] = {}
        for name in self.graph.topological_order():
            table, family = self.tables[name], self.graph.ordered(self.graph.parents(name))
            if name in held:
                codes[name] = np.full(n, held[name])
                continue
            place = self.graph.nodes.index(name)
            noise = np.random.default_rng([seed, place]).random(n)
            steps = np.cumsum(table, axis=-1)[..., :-1].reshape(-1, table.shape[-1] - 1)
            row = np.zeros(n, dtype=np.int64)
            if family:
                row = np.ravel_multi_index(tuple(codes[one] for one in family), table.shape[:-1]).astype(
                    np.int64
                )
            codes[name] = (noise[:, None] >= steps[row]).sum(axis=1)
        return pl.DataFrame([self.variables[name].decode(codes[name]) for name in self.graph.nodes])

    def _distribution(
        self, outcome: tuple[str, ...], given: Assignment, do: Assignment
    ) -> NDArray[np.float64]:
        """P(outcome | given, do) with one axis per variable of the outcome."""
        places = [*outcome, *given, *do]
        for name in places:
            if places.count(name) > 1:
                raise GraphError(
                    f"The variable '{name}' stands in two places of the question",
                    todo="A variable is asked for, observed or set, one of the three.",
                )
        seen = {name: self._variable(name).code(level) for name, level in {**given, **do}.items()}
        mutilated = self.graph.without_incoming(do)
        factors = []
        for name in mutilated.ordered(mutilated.ancestors([*outcome, *given])):  # all others sum to 1
            if name in do:
                continue
            factor = Factor((*self.graph.ordered(self.graph.parents(name)), name), self.tables[name])
            for one, code in seen.items():
                factor = factor.at(one, code)
            factors.append(factor)
        shares = eliminate(factors, outcome).table
        total = float(shares.sum())
        if total <= 0:
            raise DataError(
                "What is given has probability zero, so nothing follows from it",
                where=", ".join(f"{name} = {level}" for name, level in given.items()),
            )
        return np.asarray(shares / total if given else shares)

    def _variable(self, name: str) -> Variable:
        if name not in self.variables:
            raise GraphError(f"The graph has no variable '{name}'", todo=nearest(name, self.graph.nodes))
        return self.variables[name]


def _refuse_hidden(graph: CausalGraph) -> None:
    if graph.bidirected:
        a, b = graph.ordered(min(graph.bidirected, key=sorted))
        raise GraphError(
            f"'{a}' and '{b}' have a hidden common cause, of which a network of tables knows nothing",
            where=f"{len(graph.bidirected)} such pairs",
            todo="Ask identify() whether the effect follows from what is seen, or make the cause a variable.",
        )
