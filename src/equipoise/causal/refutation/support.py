"""Overlap and balance as lines of the card: was anything extrapolated, are the arms alike after weighting?"""

from __future__ import annotations

import math
from typing import Any

from equipoise.causal.effects import Effect
from equipoise.causal.refutation.finding import FAILED, NOT_RUN, PASSED, Finding

_SMALLEST_SHARE = 0.1
_LARGEST_CLIPPED = 0.01
_LARGEST_DIFFERENCE = 0.1  # Austin (2009), "Balance diagnostics"
_NOISE = 2.0

_OVERLAP_MEANING = (
    "Parts of the estimate are extrapolated: ask about a narrower population, or use overlap weights."
)
_BALANCE_MEANING = (
    "The arms still differ in what was adjusted for: the propensity model does not fit the data."
)


def overlap(effect: Effect) -> Finding:
    """Fails where weights leave an arm a tenth of its rows, or over one in a hundred propensities was clipped."""
    found = effect.diagnostics["overlap"]
    if found is None:
        says = f"The method '{effect.method}' has no propensities to look at"
        return Finding("overlap", NOT_RUN, says, _OVERLAP_MEANING)
    t = effect.design.treatment
    sizes: dict[str, float] = found["effective_sample_size"]
    shares = {"treated": sizes["treated"] / (t == 1).sum(), "control": sizes["control"] / (t == 0).sum()}
    arm = min(shares, key=lambda name: shares[name])
    thin = shares[arm] < _SMALLEST_SHARE
    clipped = found["share_clipped"] > _LARGEST_CLIPPED and effect.estimand == "ate"
    says = (
        f"Propensities lie between {found['minimum']:.3g} and {found['maximum']:.3g}; the {arm} rows are worth "
        f"{sizes[arm]:.0f} equally weighted ones, {shares[arm]:.0%} of their number; "
        f"{found['share_clipped']:.1%} were clipped"
    )
    return Finding(
        "overlap",
        FAILED if thin or clipped else PASSED,
        says,
        _OVERLAP_MEANING,
        float(shares[arm]),
        expected=1.0,
        details={"arm": arm, **{name: found[name] for name in ("share_clipped", "minimum", "maximum")}},
    )


def balance(effect: Effect) -> Finding:
    """Fails where a standardised mean difference after weighting is above 0.1 and above its own noise."""
    table: list[dict[str, Any]] = [row for row in effect.diagnostics["balance"] if row["after"] is not None]
    found = effect.diagnostics["overlap"]
    if not table or found is None:
        says = "There is nothing to balance" if not effect.design.names else "The method weighs no rows"
        return Finding("balance", NOT_RUN, says, _BALANCE_MEANING)
    sizes = found["effective_sample_size"]
    noise = _NOISE * math.sqrt(1 / sizes["treated"] + 1 / sizes["control"])
    worst = max(table, key=lambda row: abs(row["after"]))
    before = max(table, key=lambda row: abs(row["before"]))
    failed = abs(worst["after"]) > max(_LARGEST_DIFFERENCE, noise)
    says = (
        f"After weighting the arms differ most in '{worst['covariate']}', by {abs(worst['after']):.2f} standard "
        f"deviations (before: '{before['covariate']}', {abs(before['before']):.2f})"
    )
    return Finding(
        "balance",
        FAILED if failed else PASSED,
        says,
        _BALANCE_MEANING,
        abs(worst["after"]),
        expected=0.0,
        details={"covariate": worst["covariate"], "before": worst["before"], "noise": noise},
    )
