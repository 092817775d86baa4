"""Bootstrap over users: intervals of means, of ratios of sums, and of differences between groups.

Users are the unit. What a user contributes is reduced to one row of numbers first, so that resampling users
is resampling rows, and all metrics are resampled together. Draws are made over the distinct rows in sorted
order with their multiplicities, which is exact, does not depend on the order of the rows, and is fast where
values repeat.

Intervals are bias-corrected and accelerated (BCa): per-user ranking metrics are skewed (many zeros), where
percentile intervals miss too often on one side; BCa is second-order correct, keeps within the range of the
data, and its acceleration is known in closed form for means and ratios. Source: Efron (1987), "Better
bootstrap confidence intervals".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from equipoise.errors import ConfigError, DataError
from equipoise.statistics.interval import CONSTANT, TOO_FEW, Floats, Interval, check, columns

Seed = int | Sequence[int] | np.random.Generator

_BLOCK = 4_000_000  # cells of one block of draws: 32 MB


def bootstrap_means(
    values: ArrayLike,
    *,
    level: float = 0.95,
    n_bootstrap: int = 1000,
    seed: Seed = 0,
    present: ArrayLike | None = None,
) -> list[Interval]:
    """Intervals of the means over users.

    Args:
        values: (users,) or (users, metrics).
        level: Confidence level in (0, 1).
        n_bootstrap: Number of draws.
        seed: Seed or generator; the same seed gives the same intervals in any order of users.
        present: Booleans of the same shape: False where a user has no value, which is then not looked at.

    Returns:
        One interval per metric; `n` counts users with a value.

    Raises:
        DataError: if a value that is present is NaN or infinite.
    """
    if present is None:
        matrix = columns(values)
        return bootstrap_ratio(matrix, np.ones(len(matrix)), level=level, n_bootstrap=n_bootstrap, seed=seed)
    mask = np.asarray(present, dtype=bool)
    matrix = columns(np.where(mask, np.asarray(values, dtype=np.float64), 0.0))
    return bootstrap_ratio(
        matrix, mask.reshape(matrix.shape), level=level, n_bootstrap=n_bootstrap, seed=seed
    )


def bootstrap_ratio(
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    level: float = 0.95,
    n_bootstrap: int = 1000,
    seed: Seed = 0,
) -> list[Interval]:
    """Intervals of ratios of sums over users, `Σ numerator / Σ denominator`, as of errors over pairs.

    Args:
        numerators: (users,) or (users, metrics).
        denominators: (users,) for all metrics, or (users, metrics); not below 0. A user with denominator 0
            does not count in `n`.
        level: Confidence level in (0, 1).
        n_bootstrap: Number of draws.
        seed: Seed or generator.

    Returns:
        One interval per metric.

    Raises:
        DataError: if a number is not finite, a denominator is negative, or shapes differ.
    """
    settings(level, n_bootstrap)
    top = columns(numerators, "numerators")
    bottom = columns(denominators, "denominators")
    if len(top) != len(bottom) or bottom.shape[1] not in (1, top.shape[1]):
        raise DataError(f"Numerators of shape {top.shape} do not fit denominators of shape {bottom.shape}")
    if (bottom < 0).any():
        raise DataError("A denominator is negative", where=f"{int((bottom < 0).sum())} rows")
    rows = in_order(np.hstack([top, bottom]))
    top, bottom = rows[:, : top.shape[1]], rows[:, top.shape[1] :]
    counts = np.broadcast_to((bottom > 0).sum(axis=0), top.shape[1])
    if not len(top) or not (counts > 1).any():
        sums = np.broadcast_to(bottom.sum(axis=0), top.shape[1])
        values = [
            float(up / down) if down > 0 else None for up, down in zip(top.sum(axis=0), sums, strict=True)
        ]
        return [Interval(value, None, None, int(n), TOO_FEW) for value, n in zip(values, counts, strict=True)]
    whole, single = bottom.sum(axis=0), bottom.shape[1] == 1
    draws = resampled_sums(rows, n_bootstrap, seed)
    above, below = draws[:, : top.shape[1]], draws[:, top.shape[1] :]
    with np.errstate(invalid="ignore", divide="ignore"):
        estimate = top.sum(axis=0) / whole
        ratios = above / below
    intervals = []
    for j, n in enumerate(counts):
        column = bottom[:, 0 if single else j]
        if n < 2:
            value = None if n == 0 else float(estimate[j])
            intervals.append(Interval(value, None, None, int(n), TOO_FEW))
            continue
        influence = top[:, j] - estimate[j] * column
        kept = ratios[:, j][np.isfinite(ratios[:, j])]  # a draw in which nobody has a value says nothing
        linear = bool((column == column[0]).all())
        intervals.append(bca(float(estimate[j]), kept, influence, int(n), level, linear=linear))
    return intervals


def bootstrap_difference(
    first: ArrayLike, second: ArrayLike, *, level: float = 0.95, n_bootstrap: int = 1000, seed: Seed = 0
) -> list[Interval]:
    """Intervals of mean(first) − mean(second) for two groups of different users, each group resampled apart.

    Args:
        first: (users of the first group, metrics) or a vector.
        second: (users of the second group, metrics) or a vector.
        level: Confidence level in (0, 1).
        n_bootstrap: Number of draws.
        seed: Seed or generator.

    Returns:
        One interval per metric; `n` is the number of users in the smaller group.
    """
    settings(level, n_bootstrap)
    one, two = columns(first, "values of the first group"), columns(second, "values of the second group")
    if one.shape[1] != two.shape[1]:
        raise DataError(f"The groups have {one.shape[1]} and {two.shape[1]} metrics")
    one, two = in_order(one), in_order(two)
    n = min(len(one), len(two))
    if n < 2:
        gaps = one.mean(axis=0) - two.mean(axis=0) if n else [None] * one.shape[1]
        return [Interval(None if gap is None else float(gap), None, None, n, TOO_FEW) for gap in gaps]
    rng = np.random.default_rng(seed)
    estimate = one.mean(axis=0) - two.mean(axis=0)
    draws = resampled_sums(one, n_bootstrap, rng) / len(one) - resampled_sums(two, n_bootstrap, rng) / len(
        two
    )
    influence = np.vstack([(one - one.mean(axis=0)) / len(one), (two.mean(axis=0) - two) / len(two)])
    return [
        bca(float(estimate[j]), draws[:, j], influence[:, j], n, level, linear=True)
        for j in range(one.shape[1])
    ]


def resampled_sums(rows: ArrayLike, n_bootstrap: int, seed: Seed = 0) -> Floats:
    """Column sums of rows drawn with replacement, as many as there are.

    The socket for any statistic of sums (ratios, ranges over groups): all columns come from the same draws.

    Args:
        rows: (users, columns).
        n_bootstrap: Number of draws.
        seed: Seed or generator.

    Returns:
        float64 of shape (n_bootstrap, columns).
    """
    rng = np.random.default_rng(seed)
    distinct, counts = multiplicities(np.asarray(rows, dtype=np.float64))
    n, size = int(counts.sum()), len(distinct)
    sums = np.empty((n_bootstrap, distinct.shape[1]))
    few = size * 4 < n  # a binomial per distinct row costs about four plain draws
    owner = np.repeat(np.arange(size), counts)
    step = max(1, _BLOCK // (size if few else n))
    for start in range(0, n_bootstrap, step):
        height = min(step, n_bootstrap - start)
        if few:
            weights = rng.multinomial(n, counts / n, size=height)
        else:
            drawn = rng.integers(0, n, size=(height, n))
            drawn = (drawn if size == n else owner[drawn]) + np.arange(height)[:, None] * size
            weights = np.bincount(drawn.ravel(), minlength=height * size).reshape(height, size)
        sums[start : start + height] = weights.astype(np.float64) @ distinct
    return sums


def in_order(rows: Floats) -> Floats:
    """Rows sorted by all columns, so that sums come out the same to the last bit in any order of users."""
    rows = rows + 0.0  # minus zero is zero
    return rows[np.lexsort(rows.T[::-1])] if rows.shape[1] else rows


def multiplicities(rows: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """The distinct rows in sorted order, and how often each occurs."""
    ordered = in_order(rows)
    new = np.ones(len(ordered), dtype=bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    first = np.flatnonzero(new)
    return ordered[first], np.diff(np.append(first, len(ordered)))


def bca(
    estimate: float, draws: Floats, influence: Floats, n: int, level: float = 0.95, *, linear: bool = False
) -> Interval:
    """Bias-corrected and accelerated interval of one number.

    Args:
        estimate: The point estimate.
        draws: Bootstrap replicates, (n_bootstrap,).
        influence: Influence of each user on the estimate, up to a factor; its skewness is the acceleration.
        n: Number of users, carried along.
        level: Confidence level in (0, 1).
        linear: Whether the statistic is linear in the users (a mean, a difference of means). Then the bias
            correction equals the acceleration (Efron 1987, section 4) and needs no noisy count of the draws
            below the estimate.
    """
    centred = influence - influence.mean()
    spread = float((centred**2).sum())
    acceleration = float((centred**3).sum() / (6 * spread**1.5)) if spread > 0 else 0.0
    return bca_interval(estimate, draws, acceleration, n, level=level, linear=linear)


def bca_interval(
    estimate: float, draws: Floats, acceleration: float, n: int, *, level: float = 0.95, linear: bool = False
) -> Interval:
    """The same with the acceleration itself: a sixth of the skewness of the influence values, over √n."""
    check("bootstrap draws", draws)
    scale = float(np.abs(draws - estimate).max(initial=0.0))
    if scale <= 1e-12 * max(1.0, abs(estimate)):
        return Interval(estimate, None, None, n, CONSTANT)
    bias = acceleration if linear else _bias(estimate, draws, 1e-12 * scale)
    ends = bias + ndtri(np.array([0.5 - level / 2, 0.5 + level / 2]))
    shrink = 1 - acceleration * ends
    shares = np.where(shrink > 0, ndtr(bias + ends / np.where(shrink > 0, shrink, 1.0)), ends > 0)
    low, high = np.quantile(draws, shares)
    return Interval(estimate, float(low), float(high), n)


def _bias(estimate: float, draws: Floats, slack: float) -> float:
    """Median bias of the draws, in normal units; ties with the estimate count half."""
    tied = np.abs(draws - estimate) <= slack
    below = float(np.mean((draws < estimate) & ~tied) + np.mean(tied) / 2)
    edge = 0.5 / len(draws)
    return float(ndtri(min(max(below, edge), 1 - edge)))


def settings(level: float, draws: int) -> None:
    """Refuse a level outside (0, 1) and fewer than one draw."""
    if not 0 < level < 1:
        raise ConfigError(
            f"The confidence level is {level}", todo="Give a number between 0 and 1, as in 0.95."
        )
    if draws < 1:
        raise ConfigError(f"{draws} draws make no interval", todo="Give at least 1, better 1000.")
