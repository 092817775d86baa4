"""Many tests at once: Holm for declared hypotheses, Benjamini-Hochberg for searches."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from equipoise.errors import DataError
from equipoise.statistics.interval import Floats, check


def holm(p_values: ArrayLike) -> Floats:
    """Holm's adjusted p-values: rejecting those ≤ α keeps the chance of any false rejection ≤ α.

    Valid under any dependence. Source: Holm (1979), "A simple sequentially rejective multiple test
    procedure".

    Args:
        p_values: (tests,), each in [0, 1].

    Returns:
        Adjusted p-values in the same order, in [0, 1].
    """
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)) if len(p) else p
    return _restored(raised, order)


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Benjamini-Hochberg adjusted p-values: taking those ≤ α keeps the expected share of false ones ≤ α.

    Valid for independent or positively dependent tests. Source: Benjamini and Hochberg (1995), "Controlling
    the false discovery rate".

    Args:
        p_values: (tests,), each in [0, 1].

    Returns:
        Adjusted p-values in the same order, in [0, 1].
    """
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    return _restored(np.minimum.accumulate(scaled[::-1])[::-1], order)


def _checked(p_values: ArrayLike) -> Floats:
    p = np.asarray(p_values, dtype=np.float64)
    check("p-values", p)
    if p.ndim != 1 or ((p < 0) | (p > 1)).any():
        raise DataError("p-values are numbers in [0, 1], one per test")
    return p


def _restored(adjusted: Floats, order: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
    result = np.empty_like(adjusted)
    result[order] = np.minimum(adjusted, 1.0)
    return result
