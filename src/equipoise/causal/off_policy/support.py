"""When a log can answer at all: thresholds of support, as named fields."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from equipoise.causal.off_policy.estimators import Estimator
from equipoise.causal.off_policy.summary import Weights, equal_contributions
from equipoise.component import Component
from equipoise.statistics import Estimate


class Support(Component):
    """What the weights must look like before a number is given, and before its interval is believed."""

    name: ClassVar[str] = "support"

    minimum_effective_sample_size: float = Field(100.0, ge=0)
    """Least (Σw)² / Σw² (Kish 1965): fewer rows' worth of evidence is refused."""
    largest_share: float = Field(0.1, gt=0, le=1)
    """Largest share of the total weight that one row may carry."""
    mean_weight_errors: float = Field(3.0, ge=0)
    """Standard errors by which the mean weight may be off 1; beyond them and `mean_weight_factor`, it is refused."""
    mean_weight_factor: float = Field(1.5, ge=1)
    """Factor by which the mean weight may be off 1, up or down."""
    mean_weight_tolerance: float = Field(0.05, ge=0)
    """Share by which the mean weight may be off 1 for `interval_reliable`, where it is beyond `mean_weight_errors`."""
    unsupported_mass: float = Field(1e-6, ge=0, le=1)
    """Largest share of the target's probability on items that the logger never shows."""
    minimum_contributions: float = Field(30.0, ge=1)
    """Least Σφ² / max φ², for `interval_reliable`, both of the influence values and of the weighted rewards (sums per
    cluster): how many equally large ones the variance is worth. On planted worlds 95 % intervals covered 84-88 %
    under 10, 92-93 % from 10 to 30, and 94-95 % from there on."""
    bias_errors: float = Field(0.25, ge=0)
    """Largest bias by clipping, in standard errors, for `interval_reliable`; at 0.25 a 95 % interval covers 94 %."""


def refusals(support: Support, weights: Weights, unsupported: float | None) -> dict[str, str]:
    """Why a log cannot answer, as codes and sentences; empty where it can."""
    found = {}
    size, share = weights.effective_sample_size, weights.largest_share
    mean, z = weights.mean.value, weights.mean_z
    if weights.largest <= 0:
        found["few_effective_rows"] = "The target never chooses what was logged: all weights are 0."
    elif size < support.minimum_effective_sample_size:
        found["few_effective_rows"] = (
            f"The {weights.n} decisions are worth {size:.1f} equally weighted ones, fewer than "
            f"{support.minimum_effective_sample_size:g}."
        )
    if share > support.largest_share:
        found["dominant_row"] = (
            f"One decision carries {share:.1%} of the total weight, more than {support.largest_share:.0%}."
        )
    factor = support.mean_weight_factor
    if (
        z is not None
        and abs(z) > support.mean_weight_errors
        and not 1 / factor <= mean <= factor
        and weights.largest > 0
    ):
        found["mean_weight"] = (
            f"The mean weight is {mean:.3g} and should be 1: the propensities are wrong, or the target chooses "
            "what the logger never shows."
        )
    if unsupported is not None and unsupported > support.unsupported_mass:
        found["unsupported"] = (
            f"{unsupported:.1%} of the target's probability lies on items that the logger never shows."
        )
    return found


def doubts(
    support: Support, estimator: Estimator, weights: Weights, found: Estimate, bias: float
) -> str | None:
    """Why an interval cannot be relied on, in words; None where it can.

    The normal limit needs that no cluster makes up much of the variance: with influence values φ, max φ² / Σφ²
    must be small (Lindeberg). The same is asked of the weighted rewards alone, because a log without rewards
    has no large influence yet: those of an outcome model's residuals are small then, and say nothing.
    """
    if estimator.unreliable is not None:
        return estimator.unreliable
    error = found.standard_error
    if error is None:
        return "All decisions belong to one cluster."
    scale = max(abs(found.value), abs(weights.logger.value))
    if error <= 1e-12 * scale:
        return "The rewards do not vary, so that their chance cannot be told."
    contributions = min(equal_contributions(found.influence), weights.contributions)
    if contributions < support.minimum_contributions:
        return (
            f"The value rests on the equivalent of {contributions:.1f} contributions, fewer than "
            f"{support.minimum_contributions:g}: too few for the normal limit."
        )
    if bias > support.bias_errors * error:
        return f"Cut weights may bias the value by {bias:.3g}, which is {bias / error:.2g} standard errors."
    z, mean = weights.mean_z, weights.mean.value
    if (
        z is not None
        and abs(z) > support.mean_weight_errors
        and abs(mean - 1) > support.mean_weight_tolerance
    ):
        return (
            f"The mean weight is {mean:.3g} where 1 is expected ({z:+.1f} standard errors): the propensities are "
            "off, or the target chooses what the logger never shows."
        )
    return None
