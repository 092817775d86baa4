"""Inverse balance: which rates of groups leave a disparity of at most so much, by several rules.

The disparity of rates is `max / min - 1`: 0.9 against 0.5 is 0.8. Every rule takes rates (one per group,
positive, of any number of groups), a largest disparity, and the groups' shares of what the rates are means over
(None for equal shares; rules that keep no mean do not read them). It gives back rates whose disparity is
exactly that; rates that are near enough already come back as they were. The order of the groups is kept.

The rules say what rates are wanted. Weighting samples by `wanted / rate` changes what a model is trained on,
not what it brings about: whether the wanted rates come out has to be measured (`Reweigh` does).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import DataError

Floats: TypeAlias = NDArray[np.float64]
Rates: TypeAlias = Sequence[float] | Floats
RuleName = Literal["raise_low", "lower_high", "keep_mean", "keep_geometric_mean", "tempering"]


def disparity(rates: Rates) -> float:
    """`max / min - 1`, in [0, inf); infinite where a rate is 0 and another is not.

    Raises:
        DataError: if there are no rates, one is negative or not finite, or all are 0.
    """
    values = np.asarray(rates, dtype=np.float64)
    if not values.size or not np.isfinite(values).all() or (values < 0).any() or not values.any():
        raise DataError(
            "A disparity needs rates that are finite, at least 0 and not all 0",
            where=f"rates: {values.tolist()}",
        )
    return float(values.max() / values.min() - 1) if values.min() > 0 else float("inf")


def raise_low(rates: Rates, target: float, shares: Rates | None = None) -> Floats:
    """The low are raised to `max / (1 + target)`; the high stay. 0.9 and 0.5 become 0.9 and 0.8182 at 0.1."""
    values = _checked(rates, target)
    return np.asarray(np.maximum(values, values.max() / (1 + target)))


def lower_high(rates: Rates, target: float, shares: Rates | None = None) -> Floats:
    """The high are lowered to `min (1 + target)`; the low stay. 0.9 and 0.5 become 0.55 and 0.5 at 0.1."""
    values = _checked(rates, target)
    return np.asarray(np.minimum(values, values.min() * (1 + target)))


def keep_mean(rates: Rates, target: float, shares: Rates | None = None) -> Floats:
    """All move towards the mean `m` by one factor: `m + f (rate - m)`, so that the mean stays.

    The factor at which `max = (1 + target) min` is `target m / (max - m + (1 + target)(m - min))`. Two groups
    of shares p_a and p_b come to `b' = m / (p_a (1 + target) + p_b)` and `a' = (1 + target) b'`; 0.9 and 0.5 of
    equal size become 0.7333 and 0.6667 at 0.1.
    """
    values = _checked(rates, target)
    mean = float(values @ _shares(values, shares))
    if disparity(values) <= target:
        return values
    factor = target * mean / (values.max() - mean + (1 + target) * (mean - values.min()))
    return np.asarray(mean + factor * (values - mean))


def keep_geometric_mean(rates: Rates, target: float, shares: Rates | None = None) -> Floats:
    """All logarithms move towards their mean by one factor, `log(1 + target) / log(max / min)`.

    0.9 and 0.5 of equal size become 0.7036 and 0.6396 at 0.1.
    """
    values = _checked(rates, target)
    logs = np.log(values)
    centre = float(logs @ _shares(values, shares))
    return np.asarray(np.exp(centre + (1 - temper(values, target)) * (logs - centre)))


def tempering(rates: Rates, target: float, shares: Rates | None = None) -> Floats:
    """`rate^(1 - alpha)` with the least alpha that does (`temper`): the ratios of `keep_geometric_mean`.

    The level is not kept: rates below 1 rise, 0.9 and 0.5 to 0.9831 and 0.8937 at 0.1.
    """
    values = _checked(rates, target)
    return np.asarray(values ** (1 - temper(values, target)))


def temper(rates: Rates, target: float) -> float:
    """The least alpha in [0, 1] for which `rate^(1 - alpha)` has a disparity of at most `target`.

    It is `1 - log(1 + target) / log(max / min)`: 0.8378 for 0.9 and 0.5 at 0.1; 0 where nothing needs to be done.
    """
    values = _checked(rates, target)
    if disparity(values) <= target:
        return 0.0
    return float(1 - np.log1p(target) / np.log(values.max() / values.min()))


def weight_ratio(rates: Rates, target: float) -> float:
    """Weight of the highest group over that of the lowest by which their weighted rates have that disparity.

    It is `(1 + target) min / max`: 0.6111 for 0.9 and 0.5 at 0.1, and 0.5556 at 0; 1 where nothing needs to be
    done.
    """
    values = _checked(rates, target)
    return float(min(1.0, (1 + target) * values.min() / values.max()))


def weights(rates: Rates, wanted: Rates, shares: Rates | None = None) -> Floats:
    """Weights that turn rates into the wanted ones, `wanted / rate`, scaled to a mean of 1 over the shares."""
    values = _checked(rates, 0.0)
    factors = _checked(wanted, 0.0) / values
    return np.asarray(factors / float(factors @ _shares(values, shares)))


RULES: Final[dict[RuleName, Callable[[Rates, float, Rates | None], Floats]]] = {
    "raise_low": raise_low,
    "lower_high": lower_high,
    "keep_mean": keep_mean,
    "keep_geometric_mean": keep_geometric_mean,
    "tempering": tempering,
}
"""Every rule by its name."""


def _checked(rates: Rates, target: float) -> Floats:
    values = np.asarray(rates, dtype=np.float64)
    if not values.size or not np.isfinite(values).all() or (values <= 0).any():
        raise DataError(
            "Inverse balance needs rates that are finite and above 0", where=f"rates: {values.tolist()}",
            todo="Leave out groups that get nothing, or join them with others.",
        )  # fmt: skip
    if not target >= 0:
        raise DataError(f"A disparity of {target} cannot be reached", todo="Give a number of at least 0.")
    return values


def _shares(values: Floats, shares: Rates | None) -> Floats:
    """Shares that sum to 1."""
    if shares is None:
        return np.full(len(values), 1 / len(values))
    given = np.asarray(shares, dtype=np.float64)
    if (
        given.shape != values.shape
        or not np.isfinite(given).all()
        or (given < 0).any()
        or not given.sum() > 0
    ):
        raise DataError(
            "Shares must be one per group, at least 0 and not all 0",
            where=f"{len(values)} rates, shares: {given.tolist()}",
        )
    return np.asarray(given / given.sum())
