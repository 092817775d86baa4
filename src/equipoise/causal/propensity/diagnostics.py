"""What must be known of propensities before a number that rests on them is believed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Diagnostics:
    """Health of propensities and of the weights made from them.

    Attributes:
        rows: Events that have a propensity.
        lowest: Smallest propensity.
        highest: Largest propensity.
        effective_sample_size: (sum w)^2 / sum w^2 (Kish 1965), in 1..rows.
        effective_share: The same over rows.
        share_clipped: Share of rows whose weight was cut.
        largest_weight: Largest weight in multiples of the mean weight, after clipping.
        top_share: Share of the total weight that the heaviest hundredth of the rows carries.
        mean_weight: Sum of the raw weights over what it should sum to, where that is known; 1 when the
            propensities are right on average; None where it is not known.
        calibration_error: Expected calibration error, where assignments are known; else None.
        without: Events that have none (nothing was shown: a search, a purchase on the user's own account).
    """

    rows: int
    lowest: float
    highest: float
    effective_sample_size: float
    effective_share: float
    share_clipped: float
    largest_weight: float
    top_share: float
    mean_weight: float | None = None
    calibration_error: float | None = None
    without: int = 0

    def plain(self) -> dict[str, Any]:
        """As a dictionary of plain values."""
        return asdict(self)


def checked(propensity: NDArray[np.floating[Any]], *, what: str = "propensity") -> Floats:
    """The propensities as float64.

    Raises:
        DataError: if any is missing, zero, negative or above 1, or if there is none; with the count of each
        fault and
            the first row that has one.
    """
    values = np.asarray(propensity, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise DataError(f"No values of '{what}' to work with", where=f"shape {values.shape}")
    faults = {
        "missing": np.isnan(values),
        "zero": values == 0,
        "negative": values < 0,
        "above 1": values > 1,
    }
    counts = {fault: int(rows.sum()) for fault, rows in faults.items() if rows.any()}
    if counts:
        first = int(np.flatnonzero(np.logical_or.reduce(list(faults.values())))[0])
        said = ", ".join(f"{count} {fault}" for fault, count in counts.items())
        raise DataError(
            f"Some values of '{what}' are not probabilities in (0, 1]: {said}",
            where=f"of {len(values)} rows, the first at row {first}",
            todo="Log the probability with which each item was shown, or choose a propensity model that estimates it.",
        )
    return values


def effective_sample_size(weights: Floats) -> float:
    """(sum w)^2 / sum w^2 (Kish 1965): how many equally weighted rows are worth as much; in 1..n."""
    return float(weights.sum() ** 2 / np.square(weights).sum())
