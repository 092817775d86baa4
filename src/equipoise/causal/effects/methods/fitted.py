"""What every method hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from equipoise.causal.effects.nuisances import Nuisances
from equipoise.statistics.interval import Estimate, Floats, Interval


@dataclass(frozen=True)
class Fitted:
    """A method's answer, or its refusal.

    Attributes:
        estimand: What was estimated.
        estimate: The number with influence values; None where refused.
        refusal: Why there is no number, in words; None where there is one.
        nuisances: What was estimated on the way.
        scores: (n,), uncentred scores with mean `estimate.value`.
        interval: An interval other than the Wald interval of the estimate.
        parts: Further effects.
        details: Numbers of the method.
    """

    estimand: str
    estimate: Estimate | None = None
    refusal: str | None = None
    nuisances: Nuisances | None = None
    scores: Floats | None = None
    interval: Interval | None = None
    parts: Mapping[str, Interval] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
