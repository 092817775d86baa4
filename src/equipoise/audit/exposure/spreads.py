"""Intervals of numbers that say how unequal groups are, which chance alone pulls away from their fair value."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.metrics import DEFINITIONS

Floats = NDArray[np.float64]


def about_mean(rates: Floats) -> Floats:
    """Rates minus their mean over the groups that have one."""
    known = np.isfinite(rates)
    count = np.maximum(known.sum(axis=-1, keepdims=True), 1)
    return np.asarray(rates - np.where(known, rates, 0.0).sum(axis=-1, keepdims=True) / count)


def spread_row(
    name: str, value: Floats, contrasts: Floats, draws: Floats, drawn: Floats, *, users: int, level: float
) -> dict[str, Any]:
    """A row with the interval reflected at the estimate, and reaching to the fair value where no contrast
    speaks against it.
    """
    row: dict[str, Any] = {
        "metric": name,
        "value": None,
        "low": None,
        "high": None,
        "users": users,
        "bias": None,
    }
    if not np.isfinite(value):
        return row
    row["value"] = float(value)
    kept = draws[np.isfinite(draws)]
    if not len(kept) or float(np.ptp(kept)) <= 1e-12:
        return row
    definition = DEFINITIONS[name]
    upper, lower = np.quantile(kept, [0.5 + level / 2, 0.5 - level / 2])
    ends = [float(np.clip(2 * value - end, definition.low, definition.high)) for end in (upper, lower)]
    if definition.fair is not None and _all_zero(contrasts, drawn, level):
        ends.append(definition.fair)
    return row | {"low": min(ends), "high": max(ends), "bias": float(kept.mean() - value)}


def _all_zero(contrasts: Floats, drawn: Floats, level: float) -> bool:
    """Whether all contrasts may be 0: the largest, studentised, is no larger than its draws about themselves.

    Source: Romano and Wolf (2005), "Exact and approximate stepdown methods for multiple hypothesis testing",
    section 4.
    """
    known = np.isfinite(contrasts)
    apart = np.nan_to_num(drawn[:, known] - contrasts[known])
    error = apart.std(axis=0)
    moving = error > 1e-12 * max(1.0, float(np.abs(contrasts[known]).max(initial=0.0)))
    if (np.abs(contrasts[known][~moving]) > 1e-9).any():
        return False
    largest = (np.abs(apart[:, moving]) / error[moving]).max(axis=1, initial=0.0)
    reached = (np.abs(contrasts[known][moving]) / error[moving]).max(initial=0.0)
    return bool(reached <= np.quantile(largest, level))
