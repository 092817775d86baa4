"""Evidence on bounded means that stays valid however often one looks: testing by betting.

A bettor who starts with 1 and stakes only on the mean being larger than `level` cannot expect to gain while it is
not, so its wealth reaches 1/alpha with a chance of at most alpha, ever (Ville's inequality). Several stakes at once
make a mixture, which is such a bettor again. Sources: Waudby-Smith and Ramdas (2024), "Estimating means of bounded
random variables by betting", sections 3 and 4; Howard et al. (2021), "Time-uniform, nonparametric, nonasymptotic
confidence sequences"; for bettors that start later, Shin, Ramdas and Rinaldo (2024), "E-detectors".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.errors import DataError
from equipoise.statistics.interval import Floats, Interval, check

_STAKES = np.geomspace(0.01, 0.9, 10)
"""Shares of the wealth that can be lost at most on one value; never all of it, so that wealth stays positive."""
_BETTORS = 64  # bettors kept at once; to let a poor one go lowers the evidence, so the test stays valid
_HALVINGS = 40


@dataclass(frozen=True)
class BettingTest:
    """Whether the mean of bounded values lies above a level, looked at as often as one likes.

    The hypothesis is that each value's mean, given all before it, is at most `level`; values may depend on each
    other otherwise, and what they are bounded by may differ from one to the next. Evidence of log(1/alpha) refutes
    it at `alpha`, at whatever time it is reached.

    A test that has run for long without evidence has lost its stake, and would notice a later rise late. So with
    `spacing` new bettors start on the way, the jth with 1 / (j (j + 1)) of the stake, which is 1 in all. The
    numbering goes on through `renewed`: however often a test is renewed, the expected number of times that it
    refutes a true hypothesis is at most alpha.

    Attributes:
        level: The largest mean under the hypothesis.
        spacing: Values after which the next bettor starts; 0 for the first one only.
        opened: Bettors that started so far.
        stake: Log of each bettor's share of the stake, (bettors,).
        wealth: Log of the wealth per bettor and share staked, (bettors, shares).
        count: Values since each bettor's start, (bettors,).
        total: Their sum, (bettors,).
    """

    level: float
    spacing: int = 0
    opened: int = 0
    stake: Floats = field(default_factory=lambda: np.zeros(0))
    wealth: Floats = field(default_factory=lambda: np.zeros((0, len(_STAKES))))
    count: Floats = field(default_factory=lambda: np.zeros(0))
    total: Floats = field(default_factory=lambda: np.zeros(0))

    def after(self, values: ArrayLike, low: ArrayLike) -> BettingTest:
        """The test after more values.

        Args:
            values: In the order in which they came, (values,).
            low: What each could not be below, known before it came; one for all or (values,), below `level`.

        Raises:
            DataError: if a value is not finite or below its bound, or a bound is not below the level.
        """
        seen = np.asarray(values, dtype=np.float64)
        if not len(seen):
            return self
        gains = _gains(seen, self.level, low)
        test = self._joined() if self._due else self
        grown = test.wealth + np.log1p(_STAKES[:, None] * gains[None, :]).sum(axis=1)
        test = replace(test, wealth=grown, count=test.count + len(seen), total=test.total + seen.sum())
        return test if len(test.stake) <= _BETTORS else test._richest()

    def renewed(self, level: float | None = None) -> BettingTest:
        """A test without evidence, at the same level or another, that goes on with the numbering of bettors."""
        return BettingTest(self.level if level is None else level, self.spacing, self.opened)

    @property
    def evidence(self) -> float:
        """Log of the whole wealth; -inf before the first value."""
        return float(np.logaddexp.reduce(self._each)) if len(self.stake) else float("-inf")

    @property
    def estimate(self) -> float:
        """Mean since the start of the richest bettor, which is where the rise seems to begin; NaN without values."""
        if not len(self.stake):
            return float("nan")
        best = int(np.argmax(self._each))
        return float(self.total[best] / self.count[best])

    @property
    def values(self) -> int:
        """How many values `estimate` is the mean of."""
        return int(self.count[int(np.argmax(self._each))]) if len(self.stake) else 0

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, enough to go on."""
        return {
            "level": self.level, "spacing": self.spacing, "opened": self.opened, "stake": self.stake.tolist(),
            "wealth": self.wealth.tolist(), "count": self.count.tolist(), "total": self.total.tolist(),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> BettingTest:
        """What `as_dict` told."""
        arrays = {name: np.asarray(state[name], dtype=np.float64) for name in ("stake", "count", "total")}
        wealth = np.asarray(state["wealth"], dtype=np.float64).reshape(-1, len(_STAKES))
        return cls(state["level"], state["spacing"], state["opened"], wealth=wealth, **arrays)

    @property
    def _each(self) -> Floats:
        """Log of what each bettor has, its stake included."""
        return np.asarray(self.stake + np.logaddexp.reduce(self.wealth, axis=1) - np.log(len(_STAKES)))

    @property
    def _due(self) -> bool:
        return not len(self.count) or bool(self.spacing and self.count.min() >= self.spacing)

    def _joined(self) -> BettingTest:
        number = self.opened + 1
        share = -np.log(number * (number + 1)) if self.spacing else 0.0
        return replace(
            self,
            opened=number,
            stake=np.append(self.stake, share),
            wealth=np.vstack([self.wealth, np.zeros(len(_STAKES))]),
            count=np.append(self.count, 0.0),
            total=np.append(self.total, 0.0),
        )

    def _richest(self) -> BettingTest:
        """All but the poorest bettor; the latest stays, for it says when the next one is due."""
        keep = np.arange(len(self.stake)) != int(np.argmin(self._each[:-1]))
        return replace(
            self,
            stake=self.stake[keep],
            wealth=self.wealth[keep],
            count=self.count[keep],
            total=self.total[keep],
        )


def betting_interval(
    values: ArrayLike, *, low: float = 0.0, high: float = 1.0, level: float = 0.95
) -> Interval:
    """Interval of the mean of bounded values that may be looked at after every value: a confidence sequence.

    The intervals of all times hold the mean together with probability `level`. It is made of the means that neither
    of two `BettingTest`s refutes, each at (1 - level) / 2.

    Args:
        values: So far, (values,), each with the same mean given those before it.
        low: What no value can be below.
        high: What no value can be above.
        level: Confidence level in (0, 1).

    Raises:
        DataError: if a value is out of bounds or not finite, or the bounds hold nothing.
    """
    seen = np.asarray(values, dtype=np.float64)
    if not low < high:
        raise DataError(f"The bounds {low} and {high} hold no values")
    if not len(seen):
        return Interval(None, low, high, 0)
    mean, needed = float(seen.mean()), np.log(2 / (1 - level))
    _gains(seen, high, low)  # refuses what is out of bounds
    _gains(-seen, -low, -high)
    ends = (
        low + _lower_end(seen - low, mean - low, needed),
        high - _lower_end(high - seen, high - mean, needed),
    )
    return Interval(mean, float(ends[0]), float(ends[1]), len(seen))


def _lower_end(above: Floats, mean: float, needed: float) -> float:
    """The smallest mean that is not refuted, of values not below 0; the evidence falls with the mean."""
    refuted, kept = 0.0, mean
    for _ in range(_HALVINGS):
        middle = (refuted + kept) / 2
        if middle <= 0:
            break
        wealth = np.log1p(_STAKES[:, None] * _gains(above, middle, 0.0)).sum(axis=1)
        if np.logaddexp.reduce(wealth) - np.log(len(_STAKES)) >= needed:
            refuted = middle
        else:
            kept = middle
    return refuted


def _gains(values: Floats, level: float, low: ArrayLike) -> NDArray[np.float64]:
    """What a stake gains per unit on each value, at least -1; on average not above 0 under the hypothesis."""
    check("values", values)
    floor = np.broadcast_to(np.asarray(low, dtype=np.float64), values.shape)
    if (floor >= level).any():
        raise DataError(f"A bound of the values is not below the level {level:g} that is tested")
    if beyond := int((values < floor - 1e-9).sum()):
        raise DataError("Values lie beyond their bounds", where=f"{beyond} of {len(values)} values")
    return np.maximum((values - level) / (level - floor), -1.0)
