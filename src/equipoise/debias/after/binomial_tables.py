"""How many protected items every prefix of a list must hold to pass for drawn fairly (FA*IR)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import binom

from equipoise.debias.after.pools import Floats, Ints

_TOLERANCE = 1e-12  # probabilities that differ by less are the same number, rounded


@dataclass(frozen=True)
class Table:
    """The least numbers of protected items, and how often a fair list has fewer somewhere.

    Attributes:
        least: For each prefix 1, ..., k, (k,).
        significance: Of the test of each prefix.
        failure: Probability that a list whose items are protected independently with probability p fails.
    """

    least: Ints
    significance: float
    failure: float


def table(k: int, p: float, significance: float) -> Table:
    """Without regard to there being several tests: for each prefix the quantile of the binomial distribution
    (Zehlike et al. 2017, "FA*IR: a fair top-k ranking algorithm", section 3.2).

    Args:
        k: List length.
        p: Proportion of protected items, in (0, 1).
        significance: Of each test, in (0, 1).
    """
    return _table(_cdf(k, p), p, significance)


def adjusted_table(
    k: int, p: float, significance: float, rounding: Literal["nearest", "at_most"] = "nearest"
) -> Table:
    """With the significance of each test lowered until a fair list fails as often as `significance` says.

    There are finitely many tables, one for each interval of significance between two values of the binomial
    distribution functions, each stricter than the one before. So the search is exact: no step or tolerance plays
    a part in it.

    Args:
        k: List length.
        p: Proportion of protected items, in (0, 1).
        significance: Of all tests together, in (0, 1).
        rounding: No table may fail exactly that often. "nearest" takes the one that comes nearest, the milder
            at equal distance (Zehlike, Sühr & Castillo 2020, "A note on the significance adjustment for FA*IR");
            "at_most" the strictest that does not fail more often.
    """
    cdf = _cdf(k, p)
    levels = np.unique(cdf[cdf < significance - _TOLERANCE])
    levels = np.r_[0.0, levels[np.diff(levels, prepend=-1.0) > _TOLERANCE], significance]
    low, high = 0, len(levels)  # the table of `low` fails at most as often, that of `high` more often
    while high - low > 1:
        middle = (low + high) // 2
        if _table(cdf, p, levels[middle]).failure <= significance + _TOLERANCE:
            low = middle
        else:
            high = middle
    found = _table(cdf, p, levels[low])
    if rounding == "nearest" and high < len(levels):
        stricter = _table(cdf, p, levels[high])
        if stricter.failure - significance < significance - found.failure - _TOLERANCE:
            return stricter
    return found


def failure_probability(least: Ints, p: float) -> float:
    """Probability that some prefix of a random list has fewer protected items than it must, exactly.

    Goes from prefix to prefix with the distribution of the number of protected items among the lists that have
    not failed yet.

    Args:
        least: For each prefix, (k,).
        p: Probability that an item is protected, independently of the others.
    """
    alive = np.zeros(len(least) + 1)
    alive[0] = 1.0
    for least_here in least:
        alive[1:] = alive[1:] * (1 - p) + alive[:-1] * p
        alive[0] *= 1 - p
        alive[:least_here] = 0.0
    return float(max(0.0, 1.0 - alive.sum()))


def _cdf(k: int, p: float) -> Floats:
    """Probability of at most m protected items among n; row n - 1, column m; 1 from m = n on."""
    return np.asarray(binom.cdf(np.arange(k)[None, :], np.arange(1, k + 1)[:, None], p))


def _table(cdf: Floats, p: float, significance: float) -> Table:
    least = (cdf < significance - _TOLERANCE).sum(axis=1)
    return Table(least, float(significance), failure_probability(least, p))
