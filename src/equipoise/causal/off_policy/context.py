"""What an outcome model may read of a request: columns that are named as known before the decision."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.causal.off_policy.columns import PROPENSITY_, REWARD_, TARGET
from equipoise.data import vocabulary as v
from equipoise.errors import DataError

Floats = NDArray[np.float64]

_LEVELS = 50  # distinct texts beyond which a column is taken for an id
_CLOSE = 1e-9
_FEW = 10  # rows per value from which a column that tells the reward for certain does not do so by chance
_OF_THE_DECISION = frozenset(
    {v.ITEM, v.EVENT, v.VALUE, v.REWARD, v.PROPENSITY, "propensity_kind", "propensity_source", "support_floor",
     "outcome", "outcome_time", "censored"}
)  # fmt: skip


def check_context(rows: pl.DataFrame, names: Sequence[str], exclude: Sequence[str] = ()) -> None:
    """Refuse context that cannot have been known before the decision.

    A model that reads what followed the decision, as a copy of the reward, predicts the same for every item,
    and the doubly robust value of any target is then the logger's. What the names and the values give away is
    refused: columns of the decision itself, the target's probabilities, attributes of the logged item (one value
    per item: they would go with items that were not shown), and columns that tell the reward. Whether any other
    column was known before, only who names it can say.

    Args:
        rows: The log with its working columns.
        names: Columns that were asked for.
        exclude: Further columns of the decision.

    Raises:
        DataError: naming the first such column.
    """
    items = _of_items(rows, [name for name in names if name in rows.columns])
    for name in names:
        if name not in rows.columns:
            continue  # told by `features_of`
        column = rows[name]
        if (
            name in _OF_THE_DECISION
            or name in exclude
            or any(_equal(column, rows[c]) for c in (TARGET, PROPENSITY_))
        ):
            why = "is part of the decision"
        elif name in items:
            why = "belongs to the item that was shown"
        elif _tells(column, rows[REWARD_]):
            why = "tells the reward"
        else:
            continue
        raise DataError(
            f"The outcome model cannot read '{name}': it {why}",
            where=f"context: {', '.join(names)}",
            todo="Name only columns that were known before the item was chosen.",
        )


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


def _tells(column: pl.Series, reward: pl.Series) -> bool:
    """Whether a column determines the reward: by values that each come with one reward, or along a line."""
    if reward.n_unique() < 2:
        return False
    values = column.n_unique()
    if 1 < values <= len(column) / _FEW:
        table = pl.DataFrame({"value": column, "reward": reward})
        return table.group_by("value").agg(pl.col("reward").n_unique())["reward"].max() == 1
    if not column.dtype.is_numeric() or column.null_count():
        return False
    x, y = column.cast(pl.Float64).to_numpy(), reward.to_numpy()
    if not np.isfinite(x).all() or np.ptp(x) == 0:
        return False
    return bool(abs(np.corrcoef(x, y)[0, 1]) > 1 - _CLOSE)


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
