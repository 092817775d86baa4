"""Is a ranking by effect any good? AUUC, Qini and RATE, which are one functional with three weights.

Rows are sorted by the ranking, largest first. The gain of treating the first share u is
`G(u) = (1/n) Σ over the first u·n rows of the scores`, in units of the outcome per row of the whole population.

    AUUC   = ∫ G(u) du                             treat in this order: the mean gain over all shares
    Qini   = ∫ G(u) − u G(1) du                    less what a random order gives; 0 for a random ranking
    AUTOC  = ∫ G(u)/u − G(1) du                    how much more the effect is among the first u than on average

None is divided by that of a perfect ranking. Rows of equal rank are treated in random order: the curve is
straight between them, so that their order of arrival plays no part, and of a constant ranking Qini and AUTOC
are 0. All are means of scores times a weight of the rank, and their influence values include that the ranks are
estimated. Intervals are Wald intervals from influence values summed within clusters; nothing is resampled.
Sources: Radcliffe (2007), "Using control groups to target on predicted lift"; Yadlowsky, Fleming, Shah,
Brunskill and Wager (2025), "Evaluating treatment prioritization rules via rank-weighted average treatment
effects", Journal of the American Statistical Association 120.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from equipoise.causal.heterogeneity.features import numbers
from equipoise.causal.uplift.scores import effect_scores
from equipoise.errors import ConfigError, DataError, nearest
from equipoise.statistics.interval import Estimate, Floats, Interval

if TYPE_CHECKING:
    from equipoise.causal.effects import Effect


@dataclass(frozen=True)
class Weight:
    """Weight of a row by its share u in the order, 0 for the first.

    Attributes:
        at: w(u).
        integral: ∫₀ᵘ w.
    """

    at: Callable[[Floats], Floats]
    integral: Callable[[Floats], Floats]


_WEIGHTS = {
    "auuc": Weight(lambda u: 1 - u, lambda u: u - u**2 / 2),
    "qini": Weight(lambda u: 0.5 - u, lambda u: (u - u**2) / 2),
    "autoc": Weight(lambda u: -np.log(_positive(u)) - 1, lambda u: -u * np.log(_positive(u))),
}


@dataclass(frozen=True)
class RankingValue:
    """How good a ranking by effect is.

    Attributes:
        metric: `auuc`, `qini` or `autoc`.
        value: In units of the outcome per row.
        low: Lower end of its interval; None with fewer than two clusters.
        high: Upper end.
        p_value: Two-sided p of 0: for Qini and AUTOC, of a ranking that is no better than a random one.
        n: Rows.
        estimate: Value with influence values.
        curve: Frame of `share` treated and `gain`, from (0, 0) to (1, mean score); at most 1001 points.
        level: Confidence level.
    """

    metric: str
    value: float
    low: float | None
    high: float | None
    p_value: float | None
    n: int
    estimate: Estimate
    curve: pl.DataFrame
    level: float

    @property
    def standard_error(self) -> float | None:
        """Cluster-robust standard error."""
        return self.estimate.standard_error

    def minus(self, other: RankingValue) -> Interval:
        """How much better than another ranking of the same rows, with its interval."""
        return self.estimate.minus(other.estimate).interval(self.level)


def auuc(
    ranking: ArrayLike,
    scores: Effect | ArrayLike | None = None,
    *,
    treatment: ArrayLike | None = None,
    outcome: ArrayLike | None = None,
    propensity: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> RankingValue:
    """Area under the uplift curve `∫ G(u) du`; half the average effect for a random ranking.

    Args:
        ranking: (n,), larger is treated earlier. It must not have been learnt from the same rows: see
            `cross_fitted_effects`.
        scores: An effect estimated by AIPW on the same rows, or scores (n,). Without:
        treatment: (n,), 0 or 1, of an experiment.
        outcome: (n,).
        propensity: Probability by which the treatment was randomised, one number or (n,).
        clusters: (n,) labels; rows of one (a user) are dependent. An effect brings its own.
        level: Confidence level in (0, 1).

    Raises:
        ConfigError: if the level is out of range.
        DataError: if there are neither scores nor a randomised treatment, lengths differ, or what should be
            numbers is not.
    """
    values, labels = effect_scores(scores, treatment, outcome, propensity, clusters)
    return _area("auuc", ranking, values, labels, level)


def qini(
    ranking: ArrayLike,
    scores: Effect | ArrayLike | None = None,
    *,
    treatment: ArrayLike | None = None,
    outcome: ArrayLike | None = None,
    propensity: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> RankingValue:
    """Qini coefficient `∫ G(u) − u G(1) du`, per row, not divided by that of a perfect ranking; 0 is random.

    Arguments and errors as in `auuc`.
    """
    values, labels = effect_scores(scores, treatment, outcome, propensity, clusters)
    return _area("qini", ranking, values, labels, level)


def rate(
    ranking: ArrayLike,
    scores: Effect | ArrayLike | None = None,
    *,
    weighting: str = "autoc",
    treatment: ArrayLike | None = None,
    outcome: ArrayLike | None = None,
    propensity: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> RankingValue:
    """Rank-weighted average treatment effect; its p-value tests whether the ranking finds anybody at all.

    The other arguments are those of `auuc`. The weighting `autoc` weighs the first of the ranking most (an
    effect among few), `qini` all alike (an effect that varies throughout).

    Raises:
        ConfigError: if there is no such weighting, or the level is out of range.
        DataError: as in `auuc`.
    """
    if weighting not in ("autoc", "qini"):
        raise ConfigError(f"There is no weighting '{weighting}'", todo=nearest(weighting, ["autoc", "qini"]))
    values, labels = effect_scores(scores, treatment, outcome, propensity, clusters)
    return _area(weighting, ranking, values, labels, level)


def _area(
    metric: str, ranking: ArrayLike, scores: Floats, clusters: NDArray[Any] | None, level: float
) -> RankingValue:
    if not 0 < level < 1:
        raise ConfigError(f"A confidence level of {level} is not between 0 and 1")
    order = numbers("ranking", ranking)
    if order.shape != scores.shape:
        raise DataError(f"A ranking of shape {order.shape} does not fit {len(scores)} scores")
    place = np.unique(-order, return_inverse=True)[1].ravel()
    estimate = Estimate(*_weighted(scores, place, _WEIGHTS[metric]), clusters)
    interval = estimate.interval(level)
    return RankingValue(
        metric,
        estimate.value,
        interval.low,
        interval.high,
        estimate.p_value(),
        len(scores),
        estimate,
        _curve(scores, place),
        level,
    )


def _weighted(scores: Floats, place: NDArray[Any], weight: Weight) -> tuple[float, Floats]:
    """The mean of scores times weights, and each row's influence on it.

    A group of tied rows has the mean weight of the stretch from `low` to `high` that it fills. A row moves the
    value by its own score, and by moving the ends of its own stretch and of all later ones.
    """
    n = len(scores)
    share, gain = np.bincount(place) / n, np.bincount(place, scores) / n
    high = np.minimum(np.cumsum(share), 1.0)
    low = np.concatenate([[0.0], high[:-1]])
    mean_weight = (weight.integral(high) - weight.integral(low)) / share
    value = float(gain @ mean_weight)
    effect = gain / share
    at_high, at_low = effect * weight.at(high), np.where(low > 0, effect * weight.at(low), 0.0)
    from_here = np.cumsum(at_high[::-1])[::-1]
    later = np.cumsum(at_low[::-1])[::-1] - at_low
    moved = from_here - later - effect * mean_weight
    influence = scores * mean_weight[place] + moved[place]
    return value, np.asarray(influence - influence.mean(), dtype=np.float64)


def _curve(scores: Floats, place: NDArray[Any], points: int = 1001) -> pl.DataFrame:
    share = np.concatenate([[0.0], np.cumsum(np.bincount(place))]) / len(scores)
    gain = np.concatenate([[0.0], np.cumsum(np.bincount(place, scores))]) / len(scores)
    if len(share) > points:
        grid = np.linspace(0.0, 1.0, points)
        share, gain = grid, np.interp(grid, share, gain)
    return pl.DataFrame({"share": share, "gain": gain})


def _positive(u: Floats) -> Floats:
    return np.where(u > 0, u, 1.0)  # u log u is 0 at 0
