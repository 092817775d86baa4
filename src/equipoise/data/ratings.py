"""Ratings, and where low ones begin."""

from __future__ import annotations

import polars as pl

from equipoise.data import vocabulary as v

_LOW_END = 1  # scales of ratings begin at 1 or below


def ratings(events: pl.DataFrame) -> pl.DataFrame:
    """The events that are ratings and have a value; none where the log does not tell kinds of events or values."""
    if not {v.EVENT, v.VALUE} <= set(events.columns):
        return events.clear().with_columns(pl.lit(None, dtype=pl.Float64).alias(v.VALUE))
    return events.filter((pl.col(v.EVENT) == v.RATING) & pl.col(v.VALUE).is_not_null())


def middle(values: pl.Series) -> float | None:
    """Halfway between the least and the greatest rating given.

    Args:
        values: Ratings, without nulls.

    Returns:
        None where there are none, or where the least is above the low end of usual scales (1): low ratings were left
        out then, and what is given does not show the scale.
    """
    if values.is_empty():
        return None
    least, most = (float(end) for end in (values.min(), values.max()))  # type: ignore[arg-type]
    return None if least > _LOW_END else (least + most) / 2
