"""Measured rates of cells, how sure they are, and what they are for users whom weights were not searched on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.debias.before.inverse_balance import Floats, disparity


@dataclass(frozen=True)
class Rates:
    """Rates of cells as one part of the users has them.

    Attributes:
        values: One per cell, at least 0.
        errors: Their standard errors, 0 where there is none.
    """

    values: Floats
    errors: Floats

    @property
    def disparity(self) -> float:
        """Of these rates, infinite where a cell gets nothing."""
        return disparity(self.values) if self.values.any() else float("inf")

    @property
    def noise(self) -> float:
        """The disparity that chance alone may make of the best and the worst rate, at 95 %; 0 where one is 0."""
        if not self.values.all():
            return 0.0
        pair = [int(self.values.argmax()), int(self.values.argmin())]
        return float(np.expm1(1.96 * np.sqrt(np.square(self.errors[pair] / self.values[pair]).sum())))

    @property
    def upper(self) -> float:
        """The largest disparity that these rates leave possible, at 95 %: `(1 + disparity) (1 + noise) - 1`."""
        return (1 + self.disparity) * (1 + self.noise) - 1


@dataclass(frozen=True)
class Measured:
    """What a model's lists come to.

    Attributes:
        searched: The rates that weights are set by.
        judged: The rates they are judged by: of other users, or the same where there is no noise to follow.
    """

    searched: Rates
    judged: Rates
