"""The section of the controller in worlds that drift."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import sqrt

import numpy as np

from benchmarks.debias_page import words
from benchmarks.debias_page.words import MISSING, Change
from benchmarks.row import Row
from equipoise.statistics import Estimate, Interval

Parts = Mapping[int, Mapping[str, float]]

_BASE = "nothing"
_CHASING = ("proportional", "integral", "re-fitted")
_BOUNDS = ("clairvoyant", "best constant")
_STILL = {"none": "no error at all", "edge": "an error on the very edge of the band"}
_MEANING = {
    "calibration": "One group's clicks leave what is said of them; errors are differences of probabilities.",
    "gap": "One group's taste turns into another, which a second opinion knows; errors are differences of click rates.",
    "exposure": "One group of items loses score without losing clicks; errors are differences of shares of exposure.",
}


def section(row: Row) -> Iterable[str]:
    """One table per thing that goes wrong, and how often the controller moved where nothing did."""
    yield (
        "Error: mean over the days of the absolute expected error. The best correction of each day and the best one "
        "for all days are found by enumeration and know the truth. Less error: than doing nothing, paired by world. "
        "Overshoot: the largest error in the other direction after a step, as a share of the first error. Settling: "
        "days after a step until the error stays within .03, 120 where it never does. Of users, the second group's "
        "correction is counted; the first group's, which only the controller could move, is not. The controller has "
        "its default settings; the others' gains were set once and not tuned, so that other gains may do better. They "
        "know nothing of evidence and change every day.\n"
    )
    found: dict[str, dict[str, Parts]] = {}
    for setting in row.parts:
        signal, drift = setting.split(", ")
        parts: Parts = {seed: part["values"] for seed, part in row.finished(setting).items()}
        found.setdefault(signal, {})[drift] = parts
    for signal, by_drift in found.items():
        for drift, parts in by_drift.items():
            if drift in _STILL:
                continue
            yield f"### {signal}, {drift}\n"
            yield f"{_MEANING.get(signal, '')}\n"
            if not parts:
                yield f"{MISSING.capitalize()}.\n"
                continue
            yield from _table(parts)
    yield "### Where nothing drifts\n"
    yield from words.table(
        ("watched", "still world", "streams", "% in which the controller moved",
         *(f"error by chasing noise, {name}" for name in _CHASING)),
        [_still(signal, drift, parts) for signal, by_drift in found.items() for drift, parts in by_drift.items()
         if drift in _STILL],
    )  # fmt: skip


def _table(parts: Parts) -> Iterable[str]:
    names = list(next(iter(parts.values())))
    ways = list(dict.fromkeys(name.split(": ")[0] for name in names))
    judged = [way for way in ways if way not in (*_BOUNDS, _BASE)]
    changes = {way: _change(parts, way) for way in judged}
    said = dict(zip(judged, words.verdicts([changes[way] for way in judged]), strict=True))
    stepped = f"{_BASE}: overshoot" in names
    columns = ["way", "error", "less error than doing nothing", "", "regret", "changes"]
    yield from words.table(
        (*columns, "overshoot", "settling, days", "settled, % of worlds") if stepped else columns,
        [
            [way, _mean(parts, f"{way}: error", 4),
             words.interval(changes[way].interval, 4) if way in changes else "", said.get(way, ""),
             _mean(parts, f"{way}: regret", 4), _mean(parts, f"{way}: changes", 0),
             *([_mean(parts, f"{way}: overshoot", 2), _mean(parts, f"{way}: settling", 0),
                _mean(parts, f"{way}: settled", 0, 100)] if stepped else [])]
            for way in (*_BOUNDS, _BASE, *judged)
        ],
    )  # fmt: skip


def _change(parts: Parts, way: str) -> Change:
    """Less error than doing nothing, worlds as the unit."""
    less = np.array([one[f"{_BASE}: error"] - one[f"{way}: error"] for one in parts.values()])
    mean = float(less.mean())
    estimate = Estimate(mean, less - mean)
    return Change(estimate.interval(), estimate.p_value())


def _mean(parts: Parts, name: str, digits: int, times: float = 1.0) -> str:
    values = [times * one[name] for one in parts.values() if name in one]
    return words.number(float(np.mean(values)), digits) if values else ""


def _still(signal: str, drift: str, parts: Parts) -> list[str]:
    """With Wilson's interval."""
    name = [signal, _STILL[drift]]
    if not parts:
        return [f"{signal}, {_STILL[drift]}", MISSING]
    n, z = len(parts), 1.96
    p = float(np.mean([one["moved"] for one in parts.values()]))
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    low, high = (100 * max(middle - half, 0.0), 100 * min(middle + half, 1.0))
    chased = [_mean(parts, f"{one}: error", 4) for one in _CHASING]
    return [*name, str(n), words.interval(Interval(100 * p, low, high, n), 0), *chased]
