"""Systems compared on the same users: their values, and their gaps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np
import polars as pl

from equipoise.audit.fairness.compared import compare
from equipoise.audit.fairness.gaps import spread_of
from equipoise.audit.fairness.groups import Attribute
from equipoise.audit.fairness.inputs import Measured
from equipoise.audit.fairness.resampling import Sample, Settings
from equipoise.statistics import Interval, holm, resampled_cells, sign_flips

_F, _I, _S = pl.Float64, pl.Int64, pl.String
SYSTEMS: Final = {
    "first": _S, "second": _S, "metric": _S, "difference": _F, "low": _F, "high": _F, "p_value": _F,
    "p_adjusted": _F, "users": _I,
}  # fmt: skip
GAPS: Final = {
    "first": _S, "second": _S, "attribute": _S, "metric": _S, "difference": _F, "low": _F, "high": _F,
    "p_value": _F, "p_adjusted": _F,
}  # fmt: skip


def systems(measured: Measured, settings: Settings) -> list[dict[str, Any]]:
    """Mean differences of every two systems over the users that both have a value of."""
    pairs = _pairs(measured)
    shuffles = settings.shuffles(len(pairs))
    rows = []
    for a, b, m in pairs:
        gap = np.round(measured.values[:, a, m] - measured.values[:, b, m], 12)
        gap = gap[~np.isnan(gap)][:, None]
        everybody = np.zeros(len(gap), dtype=np.int64)
        cells = resampled_cells(
            gap, everybody, 1, level=settings.level, n_bootstrap=settings.n_bootstrap, seed=settings.seed
        )
        interval = cells.means().contrast([1.0])[0]
        p_value = None
        if len(gap) > 1:
            flipped = np.abs(sign_flips(gap, shuffles, settings.seed)[:, 0])
            beyond = (flipped >= abs(float(gap.sum())) - 1e-12 * float(np.abs(gap).sum())).sum()
            p_value = float((1 + beyond) / (1 + shuffles))
        rows.append(
            {
                "first": measured.systems[a],
                "second": measured.systems[b],
                "metric": measured.metrics[m],
                "difference": interval.value,
                "low": interval.low,
                "high": interval.high,
                "p_value": p_value,
                "users": interval.n,
            }
        )
    return _adjusted(rows)


def gap_differences(
    measured: Measured, sample: Sample, attributes: Sequence[Attribute]
) -> list[dict[str, Any]]:
    """Differences of the gaps of every two systems.

    The gap of the per-user differences, resampled by user: its test asks whether groups differ in how much one
    system does better than the other. For more than two groups the difference of two ranges is given, with an
    interval made of the intervals of both at half the error each, and no p-value: ranges can be equal where
    groups differ otherwise, so the test of the per-user differences would be one of another question.
    """
    pairs = _pairs(measured)
    n = len(measured.ids)
    settings = sample.settings
    gaps = np.zeros((n, len(pairs)))
    for column, (a, b, m) in enumerate(pairs):
        gaps[:, column] = np.round(measured.values[:, a, m] - measured.values[:, b, m], 12)
    differences = Sample(gaps, sample.attributes, sample.strata, settings)
    shuffles = settings.shuffles(len(pairs) * len(attributes))
    rows = {}
    for part in differences.parts if pairs else ():
        for place, attribute in enumerate(attributes):
            compared = compare(differences, part, attribute, shuffles)
            for index, j in enumerate(part.columns):
                a, b, m = pairs[int(j)]
                interval, p_value = Interval(None, None, None, 0), None
                if (
                    not isinstance(compared, int)
                    and compared.adjusted is not None
                    and compared.test is not None
                ):
                    if len(compared.labels) == 2:
                        own = measured.values[part.users, a, m]
                        one, two = (own[compared.codes == group] for group in (0, 1))
                        turned = len(one) == len(two) and one.mean() < two.mean()  # as the first system's gap
                        means = compared.adjusted.column(index)
                        interval = means.contrast((-1, 1) if turned else (1, -1))[0]
                        p_value = float(compared.test.p_value[index])
                    else:
                        interval = _ranges(measured, sample, attribute, a, b, m)
                rows[place, int(j)] = {
                    "first": measured.systems[a],
                    "second": measured.systems[b],
                    "attribute": attribute.name,
                    "metric": measured.metrics[m],
                    "difference": interval.value,
                    "low": interval.low,
                    "high": interval.high,
                    "p_value": p_value,
                }
    return _adjusted([rows[key] for key in sorted(rows)])


def _ranges(measured: Measured, sample: Sample, attribute: Attribute, a: int, b: int, m: int) -> Interval:
    """Difference of two systems' ranges."""
    level = 1 - (1 - sample.settings.level) / 2
    intervals = []
    for system in (a, b):
        column = system * len(measured.metrics) + m
        part = next(part for part in sample.parts if column in part.columns)
        compared = compare(sample, part, attribute, 1)
        if isinstance(compared, int) or compared.adjusted is None:
            return Interval(None, None, None, 0)
        means, j = compared.adjusted, int(np.flatnonzero(part.columns == column)[0])
        intervals.append(spread_of(means, j, level))
    one, two = intervals
    value = float(one.value or 0.0) - float(two.value or 0.0)
    if one.low is None or one.high is None or two.low is None or two.high is None:
        return Interval(value, None, None, one.n)
    return Interval(value, one.low - two.high, one.high - two.low, one.n)


def _pairs(measured: Measured) -> list[tuple[int, int, int]]:
    """Two systems and a metric each."""
    of_systems = combinations(range(len(measured.systems)), 2)
    return [(a, b, m) for a, b in of_systems for m in range(len(measured.metrics))]


def _adjusted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with `p_adjusted`, by Holm over those that were tested."""
    tested = [row for row in rows if row["p_value"] is not None]
    for row, p in zip(tested, holm([row["p_value"] for row in tested]), strict=True):
        row["p_adjusted"] = float(p)
    return [{"p_adjusted": None, **row} for row in rows]
