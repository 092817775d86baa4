"""What the data allow where no assumption about who was treated can be upheld."""

from __future__ import annotations

from equipoise.causal.effects.design import BINARY, Design
from equipoise.causal.effects.effect import Bounds


def no_assumption_bounds(design: Design, estimand: str) -> Bounds | None:
    """Bounds of the effect when every outcome that was not seen may be anything in the outcome's range.

    Source: Manski (1990), "Nonparametric bounds on treatment effects". None for a continuous treatment.
    """
    if design.continuous:
        return None
    t, y = design.treatment, design.outcome
    binary = design.outcome_kind == BINARY
    least, most = (0.0, 1.0) if binary else (float(y.min()), float(y.max()))
    share = float(t.mean())
    with_, without = float(y[t == 1].mean()), float(y[t == 0].mean())
    said = (
        "the outcome is 0 or 1"
        if binary
        else f"outcomes lie between the smallest and largest seen, {least:g} and {most:g}"
    )
    said += "; nothing is assumed about who was treated; sampling error is not counted"
    if estimand == "att":
        return Bounds(with_ - most, with_ - least, said)
    low = share * with_ + (1 - share) * least - (1 - share) * without - share * most
    high = share * with_ + (1 - share) * most - (1 - share) * without - share * least
    return Bounds(low, high, said)
