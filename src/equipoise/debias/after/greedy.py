"""Lists built item by item, for many users at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from equipoise.debias.after.pools import Floats, Ints

_DECIMALS = 10  # what differs by less than rounding is a tie


def greedy(
    there: NDArray[np.bool_], k: int, worth: Callable[[], Floats], take: Callable[[Ints], None]
) -> Ints:
    """Take, `k` times over, each user's item of the highest worth; ties go to the model's order.

    Args:
        there: Where there is an item, (users, depth); a user's items stand on the first places.
        k: How many to take.
        worth: What each place is worth next to what was taken so far, (users, depth).
        take: Told the place that each user takes, (users,); a place without item where none is left.

    Returns:
        Places in the order taken, (users, min(k, depth)).
    """
    left, rows = there.copy(), np.arange(len(there))
    order = np.empty((len(there), min(k, there.shape[1])), dtype=np.int64)
    for step in range(order.shape[1]):
        value = np.where(left, np.round(worth(), _DECIMALS), -np.inf)
        chosen = np.where(left.any(axis=1), value.argmax(axis=1), step)
        left[rows, chosen] = False
        order[:, step] = chosen
        take(chosen)
    return order


def in_blocks(n: int, solve: Callable[[slice], Ints], size: int = 256) -> Ints:
    """`solve` on blocks of users, put together again; what one user gets does not depend on the others."""
    return np.concatenate([solve(slice(start, min(start + size, n))) for start in range(0, n, size)])
