"""Ranking metrics on held-out events that a biased logger brought about, each event weighted by its propensity.

weighted_gains(lists, truth, {"ndcg@10": ndcg(10)})   # sums per user; their ratio is the metric
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np

from equipoise.data import vocabulary as v
from equipoise.errors import ConfigError, DataError
from equipoise.metrics import frames
from equipoise.metrics.ranking import RankingMetric

WEIGHT = "weight"
OF = " of"
"""What the name of a metric is followed by where its column holds what the gains are divided by."""

_ADDITIVE = ("ndcg", "recall", "precision")
_COUNT = "_relevant"


def weighted_gains(
    recommendations: Any, truth: Any, metrics: Mapping[str, RankingMetric], *, weight: str = WEIGHT
) -> Any:
    """What each user contributes to self-normalised weighted metrics.

    The metric is the ratio of two sums over users, which `equipoise.statistics.bootstrap_ratio` gives an interval
    over users: the weighted gains of the hits, `Σ_{i in hits(u)} w_i · gain(rank_i)`, over what a gain of 1 per
    relevant item would come to, `Σ_{i in rel(u)} w_i · divisor(|rel(u)|) / |rel(u)|`. With weights 1 / propensity
    it estimates the metric on held-out events of a logger that shows all items alike; with equal weights it is
    the metric itself, with users weighing as much as their divisors. Normalising over all users and not within
    each keeps the weights of users with a single held-out item. Recall is corrected wholly; of NDCG the part
    remains by which its best possible value depends on how many events are held out.

    Source: Yang et al. (2018), "Unbiased offline recommender evaluation for missing-not-at-random implicit
    feedback", equation 8, with the discounts of the metric and one normaliser for all users.

    Args:
        recommendations: Frame of `user_id`, `item_id`, `rank` (from 1). Any engine.
        truth: Frame of `user_id`, `item_id` and the weights; each pair once.
        metrics: Column name to metric: NDCG, recall or precision. Metrics of a user's first or best hit do not
            add up over hits, so that weights would not correct them.
        weight: Column of the truth with weights above 0, as 1 / propensity.

    Returns:
        Frame of `user_id` and two float columns per metric: its name, and its name followed by " of"; one row
        per user of the truth, sorted by user. Eager callers get their own kind of frame, lazy engines Polars.

    Raises:
        ConfigError: if a metric does not add up over hits.
        DataError: if a column is missing, a weight is not above 0 and finite, a pair stands twice, or there is
            no truth.
    """
    for name, metric in metrics.items():
        if metric.definition.name not in _ADDITIVE:
            raise ConfigError(
                f"'{name}' does not add up over hits, so weights would not correct it",
                todo=f"Weighted are: {', '.join(_ADDITIVE)}.",
            )
    relevant = _weighted(truth, weight)
    shown, relevant = frames.together(frames.recommendations(recommendations), relevant)
    depth = max((metric.k for metric in metrics.values()), default=0)
    hits = shown.filter(nw.col(v.RANK) <= depth).join(relevant, on=[v.USER, v.ITEM], how="inner")
    columns = {name: f"_metric{index}" for index, name in enumerate(metrics)}
    gains = hits.select(
        v.USER,
        *(
            nw.when(nw.col(v.RANK) <= metric.k)
            .then(metric.gain * nw.col(WEIGHT))
            .otherwise(nw.lit(0.0))
            .alias(columns[name])
            for name, metric in metrics.items()
        ),
    )
    totals = gains.group_by(v.USER).agg(*(nw.col(column).sum() for column in columns.values()))
    users = relevant.group_by(v.USER).agg(nw.col(v.ITEM).len().alias(_COUNT), nw.col(WEIGHT).sum())
    table = frames.collect(users.join(totals, on=v.USER, how="left")).sort(v.USER)
    if not len(table):
        raise DataError(
            "The truth is empty: there is nobody to measure", where="0 rows with a user and an item"
        )
    counts = frames.numbers(table, _COUNT).astype(np.int64)
    mean = frames.numbers(table, WEIGHT) / counts
    values = {}
    for name, metric in metrics.items():
        values[name] = np.nan_to_num(frames.numbers(table, columns[name]))
        values[name + OF] = mean * metric.divisor(counts)
    series = [
        nw.new_series(name, column, nw.Float64, backend=table.implementation)
        for name, column in values.items()
    ]
    return table.select(v.USER).with_columns(*series).to_native()


def _weighted(truth: Any, weight: str) -> Any:
    """Distinct pairs of the truth with their weights, checked."""
    frame = frames.read(truth, (v.USER, v.ITEM, weight), "truth")
    frame = frame.select(v.USER, v.ITEM, nw.col(weight).cast(nw.Float64).alias(WEIGHT))
    frame = frame.filter(~nw.col(v.USER).is_null() & ~nw.col(v.ITEM).is_null())
    check_weights(frame, WEIGHT)
    pairs = frames.collect(frame.select(v.USER, v.ITEM).unique().select(nw.len())).item()
    rows = frames.collect(frame.select(nw.len())).item()
    if pairs != rows:
        raise DataError(
            "The truth holds the same user and item twice",
            where=f"{rows - pairs} rows too many",
            todo="Keep one row each.",
        )
    return frame


def check_weights(frame: Any, column: str) -> None:
    """Refuse weights that are missing, not finite, or not above 0.

    Args:
        frame: Narwhals frame.
        column: Its column of weights.

    Raises:
        DataError: with the number of rows.
    """
    w = nw.col(column).cast(nw.Float64)
    wrong = nw.when((w > 0) & w.is_finite()).then(nw.lit(0)).otherwise(nw.lit(1)).sum()  # nulls and NaN too
    facts = frames.collect(frame.select(rows=nw.len(), wrong=wrong)).rows(named=True)[0]
    if facts["wrong"]:
        raise DataError(
            "Some weights are not numbers above 0",
            where=f"column '{column}', {facts['wrong']} of {facts['rows']} rows",
            todo="Give 1 / propensity, and leave out events without a propensity.",
        )
