"""`Finding`: what one attempt at refutation found, and the refits it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from equipoise.causal.effects import Design, Effect
from equipoise.progress import track
from equipoise.statistics.interval import Floats

PASSED, FAILED, NOT_RUN = "passed", "failed", "not run"

_FEW_ROWS = 100_000  # below, threads wait for each other longer than they work
_SURE = 2.58  # standard errors of a mean over refits: 99 %
MATERIAL = 0.25
"""A bias counts where it surely exceeds this share of a standard error: intervals of 95 % then cover less than
94 %."""
GRAVE = 0.5
"""A bias of more than this share of a standard error makes an estimate not credible: they cover under 92 %."""


@dataclass(frozen=True)
class Finding:
    """One attempt to refute an estimate.

    Attributes:
        name: Which attempt.
        status: `passed`, `failed` or `not run`.
        says: What was found, in words.
        meaning: What a failure means.
        value: What was measured; None where not run.
        low: Lower end of its spread or interval.
        high: Upper end.
        p_value: Where the attempt is a test.
        expected: What `value` should be.
        details: Further numbers, plain values.
        grave: Whether the failure alone makes the estimate not credible.
    """

    name: str
    status: str
    says: str
    meaning: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    expected: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    grave: bool = False

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "name": self.name,
            "status": self.status,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "p_value": self.p_value,
            "expected": self.expected,
            "details": dict(self.details),
            "says": self.says,
            "meaning": self.meaning,
        }


@dataclass(frozen=True)
class Refits:
    """The same estimator on several designs.

    Attributes:
        values: (fits,), estimates.
        errors: (fits,), their standard errors, above 0.
        refused: Designs on which there was no estimate.
    """

    values: Floats
    errors: Floats
    refused: int

    @property
    def fits(self) -> int:
        """Number of estimates."""
        return len(self.values)

    @property
    def enough(self) -> bool:
        """Whether at least half of the designs, and two, allowed an estimate."""
        return self.fits >= max(2, self.refused)

    def bias(self, truth: float = 0.0) -> Bias:
        """How far the estimates are from a known truth."""
        off, spread = float(self.values.mean() - truth), float(self.values.std(ddof=1))
        unit = float(np.median(self.errors))
        least = abs(off) - _SURE * spread / np.sqrt(self.fits)
        return Bias(off, off / unit, bool(least > MATERIAL * unit))


@dataclass(frozen=True)
class Bias:
    """A bias over refits.

    Attributes:
        size: In units of the outcome.
        in_errors: In standard errors of one estimate.
        material: Whether it surely exceeds a quarter of a standard error.
    """

    size: float
    in_errors: float
    material: bool

    @property
    def grave(self) -> bool:
        """Whether it is material and of more than half a standard error."""
        return self.material and abs(self.in_errors) > GRAVE


def refit(effect: Effect, designs: Iterable[Design], what: str, total: int, *, show: bool = True) -> Refits:
    """Estimate again on each design.

    Args:
        effect: Whose method and settings are used.
        designs: The designs, made as they are needed.
        what: What is being done, in words.
        total: How many designs.
        show: Whether work over two seconds shows a bar.
    """
    values, errors, refused = [], [], 0
    with few_threads(effect.n):
        for design in track(designs, what, total=total, show=show):
            again = effect.again(design)
            error = again.standard_error
            if again.value is None or not error:
                refused += 1
                continue
            values.append(again.value)
            errors.append(error)
    return Refits(np.array(values), np.array(errors), refused)


def unanswered(name: str, meaning: str, fits: Refits, *, status: str = NOT_RUN) -> Finding:
    """The finding where the estimator refused too many of the altered tables."""
    says = f"The estimator gave a number on {fits.fits} of {fits.fits + fits.refused} altered tables only"
    return Finding(name, status, says, meaning, details={"fits": fits.fits, "refused": fits.refused})


def few_threads(rows: int) -> threadpool_limits:
    """Hold BLAS and OpenMP to one thread inside the block where there are too few rows to share."""
    return threadpool_limits(1 if rows < _FEW_ROWS else None)


def quantiles(values: Floats) -> tuple[float, float]:
    """The middle 95 % of some numbers."""
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
