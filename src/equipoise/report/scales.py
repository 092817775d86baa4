"""From numbers to places on a drawing, in per cent of its width, so that figures stretch and their letters do not."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from equipoise.report.numbers import tick


@dataclass(frozen=True)
class Scale:
    """A linear scale.

    Attributes:
        low: Number at the left end.
        high: Number at the right end, above `low`.
        left: Place of the left end, in per cent.
        right: Place of the right end, in per cent.
    """

    low: float
    high: float
    left: float = 0.0
    right: float = 100.0

    @classmethod
    def around(
        cls, values: Iterable[float | None], *, left: float = 0.0, right: float = 100.0, zero: bool = False
    ) -> Scale:
        """A scale that holds all values (None is left out), and 0 where asked for."""
        there = [value for value in values if value is not None] + ([0.0] if zero else [])
        low, high = (min(there), max(there)) if there else (0.0, 1.0)
        if high - low <= 1e-12 * max(1.0, abs(high)):
            low, high = low - 0.5 * abs(low or 1.0), high + 0.5 * abs(high or 1.0)
        return cls(low, high, left, right)

    def __call__(self, value: float) -> float:
        """Place of a number, in per cent with two decimals."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.left + share * (self.right - self.left), 2)

    def ticks(self, about: int = 4, share: bool = False) -> tuple[tuple[float, str], ...]:
        """Places and labels of round numbers within the scale, about so many; per cent where asked for."""
        raw = (self.high - self.low) / max(1, about)
        unit = 10.0 ** math.floor(math.log10(raw))
        step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= raw * (1 - 1e-9))
        indices = range(math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9) + 1)
        return tuple((self(index * step), tick(index * step, step, share)) for index in indices)
