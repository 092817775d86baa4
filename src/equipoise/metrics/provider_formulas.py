"""Fairness of exposure between groups of items, from sums by group: arrays of shape (..., groups) to (...).

The leading dimensions are draws of a bootstrap. NaN where a number does not exist.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import sparse

from equipoise.metrics.ranking import Floats

WORST_OFF: Final = 0.2
"""Share of providers that counts as the worst off."""


def distance(exposure: Floats, target: Floats) -> Floats:
    """Total variation `½ Σ_g |share_g − target_g|` of exposures (..., groups) from their target, in [0, 1].

    Example:
        Shares 0.75 and 0.25 against halves: ½·(0.25 + 0.25).

        >>> float(distance(np.array([3.0, 1.0]), np.array([0.5, 0.5])))
        0.25
    """
    return np.asarray(np.abs(shares(exposure) - target).sum(axis=-1) / 2)


def gap(of_groups: Floats) -> Floats:
    """Largest minus smallest rate of (..., groups); 0 is fair.

    Example:
        >>> round(float(gap(np.array([0.3, 0.1, 0.2]))), 12)
        0.2
    """
    return np.asarray(of_groups.max(axis=-1) - of_groups.min(axis=-1))


def smallest_over_largest(above: Floats, below: Floats) -> Floats:
    """Smallest over largest ratio `above/below` of (..., groups), in [0, 1]; 1 is fair.

    Groups where `below` is 0 are left out; NaN with fewer than two others, or where all ratios are 0.

    Source: Singh and Joachims (2018), "Fairness of exposure in rankings", sections 4.2 and 4.3: exposure over
    utility is EXPU (disparate treatment), realised clicks over utility is EXPRU (disparate impact).

    Example:
        Exposure 6 for 3 positives, 2 for 2, and a group without positives: (2/2) / (6/3).

        >>> float(smallest_over_largest(np.array([6.0, 2.0, 1.0]), np.array([3.0, 2.0, 0.0])))
        0.5
    """
    ratios = rates(above, below)
    few = np.isfinite(ratios).sum(axis=-1) < 2
    smallest = np.where(np.isnan(ratios), np.inf, ratios).min(axis=-1)
    largest = np.where(np.isnan(ratios), -np.inf, ratios).max(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread: Floats = np.where(few | (largest <= 0), np.nan, smallest / largest)
    return spread


def relative_spread(above: Floats, below: Floats) -> Floats:
    """Standard deviation over mean of the rates `above/below` of (..., groups), from 0; 0 is fair.

    The deviation is that of the groups at hand (divided by their number). Groups where `below` is 0 are left
    out; NaN with fewer than two others, or where all rates are 0.

    Source: Zhu, Wang and Caverlee (2020), "Measuring and mitigating item under-recommendation bias in
    personalized ranking systems", section 3: RSP with all pairs below, REO with those of the truth.

    Example:
        Rates 0.3 and 0.1: deviation 0.1, mean 0.2.

        >>> round(float(relative_spread(np.array([3.0, 1.0]), np.array([10.0, 10.0]))), 12)
        0.5
    """
    found = rates(above, below)
    known = np.isfinite(found)
    count = known.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, found, 0.0).sum(axis=-1) / count
        squares = np.where(known, (found - mean[..., None]) ** 2, 0.0).sum(axis=-1) / count
        spread: Floats = np.where((count < 2) | (mean <= 0), np.nan, np.sqrt(squares) / mean)
    return spread


def gini_over_groups(exposure: Floats) -> Floats:
    """Gini coefficient of exposures (..., groups), in [0, 1 − 1/n]; 0 is equal. NaN without any exposure.

    Example:
        One of two providers has everything: (−1·0 + 1·4) / (2·4).

        >>> float(gini_over_groups(np.array([0.0, 4.0])))
        0.5
    """
    n = exposure.shape[-1]
    weights = 2.0 * np.arange(1, n + 1) - n - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.sort(exposure, axis=-1) @ weights / (n * exposure.sum(axis=-1)))


def worst_off_share(exposure: Floats, worst: float = WORST_OFF) -> Floats:
    """Share of all exposure that the worst-off share of providers holds, of exposures (..., providers).

    From 0 to `worst`, which is fair. Where `worst` is no whole number of providers, the next one counts in
    part. NaN without any exposure.

    Source: Xu et al. (2023), "P-MMF: Provider max-min fairness re-ranking in recommender system".

    Example:
        A fifth of five providers is the one with least: 1 of 20.

        >>> float(worst_off_share(np.array([7.0, 4.0, 3.0, 1.0, 5.0])))
        0.05
    """
    n = exposure.shape[-1]
    parts = np.clip(worst * n - np.arange(n), 0.0, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.sort(exposure, axis=-1) @ parts / exposure.sum(axis=-1))


def list_distances(exposure: sparse.csr_matrix, target: Floats) -> Floats:
    """Total variation of each user's own shares of exposure from the target; users without any are left out.

    Source: Sapiezynski et al. (2019), "Quantifying the impact of user attention on fair group representation in
    ranked lists", section 3, with total variation as the distance.

    Example:
        The whole list is of the first group, whose target is 0.6: ½·(0.4 + 0.4).

        >>> list_distances(sparse.csr_matrix(np.array([[2.0, 0.0], [0.0, 0.0]])), np.array([0.6, 0.4])).round(12)
        array([0.4])
    """
    totals = np.asarray(exposure.sum(axis=1)).ravel()
    rows = np.repeat(np.arange(exposure.shape[0]), np.diff(exposure.indptr))
    aimed = target[exposure.indices]
    # groups that a list does not hold add their targets, which is 1 less the targets of those that it does
    apart = np.abs(exposure.data / totals[rows] - aimed) - aimed
    values = (1.0 + np.bincount(rows, apart, exposure.shape[0])) / 2
    return np.asarray(values[totals > 0])


def shares(exposure: Floats) -> Floats:
    """Shares of (..., groups), adding up to 1 along groups; NaN where there is nothing to share."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(exposure / exposure.sum(axis=-1, keepdims=True))


def rates(above: Floats, below: Floats) -> Floats:
    """Ratios of (..., groups); NaN where `below` is 0."""
    above, below = np.broadcast_arrays(above, below)
    ratios: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return ratios
