"""The search for weights at which a measured disparity is small enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from equipoise.debias.before.inverse_balance import RULES, Floats, RuleName, disparity

_MARGIN = 0.75  # of the target is aimed at, for responses are rough and the target must be met from below
_FLOOR = (
    0.01  # of the highest rate: what counts for a cell that gets nothing, whose logarithm would be infinite
)
_STRIDE = np.log(4.0)  # a weight changes at most by this factor in a round
_FLAT = 0.05  # responses below this are none


@dataclass(frozen=True)
class Round:
    """One round of the search.

    Attributes:
        weights: Weight of each cell; their geometric mean is 1.
        rates: What was measured under them.
        disparity: Of these rates.
    """

    weights: Floats
    rates: Floats
    disparity: float


def seek(
    measure: Callable[[Floats], Floats],
    target: float,
    *,
    rule: RuleName,
    shares: Floats,
    rounds: int,
    limit: float,
) -> list[Round]:
    """Weights until the measured disparity is at most `target`; rounds in the order they were tried.

    The rule says, from the rates before any weight, which rates are wanted; their ratios are what weights can
    bring about. The first step is the declared one, weights of `wanted / rate`. Each later step follows the
    response that was measured: a secant in the logarithms of weight and rate, cell by cell, with bounded
    changes of pace.

    Args:
        measure: Rates under weights, both one per cell.
        target: Largest disparity, above 0.
        rule: Name of a rule of inverse balance.
        shares: What each cell counts for in a mean of the rates.
        rounds: Measurements after the first.
        limit: Largest ratio of two weights.
    """
    logs = np.zeros(len(shares))
    pace = np.ones(len(shares))
    found: list[Round] = []
    wanted = before = missing = np.zeros(len(shares))
    for number in range(rounds + 1):
        rates = measure(np.exp(logs))
        found.append(Round(np.exp(logs), rates, disparity(rates)))
        if found[-1].disparity <= target:
            break
        seen = np.log(np.maximum(rates, _FLOOR * rates.max()))
        if number == 0:
            wanted = np.log(RULES[rule](np.exp(seen), _MARGIN * target, shares))
        previous, missing = missing, _centred(wanted - seen)
        if number:
            pace = _pace(pace, logs - before, previous - missing)
        before = logs
        logs = _limited(logs + np.clip(pace * missing, -_STRIDE, _STRIDE), limit)
    return found


def _pace(pace: Floats, moved: Floats, gained: Floats) -> Floats:
    """One over the response of each cell; faster where there was none, slower where it was the wrong way."""
    response = np.divide(gained, moved, out=np.full(len(pace), np.nan), where=np.abs(moved) > 1e-6)
    secant = 1 / np.maximum(response, _FLAT)
    chosen = np.where(response < -_FLAT, pace / 2, np.where(response < _FLAT, pace * 2, secant))
    return np.asarray(
        np.clip(np.where(np.isnan(response), pace, chosen), pace / 4, np.minimum(pace * 4, 16.0))
    )


def _limited(logs: Floats, limit: float) -> Floats:
    """Centred, and drawn in where the largest and the smallest are too far from each other."""
    centred = _centred(logs)
    width = np.ptp(centred)
    return centred if width <= np.log(limit) else np.asarray(centred * (np.log(limit) / width))


def _centred(values: Floats) -> Floats:
    return np.asarray(values - values.mean())
