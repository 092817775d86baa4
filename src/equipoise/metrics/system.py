"""One value of all lists together: coverage, Gini and entropy of exposure, and the Lorenz curve behind them.

These have no bootstrap over users: a resample repeats users, shows fewer distinct items, and is biased
downwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.metrics import frames
from equipoise.metrics.definitions import DEFINITIONS, Definition
from equipoise.metrics.ranking import check_cutoff

Counts = NDArray[np.float64]


@dataclass(frozen=True)
class SystemMetric:
    """A metric of exposure counts.

    Attributes:
        definition: Formula, range, unit, direction.
        k: Cutoff: ranks above it do not count.
        formula: Counts of all catalogue items (zeros included), ascending, to the value.
    """

    definition: Definition
    k: int
    formula: Callable[[Counts], float]

    def __post_init__(self) -> None:
        check_cutoff(self.k, self.definition.name)

    @property
    def name(self) -> str:
        """As in "gini@10"."""
        return f"{self.definition.name}@{self.k}"

    def __call__(self, recommendations: Any, items: Any) -> float:
        """The value.

        Args:
            recommendations: Frame of `user_id`, `item_id`, `rank`.
            items: The catalogue: its size, or a frame with `item_id`.
        """
        return self.formula(exposure(recommendations, items, self.k))


def exposure(recommendations: Any, items: Any, k: int) -> Counts:
    """How often each item of the catalogue stands in a list up to rank k, ascending, zeros included.

    Args:
        recommendations: Frame of `user_id`, `item_id`, `rank`.
        items: The catalogue: its size, or a frame with `item_id`.
        k: Cutoff.

    Raises:
        DataError: if lists hold more distinct items than the catalogue.
    """
    check_cutoff(k, "exposure")
    shown = frames.read(recommendations, (v.USER, v.ITEM, v.RANK), "recommendations")
    table = frames.collect(
        shown.filter(nw.col(v.RANK) <= k).group_by(v.ITEM).agg(nw.col(v.USER).len().alias("_n"))
    )
    counts = np.sort(frames.numbers(table, "_n"))
    if isinstance(items, int | np.integer):
        size = int(items)
    else:
        size = int(
            frames.collect(
                frames.read(items, (v.ITEM,), "items").select(v.ITEM).unique().select(nw.len())
            ).item()
        )
    if len(counts) > size:
        raise DataError(
            f"The lists hold {len(counts)} distinct items, but the catalogue has {size}",
            todo="Pass the whole catalogue as `items`.",
        )
    return np.concatenate([np.zeros(size - len(counts)), counts])


def coverage(k: int) -> SystemMetric:
    """Catalogue coverage at k: share of the catalogue that stands in any list; in [0, 1]."""
    return SystemMetric(
        DEFINITIONS["coverage"], k, lambda counts: float(np.mean(counts > 0)) if len(counts) else 0.0
    )


def gini(k: int) -> SystemMetric:
    """Gini coefficient of exposure at k: `Σ_j (2j − n − 1)·x_j / (n·Σx)`, in [0, 1 − 1/n]; 0 is equal, near
    1 concentrated.
    """
    return SystemMetric(DEFINITIONS["gini"], k, _gini)


def entropy(k: int) -> SystemMetric:
    """Shannon entropy of exposure at k, `−Σ p·log2 p` in bits; between 0 (one item) and log2 n (all
    alike).
    """
    return SystemMetric(DEFINITIONS["entropy"], k, _entropy)


def _gini(counts: Counts) -> float:
    total, n = counts.sum(), len(counts)
    return float((2 * np.arange(1, n + 1) - n - 1) @ counts / (n * total)) if total else 0.0


def _entropy(counts: Counts) -> float:
    positive = counts[counts > 0]
    shares = positive / positive.sum() if len(positive) else positive
    return float(-(shares * np.log2(shares)).sum()) + 0.0  # + 0.0: never minus zero


def lorenz(counts: Counts, points: int = 101) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lorenz curve of exposure: the share of all places that the least shown share of items holds.

    Args:
        counts: What `exposure` gives.
        points: Number of points, evenly spaced in the share of items.

    Returns:
        Shares of items and shares of exposure, both from 0 to 1; exposure is 0 where nothing was shown.
    """
    share = np.linspace(0.0, 1.0, points)
    held = np.concatenate([[0.0], np.cumsum(np.sort(counts))])
    if held[-1] == 0:
        return share, np.zeros(points)
    return share, np.interp(share * (len(held) - 1), np.arange(len(held)), held / held[-1])


def system(recommendations: Any, items: Any, metrics: Mapping[str, SystemMetric]) -> dict[str, float]:
    """All system metrics by name, counting once per cutoff."""
    counts = {
        k: exposure(recommendations, items, k) for k in sorted({metric.k for metric in metrics.values()})
    }
    return {name: metric.formula(counts[metric.k]) for name, metric in metrics.items()}
