"""What an outcome model may read of a request: what was known before the decision, and not of the item shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.causal.off_policy.columns import TARGET
from equipoise.data import vocabulary as v
from equipoise.errors import DataError

Floats = NDArray[np.float64]

_LEVELS = 50  # distinct texts beyond which a column is taken for an id
_NOT_CONTEXT = frozenset(
    {v.USER, v.ITEM, v.REQUEST, v.SLATE, v.TIMESTAMP, v.EVENT, v.VALUE, v.REWARD, v.PROPENSITY, v.POLICY,
     v.ORDER, v.QUERY, "policy_id", "policy_version", "propensity_kind", "propensity_source", "support_floor",
     "outcome", "outcome_time", "censored", "candidate_set", "candidate_propensities", "candidate_set_hash"}
)  # fmt: skip


def columns_of(rows: pl.DataFrame, exclude: Sequence[str] = ()) -> tuple[str, ...]:
    """Columns that can be context: numbers, booleans and texts of few values.

    Ids, times, and what the vocabulary knows as coming from the decision or after it are left out. So are
    attributes of the logged item (columns with one value per item) and the target's probabilities: read as
    context, they would go with items that were not shown, and bias even doubly robust values. Other columns
    of the logged item cannot be told from context; name the context where there are such.
    """
    names = [
        name
        for name in rows.columns
        if name not in _NOT_CONTEXT and name not in exclude and not name.startswith("_")
    ]
    names = [name for name in names if _readable(rows[name]) and not _equal(rows[name], rows[TARGET])]
    own = _of_items(rows, names)
    return tuple(name for name in names if name not in own)


def features_of(rows: pl.DataFrame, names: Sequence[str]) -> Floats:
    """Columns as numbers, float64 of shape (rows, features): standardised, gaps at the mean; texts as indicators.

    Raises:
        DataError: if a column is missing or cannot be read.
    """
    for name in names:
        if name not in rows.columns or not _readable(rows[name]):
            raise DataError(
                f"The outcome model cannot read the context column '{name}'",
                where=f"columns: {', '.join(rows.columns)}",
                todo=f"Name columns of numbers, booleans or texts of at most {_LEVELS} values.",
            )
    parts = [_numbers(rows[name]) for name in names]
    return np.hstack(parts) if parts else np.zeros((len(rows), 0))


def _of_items(rows: pl.DataFrame, names: list[str]) -> set[str]:
    items = rows[v.ITEM].n_unique()
    if not names or items < 2 or 2 * items > len(rows):  # too few rows per item to tell
        return set()
    most = rows.group_by(v.ITEM).agg(pl.col(names).n_unique()).select(pl.col(names).max())
    return {name for name in names if most[name][0] == 1 and rows[name].n_unique() > 1}


def _equal(column: pl.Series, target: pl.Series) -> bool:
    if not column.dtype.is_numeric() or column.null_count():
        return False
    return bool(np.allclose(column.to_numpy(), target.to_numpy()))


def _readable(column: pl.Series) -> bool:
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return True
    return isinstance(column.dtype, (pl.String, pl.Categorical, pl.Enum)) and column.n_unique() <= _LEVELS


def _numbers(column: pl.Series) -> Floats:
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        known = np.isfinite(values)
        mean = values[known].mean() if known.any() else 0.0
        values = np.where(known, values, mean) - mean
        return np.asarray((values / (values.std() or 1.0))[:, None])
    return column.cast(pl.String).to_dummies().to_numpy().astype(np.float64)
