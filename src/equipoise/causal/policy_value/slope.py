"""Choosing an estimator by its estimated error: SLOPE.

Candidates go from least biased and widest to most biased and narrowest. The last whose interval still meets
those of all before it is taken: as long as they meet, narrowness is had for no visible bias. Sources: Su,
Srinath and Krishnamurthy (2020), "Adaptive estimator selection for off-policy evaluation"; Tucker and Lee
(2021), "Improved estimator selection for off-policy evaluation" (SLOPE++: the order is that of the
widths, the constant √6 − 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from equipoise.causal.policy_value.estimators import Estimator, estimators
from equipoise.causal.policy_value.value import Candidate
from equipoise.component import Component
from equipoise.errors import ConfigError
from equipoise.statistics import Estimate

_FACTOR = float(np.sqrt(6)) - 1
_LEVEL = 0.95
_CLIPS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_FAMILY = ("ips", "clipped_ips", "snips", "dm", "dr", "sndr", "switch_dr", "dros")


class Slope(Component):
    """Which estimators to choose among."""

    name: ClassVar[str] = "slope"

    candidates: tuple[tuple[str, dict[str, Any]], ...] | None = Field(None, min_length=1)
    """Names and settings; by default IPS and clipped IPS, or with an outcome model DR, Switch-DR and DM."""

    def estimators(self, modelled: bool) -> tuple[Estimator, ...]:
        """The candidates themselves.

        Raises:
            ConfigError: if one does not exist or estimates something else (slates, embeddings, replay).
        """
        named = self.candidates
        if named is None and modelled:
            named = (("dr", {}), *(("switch_dr", {"tau": tau}) for tau in _CLIPS), ("dm", {}))
        elif named is None:
            named = (("ips", {}), *(("clipped_ips", {"clip": clip}) for clip in _CLIPS))
        for name, _ in named:
            if name not in _FAMILY:
                raise ConfigError(
                    f"'{name}' cannot be a candidate of slope", todo=f"Choose among {', '.join(_FAMILY)}."
                )
        return tuple(estimators.build(name, options) for name, options in named)


def choose(
    results: Sequence[tuple[Estimator, Estimate, float]], level: float
) -> tuple[int, tuple[Candidate, ...]]:
    """The place of the chosen estimator, and all of them from widest to narrowest.

    Args:
        results: Estimator, estimate and its bound of bias (not used: slope looks at the estimates alone).
        level: Level of the intervals shown; the choice itself is made at 95 %.
    """
    widths = [_half(found, _LEVEL) for _, found, _ in results]
    order = sorted(range(len(results)), key=lambda i: -widths[i])
    chosen, met = order[0], True
    errors = []
    for place, i in enumerate(order):
        value = results[i][1].value
        gaps = [abs(value - results[j][1].value) - widths[i] - _FACTOR * widths[j] for j in order[:place]]
        met = met and max(gaps, default=-1.0) <= 0
        chosen = i if met else chosen
        bias = max(
            (abs(value - results[j][1].value) - _noise(results[j][1], results[i][1]) for j in order[:place]),
            default=0.0,
        )
        errors.append(float(np.hypot(max(bias, 0.0), results[i][1].standard_error or 0.0)))
    return chosen, tuple(
        _candidate(results[i], level, error, i == chosen) for i, error in zip(order, errors, strict=True)
    )


def _half(found: Estimate, level: float) -> float:
    interval = found.interval(level)
    return float("inf") if interval.high is None else interval.high - found.value


def _noise(wide: Estimate, narrow: Estimate) -> float:
    """Standard error of the difference of two candidates: they come from the same rows."""
    return wide.minus(narrow).standard_error or 0.0


def _candidate(
    result: tuple[Estimator, Estimate, float], level: float, error: float, chosen: bool
) -> Candidate:
    estimator, found, _ = result
    interval = found.interval(level)
    return Candidate(
        estimator.name,
        estimator.model_dump(mode="json"),
        found.value,
        interval.low,
        interval.high,
        error,
        chosen,
    )
