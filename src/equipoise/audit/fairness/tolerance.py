"""Tolerances: by a policy, or given by hand for all, by metric, or by metric and attribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any, Final, Protocol

from equipoise.errors import ConfigError, nearest

WITHOUT_TEST: Final = ("between-group variance", "kolmogorov-smirnov", "wasserstein")
"""Kinds of gap that are never found unfair: there is no p-value of the Kolmogorov-Smirnov distance, and no
interval of the other two, which are not found fair either.
"""


class Rule(Protocol):
    """What a policy says of one gap."""

    @property
    def tolerance(self) -> float:
        """Largest distance from the fair value that is accepted."""
        ...

    @property
    def kind(self) -> str | None:
        """The kind of gap that the tolerance is about; None for "difference"."""
        ...


class Policy(Protocol):
    """Anything that gives rules."""

    def rule(self, metric: str, attribute: str) -> Rule | None:
        """The rule for a metric and an attribute; None where there is none."""
        ...


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
