"""The logging policy of a world: slates drawn item by item with known probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.worlds.draws import uniform

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_BLOCK = 1_000_000  # cells of users x items worked on at once
_BEYOND = 6  # counts beyond a slate's length, at least, from which the recursion downwards starts
_DIGITS = 6  # that rounding may cost upwards, and the start must gain downwards
_CACHED = 50_000  # cells of the quadrature that stay in a core's cache


@dataclass(frozen=True)
class PlackettLuce:
    """Slates filled from the top: each place goes to a remaining item with probability proportional to its
    weight.

    Attributes:
        weights: float32 of shape (users, items), each row a distribution over the catalogue.
        name: What the `policy` column of a log says.
    """

    weights: NDArray[np.float32]
    name: str = "softmax"

    def sample(self, users: Ints, length: int, *, seed: int, t: int) -> tuple[Ints, Floats]:
        """One slate per user.

        A slate is the first `length` arrivals of an exponential race in which item i runs at the rate of its
        weight; the order of arrival is a Plackett-Luce ranking.

        Args:
            users: Rows of `weights`.
            length: Places of a slate, at most the number of items.
            seed: Root of the draws.
            t: Day, part of the key of each draw.

        Returns:
            Item columns, int64 of shape (len(users), length), best place first; and the probability with
            which the item got its place given the items above it, float64 of the same shape.
        """
        n_items = self.weights.shape[1]
        slates = np.empty((len(users), length), dtype=np.int64)
        propensities = np.empty((len(users), length))
        step = max(_BLOCK // n_items, 1)
        for start in range(0, len(users), step):
            rows = users[start : start + step]
            weights = self.weights[rows].astype(np.float64)
            weights /= weights.sum(axis=1, keepdims=True)
            arrival = -np.log(uniform(seed, "slate", t, rows[:, None], np.arange(n_items)[None, :]))
            arrival /= weights
            first = np.argpartition(arrival, length - 1, axis=1)[:, :length] if length < n_items else None
            order = np.argsort(
                arrival if first is None else np.take_along_axis(arrival, first, axis=1), axis=1
            )
            slate = order if first is None else np.take_along_axis(first, order, axis=1)
            taken = np.take_along_axis(weights, slate, axis=1)
            above = np.cumsum(taken, axis=1) - taken
            slates[start : start + step] = slate
            propensities[start : start + step] = np.minimum(taken / (1.0 - above), 1.0)
        return slates, propensities

    def inclusion(self, length: int, nodes: int = 32) -> NDArray[np.float32]:
        """Probability that an item stands anywhere in a slate.

        Args:
            length: Places of a slate.
            nodes: Points of the quadrature; 32 give about five correct digits.

        Returns:
            float32 of shape (users, items); each row sums to `length`.
        """
        return self.exposure(np.ones(length), nodes)

    def exposure(self, worth: Floats, nodes: int = 32) -> NDArray[np.float32]:
        """Expected worth of the place that an item gets; not being in the slate is worth nothing.

        Item i arrives at time s with density w_i exp(-w_i s); it gets place c + 1 when c others came before. The
        number of others is Poisson-binomial; its distribution is built up over all items, item i is divided out
        again, and the time is integrated by Gauss-Legendre quadrature. A place is worth the sum of all drops of
        worth from it on, so that only probabilities of fewer than so many others are needed.

        Args:
            worth: Of each place of a slate, best place first.
            nodes: Points of the quadrature; 32 give about five correct digits.

        Returns:
            float32 of shape (users, items); each row sums to the sum of `worth`.
        """
        n_users, n_items = self.weights.shape
        worth = np.asarray(worth, dtype=np.float64)[:n_items]
        if len(worth) == n_items and (worth == worth[0]).all():
            return np.full((n_users, n_items), worth[0], dtype=np.float32)
        points, shares = np.polynomial.legendre.leggauss(nodes)
        unit = (points + 1) / 2
        time = len(worth) * unit / (1 - unit)  # (0, 1) onto (0, infinity); the total rate of arrival is 1
        measure = shares / 2 * len(worth) / (1 - unit) ** 2
        result = np.empty((n_users, n_items), dtype=np.float32)
        step = max(_CACHED // (nodes * len(worth)), 1)
        for start in range(0, n_users, step):
            weights = self.weights[start : start + step].astype(np.float64)
            weights /= weights.sum(axis=1, keepdims=True)
            result[start : start + step] = _exposure(weights, time, measure, worth)
        return result


def _exposure(weights: Floats, time: Floats, measure: Floats, worth: Floats) -> Floats:
    """`PlackettLuce.exposure` for a block of users; arrays below are (counts, users, nodes) or (users, nodes)."""
    absent = np.exp(-weights[:, :, None] * time)  # not yet arrived: (users, items, nodes)
    counts = np.zeros((len(worth) + max(_BEYOND, len(worth)), len(weights), len(time)))
    counts[0] = 1.0
    for item in range(weights.shape[1]):
        stay = absent[:, item]
        counts[1:] = counts[1:] * stay + counts[:-1] * (1 - stay)
        counts[0] *= stay
    below = np.cumsum(counts, axis=0)  # [c]: at most c arrivals
    drops = worth - np.append(worth[1:], 0.0)
    result = np.empty_like(weights)
    for item in range(weights.shape[1]):
        stay = absent[:, item]
        result[:, item] = weights[:, item] * ((stay * _without(stay, below, drops)) @ measure)
    return np.clip(result, 0.0, worth.max())


def _without(stay: Floats, below: Floats, drops: Floats) -> Floats:
    """Sum over counts c of `drops[c]` times the probability of at most c arrivals among all other items.

    With p = 1 - stay, F the distribution function of all arrivals and G that of the others,
    F(c) = stay G(c) + p G(c - 1). Solved upwards, rounding grows as (p / stay) ** steps, so that items that have
    probably arrived are solved downwards, from a start whose error dies out as (stay / p) ** steps.
    """
    ratio = 10.0 ** (-_DIGITS / len(drops))
    turn = ratio / (1 + ratio)
    odds = (1 - stay) / np.maximum(stay, turn)
    others = below[0] / np.maximum(stay, turn)
    total = drops[0] * others.clip(0.0, 1.0)
    for count in range(1, len(drops)):
        others = below[count] / np.maximum(stay, turn) - odds * others
        if drops[count]:
            total += drops[count] * others.clip(0.0, 1.0)
    late = stay < turn
    if late.any():
        left, downwards, found = stay[late], below[-1][late], np.zeros(int(late.sum()))
        for count in range(len(below) - 1, 0, -1):
            downwards = (below[count][late] - left * downwards) / (1 - left)
            if count <= len(drops) and drops[count - 1]:
                found += drops[count - 1] * downwards.clip(0.0, 1.0)
        total[late] = np.where(below[-1][late] > 1e-12, found, 0.0)
    return np.asarray(total)
