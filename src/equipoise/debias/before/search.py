"""The search for weights at which a measured disparity is small enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from equipoise.debias.before.inverse_balance import RULES, Floats, RuleName
from equipoise.debias.before.measured import Measured
from equipoise.errors import ModelError

_MARGIN = 0.75  # of the target is aimed at, for responses are rough and the target must be met from below
_FLOOR = (
    0.01  # of the highest rate: what counts for a cell that gets nothing, whose logarithm would be infinite
)
_STRIDE = 1.0  # the logarithm of a weight changes by this at most in a round
_FLAT = 0.05  # responses below this are none
_WORSE = (
    1.5  # times as much missing as at the best place sends the search back there, with a pace so much slower
)


@dataclass(frozen=True)
class Round:
    """One round of the search.

    Attributes:
        weights: Weight of each cell; their geometric mean is 1.
        measured: What came out under them.
    """

    weights: Floats
    measured: Measured


def seek(
    measure: Callable[[Floats], Measured],
    target: float,
    *,
    rule: RuleName,
    shares: Floats,
    rounds: int,
    limit: float,
) -> list[Round]:
    """Weights until the measured disparity is at most `target`; rounds in the order they were tried.

    The rule says, from the rates before any weight, which rates are wanted; their ratios are what weights can
    bring about. The first step is about the declared one, weights of `wanted / rate`. Each later step follows
    the response that was measured: a secant between the logarithms of the weights and what is missing of the
    rates, with bounded steps and changes of pace, and from the best place again where a step led far astray.

    Args:
        measure: Rates under weights, all one per cell; what is judged by is carried along and never looked at.
        target: Largest disparity, above 0.
        rule: Name of a rule of inverse balance.
        shares: What each cell counts for in a mean of the rates.
        rounds: Measurements after the first.
        limit: Largest ratio of two weights.

    Raises:
        ModelError: if all rates are 0.
    """
    logs, pace = np.zeros(len(shares)), 1.0
    found: list[Round] = []
    wanted = np.zeros(len(shares))
    last: tuple[Floats, Floats] | None = None  # logarithms of weights, and what was missing under them
    best = last
    for number in range(rounds + 1):
        measured = measure(np.exp(logs))
        rates = measured.searched.values
        if not rates.any():
            raise ModelError(
                "No group is served at all, so that there is no disparity to lessen",
                where=f"round {number}, {len(rates)} groups",
                todo="Measure longer lists, or by another metric.",
            )
        seen = np.maximum(rates, _FLOOR * rates.max())
        if number == 0:
            wanted = RULES[rule](seen, _MARGIN * target, shares)
        short = _short(wanted / wanted.mean(), seen / seen.mean())
        found.append(Round(np.exp(logs), measured))
        here = logs, _centred(short)
        if measured.searched.disparity <= target:
            break
        if last is not None:
            pace = _pace(pace, here[0] - last[0], last[1] - here[1])
        if best is None or _size(here) < _size(best):
            best = here
        last = here
        if _size(here) > _WORSE * _size(best):
            last, pace = best, pace / _WORSE
        logs = _limited(last[0] + np.clip(pace * last[1], -_STRIDE, _STRIDE), limit)
    return found


def _size(place: tuple[Floats, Floats]) -> float:
    return float(np.abs(place[1]).max())


def _short(wanted: Floats, seen: Floats) -> Floats:
    """How much is missing, within [-2, 2]: near 0 the difference of the logarithms.

    A cell that gets next to nothing is as far away as can be and not infinitely far, or the steps of lists
    that turn over all at once would never settle.
    """
    return np.asarray(2 * (wanted - seen) / (wanted + seen))


def _pace(pace: float, moved: Floats, gained: Floats) -> float:
    """One over the response to the last step, within bounds of the last pace.

    One pace for all cells, for cells share one total: what one gains the others lose.
    """
    length = float(moved @ moved)
    if length < 1e-12:
        return pace
    response = max(float(gained @ moved) / length, _FLAT)
    return float(np.clip(1 / response, pace / 3, min(pace * 4, 16.0)))


def _limited(logs: Floats, limit: float) -> Floats:
    """Centred, and drawn in where the largest and the smallest are too far from each other."""
    centred = _centred(logs)
    width = np.ptp(centred)
    return centred if width <= np.log(limit) else np.asarray(centred * (np.log(limit) / width))


def _centred(values: Floats) -> Floats:
    return np.asarray(values - values.mean())
