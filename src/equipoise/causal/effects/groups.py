"""The effect in each group of a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data.frames import require
from equipoise.errors import DataError
from equipoise.statistics.interval import Estimate, Interval
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


def _one(effect: Effect, inside: NDArray[np.bool_]) -> dict[str, Any]:
    n, level = int(inside.sum()), effect.settings.level
    arms = np.unique(effect.design.treatment[inside])
    if len(arms) < 2:
        return _row(n, None, Interval(None, None, None, n, "all have the same treatment"))
    if effect.scores is None:
        again = effect.again(effect.design.take(inside))
        return _row(n, again.estimate, Interval(again.value, again.low, again.high, n, again.reason))
    t = effect.design.treatment
    weight = t[inside] if effect.estimand == "att" else np.ones(n)
    scores = effect.scores[inside] * (t.mean() if effect.estimand == "att" else 1.0)
    clusters = None if effect.design.clusters is None else effect.design.clusters[inside]
    value = float(scores.sum() / weight.sum())
    estimate = Estimate(value, (scores - value * weight) / weight.mean(), clusters)
    return _row(n, estimate, estimate.interval(level))


def _row(n: int, estimate: Estimate | None, interval: Interval) -> dict[str, Any]:
    return {
        "n": n,
        **interval.as_dict(),
        "standard_error": None if estimate is None else estimate.standard_error,
        "p_value": None if estimate is None else estimate.p_value(),
        "reason": interval.reason,
    }
