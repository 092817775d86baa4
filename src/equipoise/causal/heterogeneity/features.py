"""What effects may vary by, as a float matrix that comes out the same for rows seen later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from equipoise.data.dataset import to_polars
from equipoise.data.frames import named_columns, require
from equipoise.errors import DataError
from equipoise.statistics.interval import Floats, check

_MOST_LEVELS = 50


@dataclass(frozen=True)
class Features:
    """Columns and, for text, their levels, as met when fitting.

    Attributes:
        columns: Column of each source, or x0, x1, ... of a matrix.
        levels: Known levels of text columns but the first; None for numbers.
    """

    columns: tuple[str, ...]
    levels: tuple[tuple[str, ...] | None, ...]

    @classmethod
    def of(cls, table: Any, columns: str | Sequence[str] | None = None) -> Features:
        """Learn the coding from a frame of any engine, or from a matrix (n, p).

        Raises:
            DataError: if a column is missing, or neither numbers nor text with at most 50 levels.
        """
        if isinstance(table, np.ndarray):
            names = tuple(f"x{j}" for j in range(_matrix(table).shape[1]))
            return cls(names, (None,) * len(names))
        frame = to_polars(table)
        chosen = tuple(frame.columns if columns is None else named_columns(columns))
        require(frame.columns, *chosen)
        return cls(chosen, tuple(_levels(frame[column]) for column in chosen))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the matrix's columns: `column`, or `column=level`."""
        return tuple(
            name
            for column, levels in zip(self.columns, self.levels, strict=True)
            for name in ([column] if levels is None else [f"{column}={level}" for level in levels])
        )

    def matrix(self, table: Any) -> Floats:
        """The features (n, p) of a frame or a matrix; a level never met counts as the first.

        Raises:
            DataError: if columns are missing, their number differs, values are missing or infinite, or a column
                that held numbers holds none.
        """
        if isinstance(table, np.ndarray):
            found = _matrix(table)
            if found.shape[1] != len(self.columns):
                raise DataError(
                    f"{found.shape[1]} features do not fit the {len(self.columns)} that the learner was fitted on"
                )
        else:
            frame = to_polars(table)
            require(frame.columns, *self.columns)
            parts = [
                _coded(frame[column], levels)
                for column, levels in zip(self.columns, self.levels, strict=True)
            ]
            found = np.column_stack(parts) if parts else np.zeros((len(frame), 0))
        check("features", found)
        return found


def numbers(what: str, values: ArrayLike) -> Floats:
    """Values as finite float64.

    Raises:
        DataError: if they are no numbers, or one is missing or infinite.
    """
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"The {what} are no numbers", todo="Code them as numbers first.") from error
    check(what, found)
    return found


def cluster_labels(clusters: ArrayLike | None) -> NDArray[Any] | None:
    """Labels (n,) of clusters, or None where there are none.

    Raises:
        DataError: if a row is of no cluster: such rows are not one user.
    """
    if clusters is None:
        return None
    labels, nothing = np.asarray(clusters), np.array(None)
    missing = np.sum((labels != labels) | ((labels == nothing) if labels.dtype == object else False))
    if missing:
        raise DataError(
            "Some rows are of no cluster",
            where=f"{missing} of {labels.size} rows",
            todo="Leave them out, or label each by itself.",
        )
    return labels


def _matrix(table: np.ndarray[Any, Any]) -> Floats:
    if table.ndim != 2:
        raise DataError(f"Features of shape {table.shape} are not rows x columns")
    return numbers("features", table)


def _levels(values: pl.Series) -> tuple[str, ...] | None:
    if values.dtype.is_numeric() or values.dtype == pl.Boolean:
        return None
    if values.dtype not in (pl.String, pl.Categorical, pl.Enum):
        raise DataError(
            f"'{values.name}' holds {values.dtype}, which is no feature",
            todo="Make numbers or categories of it first.",
        )
    known = values.cast(pl.String).drop_nulls().unique().sort().to_list()
    if len(known) > _MOST_LEVELS:
        raise DataError(
            f"'{values.name}' has {len(known)} levels, more than {_MOST_LEVELS}",
            todo="Group its levels, or use what they stand for.",
        )
    return tuple(known[1:])


def _coded(values: pl.Series, levels: tuple[str, ...] | None) -> Floats:
    if levels is None:
        if not (values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.Null)):
            raise DataError(f"'{values.name}' held numbers, and now holds {values.dtype}")
        return values.cast(pl.Float64).fill_null(float("nan")).to_numpy()[:, None]
    text = values.cast(pl.String)
    coded = [(text == level).fill_null(False).to_numpy() for level in levels]
    return np.column_stack(coded).astype(np.float64) if coded else np.zeros((len(values), 0))
