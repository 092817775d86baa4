"""From propensities to weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.causal.propensity.diagnostics import Diagnostics, checked, effective_sample_size
from equipoise.errors import DataError


@dataclass(frozen=True)
class Weights:
    """Weights per row, with what is to be known of them.

    Attributes:
        values: float64, one per row.
        diagnostics: Always to be shown beside them.
    """

    values: NDArray[np.float64]
    diagnostics: Diagnostics


def weights(
    propensity: NDArray[np.floating[Any]],
    *,
    clip: float | None = None,
    self_normalise: bool = True,
    expected: float | None = None,
) -> Weights:
    """Inverse-propensity weights (Horvitz and Thompson 1952; self-normalised: Swaminathan and Joachims 2015).

    Args:
        propensity: In (0, 1], shape (n,).
        clip: Largest weight, in multiples of the mean weight; None for no limit. Cutting trades variance for
            bias, and the share cut is reported.
        self_normalise: Whether the weights are scaled to mean 1 (after clipping); else they are 1 /
            propensity.
        expected: What the raw weights should sum to, where that is known: the number of cells of a rating
            matrix, or the sum over places of the number of candidates.

    Raises:
        DataError: if a propensity is missing, zero, negative or above 1, or `clip` is not positive.
    """
    p = checked(propensity)
    if clip is not None and not clip > 0:
        raise DataError(
            f"Weights cannot be clipped at {clip}", todo="Give a positive multiple of the mean weight."
        )
    raw = 1.0 / p
    limit = np.inf if clip is None else clip * raw.mean()
    values = np.minimum(raw, limit)
    size = effective_sample_size(values)
    diagnostics = Diagnostics(
        rows=len(p),
        lowest=float(p.min()),
        highest=float(p.max()),
        effective_sample_size=size,
        effective_share=size / len(p),
        share_clipped=float((raw > limit).mean()),
        largest_weight=float(values.max() / values.mean()),
        top_share=float(np.sort(values)[-_hundredth(len(p)) :].sum() / values.sum()),
        mean_weight=None if expected is None else float(raw.sum() / expected),
    )
    return Weights(values / values.mean() if self_normalise else values, diagnostics)


def _hundredth(rows: int) -> int:
    return max(1, round(rows / 100))
