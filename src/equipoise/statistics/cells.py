"""Groups of users resampled together: power sums of cells, and bootstrap draws of their sums.

A cell is a set of users that no group divides, such as the women of 25 to 34. Every user gets an independent
Poisson(1) number of copies in each draw (Hanley and MacGibbon 2006, "Creating non-parametric bootstrap
samples using Poisson frequencies"), so that cells are drawn apart and the draws of any union of cells are the
sums of theirs: one pass over the users serves all groups, all intersections and everybody together. Given its
size, the resample of a group is an ordinary one of that many users; that the size varies widens intervals by
about 1/n, which makes up for the (n − 1)/n by which the ordinary bootstrap is too narrow.

Draws of one cell come from a generator of their own, block by block, so that results depend neither on the
number of threads nor on the order of the users.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from equipoise.errors import DataError
from equipoise.statistics.bootstrap import Seed, bca_interval, multiplicities, settings
from equipoise.statistics.interval import TOO_FEW, Floats, Interval, columns

_BOUNDS = (93, 187, 236, 249, 254)
"""A byte above the j-th bound is drawn more than j times: 94, 94, 49, 13, 5 and 1 of 256 bytes stand for 0 to
5 copies, which is Poisson(1) to eight bits, with its mean and variance and, within 1 %, its skewness."""
_CACHE = 262_144  # copies drawn at once: what the processor's cache holds
_BLOCK = 4_000_000  # copies drawn with one generator
_PLAIN = 12  # a Poisson number for a distinct row costs about as much as this many bytes
_ALIKE = 1e-9  # a standard deviation below this share of the range is rounding
_DECIMALS = 12  # rows that differ by less are one, whatever the engine that made them


@dataclass(frozen=True)
class Means:
    """Means of groups of different users, with bootstrap draws.

    Attributes:
        users: (groups,).
        value: (groups, columns).
        draws: (n_bootstrap, groups, columns).
        second: (groups, columns), sum of squared influences on the value: its squared standard error.
        third: (groups, columns), sum of cubed influences.
        least: (columns,), smallest value of any user, in a group or not.
        most: (columns,), largest value of any user.
        level: Confidence level of the intervals made of it.
    """

    users: NDArray[np.int64]
    value: Floats
    draws: Floats
    second: Floats
    third: Floats
    least: Floats
    most: Floats
    level: float = 0.95

    def only(self, groups: ArrayLike) -> Means:
        """The same of some groups."""
        at = np.asarray(groups)
        return replace(
            self,
            users=self.users[at],
            value=self.value[at],
            draws=self.draws[:, at],
            second=self.second[at],
            third=self.third[at],
        )

    def column(self, j: int) -> Means:
        """The same of one column."""
        return replace(
            self,
            value=self.value[:, [j]],
            draws=self.draws[:, :, [j]],
            second=self.second[:, [j]],
            third=self.third[:, [j]],
            least=self.least[[j]],
            most=self.most[[j]],
        )

    @property
    def margins(self) -> Floats:
        """Half-widths of the means of groups whose members are all alike, (groups, columns); 0 elsewhere.

        Resampling such a group gives the same mean each time, which is no certainty: had a share p of its
        people another value, all n would still be alike with probability (1 − p)^n. So the half-width is
        `R · (1 − (α/k)^(1/n))` with R the range of the values of all users, α the error that is allowed and
        k the number of groups that share it, two at least: the "rule of three" for a bounded variable
        (Hanley and Lippman-Hand 1983, "If nothing goes wrong, is everything all right?"). Where nobody
        differs at all it is 0.
        """
        share = (1 - self.level) / max(2, len(self.users))
        width = -np.expm1(np.log(share) / np.maximum(self.users, 1))[:, None]
        spread = self.most - self.least
        alike = np.sqrt(self.second * self.users[:, None]) <= _ALIKE * spread
        return np.asarray(np.where(alike & (self.users[:, None] > 1), width * spread, 0.0))

    def moving_level(self, j: int) -> float:
        """Level of an interval of the groups of a column that do vary: they have what `margins` leave of the
        error.
        """
        shares = max(2, len(self.users))
        return 1 - (1 - self.level) * (1 - float((self.margins[:, j] > 0).sum()) / shares)

    def contrast(self, weights: ArrayLike) -> list[Interval]:
        """BCa intervals of `Σ weight · mean`, one per column; `n` counts the smallest group concerned.

        Groups whose members are all alike add their `margins`, as far as the range of the values goes.

        Args:
            weights: (groups,), such as (1, −1) for a difference and (1, 0) for the first group's mean.
        """
        a = np.asarray(weights, dtype=np.float64)
        own, a = self.only(np.flatnonzero(a)), a[a != 0]
        n = int(own.users.min(initial=np.iinfo(np.int64).max))
        value = a @ own.value
        if n < 2:
            return [Interval(float(each) if n else None, None, None, n, TOO_FEW) for each in value]
        draws = np.einsum("g,bgc->bc", a, own.draws)
        second, third = a**2 @ own.second, a**3 @ own.third
        acceleration = third / np.where(second > 0, 6 * second**1.5, 1.0)
        up, down = (np.minimum(own.margins, np.abs(end - own.value)) for end in (own.most, own.least))
        above = np.maximum(a, 0) @ up + np.maximum(-a, 0) @ down
        below = np.maximum(a, 0) @ down + np.maximum(-a, 0) @ up
        found = []
        for j, estimate in enumerate(value.tolist()):
            interval = bca_interval(
                estimate, draws[:, j], float(acceleration[j]), n, level=own.moving_level(j), linear=True
            )
            if (own.margins[:, j] > 0).any():
                low = estimate if interval.low is None else interval.low
                high = estimate if interval.high is None else interval.high
                interval = Interval(estimate, low - float(below[j]), high + float(above[j]), n)
            found.append(interval)
        return found


@dataclass(frozen=True)
class Cells:
    """Users in cells: how many, their power sums, and bootstrap draws of their numbers and sums.

    Attributes:
        users: (cells,).
        mean: (cells, columns); 0 where a cell is empty.
        second: (cells, columns), sum of squared deviations from the mean.
        third: (cells, columns), sum of cubed deviations.
        drawn: (n_bootstrap, cells), users drawn.
        sums: (n_bootstrap, cells, columns), their sums.
        least: (columns,), smallest value of any user.
        most: (columns,), largest value of any user.
        level: Confidence level of the intervals made of it.
    """

    users: NDArray[np.int64]
    mean: Floats
    second: Floats
    third: Floats
    drawn: Floats
    sums: Floats
    least: Floats
    most: Floats
    level: float = 0.95

    def merged(self, codes: ArrayLike, n_groups: int) -> Cells:
        """Cells put together to groups.

        Args:
            codes: (cells,), the group of each cell from 0; −1 for cells that are left out.
            n_groups: Number of groups.
        """
        at = np.asarray(codes)
        member = (at[None, :] == np.arange(n_groups)[:, None]).astype(np.float64)
        users = member @ self.users
        mean = (member @ (self.users[:, None] * self.mean)) / np.maximum(users, 1)[:, None]
        off = np.where(at[:, None] >= 0, self.mean - mean[at], 0.0)
        n = self.users[:, None]
        return Cells(
            users.astype(np.int64),
            mean,
            member @ (self.second + n * off**2),
            member @ (self.third + 3 * off * self.second + n * off**3),
            self.drawn @ member.T,
            np.einsum("gc,bcm->bgm", member, self.sums, optimize=True),
            self.least,
            self.most,
            self.level,
        )

    def means(self) -> Means:
        """Means of the cells; a draw without anybody of a cell keeps the cell's own mean."""
        n = np.maximum(self.users, 1)[:, None].astype(np.float64)
        drawn = self.drawn[:, :, None]
        draws = np.where(drawn > 0, self.sums / np.maximum(drawn, 1), self.mean)
        second, third = self.second / n**2, self.third / n**3
        return Means(self.users, self.mean, draws, second, third, self.least, self.most, self.level)

    def standardised(self, n_groups: int, weights: ArrayLike) -> Means:
        """Means of groups had all the same mix of strata: `Σ_s w_s · mean of group g in stratum s`.

        Direct standardisation. The mix is taken as given: draws are made within each group and stratum.

        Args:
            n_groups: Cells stand group by group, each with all its strata.
            weights: (strata,), not negative, with sum 1; every group has users where a weight is above 0.
        """
        w = np.asarray(weights, dtype=np.float64)
        cells = self.means()
        shape = (n_groups, len(w))
        users = np.where(w > 0, self.users.reshape(shape), 0).sum(axis=1)
        draws = cells.draws.reshape(len(cells.draws), *shape, -1)
        return Means(
            users,
            np.einsum("s,gsc->gc", w, cells.value.reshape(*shape, -1)),
            np.einsum("s,bgsc->bgc", w, draws, optimize=True),
            np.einsum("s,gsc->gc", w**2, cells.second.reshape(*shape, -1)),
            np.einsum("s,gsc->gc", w**3, cells.third.reshape(*shape, -1)),
            self.least,
            self.most,
            self.level,
        )


def resampled_cells(
    values: ArrayLike,
    codes: ArrayLike,
    n_cells: int,
    *,
    level: float = 0.95,
    n_bootstrap: int = 1000,
    seed: int = 0,
    threads: int | None = None,
) -> Cells:
    """Draw users with replacement, cell by cell.

    Args:
        values: (users, columns).
        codes: (users,), the cell of each user from 0.
        n_cells: Number of cells; some may be empty.
        level: Confidence level of the intervals to be made.
        n_bootstrap: Number of draws.
        seed: Root of all draws.
        threads: Threads to draw with; None for one per processor. Results do not depend on it.

    Raises:
        DataError: if a value is not finite, or a code lies outside 0 to n_cells − 1.
    """
    settings(level, n_bootstrap)
    matrix = np.round(columns(values), _DECIMALS) + 0.0
    cell = np.asarray(codes)
    if len(cell) != len(matrix) or (len(cell) and not (cell.min() >= 0 and cell.max() < n_cells)):
        raise DataError(f"Codes of cells do not fit {len(matrix)} users in {n_cells} cells")
    order = np.lexsort([*matrix.T[::-1], cell])
    matrix, cell = matrix[order], cell[order]
    bounds = np.searchsorted(cell, np.arange(n_cells + 1))
    n_columns = matrix.shape[1]
    mean, second, third = (np.zeros((n_cells, n_columns)) for _ in range(3))
    drawn, sums = np.zeros((n_bootstrap, n_cells)), np.zeros((n_bootstrap, n_cells, n_columns))
    jobs: list[Callable[[], None]] = []
    for index, (left, right) in enumerate(pairwise(bounds)):
        if left == right:
            continue
        rows = matrix[left:right]
        alike = (rows == rows[0]).all(axis=0)
        mean[index] = np.where(alike, rows[0], rows.mean(axis=0))
        off = rows - mean[index]
        second[index], third[index] = (off**2).sum(axis=0), (off**3).sum(axis=0)
        whole = np.column_stack([np.ones(len(rows)), off])
        jobs.extend(_drawing(whole, mean[index], index, drawn, sums, seed))
    in_threads(jobs, threads)
    least, most = (
        end(axis=0, initial=0.0) if not len(matrix) else end(axis=0) for end in (matrix.min, matrix.max)
    )
    return Cells(np.diff(bounds), mean, second, third, drawn, sums, least, most, level)


def _drawing(
    rows: Floats, mean: Floats, index: int, drawn: Floats, sums: Floats, seed: int
) -> Iterable[Callable[[], None]]:
    """What is left to do for one cell, in blocks of draws: `rows` are a column of ones and deviations."""
    distinct, counts = multiplicities(rows)
    few = len(distinct) * _PLAIN < len(rows)
    step = max(1, _BLOCK // (len(distinct) if few else len(rows)))

    def draw(start: int) -> None:
        stop = min(start + step, len(drawn))
        rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, index, start])))
        if few:
            totals = rng.poisson(counts, size=(stop - start, len(counts))).astype(np.float64) @ distinct
        else:
            totals = np.zeros((stop - start, rows.shape[1]))
            width = max(1, _CACHE // (stop - start))
            for left in range(0, len(rows), width):
                slab = rows[left : left + width]
                totals += _copies(rng, stop - start, len(slab)) @ slab
        drawn[start:stop, index] = totals[:, 0]
        sums[start:stop, index] = totals[:, 1:] + totals[:, :1] * mean

    return [partial(draw, start) for start in range(0, len(drawn), step)]


def _copies(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Numbers of copies of `width` users in `height` draws."""
    size = height * width
    words = rng.integers(0, 2**64 - 1, size=-(-size // 8), dtype=np.uint64, endpoint=True)
    raw = words.view(np.uint8)[:size].reshape(height, width)
    copies = np.zeros((height, width), dtype=np.int8)
    for bound in _BOUNDS:
        copies += (raw > bound).view(np.int8)
    return copies.astype(np.float64)


def in_threads(jobs: Iterable[Callable[[], Any]], threads: int | None = None) -> None:
    """Do all jobs; NumPy's own threads rest, since the jobs are many."""
    todo = list(jobs)
    with threadpool_limits(1, user_api="blas"):
        if len(todo) < 2:
            for job in todo:
                job()
            return
        with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
            for done in [pool.submit(job) for job in todo]:
                done.result()


def derived(seed: Seed) -> int:
    """A whole number from any kind of seed, to derive generators from."""
    if isinstance(seed, int):
        return seed
    return int(np.random.default_rng(seed).integers(0, 2**63))
