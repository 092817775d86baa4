"""Is one variable independent of another, given more? Tests for categories, quantities and both.

Rows are taken to be independent of each other: give one row per user, or a user counts for as many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr
from scipy.stats import chi2, f, hypergeom, norm, rankdata

from equipoise.causal.independence.variables import Values, Variable

G = "G"
STRATIFIED = "Cochran-Mantel-Haenszel"
EXACT = "exact Mantel-Haenszel"
COVARIANCE = "generalised covariance"

_LEAST_EXPECTED, _LARGE_ENOUGH = 5.0, 0.8  # Cochran's rule: so much expected in such a share of the cells
_LARGEST_EXACT = 5000  # counts that the smaller margins of all strata add up to
_ROWS_PER_STRATUM = 20  # fewer rows on average, and strata are described by main effects and products
_ROWS_PER_FEATURE, _MOST_FEATURES, _MOST_CELLS, _WAVES = 8, 400, 40_000_000, 100

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class IndependenceTest:
    """What a test of independence found.

    Attributes:
        test: Which test it was.
        statistic: Its statistic, of about a chi-squared distribution under independence.
        degrees: Degrees of freedom; 0 where the data can say nothing.
        p_value: Chance of such a statistic under independence; 1 where the data can say nothing.
        strength: √(statistic / n), at most 1: for two binary variables the phi coefficient within strata.
    """

    test: str
    statistic: float
    degrees: int
    p_value: float
    strength: float


def independence_test(
    a: str, b: str, given: Sequence[str], variables: Mapping[str, Variable], columns: Mapping[str, Values]
) -> IndependenceTest:
    """Test whether `a` is independent of `b` given `given`.

    * All categories: the G-test within strata, its degrees of freedom counted from the rows and columns that
      occur. Where over a fifth of the cells expect fewer than 5, a test of the sums over all strata instead,
      which needs no large strata: exact for two variables of two levels (Gart 1970), else the generalised
      Cochran-Mantel-Haenszel test (Landis, Heyman & Koch 1978).
    * Else: the generalised covariance measure (Shah & Peters 2020). Functions of `a` and of `b` (the first
      two polynomials of a quantity's ranks, the levels of a category) are each regressed on `given`; under
      independence the products of their residuals have mean zero. The regressions are cubic splines, their
      pairwise products and, of three or more, random waves, as many as the rows allow, so that curved and
      joint effects of `given` are taken out.

    Args:
        a: A variable.
        b: Another.
        given: Variables held fixed.
        variables: All variables by name.
        columns: Their values, (n,) each, as `Variable.encode` gives them.
    """
    names = [a, b, *given]
    if all(variables[name].discrete for name in names):
        strata = _strata([columns[name] for name in given], len(columns[a]))
        return contingency_test(columns[a].astype(np.int64), columns[b].astype(np.int64), strata)
    explained = _explaining([variables[name] for name in given], columns, len(columns[a]))
    left, right = (_functions(variables[name], columns[name]) for name in (a, b))
    return covariance_test(left, right, explained)


def contingency_test(a: Codes, b: Codes, strata: Codes) -> IndependenceTest:
    """Independence of two categories within strata.

    Args:
        a: (n,) codes from 0.
        b: (n,) codes from 0.
        strata: (n,) codes from 0.
    """
    shape = (int(strata.max()) + 1, int(a.max()) + 1, int(b.max()) + 1)
    counts = np.bincount(np.ravel_multi_index((strata, a, b), shape), minlength=int(np.prod(shape)))
    table = counts.reshape(shape).astype(np.float64)
    table = table[:, table.sum(axis=(0, 2)) > 0][:, :, table.sum(axis=(0, 1)) > 0]
    rows, cols = table.sum(axis=2), table.sum(axis=1)
    total = rows.sum(axis=1)
    table, rows, cols, total = (part[total > 0] for part in (table, rows, cols, total))
    expected = rows[:, :, None] * cols[:, None, :] / total[:, None, None]
    degrees = ((rows > 0).sum(axis=1) - 1) * ((cols > 0).sum(axis=1) - 1)
    telling = expected[degrees > 0]
    telling = telling[telling > 0]
    if not len(telling):
        return IndependenceTest(G, 0.0, 0, 1.0, 0.0)
    if np.mean(telling >= _LEAST_EXPECTED) < _LARGE_ENOUGH:
        return _stratified(table, expected, rows, cols, total)
    seen = table > 0
    statistic = max(0.0, 2 * float(np.sum(table[seen] * np.log(table[seen] / expected[seen]))))
    return _chi_squared(G, statistic, int(degrees.sum()), float(total.sum()))


def _stratified(table: Floats, expected: Floats, rows: Floats, cols: Floats, n: Floats) -> IndependenceTest:
    """Sum the deviations of all strata and compare with their hypergeometric covariance."""
    informative = n > 1
    table, expected, rows, cols, n = (part[informative] for part in (table, expected, rows, cols, n))
    deviation = (table - expected).sum(axis=0)[:-1, :-1].ravel()
    row, col = (_multinomial(part / n[:, None]) for part in (rows, cols))
    spread = np.einsum("s,sij,skl->ikjl", n**2 / (n - 1), row, col).reshape(len(deviation), len(deviation))
    degrees = int(np.linalg.matrix_rank(spread, hermitian=True))
    statistic = float(deviation @ np.linalg.pinv(spread, hermitian=True) @ deviation)
    found = _chi_squared(STRATIFIED, statistic, degrees, float(n.sum()))
    if len(deviation) == 1 and np.minimum(rows.min(axis=1), cols.min(axis=1)).sum() <= _LARGEST_EXACT:
        return replace(found, test=EXACT, p_value=_exact(table, rows, cols, n))
    return found


def _exact(table: Floats, rows: Floats, cols: Floats, n: Floats) -> float:
    """Chance of a sum of first cells that is as unlikely as the one seen or more so, given all margins."""
    chances = np.ones(1)
    least = np.maximum(0, rows[:, 0] + cols[:, 0] - n)
    most = np.minimum(rows[:, 0], cols[:, 0])
    for total, row, col, low, high in zip(n, rows[:, 0], cols[:, 0], least, most, strict=True):
        if high > low:
            chances = np.convolve(chances, hypergeom.pmf(np.arange(low, high + 1), total, row, col))
    seen = chances[int((table[:, 0, 0] - least).sum())]
    return float(min(1.0, chances[chances <= seen * (1 + 1e-7)].sum()))


def _multinomial(share: Floats) -> Floats:
    """Covariance of one draw from each stratum's shares, without the last level."""
    kept = share[:, :-1]
    return np.eye(kept.shape[1]) * kept[:, None, :] - kept[:, :, None] * kept[:, None, :]


def covariance_test(left: Floats, right: Floats, explained: Floats) -> IndependenceTest:
    """Whether what `explained` leaves of one set of functions varies with what it leaves of another.

    Args:
        left: (n, l) functions of one variable.
        right: (n, r) functions of another.
        explained: (n, p) functions of what is held fixed, a constant among them.
    """
    n = len(left)
    if not (left.shape[1] and right.shape[1]):  # one of them never varies
        return IndependenceTest(COVARIANCE, 0.0, 0, 1.0, 0.0)
    basis, weight, _ = qr(explained, mode="economic", pivoting=True)
    size = np.abs(np.diag(weight))
    basis = basis[:, size > size.max() * 1e-10]
    leverage = np.minimum((basis**2).sum(axis=1), 1 - 1e-6)
    left, right = (part - basis @ (basis.T @ part) for part in (left, right))
    # A residual has (1 - leverage) of the noise's variance: without this, small samples look too regular.
    products = (left[:, :, None] * right[:, None, :]).reshape(n, -1) / (1 - leverage)[:, None]
    spread = np.cov(products, rowvar=False).reshape(products.shape[1], -1)
    degrees = int(np.linalg.matrix_rank(spread, hermitian=True)) if np.abs(spread).max() > 1e-20 else 0
    if degrees == 0 or n - degrees - basis.shape[1] < 2:
        return IndependenceTest(COVARIANCE, 0.0, 0, 1.0, 0.0)
    mean = products.mean(axis=0)
    statistic = float(n * mean @ np.linalg.pinv(spread, hermitian=True) @ mean)
    # Hotelling's T²: the covariance of the products is an estimate, too.
    ratio = statistic * (n - degrees) / (degrees * (n - 1))
    strength = min(1.0, float(np.sqrt(statistic / n)))
    return IndependenceTest(
        COVARIANCE, statistic, degrees, float(f.sf(ratio, degrees, n - degrees)), strength
    )


def _chi_squared(test: str, statistic: float, degrees: int, n: float) -> IndependenceTest:
    p_value = float(chi2.sf(statistic, degrees)) if degrees else 1.0
    return IndependenceTest(test, statistic, degrees, p_value, min(1.0, float(np.sqrt(statistic / n))))


def _strata(columns: Sequence[Values], n: int) -> Codes:
    """One code for each combination that occurs."""
    code = np.zeros(n, dtype=np.int64)
    for column in columns:
        joined = code * (int(column.max()) + 1) + column.astype(np.int64)
        code = np.unique(joined, return_inverse=True)[1].astype(np.int64)
    return code


def _functions(variable: Variable, values: Values) -> Floats:
    """Functions whose means tell how a variable is distributed: (n, functions)."""
    if variable.levels is not None:
        return _levels(values)
    rank = 2 * (rankdata(values) - 0.5) / len(values) - 1
    found = np.column_stack([rank, (3 * rank**2 - 1) / 2])  # Legendre polynomials
    return found[:, [len(np.unique(column)) > 1 for column in found.T]]


def _levels(values: Values) -> Floats:
    """Indicators of all levels that occur, but the most frequent."""
    counts = np.bincount(values.astype(np.int64))
    kept = [level for level in np.flatnonzero(counts) if level != counts.argmax()]
    return np.asarray(values[:, None] == np.asarray(kept, dtype=np.int64)[None, :], dtype=np.float64)


def _explaining(given: Sequence[Variable], columns: Mapping[str, Values], n: int) -> Floats:
    """Functions of what is held fixed, rich enough to take its effects out: (n, features)."""
    if all(variable.discrete for variable in given):
        strata = _strata([columns[variable.name] for variable in given], n)
        if (strata.max() + 1) * _ROWS_PER_STRATUM <= n:
            return np.asarray(strata[:, None] == np.arange(strata.max() + 1), dtype=np.float64)
    parts = [_smooth(variable, columns[variable.name], n) for variable in given]
    lines = [part[:, :1] if not one.discrete else part for part, one in zip(parts, given, strict=True)]
    most = min(n // _ROWS_PER_FEATURE, _MOST_FEATURES, _MOST_CELLS // n)
    found = [np.ones((n, 1))]
    width = 1
    for block in (*lines, *parts):
        if width + block.shape[1] <= most:
            found.append(block)
            width += block.shape[1]
    for one, other in (*combinations(lines, 2), *combinations(parts, 2)):
        if width + (size := one.shape[1] * other.shape[1]) <= most:
            found.append((one[:, :, None] * other[:, None, :]).reshape(n, -1))
            width += size
    if len(parts) > 2 and width + _WAVES <= most:  # effects of three and more together
        found.append(_waves(np.column_stack(lines), _WAVES))
    return np.column_stack(found)


def _smooth(variable: Variable, values: Values, n: int) -> Floats:
    """A category's levels, or a cubic spline of a quantity's normal scores: (n, functions), the line first."""
    if variable.discrete:
        return _levels(values)
    score = np.asarray(norm.ppf((rankdata(values) - 0.5) / len(values)))[:, None]
    knots = np.unique(np.quantile(score, np.linspace(0, 1, min(4, n // 100) + 2)[1:-1]))
    bends = np.maximum(score - knots[None, :], 0.0) ** 3
    return np.column_stack([score, score**2, score**3, bends])


def _waves(features: Floats, count: int) -> Floats:
    """Random Fourier features, always the same (Rahimi & Recht 2007)."""
    rng = np.random.default_rng(0)
    width = features.shape[1]
    directions = rng.normal(size=(width, count)) / np.sqrt(width)
    return np.asarray(np.cos(features @ directions + rng.uniform(0, 2 * np.pi, count)), dtype=np.float64)
