"""Formulas evaluated on a discrete joint distribution.

Every formula becomes an array with one axis per variable of the distribution, of length one where the formula
does not depend on the variable. Conditional probabilities given an event of probability zero are undefined
(NaN inside, never outside); times zero they are zero, since that value is then never needed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import polars.selectors as cs
from numpy.typing import NDArray

from equipoise.causal.identification.expressions import Expression, Probability, Product, Ratio, Sum
from equipoise.data import frames
from equipoise.errors import DataError

Floats = NDArray[np.float64]

PROBABILITY = "p"
"""Column that makes a table a joint distribution; without it, rows count one each."""

_WEIGHT, _LEAST, _MISSING = "__weight", "__least", "__missing"
_MOST_CELLS = 5_000_000


@dataclass(frozen=True)
class DiscreteJoint:
    """A joint distribution of discrete variables.

    Attributes:
        levels: The values of each variable, in order; the variables stand in the order of the axes.
        probabilities: One axis per variable, summing to 1.
    """

    levels: Mapping[str, tuple[Hashable, ...]]
    probabilities: Floats
    _made: dict[int, tuple[Expression, Floats]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def read(cls, table: Any, names: Iterable[str]) -> DiscreteJoint:
        """The distribution of some columns of a table of any engine.

        Args:
            table: One row per combination with its probability in a column "p"; or raw rows, without it.
            names: Columns to read; others are summed over.

        Raises:
            DataError: if a column is missing, a value is missing, probabilities are none, or there are too
                many combinations to hold.
        """
        wanted = list(names)
        try:
            rows = nw.from_native(table).lazy()
        except TypeError:
            rows = frames.eager(table).lazy()  # raises in words
        columns = rows.collect_schema().names()
        frames.require(columns, *wanted, table="table of the joint distribution")
        weighted = PROBABILITY in columns and PROBABILITY not in wanted
        weight = (nw.col(PROBABILITY) if weighted else nw.lit(1.0)).cast(nw.Float64)
        grouped = (
            rows.select(*(nw.col(name) for name in wanted), weight.alias(_WEIGHT), weight.alias(_LEAST))
            .with_columns(nw.col(_WEIGHT).is_null().cast(nw.Int64).alias(_MISSING))
            .group_by(wanted)
            .agg(nw.col(_WEIGHT).sum(), nw.col(_LEAST).min(), nw.col(_MISSING).sum())
            .collect(backend="polars")
            .to_polars()
        )
        return cls._of(grouped.with_columns(cs.float().fill_nan(None)), wanted, weighted=weighted)

    @classmethod
    def _of(cls, grouped: pl.DataFrame, names: list[str], *, weighted: bool) -> DiscreteJoint:
        if grouped.is_empty():
            raise DataError("The table of the joint distribution has no rows")
        for name in names:
            absent = grouped.filter(pl.col(name).is_null())[_WEIGHT].sum()
            if grouped[name].null_count():
                raise DataError(
                    f"The column '{name}' has missing values",
                    where=f"{absent:g} of the probability" if weighted else f"{absent:g} rows",
                    todo="Drop these rows or give the missing a value of its own.",
                )
        weights = grouped[_WEIGHT].to_numpy()
        whole = float(weights.sum())
        if weighted:
            least = float(grouped[_LEAST].min() or 0.0)  # type: ignore[arg-type]
            if (
                grouped[_MISSING].sum()
                or not np.isfinite(weights).all()
                or least < 0
                or abs(whole - 1) > 1e-6
            ):
                raise DataError(
                    f"The column '{PROBABILITY}' holds no probabilities",
                    where=f"smallest {least:g}, sum {whole:g}",
                    todo="They must be at least 0 and sum to 1; or leave the column out, to count rows.",
                )
        levels = {name: tuple(grouped[name].unique().sort().to_list()) for name in names}
        shape = [len(values) for values in levels.values()]
        if np.prod([float(size) for size in shape]) > _MOST_CELLS or len(shape) > 60:
            raise DataError(
                "The variables of the formula have too many combinations of values for exact evaluation",
                where=", ".join(f"{name}: {size}" for name, size in zip(names, shape, strict=True)),
                todo="Bin the columns, or estimate the effect instead of evaluating its formula.",
            )
        array = np.zeros(shape)
        places = tuple(grouped[name].rank("dense").to_numpy().astype(np.int64) - 1 for name in names)
        np.add.at(array, places, weights / whole)
        return cls(levels, array)

    @property
    def axis(self) -> dict[str, int]:
        """Axis of each variable."""
        return {name: axis for axis, name in enumerate(self.levels)}

    def index(self, name: str, value: Hashable) -> int:
        """Place of a value among the levels of a variable.

        Raises:
            DataError: if the value does not occur.
        """
        if value not in self.levels[name]:
            known = ", ".join(map(repr, self.levels[name][:10]))
            raise DataError(
                f"The value {value!r} of '{name}' does not occur in the data",
                where=f"values of '{name}': {known}{', ...' if len(self.levels[name]) > 10 else ''}",
                todo="What was never seen cannot be evaluated.",
            )
        return self.levels[name].index(value)

    def marginal(self, names: frozenset[str]) -> Floats:
        """P(names), with length one in every other axis."""
        others = tuple(axis for name, axis in self.axis.items() if name not in names)
        summed: Floats = self.probabilities.sum(axis=others, keepdims=True)
        return summed

    def values(self, expression: Expression) -> Floats:
        """A formula for all values of its free variables; NaN where it is undefined."""
        made = self._made.get(id(expression))
        if made is None:
            made = self._made[id(expression)] = (expression, self._values(expression))
        return made[1]

    def _values(self, expression: Expression) -> Floats:
        if isinstance(expression, Probability):
            joint = self.marginal(expression.free)
            return _divide(joint, self.marginal(expression.given)) if expression.given else joint
        if isinstance(expression, Sum):
            axes = tuple(self.axis[name] for name in expression.over)
            summed: Floats = self.values(expression.term).sum(axis=axes, keepdims=True)
            return summed
        if isinstance(expression, Ratio):
            return _divide(self.values(expression.numerator), self.values(expression.denominator))
        return multiply(self.values(factor) for factor in expression.factors)

    def why_undefined(self, expression: Expression, at: Mapping[str, int]) -> str:
        """The event of probability zero that leaves a formula undefined at a place, in words.

        Args:
            expression: A formula that is NaN at the place.
            at: Level of each of its free variables.
        """
        if isinstance(expression, Probability):
            return self._event(expression.given, at)
        if isinstance(expression, Sum):
            bound = sorted(expression.over)
            for places in np.ndindex(*(len(self.levels[name]) for name in bound)):
                inner = {**at, **dict(zip(bound, places, strict=True))}
                if np.isnan(self._at(expression.term, inner)):
                    return self.why_undefined(expression.term, inner)
        parts = expression.factors if isinstance(expression, Product) else ()
        if isinstance(expression, Ratio):
            parts = (expression.numerator, expression.denominator)
        for part in parts:
            if np.isnan(self._at(part, at)):
                return self.why_undefined(part, at)
        return self._event(expression.free, at)

    def _at(self, expression: Expression, at: Mapping[str, int]) -> float:
        values = self.values(expression)
        free = expression.free
        return float(values[tuple(at[name] if name in free else 0 for name in self.levels)])

    def _event(self, names: frozenset[str], at: Mapping[str, int]) -> str:
        return ", ".join(f"{name} = {self.levels[name][at[name]]}" for name in self.levels if name in names)


def multiply(arrays: Iterable[Floats]) -> Floats:
    """The product, in which zero times an undefined value is zero."""
    out: Floats = np.ones(())
    for values in arrays:
        out = np.where((out == 0) | (values == 0), 0.0, out * values)
    return out


def _divide(numerator: Floats, denominator: Floats) -> Floats:
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    out: Floats = np.full(shape, np.nan)
    np.divide(numerator, denominator, out=out, where=np.broadcast_to(denominator > 0, shape))
    return out
