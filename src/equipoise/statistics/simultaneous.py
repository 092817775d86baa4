"""How far do several groups lie apart? Intervals of all differences at once, and of their range.

The range of observed means is above the true range even when there is none, so its own bootstrap interval
misses. Intervals that hold for all pairs together do not: the largest of their upper ends is above the true
range, and the largest of their lower ends is below it, with the level at least. Conservative, and more so the
nearer the true means are to each other.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from equipoise.statistics.interval import CONSTANT, TOO_FEW, Floats, Interval

_STILL = 1e-12  # a standard error below this share of the means is rounding
_BLOCK = 2_000_000  # cells of draws x pairs worked on at once


def range_interval(
    means: Floats,
    draws: Floats,
    users: NDArray[np.int64],
    *,
    level: float = 0.95,
    margins: Floats | None = None,
) -> Interval:
    """Interval of the largest minus the smallest mean.

    Studentised maximum over the pairs (Tukey's simultaneous intervals with bootstrap quantiles; Romano and
    Wolf 2005, "Exact and approximate stepdown methods", section 4): with q the quantile of
    `max |d* − d| / se(d)`, low is the largest `|d| − q·se(d)`, 0 at least, and high the largest
    `|d| + q·se(d)`.

    Args:
        means: (groups,).
        draws: Bootstrap draws of the means, (n_bootstrap, groups).
        users: (groups,); `n` is the smallest.
        level: Confidence level.
        margins: (groups,), half-widths of groups that no resampling moves, as `Means.margins` has them.
    """
    n = int(users.min(initial=np.iinfo(np.int64).max))
    value = float(means.max() - means.min())
    if n < 2:
        return Interval(value, None, None, n, TOO_FEW)
    first, second = np.array(list(combinations(range(len(means)), 2))).T
    gaps = np.abs(means[first] - means[second])
    margin = np.zeros(len(means)) if margins is None else margins
    slack = margin[first] + margin[second]
    # Var(a − b) from the covariance of the draws: no pair's draws are kept
    spread = np.cov(draws, rowvar=False)
    variance = np.diag(spread)[first] + np.diag(spread)[second] - 2 * spread[first, second]
    error = np.sqrt(np.maximum(variance, 0.0))
    moving = error > _STILL * max(1.0, float(np.abs(means).max()))
    if not moving.any() and not slack.any():
        return Interval(value, None, None, n, CONSTANT)
    error[~moving] = 0.0
    reach = slack
    if moving.any():
        first, second, inverse = first[moving], second[moving], 1.0 / error[moving]
        centred = draws - means
        largest = np.empty(len(draws))
        step = max(1, _BLOCK // len(first))
        for start in range(0, len(draws), step):
            part = centred[start : start + step]
            largest[start : start + step] = (np.abs(part[:, first] - part[:, second]) * inverse).max(axis=1)
        reach = slack + float(np.quantile(largest, level)) * error
    return Interval(value, max(0.0, float((gaps - reach).max())), float((gaps + reach).max()), n)


def lowest_interval(
    means: Floats,
    draws: Floats,
    users: NDArray[np.int64],
    *,
    level: float = 0.95,
    margins: Floats | None = None,
) -> Interval:
    """Interval of the smallest of several means, from intervals that hold for all of them together.

    Args:
        means: (groups,).
        draws: As for `range_interval`.
        users: (groups,).
        level: Confidence level.
        margins: As for `range_interval`.
    """
    n, value = int(users.min(initial=np.iinfo(np.int64).max)), float(means.min())
    if n < 2:
        return Interval(value, None, None, n, TOO_FEW)
    error = draws.std(axis=0, ddof=1) if len(draws) > 1 else np.zeros(len(means))
    reach = np.zeros(len(means)) if margins is None else margins
    moving = error > _STILL * max(1.0, float(np.abs(means).max()))
    if not moving.any() and not reach.any():
        return Interval(value, None, None, n, CONSTANT)
    if moving.any():
        largest = (np.abs(draws - means)[:, moving] / error[moving]).max(axis=1)
        reach = reach + float(np.quantile(largest, level)) * np.where(moving, error, 0.0)
    return Interval(value, float((means - reach).min()), float((means + reach).min()), n)
