"""`Interval`, the noun that leaves this folder, and `Estimate`: influence values, which intervals are made
of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from equipoise.errors import DataError

Floats = NDArray[np.float64]

TOO_FEW = "fewer than two users"
CONSTANT = "the same value for every user"


@dataclass(frozen=True)
class Interval:
    """A value with its confidence interval.

    Attributes:
        value: The point estimate; None of nobody.
        low: Lower end; None where there can be no interval.
        high: Upper end; None where there can be no interval.
        n: Number of users (clusters) behind it.
        reason: Why there is no interval, in words; None where there is one.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None = None

    def within(self, tolerance: float) -> bool:
        """Whether the whole interval lies inside [−tolerance, tolerance]."""
        return (
            self.low is not None
            and self.high is not None
            and -tolerance <= self.low
            and self.high <= tolerance
        )

    def outside(self, tolerance: float = 0.0) -> bool:
        """Whether the whole interval lies outside [−tolerance, tolerance]."""
        return (
            self.low is not None
            and self.high is not None
            and (self.low > tolerance or self.high < -tolerance)
        )

    def through(self, rising: Callable[[float], float]) -> Interval:
        """The interval of a rising function of the value, as √ turns a mean squared error into RMSE."""
        value, low, high = (
            None if end is None else float(rising(end)) for end in (self.value, self.low, self.high)
        )
        return replace(self, value=value, low=low, high=high)

    def as_dict(self) -> dict[str, float | None]:
        """`value`, `low`, `high` as JSON values (nothing is NaN)."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Estimate:
    """An estimate with the influence of each row on it: what any asymptotically linear estimator has.

    Attributes:
        value: The estimate.
        influence: float64 of shape (n,): `value − truth ≈ mean(influence)`.
        clusters: One label per row (a user); rows of one label are dependent. None: rows are independent.
    """

    value: float
    influence: Floats
    clusters: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        check("influence values", self.influence)
        if self.clusters is not None and len(self.clusters) != len(self.influence):
            raise DataError(
                f"{len(self.clusters)} cluster labels do not fit {len(self.influence)} influence values"
            )

    @property
    def sums(self) -> Floats:
        """Influence added up within clusters, centred, over the number of rows: what each cluster moves the
        value by.
        """
        if self.clusters is None:
            totals = np.asarray(self.influence, dtype=np.float64)
        else:
            labels = np.unique(self.clusters, return_inverse=True)[1]
            totals = np.bincount(labels.ravel(), self.influence).astype(np.float64)
        return np.asarray((totals - totals.mean()) / len(self.influence), dtype=np.float64)

    @property
    def standard_error(self) -> float | None:
        """Cluster-robust standard error with the factor C/(C−1); None with fewer than two clusters.

        Source: Liang and Zeger (1986), "Longitudinal data analysis using generalized linear models".
        """
        moved = self.sums if len(self.influence) else np.zeros(0)
        count = len(moved)
        return float(np.sqrt(count / (count - 1) * (moved**2).sum())) if count > 1 else None

    def interval(self, level: float = 0.95) -> Interval:
        """Wald interval with the t quantile of C − 1 degrees of freedom, C the number of clusters."""
        error, count = self.standard_error, len(self.sums) if len(self.influence) else 0
        if error is None:
            return Interval(self.value, None, None, count, TOO_FEW)
        half = float(stdtrit(count - 1, 0.5 + level / 2)) * error
        return Interval(self.value, self.value - half, self.value + half, count)

    def p_value(self, null: float = 0.0) -> float | None:
        """Two-sided p of `value = null`; None without a standard error."""
        error = self.standard_error
        if error is None:
            return None
        if error == 0:
            return 1.0 if self.value == null else 0.0
        return float(2 * stdtr(len(self.sums) - 1, -abs(self.value - null) / error))

    def minus(self, other: Estimate) -> Estimate:
        """The difference of two estimates made of the same rows in the same order."""
        if len(self.influence) != len(other.influence):
            raise DataError(
                "Two estimates of different rows cannot be subtracted", todo="Estimate both on the same rows."
            )
        return Estimate(self.value - other.value, self.influence - other.influence, self.clusters)


def check(what: str, values: ArrayLike) -> None:
    """Refuse values that are not finite numbers."""
    bad = int((~np.isfinite(np.asarray(values, dtype=np.float64))).sum())
    if bad:
        raise DataError(
            f"The {what} hold NaN or infinity",
            where=f"{bad} of {np.size(values)} values",
            todo="Leave these rows out first, and say how many.",
        )


def columns(values: ArrayLike, what: str = "values") -> Floats:
    """A finite float64 matrix (users, metrics); a vector becomes one column."""
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim == 1:
        matrix = matrix[:, None]
    if matrix.ndim != 2:
        raise DataError(f"The {what} have {matrix.ndim} dimensions, not users x metrics")
    check(what, matrix)
    return matrix
