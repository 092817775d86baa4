"""What an audit may conclude: the difference it could have seen, and its verdict."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final, Literal

from equipoise.errors import ConfigError
from equipoise.statistics.interval import Interval

Verdict = Literal["unfair", "fair within tolerance", "insufficient evidence"]

UNFAIR: Final = "unfair"
FAIR: Final = "fair within tolerance"
INSUFFICIENT: Final = "insufficient evidence"


def minimum_detectable_difference(
    deviation_a: float, n_a: int, deviation_b: float, n_b: int, *, level: float = 0.95, power: float = 0.8
) -> float | None:
    """The smallest true difference of two group means that a two-sided test finds with this power.

    `(z[(1+level)/2] + z[power]) · √(s_a²/n_a + s_b²/n_b)`.

    Args:
        deviation_a: Standard deviation over users of the first group, in the metric's unit.
        n_a: Users of the first group.
        deviation_b: Standard deviation over users of the second group.
        n_b: Users of the second group.
        level: 1 − the test's size.
        power: Chance to find a difference of that size.

    Returns:
        The difference in the metric's unit; None where a group has fewer than two users, or nobody differs.
    """
    if not (0 < level < 1 and 0 < power < 1):
        raise ConfigError(f"Level {level} and power {power} must lie between 0 and 1")
    if min(n_a, n_b) < 2 or not deviation_a + deviation_b > 0:
        return None
    z = NormalDist().inv_cdf
    return (z((1 + level) / 2) + z(power)) * math.sqrt(deviation_a**2 / n_a + deviation_b**2 / n_b)


def verdict(
    interval: Interval,
    p_adjusted: float | None,
    tolerance: float | None,
    n: int,
    min_cell: int,
    level: float = 0.95,
) -> Verdict:
    """What may be said of a gap between groups.

    "unfair": the whole interval lies outside ±tolerance and the adjusted p is at most 1 − level. "fair within
    tolerance": the whole interval lies inside ±tolerance. Otherwise, or when a group is below the minimum
    cell, "insufficient evidence": a gap that is not significant is never a pass. Without a tolerance nothing
    is called fair, and "unfair" means that the interval excludes 0.

    Args:
        interval: The gap with its interval.
        p_adjusted: p-value after correction for multiplicity; None where there is none.
        tolerance: Largest gap that the policy accepts, in the gap's unit; None for no policy.
        n: Users in the smallest group concerned.
        min_cell: Fewest users a group must have.
        level: Confidence level of the interval.
    """
    if tolerance is not None and tolerance < 0:
        raise ConfigError(
            f"A tolerance of {tolerance} is negative", todo="Give the largest gap that is accepted."
        )
    if n < min_cell or interval.low is None:
        return INSUFFICIENT
    if interval.outside(tolerance or 0.0) and p_adjusted is not None and p_adjusted <= 1 - level:
        return UNFAIR
    if tolerance is not None and interval.within(tolerance):
        return FAIR
    return INSUFFICIENT
