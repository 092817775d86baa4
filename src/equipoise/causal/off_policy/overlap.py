"""Target probability on items that the logger never shows."""

from __future__ import annotations

import polars as pl

from equipoise.causal.off_policy.columns import ROW
from equipoise.causal.off_policy.sample import PROBABILITY, Distribution
from equipoise.data import vocabulary as v

CANDIDATES, CANDIDATE_PROPENSITIES = "candidate_set", "candidate_propensities"
_EXPECTED = 10.0  # shows that were to be expected of an item; none comes with probability exp(-10) then


def unsupported_mass(log: pl.DataFrame, target: Distribution, max_weight: float) -> float:
    """Share of the target's probability, over the rows of the log, on items the logger never shows there.

    Where the log holds candidate sets (and their propensities), an item outside the set, or of propensity
    0, is never shown. Otherwise the data must speak: an item is taken for unsupported when it is never
    logged although, at the largest weight seen in the log, ten shows were to be expected of it.

    Args:
        log: Rows of the log with the target's key columns.
        target: The target's whole distribution.
        max_weight: Largest weight in the log.
    """
    if CANDIDATES in log.columns and isinstance(log.schema[CANDIDATES], pl.List):
        return _outside(log, target)
    key = list(target.key)
    if key:
        counts = log.group_by(key).len("_count")
        expected = target.table.join(counts, on=key, how="inner", nulls_equal=True)
    else:
        expected = target.table.with_columns(pl.lit(len(log)).alias("_count"))
    per_item = expected.group_by(v.ITEM).agg((pl.col(PROBABILITY) * pl.col("_count")).sum().alias("_mass"))
    never = per_item.join(log.select(v.ITEM).unique(), on=v.ITEM, how="anti")
    lost = never.filter(pl.col("_mass") > _EXPECTED * max(max_weight, 1.0))["_mass"]
    return float(lost.sum()) / len(log)


def _outside(log: pl.DataFrame, target: Distribution) -> float:
    known = [CANDIDATES]
    if CANDIDATE_PROPENSITIES in log.columns:
        known.append(CANDIDATE_PROPENSITIES)
    shown = log.select(ROW, *known).explode(known)
    if CANDIDATE_PROPENSITIES in known:
        shown = shown.filter(pl.col(CANDIDATE_PROPENSITIES) > 0)
    shown = shown.select(ROW, pl.col(CANDIDATES).cast(target.table.schema[v.ITEM]).alias(v.ITEM)).unique()
    key = list(target.key)
    rows = log.select(ROW, *(name for name in key if name != ROW))
    wanted = (
        rows.join(target.table, on=key, nulls_equal=True) if key else rows.join(target.table, how="cross")
    )
    supported = wanted.join(shown, on=[ROW, v.ITEM], how="semi")[PROBABILITY].sum()
    return max(float(wanted[PROBABILITY].sum()) - float(supported), 0.0) / len(log)
