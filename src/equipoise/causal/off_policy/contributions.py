"""How many decisions an estimate rests on, which says whether its interval can be believed.

The normal limit holds when no decision makes up much of the error. With influence values φ, Lyapunov's ratio
Σ|φ|³ / (Σφ²)^1.5 bounds how far it is off (Berry and Esseen), so that

    contributions = (Σφ²)³ / (Σ|φ|³)²

is the number of equally large decisions that would be as far off: n of n equal ones, the number of clicks where
few rows are clicked, the number of heavy rows where few carry the weight. Unlike Σφ² / max φ² it does not hang on
one extreme value, so that two logs of one kind get the same answer.

A heavy row whose reward happened to be 0 has no influence yet and would go unseen. What never happened among many
trials may still happen three times (the rule of three: 95 % limit of a count of which none was seen; Hanley and
Lippman-Hand 1983). So the ratio is taken once more with three further decisions of the largest influence that any
weight of the log allows, and the smaller number counts. On planted worlds 95 % intervals cover 93-97 % from 30
contributions on, over sizes of logs, rates of reward and overlaps.

That is of both ends together. The tails of a skewed sum err in opposite directions, to first order by
0.0845 / √contributions each at 95 % (Hall 1992, section 2.4): with 30 contributions an end misses in 1-4 % instead
of 2.5 %, with 300 in 2-3 %. Who decides by one end can ask for more by `Support.minimum_contributions`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

UNSEEN = 3.0
"""Decisions of a kind that may exist though none was seen to bring a reward."""


@dataclass(frozen=True)
class Exposure:
    """What the weights can move, whatever the rewards turned out to be; in the scale of influence values.

    Attributes:
        weights: Σ of the used weights per cluster, float64 (clusters,).
        largest: Largest root of Σ of squared weights of a cluster: its rows taken for independent, because
            what they share shows in the influence values.
        spread: Largest residual (reward, or reward less its prediction) that was seen, in units of the reward.
        cut: Σ of what was taken from the weights per cluster; None where nothing was.
        lost: The same times the residuals; None likewise.
    """

    weights: Floats
    largest: float
    spread: float
    cut: Floats | None = None
    lost: Floats | None = None

    @property
    def most(self) -> float:
        """Largest influence that a cluster can have."""
        return self.largest * self.spread

    @property
    def bias(self) -> float:
        """Upper bound of the bias by what was taken from the weights, in units of the reward.

        Residuals that were weighted less than they should count, and three more at the largest cut.
        """
        if self.cut is None or self.lost is None:
            return 0.0
        seen, unseen = np.abs(self.lost).sum(), UNSEEN * np.abs(self.cut).max() * self.spread
        return float(seen + unseen) / len(self.cut)

    def minus(self, other: Exposure) -> Exposure:
        """That of a difference of two values: where two policies agree, nothing moves it."""
        weights = self.weights - other.weights
        largest = float(np.abs(weights).max(initial=0.0))
        parts = [_gap(self.cut, other.cut), _gap(self.lost, other.lost)]
        return Exposure(weights, largest, max(self.spread, other.spread), *parts)


def contributions(influence: Floats, most: float = 0.0) -> float:
    """Number of equally large decisions that would be as far from the normal limit; 0 where none has influence.

    Args:
        influence: φ, one value per cluster.
        most: Largest |φ| that the weights allow.
    """
    size = np.abs(influence)
    largest = max(float(size.max(initial=0.0)), most)
    if not size.any():
        return 0.0
    size = size / largest
    part = most / largest
    squares, cubes = float((size**2).sum()), float((size**3).sum())
    if cubes == 0:  # far below what the weights allow
        return 0.0
    more = (squares + UNSEEN * part**2) ** 3 / (cubes + UNSEEN * part**3) ** 2
    return min(squares**3 / cubes**2, more)


def _gap(first: Floats | None, second: Floats | None) -> Floats | None:
    if first is None and second is None:
        return None
    zero = np.zeros(1)
    return (zero if first is None else first) - (zero if second is None else second)
