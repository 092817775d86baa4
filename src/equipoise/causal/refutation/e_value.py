"""How strongly a hidden common cause would have to act to explain a risk ratio away."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

from equipoise.errors import DataError

_LARGEST = 700.0  # standardised mean difference; beyond, exp overflows
_SLOPE = 0.91  # standardised mean difference to log risk ratio: VanderWeele and Ding (2017), table 2


@dataclass(frozen=True)
class EValue:
    """E-values of a risk ratio and of the end of its interval.

    Attributes:
        point: Smallest risk ratio with which a hidden common cause would have to go along with both the
            treatment and the outcome, beyond what was adjusted for, to explain the estimate; at least 1.
        limit: The same for the end of the interval nearer 1; 1 where the interval holds 1; None without one.
        risk_ratio: The risk ratio.
    """

    point: float
    limit: float | None
    risk_ratio: float


def e_value(risk_ratio: float, limit: float | None = None) -> EValue:
    """E-value of a risk ratio: `RR + √(RR (RR − 1))`, of `1 / RR` where the ratio is below 1.

    A small value means fragile; a large one never means unconfounded. For an odds ratio of a common outcome
    pass its square root; for a standardised mean difference use `risk_ratio_of_difference`.

    Source: VanderWeele and Ding (2017), "Sensitivity analysis in observational research: introducing the
    E-value", Annals of Internal Medicine 167.

    Args:
        risk_ratio: The estimate, above 0.
        limit: The end of its interval that is nearer 1, above 0. An end on the other side of 1 says that the
            interval holds 1, and gets the E-value 1.

    Raises:
        DataError: if a ratio is not a finite number above 0.
    """
    for ratio in (risk_ratio, limit):
        if ratio is not None and not (isinstance(ratio, Real) and math.isfinite(ratio) and ratio > 0):
            raise DataError(
                f"A risk ratio of {ratio!r} has no E-value",
                todo="Give a finite number above 0, not its logarithm.",
            )
    nearer = None
    if limit is not None:
        crosses = (limit <= 1) if risk_ratio >= 1 else (limit >= 1)
        nearer = 1.0 if crosses else _strength(limit)
    return EValue(_strength(risk_ratio), nearer, risk_ratio)


def risk_ratio_of_difference(difference: float) -> float:
    """The risk ratio that a standardised mean difference amounts to, about `exp(0.91 d)`.

    Source: VanderWeele and Ding (2017), table 2, after Chinn (2000).

    Raises:
        DataError: if the difference is so large that the ratio is no finite number.
    """
    if not abs(difference) < _LARGEST:
        raise DataError(f"A standardised mean difference of {difference:g} amounts to no risk ratio")
    return math.exp(_SLOPE * difference)


def _strength(ratio: float) -> float:
    above = ratio if ratio >= 1 else 1 / ratio
    return above + math.sqrt(above * (above - 1))
