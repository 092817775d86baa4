"""Permutation tests: paired differences between two systems, and differences between groups of users."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.errors import DataError
from equipoise.statistics.bootstrap import Seed, bootstrap_means, multiplicities, settings
from equipoise.statistics.interval import Floats, Interval, columns

_BLOCK = 4_000_000  # cells of one block of permutations
_SLACK = 1e-12  # permutations that tie with the observed value count, whatever the order of addition


@dataclass(frozen=True)
class PairedDifference:
    """Two systems on the same users: how much better the first is, with interval and p-value.

    Attributes:
        interval: Mean difference with its bootstrap interval over users.
        p_value: Two-sided sign-flip p; None with fewer than two users.
    """

    interval: Interval
    p_value: float | None

    def as_dict(self) -> dict[str, float | None]:
        """`difference`, `low`, `high`, `p_value` as JSON values."""
        ends = self.interval
        return {"difference": ends.value, "low": ends.low, "high": ends.high, "p_value": self.p_value}


def paired_difference(
    after: ArrayLike,
    before: ArrayLike,
    *,
    level: float = 0.95,
    n_bootstrap: int = 1000,
    n_permutations: int = 1000,
    seed: Seed = 0,
) -> list[PairedDifference]:
    """Mean of `after − before` on the same users, with bootstrap interval and sign-flip p-value.

    Under the null hypothesis each user's difference is as likely with the other sign, so signs are flipped at
    random, one sign per user for all metrics together; `p = (1 + draws at least as extreme) / (1 + draws)`.

    Args:
        after: (users, metrics) or a vector.
        before: The same users in the same order.
        level: Confidence level in (0, 1).
        n_bootstrap: Draws for the interval.
        n_permutations: Draws for the p-value.
        seed: Seed or generator.

    Returns:
        One difference per metric.
    """
    settings(level, n_permutations)
    one, two = columns(after), columns(before)
    if one.shape != two.shape:
        raise DataError(
            f"Values of shape {one.shape} and {two.shape} are not of the same users and metrics",
            todo="Keep the users that both systems have, in the same order.",
        )
    gaps = np.round(one - two, 12)
    rng = np.random.default_rng(seed)
    intervals = bootstrap_means(gaps, level=level, n_bootstrap=n_bootstrap, seed=rng)
    if len(gaps) < 2:
        return [PairedDifference(interval, None) for interval in intervals]
    extreme = sign_flips(gaps, n_permutations, rng)
    observed = np.abs(gaps.sum(axis=0))
    p_values = _share_beyond(np.abs(extreme), observed, np.abs(gaps).sum(axis=0))
    return [PairedDifference(interval, float(p)) for interval, p in zip(intervals, p_values, strict=True)]


def sign_flips(gaps: Floats, n_permutations: int, seed: Seed = 0) -> Floats:
    """Column sums of `gaps` (users, metrics) under random signs, one per user; (n_permutations, metrics)."""
    rng = np.random.default_rng(seed)
    moved = gaps[(gaps != 0).any(axis=1)]  # a user without any difference has no sign to flip
    first = moved[np.arange(len(moved)), (moved != 0).argmax(axis=1)] if len(moved) else np.zeros(0)
    distinct, counts = multiplicities(moved * np.sign(first)[:, None])  # a row and its mirror image are alike
    sums = np.zeros((n_permutations, gaps.shape[1]))
    step = max(1, _BLOCK // max(1, len(distinct)))
    for start in range(0, n_permutations if len(distinct) else 0, step):
        height = min(step, n_permutations - start)
        if (counts == 1).all():
            signs = 2.0 * rng.integers(0, 2, size=(height, len(distinct)), dtype=np.int8) - 1.0
        else:
            signs = 2.0 * rng.binomial(counts, 0.5, size=(height, len(distinct))) - counts
        sums[start : start + height] = signs @ distinct
    return sums


@dataclass(frozen=True)
class PermutationTest:
    """A statistic of groups against its distribution under shuffled group labels.

    Attributes:
        observed: The statistic of the data.
        p_value: (1 + permutations at least as extreme) / (1 + permutations).
        null_mean: Mean of the statistic under the null: above 0 for a range even with no difference at all.
        null_high: Its 95th percentile under the null, of the absolute value.
    """

    observed: float
    p_value: float
    null_mean: float
    null_high: float

    @property
    def excess(self) -> float:
        """Observed minus null mean: a range corrected for its upward bias."""
        return self.observed - self.null_mean


def difference(means: Floats) -> Floats:
    """First group's mean minus the second's; means of shape (..., 2, metrics)."""
    return np.asarray(means[..., 0, :] - means[..., 1, :])


def spread(means: Floats) -> Floats:
    """Largest minus smallest group mean; means of shape (..., groups, metrics)."""
    return np.asarray(means.max(axis=-2) - means.min(axis=-2))


def permutation_test(
    values: ArrayLike,
    groups: ArrayLike,
    *,
    statistic: Callable[[Floats], Floats] | None = None,
    strata: ArrayLike | None = None,
    n_permutations: int = 1000,
    seed: Seed = 0,
) -> list[PermutationTest]:
    """Test whether group labels matter, by shuffling them over users.

    Args:
        values: (users, metrics) or a vector.
        groups: One label per user, at least two distinct ones; they are taken in sorted order.
        statistic: Group means of shape (..., groups, metrics) to (..., metrics). Default: `difference` for
            two groups, `spread` for more. Larger absolute values are more extreme.
        strata: One label per user: labels are shuffled within strata only (controls such as activity).
        n_permutations: Number of shuffles.
        seed: Seed or generator; the same seed gives the same result in any order of users.

    Returns:
        One test per metric.

    Raises:
        DataError: if there are fewer than two groups, lengths differ, or a value is not finite.
    """
    settings(0.5, n_permutations)
    matrix = columns(values)
    labels, codes = np.unique(np.asarray(groups), return_inverse=True)
    strata_codes = _codes(strata, len(matrix))
    if len(codes) != len(matrix):
        raise DataError(f"{len(codes)} group labels do not fit {len(matrix)} users")
    if len(labels) < 2:
        raise DataError(
            f"{len(labels)} group has nobody to be compared with", todo="Give at least two groups."
        )
    measure = statistic or (difference if len(labels) == 2 else spread)
    order = np.lexsort([codes, *matrix.T[::-1], strata_codes])
    matrix, codes, strata_codes = matrix[order], codes[order], strata_codes[order]
    observed = measure(_means(codes[None, :], matrix, len(labels))[0])
    null = _shuffled(
        matrix, codes, strata_codes, len(labels), measure, n_permutations, np.random.default_rng(seed)
    )
    p_values = _share_beyond(np.abs(null), np.abs(observed), np.abs(matrix).max(axis=0))
    return [
        PermutationTest(
            float(observed[j]),
            float(p_values[j]),
            float(null[:, j].mean()),
            float(np.quantile(np.abs(null[:, j]), 0.95)),
        )
        for j in range(matrix.shape[1])
    ]


def _codes(strata: ArrayLike | None, n: int) -> NDArray[Any]:
    if strata is None:
        return np.zeros(n, dtype=np.int64)
    codes = np.unique(np.asarray(strata), return_inverse=True)[1].ravel()
    if len(codes) != n:
        raise DataError(f"{len(codes)} stratum labels do not fit {n} users")
    return codes


def _shuffled(
    values: Floats,
    codes: NDArray[Any],
    strata: NDArray[Any],
    n_groups: int,
    measure: Callable[[Floats], Floats],
    n_permutations: int,
    rng: np.random.Generator,
) -> Floats:
    """The statistic under shuffled labels; users stand sorted by stratum."""
    bounds = np.flatnonzero(np.diff(strata, prepend=-1, append=-1))
    null = np.empty((n_permutations, values.shape[1]))
    step = max(1, _BLOCK // len(values))
    for start in range(0, n_permutations, step):
        height = min(step, n_permutations - start)
        shuffled = np.tile(codes.astype(np.int16), (height, 1))
        for left, right in pairwise(bounds):
            if right - left > 1:
                shuffled[:, left:right] = rng.permuted(shuffled[:, left:right], axis=1)
        null[start : start + height] = measure(_means(shuffled, values, n_groups))
    return null


def _means(codes: NDArray[Any], values: Floats, n_groups: int) -> Floats:
    """Group means for several labellings: (labellings, users) to (labellings, groups, metrics)."""
    members = [(codes == group).astype(np.float64) for group in range(n_groups)]
    return np.stack([member @ values / member.sum(axis=1, keepdims=True) for member in members], axis=1)


def _share_beyond(null: Floats, observed: Floats, scale: Floats) -> Floats:
    beyond = (null >= observed - _SLACK * np.maximum(scale, 1e-300)).sum(axis=0)
    return np.asarray((1.0 + beyond) / (1.0 + len(null)))
