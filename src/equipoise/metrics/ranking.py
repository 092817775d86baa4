"""Quality of ranked lists per user: precision, recall, hit rate, NDCG, MRR, MAP over the full ranking."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from equipoise.data import vocabulary as v
from equipoise.errors import ConfigError, DataError
from equipoise.metrics import frames
from equipoise.metrics.definitions import DEFINITIONS, Definition

Floats = NDArray[np.float64]

_RELEVANT, _NTH = "_relevant", "_nth"
_DECIMALS = 12  # rounds away the order in which an engine adds, so that all engines and row orders agree


class Metric(Protocol):
    """Anything that gives one value per user: ours, or a person's own function with a name."""

    @property
    def name(self) -> str:
        """As in "ndcg@10"."""
        ...

    def __call__(self, recommendations: Any, truth: Any) -> Any:
        """A frame of `user_id` and `value`."""
        ...


@dataclass(frozen=True)
class RankingMetric:
    """A per-user metric of hits: what a hit at a rank gains, how gains add up, and what the total is divided
    by.

    Relevance is binary: an item is in the truth or is not, and the truth's `value` is not used. Where scores
    tie, the rank decides.

    Attributes:
        definition: Formula, range, unit, direction.
        k: Cutoff: ranks above it do not count.
        gain: Expression over hits (`rank`, and `_nth`: the how-manieth hit of its user).
        divisor: Numbers of relevant items (int64 per user) to what the total is divided by (float64 per
            user).
        reduce: How the gains of a user come together, "sum" or "max".
    """

    definition: Definition
    k: int
    gain: nw.Expr
    divisor: Callable[[NDArray[np.int64]], Floats]
    reduce: str = "sum"

    def __post_init__(self) -> None:
        check_cutoff(self.k, self.definition.name)

    @property
    def name(self) -> str:
        """As in "ndcg@10"."""
        return f"{self.definition.name}@{self.k}"

    def __call__(self, recommendations: Any, truth: Any) -> Any:
        """Values per user.

        Args:
            recommendations: Frame of `user_id`, `item_id`, `rank` (from 1).
            truth: Frame of `user_id`, `item_id`: what each user really took in the held-out time.

        Returns:
            Frame of `user_id`, `value`, one row per user of the truth, sorted by user.
        """
        values = nw.from_native(per_user(recommendations, truth, {"value": self}), eager_only=True)
        return values.to_native()

    def __repr__(self) -> str:
        return self.name


def check_cutoff(k: int, name: str) -> int:
    """The cutoff as Python's own integer.

    Raises:
        ConfigError: if it is no whole number from 1.
    """
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise ConfigError(f"The cutoff of '{name}' is {k!r}", todo="Give a whole number from 1, as in 10.")
    return int(k)


def precision(k: int) -> RankingMetric:
    """Precision at k: `(1/k) · Σ_{r≤k} hit(r)`, in [0, 1].

    The divisor stays k where a list is shorter: an empty place helps nobody.
    """
    return RankingMetric(
        DEFINITIONS["precision"], k, nw.lit(1.0), lambda relevant: np.full(len(relevant), float(k))
    )


def recall(k: int) -> RankingMetric:
    """Recall at k: `Σ_{r≤k} hit(r) / |rel(u)|`, in [0, 1]; below 1 by construction where |rel(u)| > k."""
    return RankingMetric(DEFINITIONS["recall"], k, nw.lit(1.0), lambda relevant: relevant.astype(np.float64))


def hit_rate(k: int) -> RankingMetric:
    """Hit rate at k: 1 where any of the first k items is in the truth, else 0."""
    return RankingMetric(
        DEFINITIONS["hit_rate"], k, nw.lit(1.0), lambda relevant: np.ones(len(relevant)), reduce="max"
    )


def ndcg(k: int) -> RankingMetric:
    """Normalised discounted cumulative gain at k with binary relevance, in [0, 1].

    `Σ_{r≤k} hit(r)/log2(r+1)` divided by its largest possible value, `Σ_{r≤min(k,|rel(u)|)} 1/log2(r+1)`.

    Source: Järvelin and Kekäläinen (2002), "Cumulated gain-based evaluation of IR techniques", with the
    logarithm's base 2 and the discount applied from rank 2 on.
    """
    ideal = np.cumsum(1.0 / np.log2(np.arange(1, check_cutoff(k, "ndcg") + 1) + 1.0))
    return RankingMetric(
        DEFINITIONS["ndcg"],
        k,
        1.0 / (nw.col(v.RANK) + 1).cast(nw.Float64).log(2),
        lambda relevant: ideal[np.minimum(relevant, k) - 1],
    )


def mrr(k: int) -> RankingMetric:
    """Reciprocal rank at k: one over the rank of the first hit, 0 where there is none up to k; in [0, 1]."""
    return RankingMetric(
        DEFINITIONS["mrr"],
        k,
        1.0 / nw.col(v.RANK).cast(nw.Float64),
        lambda relevant: np.ones(len(relevant)),
        reduce="max",
    )


def average_precision(k: int) -> RankingMetric:
    """Average precision at k: `(1/min(k,|rel(u)|)) · Σ_{r≤k} hit(r)·precision(r)`, in [0, 1]; its mean is
    MAP.

    The divisor is min(k, |rel(u)|), so that a perfect list scores 1; some libraries divide by |rel(u)|.
    """
    return RankingMetric(
        DEFINITIONS["map"],
        k,
        nw.col(_NTH) / nw.col(v.RANK).cast(nw.Float64),
        lambda relevant: np.minimum(relevant, k).astype(np.float64),
    )


def per_user(recommendations: Any, truth: Any, metrics: Mapping[str, Metric]) -> Any:
    """All metrics per user, with one join for those that count hits.

    Users of the truth without recommendations score 0 where hits are counted, and null where only the list is
    looked at (diversity, novelty). Users without truth are left out; `population` counts them.

    Args:
        recommendations: Frame of `user_id`, `item_id`, `rank` (from 1; holes allowed). Any engine.
        truth: Frame of `user_id`, `item_id`; repeated rows count once, rows without an item not at all.
        metrics: Column name to metric, as in `{"ndcg@10": ndcg(10)}`.

    Returns:
        Frame of `user_id` and one float column per metric, one row per user of the truth, sorted by user.
        Eager callers get their own kind of frame, lazy engines give Polars.

    Raises:
        DataError: if a column is missing, the truth is empty, or a user has an item or a rank twice.
    """
    shown, relevant = frames.together(frames.recommendations(recommendations), frames.truth(truth))
    table = _hits(
        shown,
        relevant,
        {name: metric for name, metric in metrics.items() if isinstance(metric, RankingMetric)},
    )
    if not len(table):
        raise DataError(
            "The truth is empty: there is nobody to measure", where="0 rows with a user and an item"
        )
    for name, metric in metrics.items():
        if isinstance(metric, RankingMetric):
            continue
        own = frames.read(metric(recommendations, truth), (v.USER, "value"), f"values of '{name}'")
        table, own = frames.together(table, frames.collect(own).rename({"value": name}))
        table = table.join(own.select(v.USER, name), on=v.USER, how="left")
    return table.select(v.USER, *metrics).sort(v.USER).to_native()


def _hits(shown: Any, relevant: Any, metrics: Mapping[str, RankingMetric]) -> nw.DataFrame[Any]:
    """Users of the truth with the metrics: the engine reduces to sums per user, NumPy divides them."""
    depth = max((metric.k for metric in metrics.values()), default=0)
    hits = shown.filter(nw.col(v.RANK) <= depth).join(relevant, on=[v.USER, v.ITEM], how="inner")
    if any(metric.definition.name == "map" for metric in metrics.values()):
        hits = hits.with_columns(nw.col(v.RANK).rank("ordinal").over(v.USER).cast(nw.Float64).alias(_NTH))
    columns = {name: f"_metric{index}" for index, name in enumerate(metrics)}
    gains = hits.select(
        v.USER,
        *(
            nw.when(nw.col(v.RANK) <= metric.k).then(metric.gain).otherwise(nw.lit(0.0)).alias(columns[name])
            for name, metric in metrics.items()
        ),
    )
    totals = gains.group_by(v.USER).agg(
        *(getattr(nw.col(columns[name]), metric.reduce)() for name, metric in metrics.items())
    )
    users = relevant.group_by(v.USER).agg(nw.col(v.ITEM).len().alias(_RELEVANT))
    table = frames.collect(users.join(totals, on=v.USER, how="left")).sort(v.USER)
    counts = frames.numbers(table, _RELEVANT).astype(np.int64)
    values = {
        name: np.round(
            np.nan_to_num(frames.numbers(table, columns[name])) / metric.divisor(counts), _DECIMALS
        )
        for name, metric in metrics.items()
    }
    series = [
        nw.new_series(name, column, nw.Float64, backend=table.implementation)
        for name, column in values.items()
    ]
    return table.select(v.USER).with_columns(*series)


@dataclass(frozen=True)
class Population:
    """Who was measured and who was not.

    Attributes:
        evaluated: Users of the truth: those a mean is taken over.
        without_recommendations: Of these, users to whom nothing was recommended; they score 0.
        without_truth: Users with recommendations and nothing to hold against them; they are left out.
    """

    evaluated: int
    without_recommendations: int
    without_truth: int


def population(recommendations: Any, truth: Any) -> Population:
    """Count users measured, users without recommendations, and users left out for want of truth."""
    listed = frames.read(recommendations, (v.USER,), "recommendations").select(v.USER).unique()
    shown, relevant = frames.together(listed, frames.truth(truth).select(v.USER).unique())
    users, lists = frames.collect(relevant), frames.collect(shown)
    users, lists = frames.together(users, lists)
    both = len(users.join(lists, on=v.USER, how="inner"))
    return Population(len(users), len(users) - both, len(lists) - both)
