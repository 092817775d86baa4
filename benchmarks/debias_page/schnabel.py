"""The section of estimators that rank made-up models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import sqrt
from typing import Any

from benchmarks.debias_page import words
from benchmarks.debias_page.words import MISSING
from benchmarks.row import Row
from equipoise.statistics import Interval


def section(row: Row) -> Iterable[str]:
    """Estimators of the error of five models."""
    yield (
        "Errors are means over the draws of what is seen, of one completed matrix: brackets and the share of draws in "
        "the right order tell the luck of these draws, not that of another matrix. Where two estimators agree in all "
        "digits, no weight was large enough to be clipped.\n"
    )
    for setting in row.parts:
        yield f"### {setting}\n"
        parts = row.finished(setting)
        if not parts:
            yield f"{MISSING.capitalize()}.\n"
            continue
        names = list(next(iter(parts.values()))["values"])
        models = list(dict.fromkeys(name.split(": ")[0] for name in names if ": " in name))
        estimators = list(dict.fromkeys(name.split(": ")[1] for name in names if ": " in name))
        yield from words.table(
            ("estimator", *models, "rank correlation with the truth", "right order % of draws"),
            [
                [one, *(_error(parts, f"{model}: {one}") for model in models),
                 words.seeds(parts, f"rank correlation of {one}"), _share(parts, f"right order % by {one}")]
                for one in estimators
            ],
        )  # fmt: skip


def _error(parts: Mapping[int, Mapping[str, Any]], name: str) -> str:
    """With an interval over draws."""
    (part,) = parts.values()
    value, spread = part["values"][name], part["notes"]["standard deviation over draws"].get(name)
    if spread is None:
        return words.number(value, 3)
    half = 1.96 * spread / sqrt(part["notes"]["draws"])
    return words.bracketed((value, value - half, value + half), 3)


def _share(parts: Mapping[int, Mapping[str, Any]], name: str) -> str:
    """With Wilson's interval."""
    (part,) = parts.values()
    if name not in part["values"]:
        return ""
    n, p, z = part["notes"]["draws"], part["values"][name] / 100, 1.96
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return words.interval(Interval(100 * p, 100 * (middle - half), 100 * (middle + half), n), 0)
