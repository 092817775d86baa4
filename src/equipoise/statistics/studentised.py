"""Do groups differ in their means? Permutation of a studentised statistic, within strata of the controls.

Shuffling labels and comparing raw differences is wrong when both sizes and variances of the groups differ:
the small group's variance is then taken for the large one's. Dividing by the standard error of each shuffle
puts it right: exact when the groups are alike in everything, and asymptotically right when only their means
are. Sources: Janssen (1997), "Studentized permutation tests for non-i.i.d. hypotheses and the generalized
Behrens-Fisher problem"; Chung and Romano (2013), "Exact and asymptotically robust permutation tests",
section 3 for several groups. With several groups, few users and very unlike spreads it still rejects too
often (10 % at a level of 5 % for four groups of 40 to 320 users whose standard deviations fall from 3 to 0.5,
the smallest being the noisiest).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.errors import DataError
from equipoise.statistics.bootstrap import settings
from equipoise.statistics.cells import in_threads
from equipoise.statistics.interval import Floats, columns

Ints = NDArray[np.int64]

_SLACK = 1e-9  # shuffles that tie with the observed statistic count, whatever the order of addition
_NOTHING = 1e-11  # what rounding leaves of a difference of sums, beside the sums
_DECIMALS = 12
_SHUFFLED_AT_ONCE = 20_000  # users up to whom all shuffles of a block are made in one call
_BLOCK = 4_000_000  # values shuffled with one generator
LIMIT_USERS = 100_000
"""Users above whom sums of large groups are drawn from their limit."""
_LIMIT_STRATUM, _LIMIT_GROUP = 10_000, 2_000


@dataclass(frozen=True)
class GroupsTest:
    """Groups compared with what shuffled labels give.

    Attributes:
        statistic: (columns,), the Wald statistic: t² for two groups.
        p_value: (columns,), (1 + shuffles at least as extreme) / (1 + shuffles).
        means: (groups, columns), observed; had all groups the same mix of strata, where there are strata.
        variance: (groups, columns), of these means.
        null_means: (shuffles, groups, columns), the means under shuffled labels.
    """

    statistic: Floats
    p_value: Floats
    means: Floats
    variance: Floats
    null_means: Floats


def studentised_test(
    values: ArrayLike,
    groups: ArrayLike,
    n_groups: int,
    *,
    strata: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    n_permutations: int = 1000,
    seed: int = 0,
    threads: int | None = None,
) -> GroupsTest:
    """Test whether group means differ.

    The statistic is Wald's, `Σ_g (m_g − m)² / v_g` with `v_g = s_g²/n_g` and `m` the mean weighted by 1/v_g:
    for two groups the square of Welch's t.

    Args:
        values: (users, columns).
        groups: (users,), group of each user from 0, at least two groups and each with users.
        n_groups: Number of groups.
        strata: (users,), stratum of each user from 0; labels are shuffled within strata only.
        weights: (strata,), share of each stratum in the means; every group has users in a stratum of weight
            above 0. Default: shares of the users.
        n_permutations: Number of shuffles.
        seed: Root of all shuffles.
        threads: Threads to shuffle with; None for one per processor. Results do not depend on it.

    Raises:
        DataError: if there are fewer than two groups, or a group lacks users in a stratum that counts.
    """
    settings(0.5, n_permutations)
    matrix = np.round(columns(values), _DECIMALS) + 0.0
    codes = np.asarray(groups)
    stratum = np.zeros(len(matrix), dtype=np.int64) if strata is None else np.asarray(strata)
    n_strata = int(stratum.max(initial=0)) + 1 if weights is None else len(np.asarray(weights))
    sizes = np.bincount(codes * n_strata + stratum, minlength=n_groups * n_strata).reshape(n_groups, n_strata)
    share = np.bincount(stratum, minlength=n_strata) / max(1, len(matrix)) if weights is None else weights
    share = np.asarray(share, dtype=np.float64)
    if n_groups < 2 or (sizes[:, share > 0] == 0).any():
        raise DataError("A group has nobody to be compared with", todo="Compare groups that have users.")
    members = np.bincount(stratum, minlength=n_strata)
    zero = np.zeros(len(matrix), dtype=np.int64)
    centre = group_sums(matrix, stratum, zero, n_strata, 1)[:, 0] / np.maximum(members, 1)[:, None]
    moments, unit = _scaled(matrix - centre[stratum])
    observed = group_sums(moments, codes, stratum, n_groups, n_strata)
    null = shuffled_sums(moments, codes, stratum, n_groups, n_strata, n_permutations, seed, threads)
    means, variance = _moments(observed[None], sizes, share)
    null_means, null_variance = _moments(null, sizes, share)
    statistic = wald(means, variance)[0]
    beyond = wald(null_means, null_variance) >= statistic * (1 - _SLACK) - 1e-300
    offset = (share @ centre)[None]
    p_value = (1.0 + beyond.sum(axis=0)) / (1.0 + n_permutations)
    return GroupsTest(
        statistic, p_value, means[0] * unit + offset, variance[0] * unit**2, null_means * unit + offset
    )


def slice_tests(
    values: ArrayLike,
    groups: ArrayLike,
    n_groups: int,
    *,
    n_permutations: int = 1000,
    seed: int = 0,
    threads: int | None = None,
) -> Floats:
    """Test each group against everybody else, by the same statistic and the same shuffles for all.

    Args:
        values: (users, columns).
        groups: (users,), group of each user from 0; `n_groups` for users of no group.
        n_groups: Number of groups; each has users, and so has its rest.
        n_permutations: Number of shuffles.
        seed: Root of all shuffles.
        threads: As in `studentised_test`.

    Returns:
        p-values, (groups, columns).
    """
    matrix = np.round(columns(values), _DECIMALS) + 0.0
    codes = np.asarray(groups)
    moments, _ = _scaled(matrix - matrix.mean(axis=0))
    none = np.zeros(len(matrix), dtype=np.int64)
    sizes = np.bincount(codes, minlength=n_groups + 1)
    observed = group_sums(moments, codes, none, n_groups + 1, 1)[None]
    null = shuffled_sums(moments, codes, none, n_groups + 1, 1, n_permutations, seed, threads)
    whole = moments.sum(axis=0)
    p_values = np.empty((n_groups, matrix.shape[1]))
    for group in range(n_groups):
        pair = np.array([[sizes[group]], [len(matrix) - sizes[group]]])
        found = [
            wald(*_moments(np.stack([sums[:, group], whole - sums[:, group]], axis=1), pair, np.ones(1)))
            for sums in (observed, null)
        ]
        beyond = found[1] >= found[0] * (1 - _SLACK) - 1e-300
        p_values[group] = (1.0 + beyond.sum(axis=0)) / (1.0 + n_permutations)
    return p_values


def wald(means: Floats, variance: Floats) -> Floats:
    """Wald statistic of equal means: (..., groups, columns) of means and their variances to (..., columns).

    Without any variance, 0 where the means agree and infinite where they do not. Values are of the order
    of 1.
    """
    noise = variance.sum(axis=-2)
    apart = np.where(np.ptp(means, axis=-2) > _NOTHING, np.inf, 0.0)
    if means.shape[-2] == 2:
        gap = means[..., 0, :] - means[..., 1, :]
        return np.asarray(np.where(noise > 0, gap**2 / np.where(noise > 0, noise, 1.0), apart))
    # A group whose members are all alike has no spread to weigh by; it weighs much, not without end.
    floor = 1e-9 * variance.mean(axis=-2, keepdims=True)
    weight = 1.0 / np.where(noise[..., None, :] > 0, np.maximum(variance, floor), 1.0)
    centre = (weight * means).sum(axis=-2, keepdims=True) / weight.sum(axis=-2, keepdims=True)
    return np.asarray(np.where(noise > 0, (weight * (means - centre) ** 2).sum(axis=-2), apart))


def _scaled(centred: Floats) -> tuple[Floats, Floats]:
    """Columns of the order of 1 and their squares side by side, (users, 2 · columns), and the units taken out.

    Units are powers of two, so that nothing is rounded.
    """
    largest = np.abs(centred).max(axis=0, initial=0.0)
    unit = np.exp2(np.ceil(np.log2(np.where(largest > 0, largest, 1.0))))
    scaled = centred / unit
    return np.hstack([scaled, scaled**2]), unit


def group_sums(values: Floats, groups: Ints, strata: Ints, n_groups: int, n_strata: int) -> Floats:
    """Sums of the values (users, columns) in each group and stratum, (groups, strata, columns)."""
    cell = groups * n_strata + strata
    size = n_groups * n_strata
    sums = [np.bincount(cell, column, minlength=size) for column in values.T]
    return np.stack(sums, axis=-1).reshape(n_groups, n_strata, -1).astype(np.float64)


def shuffled_sums(
    values: Floats,
    groups: Ints,
    strata: Ints,
    n_groups: int,
    n_strata: int,
    n_permutations: int,
    seed: int = 0,
    threads: int | None = None,
) -> Floats:
    """The same under shuffled labels, (n_permutations, groups, strata, columns).

    Users are put in the order of the first half of the columns, of which the other half are squares.

    With more than 100,000 users, sums of groups of 2,000 users or more in strata of 10,000 or more are drawn
    from the normal distribution with the exact mean and covariance of shuffling (the combinatorial central
    limit theorem, Hoeffding 1951, "A combinatorial central limit theorem"); smaller groups are really drawn.
    """
    order = np.lexsort([*values.T[: values.shape[1] // 2], strata])  # squares follow
    values, stratum = values[order], strata[order]
    sizes = np.bincount(groups * n_strata + strata, minlength=n_groups * n_strata).reshape(n_groups, n_strata)
    null = np.zeros((n_permutations, n_groups, n_strata, values.shape[1]))
    bounds = np.searchsorted(stratum, np.arange(n_strata + 1))
    jobs: list[Callable[[], None]] = []
    for s in range(n_strata):
        rows, size = values[bounds[s] : bounds[s + 1]], sizes[:, s]
        if not len(rows):
            continue
        by_size = np.argsort(size, kind="stable")
        limit = len(values) > LIMIT_USERS and len(rows) > _LIMIT_STRATUM
        root = _root(rows) if limit else None
        step = n_permutations if limit else max(1, _BLOCK // rows.size)
        for start in range(0, n_permutations, step):
            part = null[start : start + step, :, s]
            jobs.append(
                _shuffling(rows, size, by_size, part, np.random.SeedSequence([seed, 1, s, start]), root)
            )
    in_threads(jobs, threads)
    return null


def _shuffling(
    rows: Floats,
    size: Ints,
    by_size: Ints,
    part: Floats,
    seed: np.random.SeedSequence,
    root: Floats | None,
) -> Callable[[], None]:
    """Fill `part` (shuffles, groups, columns) with the sums of one stratum; `root` where large groups are
    drawn from their limit.
    """

    def shuffle() -> None:
        rng = np.random.Generator(np.random.SFC64(seed))
        last = by_size[-1]
        drawn = [g for g in by_size[:-1] if size[g] and (root is None or size[g] < _LIMIT_GROUP)]
        bounds = np.concatenate([[0], np.cumsum(size[drawn])]).astype(np.int64)
        if drawn:
            part[:, drawn] = _drawn_sums(rows, bounds, len(part), rng)
        rest = [g for g in by_size if size[g] and g not in drawn]
        left = rows.sum(axis=0) - part[:, drawn].sum(axis=1)
        if len(rest) == 1 or root is None:
            part[:, last] = left
        else:
            part[:, rest] = _limit_sums(root, size[rest], left, rng)

    return shuffle


def _drawn_sums(rows: Floats, bounds: Ints, n_permutations: int, rng: np.random.Generator) -> Floats:
    """Sums of groups of users drawn without replacement."""
    n, chosen = len(rows), int(bounds[-1])
    if n <= _SHUFFLED_AT_ONCE:
        picks = np.broadcast_to(np.arange(n, dtype=np.int32), (n_permutations, n))
        return np.asarray(np.add.reduceat(rows[rng.permuted(picks, axis=1)[:, :chosen]], bounds[:-1], axis=1))
    sums = np.empty((n_permutations, len(bounds) - 1, rows.shape[1]))
    for shuffle in sums:
        np.add.reduceat(rows[rng.choice(n, chosen, replace=False)], bounds[:-1], axis=0, out=shuffle)
    return sums


def _root(rows: Floats) -> Floats:
    """A square root of the covariance of the rows' columns."""
    spread, turn = np.linalg.eigh(np.cov(rows, rowvar=False).reshape(rows.shape[1], -1))
    return np.asarray(turn * np.sqrt(np.maximum(spread, 0.0)))


def _limit_sums(root: Floats, size: Ints, left: Floats, rng: np.random.Generator) -> Floats:
    """Sums of large groups that share `left` (shuffles, columns): (shuffles, groups, columns)."""
    noise = rng.standard_normal((len(left), len(size), len(root))) @ root.T
    noise *= np.sqrt(size)[:, None]
    share = (size / size.sum())[:, None]
    return np.asarray(share * left[:, None] + noise - share * noise.sum(axis=1, keepdims=True))


def _moments(sums: Floats, sizes: Ints, share: Floats) -> tuple[Floats, Floats]:
    """Means of groups over the mix of strata and their variances, from sums and sums of squares."""
    n = sizes[..., None].astype(np.float64)
    half = sums.shape[-1] // 2
    there = np.maximum(n, 1)
    mean = sums[..., :half] / there
    square = sums[..., half:] / there
    spread = square - mean**2
    variance = np.where(spread > _NOTHING * square, spread, 0.0) / np.maximum(n - 1, 1)
    return (
        np.einsum("s,...gsc->...gc", share, mean),
        np.einsum("s,...gsc->...gc", share**2, variance),
    )
