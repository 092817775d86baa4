"""The best tree of one or two splits, found by looking at all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.statistics.interval import Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """A row goes left where its feature is at most the cut.

    Attributes:
        feature: Column of the features.
        cut: A value between two that occur.
        left: Split of the left side, or None for a leaf.
        right: Split of the right side, or None for a leaf.
    """

    feature: int
    cut: float
    left: Split | None = None
    right: Split | None = None

    def leaves(self, x: Floats) -> Ints:
        """The leaf of each row (n, p), numbered from the left."""
        left = x[:, self.feature] <= self.cut
        if self.left is None and self.right is None:
            return np.where(left, 0, 1)
        inner_left = np.zeros(len(x), dtype=np.int64) if self.left is None else self.left.leaves(x)
        inner_right = np.zeros(len(x), dtype=np.int64) if self.right is None else self.right.leaves(x)
        width = 1 if self.left is None else 2
        return np.where(left, inner_left, width + inner_right)


def best_tree(x: Floats, gains: Floats, depth: int, smallest_leaf: int, cuts: int) -> Split | None:
    """The tree whose leaves, treated where their gains sum to more than 0, gain most; None where no split is
    better than one decision for all.

    Candidates are all cuts between the values of a feature, or between `cuts + 1` stretches of about equally many
    rows where it has more. Among them the search is exact: each pair of features is counted into one table,
    whose cumulative sums give every second split under every first. Cost: p² (n + cuts²).

    Args:
        x: (n, p).
        gains: (n,), what treating each row gains.
        depth: 0, 1 or 2 splits from root to leaf.
        smallest_leaf: Fewest rows of a leaf.
        cuts: Most cuts per feature.
    """
    edges = [_edges(x[:, j], cuts) for j in range(x.shape[1])]
    codes = [np.searchsorted(edge, x[:, j], side="left") for j, edge in enumerate(edges)]
    whole = max(float(gains.sum()), 0.0)
    least = whole + 1e-9 * max(1.0, float(np.abs(gains).sum()))
    if depth == 0 or len(x) < 2 * smallest_leaf:
        return None
    found: tuple[float, Split] | None = None
    for j, edge in enumerate(edges):
        if not len(edge):
            continue
        sides = _sides(j, codes, edges, gains, depth, smallest_leaf)
        values = sides[0].value + sides[1].value
        at = int(np.argmax(values))
        if values[at] > (least if found is None else found[0]):
            split = Split(j, float(edge[at]), sides[0].split(at, edges), sides[1].split(at, edges))
            found = float(values[at]), split
    return None if found is None else found[1]


@dataclass(frozen=True)
class _Side:
    """The best continuation on one side of each cut of a feature.

    Attributes:
        value: (cuts,), what it gains; −∞ where the side has too few rows.
        feature: (cuts,), the second feature; −1 for a leaf.
        cut: (cuts,), number of its cut.
    """

    value: Floats
    feature: Ints
    cut: Ints

    def split(self, at: int, edges: list[Floats]) -> Split | None:
        """The continuation under cut number `at`."""
        feature = int(self.feature[at])
        return None if feature < 0 else Split(feature, float(edges[feature][self.cut[at]]))


def _sides(
    j: int, codes: list[Any], edges: list[Floats], gains: Floats, depth: int, smallest_leaf: int
) -> tuple[_Side, _Side]:
    """Both sides of every cut of feature j."""
    size = len(edges[j]) + 1
    sums = np.bincount(codes[j], gains, size).cumsum()
    rows = np.bincount(codes[j], minlength=size).cumsum()
    sides = []
    for below in (True, False):
        total = sums[:-1] if below else sums[-1] - sums[:-1]
        count = rows[:-1] if below else rows[-1] - rows[:-1]
        value = np.where(count >= smallest_leaf, np.maximum(total, 0.0), -np.inf)
        feature, cut = np.full(len(value), -1), np.zeros(len(value), dtype=np.int64)
        for k in range(len(edges)) if depth == 2 else ():
            if not len(edges[k]):
                continue
            width = len(edges[k]) + 1
            joint = codes[j] * width + codes[k]
            table = _cumulated(np.bincount(joint, gains, size * width).reshape(size, width), below)
            counts = _cumulated(np.bincount(joint, minlength=size * width).reshape(size, width), below)
            low, low_rows = table[:, :-1], counts[:, :-1]
            high, high_rows = table[:, -1:] - low, counts[:, -1:] - low_rows
            both = np.maximum(low, 0.0) + np.maximum(high, 0.0)
            both = np.where((low_rows >= smallest_leaf) & (high_rows >= smallest_leaf), both, -np.inf)
            best = both.argmax(axis=1)
            better = both[np.arange(len(best)), best] > value + 1e-12 * np.abs(gains).sum()
            value = np.where(better, both[np.arange(len(best)), best], value)
            feature, cut = np.where(better, k, feature), np.where(better, best, cut)
        sides.append(_Side(value, feature, cut))
    return sides[0], sides[1]


def _cumulated(table: NDArray[Any], below: bool) -> NDArray[Any]:
    """Sums over the first feature's stretches up to each cut, or beyond it, and over the second's up to each
    edge.
    """
    summed = table.cumsum(axis=0)
    summed = summed[:-1] if below else summed[-1] - summed[:-1]
    return np.asarray(summed.cumsum(axis=1))


def _edges(values: Floats, cuts: int) -> Floats:
    """Midpoints between neighbouring values, at most `cuts` of them."""
    distinct = np.unique(values)
    if len(distinct) > cuts + 1:
        distinct_at = np.quantile(values, np.arange(1, cuts + 1) / (cuts + 1), method="inverted_cdf")
        lower = np.unique(distinct_at[distinct_at < distinct[-1]])
        upper = distinct[np.searchsorted(distinct, lower, side="right")]
        return np.asarray((lower + upper) / 2)
    return np.asarray((distinct[:-1] + distinct[1:]) / 2)
