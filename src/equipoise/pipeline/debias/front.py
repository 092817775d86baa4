"""Which rows no other one beats: the Pareto front over accuracy, bias, gap and leakage, with uncertainty.

A row is beaten only if some other row is at least as good in every respect by its value, and clearly better in at
least one: the whole interval of the paired difference on the better side; of leakage, intervals that do not meet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from equipoise.pipeline.debias.sample import LOWER_IS_BETTER, Sample

RULE = (
    "A method is beaten only if another is at least as good in every respect and clearly better in at least one: "
    "the whole interval of the paired difference on the better side; of leakage, intervals that do not meet."
)

Leak = Mapping[str, Any]


def front(
    sample: Sample,
    accuracy: str,
    leakage: Mapping[str, Leak | None],
    contenders: Sequence[str],
    bias: str = "bias",
) -> dict[str, Any]:
    """The front.

    Args:
        sample: All rows on the same users.
        accuracy: Which measure stands for accuracy.
        leakage: Row to what the strongest attacker reaches (`value`, `low`, `high`); None where none was tried.
        contenders: The rows that can stand on it; references cannot.
        bias: Which measure stands for popularity bias.

    Returns:
        `axes`, `rule`, `members`, and `beaten`: row to the rows that beat it.
    """
    axes = [accuracy, *(name for name in (bias, "gap") if name in sample.measures)]
    leaks = all(leakage.get(name) is not None for name in contenders)
    beaten: dict[str, list[str]] = {}
    for name in contenders:
        by = [
            other
            for other in contenders
            if other != name and _beats(sample, axes, leakage if leaks else {}, other, name)
        ]
        if by:
            beaten[name] = by
    return {
        "axes": [*axes, *(["leakage"] if leaks else [])],
        "rule": RULE,
        "members": [name for name in contenders if name not in beaten],
        "beaten": beaten,
    }


def less_leaky(one: Leak | None, other: Leak | None) -> bool:
    """Whether the whole interval of one lies below that of the other."""
    return (
        one is not None
        and other is not None
        and one["high"] is not None
        and other["low"] is not None
        and one["high"] < other["low"]
    )


def _beats(
    sample: Sample, axes: Sequence[str], leakage: Mapping[str, Leak | None], one: str, other: str
) -> bool:
    row, against = sample.names.index(one), sample.names.index(other)
    for axis in axes:
        sign = -1 if axis in LOWER_IS_BETTER else 1
        if sign * (sample.values[axis][row] - sample.values[axis][against]) < 0:
            return False
    first, second = leakage.get(one), leakage.get(other)
    if first is not None and second is not None and first["value"] > second["value"]:
        return False
    clear = any(sample.clearly_better(axis, row, against) for axis in axes)
    return clear or less_leaky(first, second)
