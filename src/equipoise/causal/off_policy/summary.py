"""Decisions reduced to sums per cluster, which estimates and their influence values are made of.

Every estimator here is a mean plus a mean, or a mean plus a ratio of means. Sums over clusters are all that
its value, its influence values and its interval need, so that an engine can reduce a log that does not fit
into memory, and one place makes every interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.causal.off_policy.columns import CLUSTER, ITEM_, PROPENSITY_, REWARD_, WEIGHT, Frame
from equipoise.causal.off_policy.contributions import Exposure
from equipoise.causal.off_policy.estimators import Estimator
from equipoise.causal.off_policy.fingerprint import Fingerprint
from equipoise.causal.off_policy.logs import PropensityError
from equipoise.data import to_polars
from equipoise.metrics.frames import collect
from equipoise.statistics import Estimate

Floats = NDArray[np.float64]

_TINY, _HUGE = 1e-250, 1e150  # beyond these, squares of float64 lose their meaning
_EXACT = 1e-9  # a mean weight that close to 1 is 1
_ADDITIVE, _NUMERATOR, _DENOMINATOR = "_additive", "_numerator", "_denominator"
_CONTRIBUTION, _BALANCE, _RESIDUAL = "_contribution", "_balance", "_residual"
_EXPOSED, _SQUARED, _CUT, _LOST = "_exposed", "_squared", "_taken", "_lost"


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
        logger: Mean reward, with its influence per cluster.
        logger_exposure: That of the log itself, in which every weight is 1.
        fingerprint: By which results of other rows are told apart.
    """

    n: int
    effective_sample_size: float
    largest: float
    largest_share: float
    mean: Estimate
    share_cut: float
    largest_contribution: float
    logger: Estimate
    logger_exposure: Exposure
    fingerprint: Fingerprint

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


@dataclass(frozen=True)
class Answer:
    """An estimate, and what is to be known before its interval is believed.

    Attributes:
        estimate: The value with its influence per cluster.
        exposure: What the weights can move, per cluster.
        rewards: Influence values of the rewards alone, Σ w̃ (r − mean), where an outcome model takes from
            them; None where the estimate's own influence values say it all.
    """

    estimate: Estimate
    exposure: Exposure
    rewards: Floats | None

    def minus(self, other: Answer) -> Answer:
        """The difference of two values of the same clusters."""
        rewards = None
        if self.rewards is not None and other.rewards is not None:
            rewards = self.rewards - other.rewards
        return Answer(self.estimate.minus(other.estimate), self.exposure.minus(other.exposure), rewards)


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
    marks = [name for name in (REWARD_, PROPENSITY_, ITEM_) if name in made.collect_schema().names()]
    clusters, labels = _per_cluster(made, [WEIGHT, *marks])
    ones = clusters["_n"]
    return Weights(
        n=n,
        effective_sample_size=_effective(table, total, float(found["squares"]), largest),
        largest=largest,
        largest_share=largest / total if total > 0 else 0.0,
        mean=ratio_of_means(np.zeros_like(ones), clusters[WEIGHT], ones, ones),
        share_cut=float(found["cut"]) / n,
        largest_contribution=float(found["part"]) / float(found["parts"]) if found["parts"] > 0 else 0.0,
        logger=ratio_of_means(np.zeros_like(ones), clusters[REWARD_], ones, ones),
        logger_exposure=Exposure(ones * (len(ones) / n), 0.0, 0.0),
        fingerprint=Fingerprint(labels, {name: clusters[name] for name in marks}),
    )


def estimate(table: Frame, estimator: Estimator) -> Answer:
    """The estimate with its influence values per cluster, and what speaks for or against its interval."""
    change = nw.col(WEIGHT) - estimator.used()
    made = table.with_columns(
        estimator.additive().alias(_ADDITIVE),
        estimator.numerator().alias(_NUMERATOR),
        estimator.denominator().alias(_DENOMINATOR),
        estimator.contribution().alias(_CONTRIBUTION),
        estimator.balance().alias(_BALANCE),
        estimator.exposure().alias(_EXPOSED),
        (estimator.exposure() * estimator.exposure()).alias(_SQUARED),
        (change * estimator.residual()).alias(_LOST),
        change.alias(_CUT),
        estimator.spread().alias(_RESIDUAL),
    )
    summed = [_ADDITIVE, _NUMERATOR, _DENOMINATOR, _EXPOSED, _SQUARED]
    rewards = [_CONTRIBUTION, _BALANCE] if estimator.modelled else []
    ends = collect(
        made.select(
            nw.col(_RESIDUAL).min().alias("least"),
            nw.col(_RESIDUAL).max().alias("most"),
            nw.col(_CUT).abs().max().alias("cut"),
        )
    ).rows(named=True)[0]
    cut = [_CUT, _LOST] if ends["cut"] > 0 else []
    sums, _ = _per_cluster(made, [*summed, *rewards, *cut])
    found = ratio_of_means(sums[_ADDITIVE], sums[_NUMERATOR], sums[_DENOMINATOR], sums["_n"])
    total, rows, count = float(sums[_DENOMINATOR].sum()), float(sums["_n"].sum()), len(sums["_n"])
    centre = float(sums[_NUMERATOR].sum()) / total if estimator.normalised else 0.0
    spread = max(abs(ends["least"] - centre), abs(ends["most"] - centre))
    scale = (rows / total) * (count / rows)  # that of the influence values
    largest = float(np.sqrt(sums[_SQUARED].max())) * scale
    exposure = Exposure(sums[_EXPOSED] * scale, largest, spread, *(sums[name] * scale for name in cut))
    return Answer(found, exposure, _rewards(sums) if rewards else None)


def _rewards(sums: dict[str, Floats]) -> Floats:
    """Influence values of the weighted mean of the rewards."""
    balance = sums[_BALANCE]
    if not balance.sum() > 0:
        return np.zeros_like(balance)
    return ratio_of_means(np.zeros_like(balance), sums[_CONTRIBUTION], balance, sums["_n"]).influence


def _effective(table: Frame, total: float, squares: float, largest: float) -> float:
    """(Σw)² / Σw², also where squares of the weights overflow or vanish."""
    if largest <= 0:
        return 0.0
    if not _TINY < squares < np.inf or total > _HUGE:
        scaled = collect(table.select(nw.col(WEIGHT) / largest)).get_column(WEIGHT).to_numpy()
        return float(scaled.sum() ** 2 / np.square(scaled).sum())
    return total**2 / squares


def _per_cluster(table: Frame, columns: list[str]) -> tuple[dict[str, Floats], pl.Series | None]:
    """Sums of columns per cluster and the number of rows `_n`, and the clusters they are of, in order."""
    names = table.collect_schema().names()
    labels = None
    if CLUSTER in names:
        totals = [nw.col(name).sum().alias(name) for name in columns]
        grouped = table.group_by(CLUSTER).agg(nw.len().alias("_n"), *totals)
        found = collect(grouped).sort(CLUSTER)
        labels = to_polars(found.to_native())[CLUSTER]
    else:
        found = collect(table.select(*columns)).with_columns(nw.lit(1.0).alias("_n"))
    sums = {
        name: found.get_column(name).cast(nw.Float64).to_numpy().astype(np.float64)
        for name in ["_n", *columns]
    }
    return sums, labels


def ratio_of_means(additive: Floats, numerator: Floats, denominator: Floats, n: Floats) -> Estimate:
    """mean(additive) + Σ numerator / Σ denominator, by the delta method, from sums per cluster.

    Influence values are scaled such that their mean over clusters is the error: C / N times a cluster's sum.
    """
    rows = n.sum()
    mean, ratio = additive.sum() / rows, numerator.sum() / denominator.sum()
    moved = additive - mean * n + (numerator - ratio * denominator) / (denominator.sum() / rows)
    return Estimate(float(mean + ratio), moved * (len(n) / rows))
