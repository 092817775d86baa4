"""The effect in each group of a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from equipoise.data.frames import require
from equipoise.errors import DataError
from equipoise.statistics.interval import Estimate
from equipoise.statistics.multiplicity import holm

if TYPE_CHECKING:
    from equipoise.causal.effects.effect import Effect

_MOST_GROUPS = 50


def by_group(effect: Effect, columns: list[str]) -> pl.DataFrame:
    """See `Effect.by_group`."""
    require(effect.design.frame.columns, *columns, table="data")
    rows: list[dict[str, Any]] = []
    for column in columns:
        values = effect.design.frame[column].cast(pl.String)
        levels = values.drop_nulls().unique().sort().to_list()
        if len(levels) > _MOST_GROUPS:
            raise DataError(f"'{column}' has {len(levels)} groups", todo="Make fewer groups of it first.")
        rows += [
            {"column": column, "group": level, **_one(effect, (values == level).fill_null(False).to_numpy())}
            for level in levels
        ]
    table = pl.DataFrame(rows, infer_schema_length=None)
    tested = table["p_value"].is_not_null().to_numpy()
    adjusted = np.full(len(table), np.nan)
    adjusted[tested] = holm(table["p_value"].to_numpy()[tested].astype(np.float64))
    return table.with_columns(pl.Series("p_adjusted", adjusted).fill_nan(None))


def _one(effect: Effect, inside: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> dict[str, Any]:
    if effect.scores is None or effect.estimate is None:
        again = effect.again(effect.design.take(inside))
        return {"n": int(inside.sum()), "value": again.value, "low": again.low, "high": again.high,
                "standard_error": again.standard_error, "p_value": again.p_value, "reason": again.reason}  # fmt: skip
    t = effect.design.treatment[inside]
    weight = t if effect.estimand == "att" else np.ones(len(t))
    clusters = None if effect.design.clusters is None else effect.design.clusters[inside]
    scores = effect.scores[inside] * (effect.design.treatment.mean() if effect.estimand == "att" else 1.0)
    value = float(scores.sum() / weight.sum())
    estimate = Estimate(value, (scores - value * weight) / weight.mean(), clusters)
    interval = estimate.interval(effect.settings.level)
    return {"n": len(t), "value": value, "low": interval.low, "high": interval.high,
            "standard_error": estimate.standard_error, "p_value": estimate.p_value(), "reason": interval.reason}  # fmt: skip
