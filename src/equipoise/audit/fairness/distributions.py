"""How far apart do the distributions of users' values lie in different groups?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def kolmogorov_smirnov(groups: Sequence[Floats], *, level: float = 0.95) -> tuple[float, float, float]:
    """Largest distance of two groups' distribution functions, with an interval.

    The interval adds the bands of Dvoretzky, Kiefer and Wolfowitz with Massart's constant (1990, "The tight
    constant in the Dvoretzky-Kiefer-Wolfowitz inequality") at a level shared by the groups. It holds for any
    distribution and is wide.

    Args:
        groups: Sorted values of each group.
        level: Confidence level.

    Returns:
        Distance in [0, 1], low, high.
    """
    places = np.unique(np.concatenate(groups))
    shares = np.stack([np.searchsorted(group, places, side="right") / len(group) for group in groups])
    distance = float(np.ptp(shares, axis=0).max())
    band = [math.sqrt(math.log(2 * len(groups) / (1 - level)) / (2 * len(group))) for group in groups]
    reach = sum(sorted(band)[-2:])
    return distance, max(0.0, distance - reach), min(1.0, distance + reach)


def wasserstein(groups: Sequence[Floats]) -> tuple[float, None, None]:
    """Largest area between two groups' distribution functions, in the unit of the values; no interval.

    Args:
        groups: Sorted values of each group.
    """
    places = np.unique(np.concatenate(groups))
    shares = [np.searchsorted(group, places, side="right")[:-1] / len(group) for group in groups]
    widths = np.diff(places)
    largest = max(float(np.abs(a - b) @ widths) for a, b in combinations(shares, 2))
    return largest, None, None
