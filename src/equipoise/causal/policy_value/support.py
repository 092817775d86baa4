"""When a log can answer at all: thresholds of support, as named fields."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from equipoise.component import Component


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
    unsupported_mass: float = Field(0.0, ge=0, le=1)
    """Largest share of the target's probability on items that the logger never shows."""
    minimum_contributions: float = Field(50.0, ge=1)
    """Least Σφ² / max φ² of the influence values φ per cluster for `interval_reliable`: how many equally large
    contributions the variance is worth (the Lindeberg condition of the normal limit)."""
    bias_errors: float = Field(0.25, ge=0)
    """Largest bias by clipping, in standard errors, for `interval_reliable`; at 0.25 a 95 % interval covers 94 %."""
