"""Gaps of one attribute: every kind, its interval and its test. `equipoise.metrics.definitions.KINDS` says what
they mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from equipoise.audit.fairness.compared import Compared
from equipoise.audit.fairness.distributions import kolmogorov_smirnov, wasserstein
from equipoise.statistics import (
    GroupsTest,
    Interval,
    Means,
    lowest_interval,
    minimum_detectable_difference,
    range_interval,
)

Floats = NDArray[np.float64]

DIFFERENCE: Final = "difference"
RAW: Final = "raw difference"
_NONE = Interval(None, None, None, 0)


@dataclass(frozen=True)
class Gap:
    """One kind of gap between the groups of an attribute.

    Attributes:
        kind: Which, as in "difference".
        interval: The gap and its interval; `n` is the smallest group's users.
        distance: What is held against the tolerance: the gap minus its fair value.
        p_value: Of equal means; None where there is no test.
        detectable: Smallest difference of two groups found with 80 % power.
        groups: Groups compared, as in "M - F"; empty where there are more than two.
        null_mean: Mean of the gap under shuffled labels.
        null_high: Its 95th percentile.
    """

    kind: str
    interval: Interval
    distance: Interval
    p_value: float | None = None
    detectable: float | None = None
    groups: str = ""
    null_mean: float | None = None
    null_high: float | None = None


def gaps(
    compared: Compared, column: int, values: Floats, better: str, controlled: bool, level: float
) -> list[Gap]:
    """All kinds of gap of one column.

    Args:
        compared: The groups.
        column: Place of the column in the part.
        values: (users of the part,) of that column.
        better: Whether "high" or "low" values are better.
        controlled: Whether there are controls: then "difference" is the adjusted one.
        level: Confidence level.
    """
    own = _Column(compared, column, level)
    found = [own.difference(DIFFERENCE, compared.adjusted, compared.test)]
    if controlled:
        found.append(own.difference(RAW, compared.means, compared.raw_test))
    members = [np.sort(values[compared.codes == g]) for g in range(len(compared.labels))]
    found += [
        own.proportion("ratio", lambda x: math.exp(-x), 1.0),
        own.proportion("disparity", math.expm1, 0.0),
        own.worst(better),
        own.variance(),
        own.plain("kolmogorov-smirnov", kolmogorov_smirnov(members, level=level)),
        own.plain("wasserstein", wasserstein(members)),
    ]
    return found


@dataclass(frozen=True)
class _Column:
    """The kinds of gap of one column."""

    compared: Compared
    column: int
    level: float

    def difference(self, kind: str, means: Means | None, test: GroupsTest | None) -> Gap:
        if means is None or test is None:
            return Gap(kind, _NONE, _NONE)
        j, two = self.column, len(self.compared.labels) == 2
        groups, null_mean, null_high = "", None, None
        if two:
            # The larger group first; of two equal ones, the one with the higher value.
            turned = bool(means.users[0] == means.users[1] and means.value[0, j] < means.value[1, j])
            labels = self.compared.labels[::-1] if turned else self.compared.labels
            groups = f"{labels[0]} - {labels[1]}"
            interval = means.column(j).contrast((-1, 1) if turned else (1, -1))[0]
        else:
            interval = spread_of(means, j)
            null = np.ptp(test.null_means[:, :, j], axis=1)
            null_mean, null_high = float(null.mean()), float(np.quantile(null, 0.95))
        return Gap(
            kind,
            interval,
            interval,
            float(test.p_value[j]),
            self._detectable(means, test),
            groups,
            null_mean,
            null_high,
        )

    def _detectable(self, means: Means, test: GroupsTest) -> float | None:
        """For several groups: of the two that are known worst, at a level shared by all pairs.

        A group whose members are all alike is known as well as its margin says.
        """
        two_sided = NormalDist().inv_cdf((1 + self.level) / 2)
        alike = (means.margins[:, self.column] / two_sided) ** 2
        spread = np.sort(np.maximum(test.variance[:, self.column], alike))[::-1]
        n, k = int(self.compared.means.users.min()), len(spread)
        level = 1 - (1 - self.level) / math.comb(k, 2)
        first, second = (math.sqrt(float(each) * n) for each in spread[:2])
        return minimum_detectable_difference(first, n, second, n, level=level)

    def proportion(self, kind: str, shape: Callable[[float], float], fair: float) -> Gap:
        """Of the largest and the smallest mean, through the range of their logarithms."""
        j, means = self.column, self.compared.means
        value, draws = means.value[:, j], means.draws[:, :, j]
        if (value <= 0).any():
            return Gap(kind, _NONE, _NONE)
        margins = means.margins[:, j]
        if (draws <= 0).any() or (value - margins <= 0).any():
            gap = shape(math.log(value.max()) - math.log(value.min()))
            interval = Interval(gap, None, None, int(means.users.min()), "a draw without any positive value")
        else:
            logarithms = range_interval(
                np.log(value),
                np.log(draws),
                means.users,
                level=means.moving_level(j),
                margins=-np.log1p(-margins / value),
            )
            ends = [None if end is None else shape(end) for end in (logarithms.low, logarithms.high)]
            known = sorted(end for end in ends if end is not None)
            low, high = known if len(known) == 2 else (None, None)
            interval = replace(logarithms, value=shape(float(logarithms.value or 0.0)), low=low, high=high)
        return Gap(kind, interval, _shifted(interval, fair), self._p_value())

    def worst(self, better: str) -> Gap:
        """The worst group's mean; held against the tolerance is how far it falls short of everybody's."""
        j, sign = self.column, -1.0 if better == "low" else 1.0
        means, everybody = self.compared.means, self.compared.everybody
        value, draws = sign * means.value[:, j], sign * means.draws[:, :, j]
        level, margins = means.moving_level(j), means.margins[:, j]
        interval = lowest_interval(value, draws, means.users, level=level, margins=margins)
        short = lowest_interval(
            value - sign * everybody.value[0, j],
            draws - sign * everybody.draws[:, :1, j],
            means.users,
            level=level,
            margins=margins,
        )
        if interval.low is not None and interval.high is not None:
            least, most = np.sort(sign * np.array([means.least[j], means.most[j]])).tolist()
            interval = replace(interval, low=max(interval.low, least), high=min(interval.high, most))
        label = self.compared.labels[int(value.argmin())]
        return Gap("worst group", _turned(interval, sign), _turned(short, -1.0), self._p_value(), None, label)

    def variance(self) -> Gap:
        value = float(self.compared.means.value[:, self.column].var())
        null = self.compared.raw_test.null_means[:, :, self.column].var(axis=1)
        interval = self._bare(value)
        return Gap(
            "between-group variance",
            interval,
            interval,
            self._p_value(),
            None,
            "",
            float(null.mean()),
            float(np.quantile(null, 0.95)),
        )

    def plain(self, kind: str, measured: tuple[float, float | None, float | None]) -> Gap:
        interval = replace(self._bare(measured[0]), low=measured[1], high=measured[2])
        return Gap(kind, interval, interval)

    def _bare(self, value: float) -> Interval:
        return Interval(value, None, None, int(self.compared.means.users.min()))

    def _p_value(self) -> float:
        return float(self.compared.raw_test.p_value[self.column])


def spread_of(means: Means, j: int, level: float | None = None) -> Interval:
    """Largest minus smallest mean of a column, no larger than the range of the values.

    Args:
        means: The groups.
        j: The column.
        level: Confidence level; that of the means where it is left out.
    """
    own = means.column(j) if level is None else replace(means.column(j), level=level)
    found = range_interval(
        own.value[:, 0],
        own.draws[:, :, 0],
        own.users,
        level=own.moving_level(0),
        margins=own.margins[:, 0],
    )
    if found.high is None:
        return found
    return replace(
        found, high=max(float(found.value or 0.0), min(found.high, float(own.most[0] - own.least[0])))
    )


def _shifted(interval: Interval, fair: float) -> Interval:
    ends = (interval.value, interval.low, interval.high)
    value, low, high = (None if end is None else end - fair for end in ends)
    return replace(interval, value=value, low=low, high=high)


def _turned(interval: Interval, sign: float) -> Interval:
    if sign > 0:
        return interval
    value, low, high = (None if e is None else -e for e in (interval.value, interval.high, interval.low))
    return replace(interval, value=value, low=low, high=high)


def unmeasured(kind: str) -> list[Gap]:
    """The gaps of an attribute with fewer than two groups that are large enough: none, and the same of the
    kind that gets the verdict.
    """
    return [Gap(each, _NONE, _NONE) for each in dict.fromkeys((DIFFERENCE, kind))]
