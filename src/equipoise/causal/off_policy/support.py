"""When a log can answer at all: thresholds of support, as named fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from equipoise.causal.off_policy.contributions import contributions
from equipoise.causal.off_policy.summary import Answer, Weights
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
    """Standard errors by which the mean weight may be off 1: beyond them an interval is not believed, and beyond
    `mean_weight_factor` as well the value is refused."""
    mean_weight_factor: float = Field(1.5, ge=1)
    """Factor by which the mean weight may be off 1, up or down."""
    unsupported_mass: float = Field(1e-6, ge=0, le=1)
    """Largest share of the target's probability on items that the logger never shows."""
    minimum_contributions: float = Field(30.0, ge=1)
    """Least number of equally large decisions that the error must be worth, for `interval_reliable`: see
    `contributions`."""
    bias_errors: float = Field(0.25, ge=0)
    """Largest bias by cut weights or by a mean weight that is off, in standard errors, for `interval_reliable`; at
    0.25 a 95 % interval covers 94 %."""


_ROUNDING = 1e-12

Checked = Sequence[tuple[str, Weights]]
"""Weights that a value rests on, each with how a sentence about them begins."""


LAUNCH = Support(minimum_contributions=100.0)
"""Thresholds of a launch, which one end of the interval decides: with fewer contributions skewness moves the two ends
apart (see `contributions`), so that one alone would err more often than half of what is left to chance."""


def refusals(support: Support, checked: Checked, unsupported: float | None) -> dict[str, str]:
    """Why a log cannot answer, as codes and sentences; empty where it can."""
    found: dict[str, str] = {}
    for where, weights in checked:
        for code, sentence in _refusals(support, weights).items():
            found.setdefault(code, where + sentence)
    if unsupported is not None and unsupported > support.unsupported_mass:
        found["unsupported"] = (
            f"{unsupported:.1%} of the target's probability lies on items that the logger never shows."
        )
    return found


def _refusals(support: Support, weights: Weights) -> dict[str, str]:
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
    return found


def doubts(support: Support, answer: Answer, checked: Checked, unreliable: str | None = None) -> str | None:
    """Why an interval cannot be relied on, in words; None where it can.

    Args:
        support: The thresholds.
        answer: The estimate and what speaks for it.
        checked: The weights that it rests on, each with how a sentence about them begins.
        unreliable: Why the estimator's interval never can be.
    """
    if unreliable is not None:
        return unreliable
    scale = max(abs(answer.estimate.value), *(abs(weights.logger.value) for _, weights in checked))
    doubt = _of_chance(support, answer, scale)
    if doubt is not None:
        return doubt
    return doubts_of_weights(support, answer, checked)


def doubts_of_weights(support: Support, answer: Answer, checked: Checked) -> str | None:
    """Why the weights cannot be right, in words; None where they can."""
    error, spread = answer.estimate.standard_error or 0.0, answer.exposure.spread
    for where, weights in checked:
        if _off(support, weights.mean, 1.0, spread, error):
            return (
                f"{where}The mean weight is {weights.mean.value:.3g} where 1 is expected ({weights.mean_z:+.1f} "
                "standard errors): the propensities are off, or the target chooses what the logger never shows."
            )
    return None


def doubts_of_difference(support: Support, answer: Answer, mean: Estimate, scale: float) -> str | None:
    """Why the interval of a difference of two policies cannot be relied on; None where it can.

    A difference is judged by itself: where both policies decide alike, they have the same weights, and nothing
    there moves it; it may rest on the few decisions in which they differ.

    Args:
        support: The thresholds.
        answer: The difference, and the exposure of the difference of the weights.
        mean: Difference of the mean weights, which should be 0.
        scale: Size of the values subtracted, which says what is rounding.
    """
    if answer.exposure.largest == 0 and not answer.estimate.influence.any():
        return None  # the same policy twice
    doubt = _of_chance(support, answer, scale)
    if doubt is not None:
        return doubt
    if _off(support, mean, 0.0, answer.exposure.spread, answer.estimate.standard_error or 0.0):
        return (
            f"The mean weights of the two policies differ by {mean.value:.3g} where 0 is expected: the "
            "propensities are off, or one of them chooses what the logger hardly ever shows."
        )
    return None


def _of_chance(support: Support, answer: Answer, scale: float) -> str | None:
    """Doubts about the normal limit, and about weights that were cut."""
    found, exposure = answer.estimate, answer.exposure
    error = found.standard_error
    if error is None:
        return "All decisions belong to one cluster."
    if error <= _ROUNDING * scale or error == 0:
        return "The rewards do not vary, so that their chance cannot be told."
    count = contributions(found.influence, exposure.most)
    if answer.rewards is not None:
        count = min(count, contributions(answer.rewards))
    if count < support.minimum_contributions:
        return (
            f"The value rests on the equivalent of {count:.1f} contributions, fewer than "
            f"{support.minimum_contributions:g}: too few for the normal limit."
        )
    if exposure.bias > support.bias_errors * error:
        bias = exposure.bias
        return f"Cut weights may bias the value by {bias:.3g}, which is {bias / error:.2g} standard errors."
    return None


def _off(support: Support, mean: Estimate, expected: float, spread: float, error: float) -> bool:
    """Whether a mean weight is off by more than chance, and by so much that the value may move.

    The second is decided by the weight missed times the largest residual, against the bias allowed: rounded
    propensities of a uniform logger are off for certain, and do no harm.
    """
    gap, chance = abs(mean.value - expected), mean.standard_error
    if chance is None:
        return False
    return gap > support.mean_weight_errors * chance and gap * spread > support.bias_errors * error
