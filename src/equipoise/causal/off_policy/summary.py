"""Decisions reduced to sums per cluster, which estimates and their influence values are made of.

Every estimator here is a mean plus a mean, or a mean plus a ratio of means. Sums over clusters are all that
its value, its influence values and its interval need, so that an engine can reduce a log that does not fit
into memory, and one place makes every interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from equipoise.causal.off_policy.columns import CLUSTER, REWARD_, WEIGHT, Frame
from equipoise.causal.off_policy.estimators import Estimator
from equipoise.causal.off_policy.logs import PropensityError
from equipoise.metrics.frames import collect
from equipoise.statistics import Estimate

Floats = NDArray[np.float64]

_TINY, _HUGE = 1e-250, 1e150  # beyond these, squares of float64 lose their meaning
_EXACT = 1e-9  # a mean weight that close to 1 is 1
_ADDITIVE, _NUMERATOR, _DENOMINATOR = "_additive", "_numerator", "_denominator"


@dataclass(frozen=True)
class Weights:
    """The weights of a log in a few numbers.

    Attributes:
        n: Decisions.
        effective_sample_size: (Σw)² / Σw²; 0 where all weights are 0.
        largest: Largest weight.
        largest_share: Its share of Σw.
        mean: Mean weight, with its influence per cluster.
        share_cut: Share of decisions whose weight the estimator cut.
        largest_contribution: Share of Σ|w̃ r| of one decision.
        contributions: Σc² / max c² of the clusters' sums c of |w̃ r|; 0 where nothing was earned.
        logger: Mean reward, with its influence per cluster.
    """

    n: int
    effective_sample_size: float
    largest: float
    largest_share: float
    mean: Estimate
    share_cut: float
    largest_contribution: float
    contributions: float
    logger: Estimate

    @property
    def mean_z(self) -> float | None:
        """(mean weight − 1) in standard errors; None of one cluster."""
        with np.errstate(over="ignore"):  # of weights that are refused anyway
            error, off = self.mean.standard_error, self.mean.value - 1.0
        if error is None:
            return None
        if abs(off) < _EXACT:
            return 0.0
        return off / error if error > 0 else float(np.copysign(np.inf, off))


def weigh(table: Frame, estimator: Estimator) -> Weights:
    """What is to be known of the weights of a prepared table.

    Raises:
        PropensityError: if a propensity is so small that a weight is infinite.
    """
    made = table.with_columns(
        _cut=nw.when(estimator.cut()).then(nw.lit(1.0)).otherwise(nw.lit(0.0)),
        _part=estimator.contribution().abs(),
    )
    sums = made.select(
        nw.col(WEIGHT).sum().alias("total"),
        nw.col(WEIGHT).max().alias("largest"),
        (nw.col(WEIGHT) * nw.col(WEIGHT)).sum().alias("squares"),
        nw.col("_cut").sum().alias("cut"),
        nw.col("_part").sum().alias("parts"),
        nw.col("_part").max().alias("part"),
        nw.len().alias("n"),
    )
    found = collect(sums).rows(named=True)[0]
    n, total, largest = int(found["n"]), float(found["total"]), float(found["largest"])
    if not np.isfinite(total):
        raise PropensityError(
            "Some propensities are so small that weights are infinite",
            todo="Leave these rows out, or log them right.",
        )
    clusters = _per_cluster(made, [WEIGHT, REWARD_, "_part"])
    ones = clusters["_n"]
    return Weights(
        n=n,
        effective_sample_size=_effective(table, total, float(found["squares"]), largest),
        largest=largest,
        largest_share=largest / total if total > 0 else 0.0,
        mean=ratio_of_means(np.zeros_like(ones), clusters[WEIGHT], ones, ones),
        share_cut=float(found["cut"]) / n,
        largest_contribution=float(found["part"]) / float(found["parts"]) if found["parts"] > 0 else 0.0,
        contributions=equal_contributions(clusters["_part"]),
        logger=ratio_of_means(np.zeros_like(ones), clusters[REWARD_], ones, ones),
    )


def estimate(table: Frame, estimator: Estimator) -> tuple[Estimate, float]:
    """The estimate with its influence values per cluster, and a bound of the bias by changed weights.

    The bound is mean(|w − w̃| |r − q|), over the mean weight where weights are normalised; it is 0 for
    estimators that use the weights as they are.
    """
    changed = (nw.col(WEIGHT) - estimator.used()).abs() * estimator.residual().abs()
    made = table.with_columns(
        estimator.additive().alias(_ADDITIVE),
        estimator.numerator().alias(_NUMERATOR),
        estimator.denominator().alias(_DENOMINATOR),
        changed.alias("_changed"),
    )
    sums = _per_cluster(made, [_ADDITIVE, _NUMERATOR, _DENOMINATOR, "_changed"])
    found = ratio_of_means(sums[_ADDITIVE], sums[_NUMERATOR], sums[_DENOMINATOR], sums["_n"])
    return found, float(sums["_changed"].sum() / sums[_DENOMINATOR].sum())


def _effective(table: Frame, total: float, squares: float, largest: float) -> float:
    """(Σw)² / Σw², also where squares of the weights overflow or vanish."""
    if largest <= 0:
        return 0.0
    if not _TINY < squares < np.inf or total > _HUGE:
        scaled = collect(table.select(nw.col(WEIGHT) / largest)).get_column(WEIGHT).to_numpy()
        return float(scaled.sum() ** 2 / np.square(scaled).sum())
    return total**2 / squares


def equal_contributions(values: Floats) -> float:
    """Σv² / max v²: how many equally large values make up the sum of squares; 0 where all are 0.

    It is the number that Lindeberg's condition of the normal limit asks to be large; for rare clicks of equal
    weight it is the number of clicks.
    """
    largest = float(np.abs(values).max(initial=0.0))
    return float(np.square(values / largest).sum()) if largest > 0 else 0.0


def _per_cluster(table: Frame, columns: list[str]) -> dict[str, Floats]:
    """Sums of columns per cluster, in the order of the clusters, and the number of rows `_n`."""
    names = table.collect_schema().names()
    if CLUSTER in names:
        totals = [nw.col(name).sum().alias(name) for name in columns]
        grouped = table.group_by(CLUSTER).agg(nw.len().alias("_n"), *totals)
        found = collect(grouped).sort(CLUSTER)
    else:
        found = collect(table.select(*columns)).with_columns(nw.lit(1.0).alias("_n"))
    return {
        name: found.get_column(name).cast(nw.Float64).to_numpy().astype(np.float64)
        for name in ["_n", *columns]
    }


def ratio_of_means(additive: Floats, numerator: Floats, denominator: Floats, n: Floats) -> Estimate:
    """mean(additive) + Σ numerator / Σ denominator, by the delta method, from sums per cluster.

    Influence values are scaled such that their mean over clusters is the error: C / N times a cluster's sum.
    """
    rows = n.sum()
    mean, ratio = additive.sum() / rows, numerator.sum() / denominator.sum()
    moved = additive - mean * n + (numerator - ratio * denominator) / (denominator.sum() / rows)
    return Estimate(float(mean + ratio), moved * (len(n) / rows))
