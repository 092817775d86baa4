"""Columns of the tables of a `FairnessFrame`, and which of its cells are too small to be shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from equipoise.metrics import define

_F, _I, _S, _B = pl.Float64, pl.Int64, pl.String, pl.Boolean
OVERALL = {"metric": _S, "value": _F, "low": _F, "high": _F, "users": _I, "excluded": _I}
BY_GROUP = {
    "attribute": _S, "group": _S, "metric": _S, "value": _F, "low": _F, "high": _F, "users": _I,
    "suppressed": _B, "excluded": _I,
}  # fmt: skip
GAPS = {
    "attribute": _S, "metric": _S, "kind": _S, "gap": _F, "low": _F, "high": _F, "p_value": _F, "p_adjusted": _F,
    "minimum_detectable": _F, "verdict": _S, "groups": _S, "users": _I, "tolerance": _F, "null_mean": _F,
    "null_high": _F, "excess": _F,
}  # fmt: skip


def suppressed(users: Any, known: int, min_cell: int) -> Any:
    """Which groups are too small to be shown: (groups,) booleans.

    Groups of 1 to `min_cell` − 1 users; and where that is one known group only, the next smallest known one
    too, since its total would give the other away by subtraction.

    Args:
        users: (groups,), the known groups first.
        known: Number of known groups.
        min_cell: Fewest users of a group that is shown.
    """
    small = (users > 0) & (users < min_cell)
    if small[:known].sum() == 1:
        others = np.flatnonzero((users[:known] > 0) & ~small[:known])
        if len(others):
            small[others[np.argmin(users[others])]] = True
    return small


def better(metric: str) -> str:
    """Whether high or low values of a metric are better; high for a metric that is not ours."""
    definition = define(metric)
    return definition.better if definition is not None else "high"


def ends(value: float | None, low: float | None, high: float | None) -> dict[str, float | None]:
    """A value and its interval as cells of a row."""
    return {"value": value, "low": low, "high": high}
