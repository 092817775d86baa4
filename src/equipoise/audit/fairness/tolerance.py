"""Tolerances given by hand: one for all, by metric, or by metric and attribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any

from equipoise.errors import ConfigError, nearest

Tolerance = float | Mapping[str, float | Mapping[str, float]] | None


def tolerances(given: Tolerance, metrics: Sequence[str]) -> Callable[[str, str], float | None]:
    """The tolerance of a metric and an attribute; None where none was given.

    Raises:
        ConfigError: if a tolerance is no number from 0, or is given for a metric that is not measured.
    """
    if isinstance(given, Mapping):
        for metric, of_metric in given.items():
            if metric not in metrics:
                raise ConfigError(
                    f"A tolerance is given for '{metric}', which is not measured",
                    todo=nearest(metric, metrics),
                )
            each = of_metric.values() if isinstance(of_metric, Mapping) else [of_metric]
            for tolerance in each:
                _check(tolerance)
    elif given is not None:
        _check(given)

    def of(metric: str, attribute: str) -> float | None:
        own = given.get(metric) if isinstance(given, Mapping) else given
        return own.get(attribute) if isinstance(own, Mapping) else own

    return of


def _check(tolerance: Any) -> None:
    if (
        isinstance(tolerance, bool)
        or not isinstance(tolerance, Real)
        or not 0 <= float(tolerance) < float("inf")
    ):
        raise ConfigError(
            f"A tolerance is {tolerance!r}", todo="Give the largest gap that is accepted, a number from 0."
        )
