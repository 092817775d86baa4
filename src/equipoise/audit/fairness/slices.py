"""The search for the worst-served slices: every group against everybody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.audit.fairness.resampling import Part, Sample
from equipoise.statistics import benjamini_hochberg, slice_tests

_F, _I, _S = pl.Float64, pl.Int64, pl.String
COLUMNS: Final = {
    "slice": _S, "attribute": _S, "metric": _S, "value": _F, "rest": _F, "difference": _F, "low": _F, "high": _F,
    "p_value": _F, "q_value": _F, "users": _I,
}  # fmt: skip


def search(sample: Sample, names: Callable[[int], tuple[str, str]]) -> list[dict[str, Any]]:
    """All known groups that are large enough, with as many users left to be compared with.

    Args:
        sample: The users.
        names: System and metric of a column.

    Returns:
        Rows by system, those with the smallest q and the largest shortfall first. q-values control the false
        discovery rate over all rows.
    """
    chosen = [
        (part, attribute, _large(sample, part, attribute.codes, attribute.known))
        for part in sample.parts
        for attribute in sample.attributes
    ]
    tests = sum(len(groups) * len(part.columns) for part, _, groups in chosen)
    shuffles = sample.settings.shuffles(tests)
    rows: list[dict[str, Any]] = []
    for part, attribute, groups in chosen:
        if not len(groups):
            continue
        place = np.full(len(attribute.labels), len(groups))
        place[groups] = np.arange(len(groups))
        codes = place[attribute.codes[part.users]]
        p_values = slice_tests(
            part.values, codes, len(groups), n_permutations=shuffles, seed=sample.settings.seed
        )
        cells = sample.cells(part, attribute)
        owner = np.arange(len(cells.users)) // sample.n_strata
        for index, group in enumerate(groups):
            means = cells.merged((owner != group).astype(np.int64), 2).means()
            for j, interval in enumerate(means.contrast((1, -1))):
                system, metric = names(int(part.columns[j]))
                rows.append(
                    {
                        "system": system,
                        "slice": attribute.labels[group],
                        "attribute": attribute.name,
                        "metric": metric,
                        "value": float(means.value[0, j]),
                        "rest": float(means.value[1, j]),
                        "difference": interval.value,
                        "low": interval.low,
                        "high": interval.high,
                        "p_value": float(p_values[index, j]),
                        "users": int(means.users[0]),
                    }
                )
    for row, q in zip(rows, benjamini_hochberg([row["p_value"] for row in rows]), strict=True):
        row["q_value"] = float(q)
    return sorted(rows, key=lambda row: (row["system"], row["q_value"], row["difference"], row["attribute"]))


def _large(sample: Sample, part: Part, codes: NDArray[np.int64], known: int) -> NDArray[np.int64]:
    size = np.bincount(codes[part.users], minlength=known)[:known]
    least = max(sample.settings.min_cell, 2)
    return np.flatnonzero((size >= least) & (len(part.users) - size >= least))
