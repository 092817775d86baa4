"""Choosing an estimator by its estimated error, within the bounds of SLOPE.

Candidates go from the widest interval (least biased) to the narrowest. Those are admitted whose intervals
still meet those of all before them: as long as they meet, no bias is visible beyond the noise. Of the
admitted ones the least estimated error is taken: squared standard error, plus the squared distance to the
widest candidate as far as it exceeds the noise of that distance. Taking the last admitted one, as SLOPE
itself does, keeps the same bound but erred more than plain IPS on planted worlds, because intervals of
candidates from the same rows meet long after their paired difference shows a bias. Sources: Su, Srinath and
Krishnamurthy (2020), "Adaptive estimator selection for off-policy evaluation"; Tucker and Lee (2021),
"Improved estimator selection for off-policy evaluation" (SLOPE++: the order is that of the widths, the
constant √6 − 1). The interval reported is the chosen candidate's own; it covers less often than it says, because
the rows chose as well, and is never called reliable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from equipoise.causal.off_policy.estimators import Estimator, estimators
from equipoise.causal.off_policy.summary import Answer
from equipoise.causal.off_policy.value import Candidate
from equipoise.component import Component
from equipoise.errors import ConfigError
from equipoise.statistics import Estimate

AFTER_CHOICE = "The interval takes no account of the choice among estimators, which the same rows made."
_FACTOR = float(np.sqrt(6)) - 1
_LEVEL = 0.95
_CLIPS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_FAMILY = ("ips", "clipped_ips", "snips", "dm", "dr", "sndr", "switch_dr", "dros")


class Slope(Component):
    """Which estimators to choose among."""

    name: ClassVar[str] = "slope"

    candidates: tuple[tuple[str, dict[str, Any]], ...] | None = Field(None, min_length=1)
    """Names and settings; by default IPS, SNIPS and clipped IPS, or with an outcome model DR, SNDR, Switch-DR
    and DM."""

    def estimators(self, modelled: bool) -> tuple[Estimator, ...]:
        """The candidates themselves.

        Raises:
            ConfigError: if one does not exist or estimates something else (slates, embeddings, replay).
        """
        named = self.candidates
        if named is None and modelled:
            named = (("dr", {}), ("sndr", {}), *(("switch_dr", {"tau": tau}) for tau in _CLIPS), ("dm", {}))
        elif named is None:
            named = (("ips", {}), ("snips", {}), *(("clipped_ips", {"clip": clip}) for clip in _CLIPS))
        for name, _ in named:
            if name not in _FAMILY:
                raise ConfigError(
                    f"'{name}' cannot be a candidate of slope", todo=f"Choose among {', '.join(_FAMILY)}."
                )
        return tuple(estimators.build(name, options) for name, options in named)


def choose(results: Sequence[tuple[Estimator, Answer]], level: float) -> tuple[int, tuple[Candidate, ...]]:
    """The place of the chosen estimator, and all of them from widest to narrowest.

    Args:
        results: Each estimator with its answer.
        level: Level of the intervals shown; the choice itself is made at 95 %.
    """
    widths = [_half(answer.estimate, _LEVEL) for _, answer in results]
    order = sorted(range(len(results)), key=lambda i: -widths[i])
    widest = results[order[0]][1].estimate
    admitted, errors = 0, []
    for place, i in enumerate(order):
        found = results[i][1].estimate
        gaps = [
            abs(found.value - results[j][1].estimate.value) - widths[i] - _FACTOR * widths[j]
            for j in order[:place]
        ]
        if admitted == place and all(gap <= 0 for gap in gaps):
            admitted += 1
        errors.append(_error(found, widest))
    chosen = order[int(np.argmin(errors[:admitted]))]
    return chosen, tuple(
        _candidate(results[i], level, error, i == chosen) for i, error in zip(order, errors, strict=True)
    )


def _half(found: Estimate, level: float) -> float:
    interval = found.interval(level)
    return float("inf") if interval.high is None else interval.high - found.value


def _error(found: Estimate, widest: Estimate) -> float:
    """Estimated root mean squared error, where the widest candidate has no bias."""
    gap = found.minus(widest)
    bias = max(gap.value**2 - (gap.standard_error or 0.0) ** 2, 0.0)
    return float(np.sqrt((found.standard_error or 0.0) ** 2 + bias))


def _candidate(result: tuple[Estimator, Answer], level: float, error: float, chosen: bool) -> Candidate:
    estimator, found = result[0], result[1].estimate
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
