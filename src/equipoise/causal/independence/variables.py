"""Columns of a table as variables: categories, which are counted, and quantities, which are measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import to_polars
from equipoise.data.frames import named_columns, require
from equipoise.errors import DataError, nearest

_FEW = 10  # numbers with at most so many values, all of them whole, are taken for codes of categories
_MANY = 100  # levels beyond which a column is taken for an id or a text, not for a category

Values = NDArray[np.float64] | NDArray[np.int64]


@dataclass(frozen=True)
class Variable:
    """A column and what its values are.

    Attributes:
        name: Name of the column.
        levels: The values of a category in ascending order; None for a quantity.
    """

    name: str
    levels: tuple[Any, ...] | None = None

    @property
    def discrete(self) -> bool:
        """Whether it is a category."""
        return self.levels is not None

    def code(self, level: Any) -> int:
        """The place of a value among the levels of a category.

        Raises:
            DataError: if there is no such level.
        """
        levels = self.levels or ()
        if level not in levels:
            raise DataError(
                f"'{self.name}' has no value {level!r}",
                todo=nearest(str(level), [str(one) for one in levels]),
            )
        return levels.index(level)

    def encode(self, column: pl.Series) -> Values:
        """Values of a column of this variable: (n,) codes of a category, or finite numbers.

        Raises:
            DataError: if a value is missing, is not finite, or is no level of the category.
        """
        column = _plain(column)
        _complete(column)
        if self.levels is None:
            return _numbers(column)
        known = pl.Series(self.name, list(self.levels), strict=False)
        try:
            codes = column.replace_strict(known, np.arange(len(known)), default=None, return_dtype=pl.Int64)
        except pl.exceptions.PolarsError:
            codes = pl.Series([None] * len(column), dtype=pl.Int64)
        if codes.null_count():
            stranger = column.filter(codes.is_null())[0]
            raise DataError(
                f"'{self.name}' holds the value {stranger!r}, which is not one of its levels",
                where=f"{codes.null_count()} of {len(column)} rows",
                todo=f"Known: {', '.join(map(str, self.levels))}.",
            )
        return codes.to_numpy().astype(np.int64)

    def decode(self, values: Values) -> pl.Series:
        """The column that `encode` reads back."""
        if self.levels is None:
            return pl.Series(self.name, values)
        return pl.Series(self.name, list(self.levels)).gather(values.astype(np.int64))


def read_variables(
    data: Any, names: Sequence[str], *, discrete: str | Iterable[str] | None = None
) -> tuple[dict[str, Variable], pl.DataFrame]:
    """The variables of these columns, and the table of them.

    Args:
        data: Any frame with these columns; others are left aside.
        names: Columns.
        discrete: Columns that are categories; None to tell from the values: texts, truth values, and numbers
            that are whole and of at most ten kinds are categories, all other numbers are quantities.

    Returns:
        Variables by name, and a Polars frame of `names` without missing values.

    Raises:
        DataError: if a column is not there, holds missing or infinite values, is neither a text, a truth
            value nor a number, or a category has over 100 levels; if there is no row.
    """
    table = to_polars(data)
    require(table.columns, *names, table="data")
    table = table.select(names).with_columns(_plain(column) for column in table.select(names))
    if not len(table):
        raise DataError("The data has no rows")
    counted = None if discrete is None else set(named_columns(discrete))
    if counted is not None:
        require(list(names), *counted, table="list of variables")
    return {name: _variable(table[name], counted) for name in names}, table


def encode_all(variables: Mapping[str, Variable], table: pl.DataFrame) -> dict[str, Values]:
    """The values of all variables by name."""
    return {name: variable.encode(table[name]) for name, variable in variables.items()}


def cluster_codes(data: Any, cluster: str) -> NDArray[np.int64]:
    """Which cluster each row is of, as codes (n,) from 0.

    Raises:
        DataError: if the column is not there, or a row belongs to no cluster.
    """
    table = to_polars(data)
    require(table.columns, cluster, table="data")
    labels = _plain(table[cluster])
    _complete(labels)
    return (labels.rank("dense").cast(pl.Int64) - 1).to_numpy()


def _variable(column: pl.Series, counted: set[str] | None) -> Variable:
    _complete(column)
    if column.dtype in (pl.String, pl.Boolean):
        counts = True
    elif column.dtype.is_numeric():
        numbers = _numbers(column)
        whole = bool((numbers == np.round(numbers)).all())
        counts = column.name in counted if counted is not None else whole and column.n_unique() <= _FEW
    else:
        raise DataError(
            f"'{column.name}' is neither a category nor a quantity",
            where=f"column of {column.dtype}",
            todo="Make it a text, a truth value or a number.",
        )
    if not counts:
        return Variable(column.name)
    levels = column.unique().sort()
    if len(levels) > _MANY:
        raise DataError(
            f"'{column.name}' has {len(levels)} different values, too many for a category",
            where=f"{len(column)} rows",
            todo=f"Put its values into at most {_MANY} groups, or leave it out.",
        )
    return Variable(column.name, tuple(levels.to_list()))


def _plain(column: pl.Series) -> pl.Series:
    """Categories as text, and NaN as missing."""
    if column.dtype in (pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    return column.fill_nan(None) if column.dtype.is_float() else column


def _complete(column: pl.Series) -> None:
    if column.null_count():
        first = column.is_null().arg_max()
        raise DataError(
            f"'{column.name}' is missing in {column.null_count()} of {len(column)} rows",
            where=f"first in row {first}",
            todo="Fill them in, or leave these rows out and say so: rows without gaps may be special.",
        )


def _numbers(column: pl.Series) -> NDArray[np.float64]:
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        raise DataError(f"'{column.name}' is a quantity, but holds no numbers", where=f"it is {column.dtype}")
    numbers = column.cast(pl.Float64).to_numpy()
    infinite = ~np.isfinite(numbers)
    if infinite.any():
        raise DataError(
            f"'{column.name}' is infinite in {int(infinite.sum())} of {len(numbers)} rows",
            where=f"first in row {int(infinite.argmax())}",
        )
    return numbers
