"""Counter-based random numbers: each draw is a function of its key alone, so that results never depend on
order.

The same user, item and day meet the same chance under every policy, which makes simulated comparisons paired.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_UNIT = 2.0**-53


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The SplitMix64 finaliser (Steele, Lea and Flood 2014, figure 15), in place."""
    state ^= state >> np.uint64(30)
    state *= _FIRST
    state ^= state >> np.uint64(27)
    state *= _SECOND
    state ^= state >> np.uint64(31)
    return state


def uniform(seed: int, purpose: str, *keys: ArrayLike) -> NDArray[np.float64]:
    """Uniform numbers in the open interval (0, 1), one per key.

    Args:
        seed: Root of all draws, not negative.
        purpose: What is drawn; different purposes are independent.
        keys: Integer arrays that broadcast against each other; the result has their common shape.
    """
    with np.errstate(over="ignore"):
        state: NDArray[np.uint64] = np.full(1, seed, dtype=np.uint64)
        for key in (np.uint64(zlib.crc32(purpose.encode())), *keys):
            words = np.asarray(key).astype(np.uint64)
            state = _mix((state + _GOLDEN) ^ (words * _FIRST + _GOLDEN))
        state = state.reshape(np.broadcast_shapes(*(np.shape(key) for key in keys)))
        state >>= np.uint64(11)
    numbers = state.astype(np.float64)
    numbers += 0.5
    numbers *= _UNIT
    return numbers


def normal(seed: int, purpose: str, *keys: ArrayLike) -> NDArray[np.float64]:
    """Standard normal numbers, keyed as in `uniform`."""
    numbers: NDArray[np.float64] = ndtri(uniform(seed, purpose, *keys))
    return numbers


def choice(
    seed: int, purpose: str, weights: NDArray[np.floating[Any]], *keys: ArrayLike
) -> NDArray[np.int64]:
    """Indices into `weights` (not negative, any sum), keyed as in `uniform`."""
    shares = np.cumsum(weights / weights.sum())
    return np.minimum(np.searchsorted(shares, uniform(seed, purpose, *keys)), len(weights) - 1).astype(
        np.int64
    )


def choice_by_row(weights: NDArray[np.float64], chance: NDArray[np.float64]) -> NDArray[np.int64]:
    """One column index per row, with probability proportional to the row's weights.

    Args:
        weights: Not negative, (rows, columns).
        chance: A uniform number per row.
    """
    shares = np.cumsum(weights, axis=1)
    below: NDArray[np.int64] = (shares < chance[:, None] * shares[:, -1:]).sum(axis=1)
    return below
