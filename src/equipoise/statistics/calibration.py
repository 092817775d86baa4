"""Do probabilities mean what they say? Reliability over equally filled bins, expected calibration error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.errors import DataError
from equipoise.statistics.interval import Floats, check


@dataclass(frozen=True)
class Reliability:
    """Said against seen, bin by bin.

    Attributes:
        said: Mean probability per bin, (bins,).
        seen: Share of outcomes that came true per bin, (bins,).
        n: Predictions per bin, (bins,).
    """

    said: Floats
    seen: Floats
    n: NDArray[np.int64]

    @property
    def error(self) -> float:
        """Expected calibration error: Σ n_b/n · |seen_b − said_b|; in [0, 1], 0 is calibrated."""
        return float((self.n * np.abs(self.seen - self.said)).sum() / self.n.sum())


def reliability(probability: ArrayLike, outcome: ArrayLike, bins: int = 15) -> Reliability:
    """Reliability over bins that hold about equally many predictions; equal probabilities share a bin.

    Args:
        probability: (predictions,), in [0, 1].
        outcome: (predictions,), each 0 or 1.
        bins: Most bins there may be; fewer where probabilities repeat.

    Raises:
        DataError: if there is no prediction, lengths differ, or a number is out of range.
    """
    said, seen = np.asarray(probability, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    check("probabilities", said)
    check("outcomes", seen)
    if said.ndim != 1 or said.shape != seen.shape or not len(said):
        raise DataError(f"Probabilities of shape {said.shape} do not fit outcomes of shape {seen.shape}")
    if ((said < 0) | (said > 1)).any() or ((seen != 0) & (seen != 1)).any():
        raise DataError("Probabilities must lie in [0, 1], and outcomes must be 0 or 1")
    edges = np.quantile(said, np.arange(1, bins) / bins, method="inverted_cdf")
    codes = np.searchsorted(edges, said, side="left")
    n = np.bincount(codes, minlength=bins)
    full = n > 0
    sums = np.bincount(codes, said, bins)[full], np.bincount(codes, seen, bins)[full]
    return Reliability(sums[0] / n[full], sums[1] / n[full], n[full])


def expected_calibration_error(probability: ArrayLike, outcome: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error over equally filled bins, `Σ_b n_b/n · |seen_b − said_b|`, in [0, 1]; 0 is
    best.

    Biased upwards in small samples: a calibrated model does not reach 0. Source: Naeini, Cooper and
    Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian binning"; equal filling after
    Nixon et al. (2019), "Measuring calibration in deep learning", section 4.

    Args:
        probability: (predictions,), in [0, 1].
        outcome: (predictions,), each 0 or 1.
        bins: Most bins there may be.
    """
    return reliability(probability, outcome, bins).error
