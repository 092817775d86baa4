"""Weights of events: multiplied onto a log, and how many events they are worth."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from equipoise.data import vocabulary as v


def multiplied(events: pl.DataFrame, weights: ArrayLike) -> pl.DataFrame:
    """The events with `sample_weight`; a weight that is there already is multiplied.

    Args:
        events: Event table.
        weights: One per row, at least 0.
    """
    factor = pl.Series(v.SAMPLE_WEIGHT, np.asarray(weights, dtype=np.float64))
    if v.SAMPLE_WEIGHT not in events.columns:
        return events.with_columns(factor)
    return events.with_columns(events[v.SAMPLE_WEIGHT].cast(pl.Float64) * factor)


def effective_size(weights: ArrayLike) -> float:
    """Number of equally weighted events that are worth as much, `(sum w)^2 / sum w^2` (Kish 1965); 0 for none."""
    values = np.sort(np.asarray(weights, dtype=np.float64))  # one order of summing, whatever that of the rows
    squares = float(np.square(values).sum())
    return float(values.sum()) ** 2 / squares if squares else 0.0
