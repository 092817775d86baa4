"""Columns of the tables of a `FairnessFrame`, and which of its cells are too small to be shown."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.audit.fairness.groups import Attribute
from equipoise.audit.fairness.suppression import hidden_cells
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


def suppressed(users: NDArray[np.int64], attribute: Attribute, min_cell: int) -> NDArray[np.bool_]:
    """Which groups are too small to be shown: (groups,) booleans.

    Known groups by `hidden_cells`, intersections line by line; "unknown" where it is itself too small, which
    hides no other.

    Args:
        users: (groups,), "unknown" at the end.
        attribute: What divides the users.
        min_cell: Fewest users of a group that is shown.
    """
    known = attribute.known
    hidden = (users > 0) & (users < min_cell)
    hidden[:known] = hidden_cells(users[:known].tolist(), min_cell, attribute.lines)
    return np.asarray(hidden)


def better(metric: str) -> str:
    """Whether high or low values of a metric are better; high for a metric that is not ours."""
    definition = define(metric)
    return definition.better if definition is not None else "high"


def ends(value: float | None, low: float | None, high: float | None) -> dict[str, float | None]:
    """A value and its interval as cells of a row."""
    return {"value": value, "low": low, "high": high}
