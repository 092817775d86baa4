"""A logger that shows nobody the same item twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from equipoise.worlds.draws import uniform
from equipoise.worlds.laws import Ints, Laws
from equipoise.worlds.policy import PlackettLuce

Floats = NDArray[np.float64]

_BLOCK = 1_000_000  # cells of users x items worked on at once
_EXACT = 12  # places up to which inclusion is exact; the exact recursion takes time with each place
_NODES = 24
_REACH = 6.0  # standard deviations of the number of items drawn that are integrated over


@dataclass(frozen=True)
class Continued(PlackettLuce):
    """One Plackett-Luce ranking of the catalogue per user, read on from visit to visit.

    When fewer than a slate is left, a new ranking begins. Propensities are given all that the user was shown
    before from the same ranking.

    Attributes:
        laws: Who visits when.
        seed: Root of the world's draws.
        days: Length of the log.
    """

    laws: Laws = field(kw_only=True, repr=False)
    seed: int = field(kw_only=True)
    days: int = field(kw_only=True)

    def sample(self, users: Ints, length: int, *, seed: int, t: int) -> tuple[Ints, Floats]:
        """One slate per user: the next `length` items of the user's ranking; see `PlackettLuce.sample`."""
        turn = self._visits_before(t)[users]
        slates, propensities = np.empty((len(users), length), np.int64), np.empty((len(users), length))
        n_items = self.weights.shape[1]
        rounds = n_items // length
        places = (turn % rounds)[:, None] * length + np.arange(length)
        step = max(_BLOCK // n_items, 1)
        for start in range(0, len(users), step):
            part = slice(start, start + step)
            weights = self.weights[users[part]].astype(np.float64)
            weights /= weights.sum(axis=1, keepdims=True)
            number = turn[part] // rounds
            ranking = self._first_ranking[users[part]].astype(np.int64)
            if len(again := np.flatnonzero((number > 0) | (seed != self.seed))):
                ranking[again] = _ranking(weights[again], users[part][again], number[again], seed)
            taken = np.take_along_axis(weights, ranking, axis=1)
            left = np.cumsum(taken[:, ::-1], axis=1)[:, ::-1]  # from the end: what is left gets small
            slates[part] = np.take_along_axis(ranking, places[part], axis=1)
            propensities[part] = np.take_along_axis(taken / left, places[part], axis=1)
        return slates, propensities

    def inclusion(self, length: int, nodes: int = 32) -> NDArray[np.float32]:
        """Probability that an item stands in a slate, averaged over the visits of the log.

        Over m visits a user sees the first m * length places of the ranking. Up to 12 places that is exact;
        beyond, where the exact recursion takes long, the number of other items drawn by a time is taken for
        normal (error under 1e-3).

        Args:
            length: Places of a slate.
            nodes: Points of the exact quadrature.

        Returns:
            float32 of shape (users, items); each row sums to `length`.
        """
        n_items = self.weights.shape[1]
        visits = np.maximum(self._visits_before(self.days), 1)
        rounds, rest = np.divmod(visits, n_items // length)
        whole = n_items // length * length
        shown = np.zeros(self.weights.shape, dtype=np.float32)
        for times, places in ((rounds, np.full(len(visits), whole)), (np.ones_like(rest), rest * length)):
            rows = np.flatnonzero((times > 0) & (places > 0))
            for start in range(0, len(rows), step := max(_BLOCK // n_items, 1)):
                part = rows[start : start + step]
                found = self._first(self.weights[part], places[part], nodes)
                shown[part] += times[part, None].astype(np.float32) * found
        return np.asarray(shown / visits[:, None].astype(np.float32))

    def _first(self, weights: NDArray[np.float32], places: Ints, nodes: int) -> NDArray[np.float32]:
        """Probability of standing among the first `places` of a ranking, by row."""
        found = np.ones(weights.shape, dtype=np.float32)
        for count in np.unique(places[places <= _EXACT]):
            found[places == count] = PlackettLuce(weights[places == count]).inclusion(int(count), nodes)
        rows = (places > _EXACT) & (places < weights.shape[1])
        if rows.any():
            found[rows] = _among_first(weights[rows].astype(np.float64), places[rows].astype(np.float64))
        return found

    @cached_property
    def _first_ranking(self) -> NDArray[np.int32]:
        """The first ranking of each user, (users, items)."""
        found = np.empty(self.weights.shape, dtype=np.int32)
        step = max(_BLOCK // self.weights.shape[1], 1)
        for start in range(0, len(found), step):
            users = np.arange(start, min(start + step, len(found)))
            weights = self.weights[users].astype(np.float64)
            found[users] = _ranking(weights, users, np.zeros_like(users), self.seed)
        return found

    @cached_property
    def _before(self) -> Ints:
        """Visits of each user before each day of the log and at its end, (days + 1, users)."""
        came = [self.laws.visits(self.seed, t) for t in range(self.days)]
        return np.vstack(
            [np.zeros(len(self.weights), dtype=np.int64), np.cumsum(came, axis=0, dtype=np.int64)]
        )

    def _visits_before(self, t: int) -> Ints:
        later = (self.laws.visits(self.seed, day) for day in range(self.days, t))
        return np.asarray(
            self._before[min(t, self.days)] + sum(later, np.zeros(len(self.weights), dtype=np.int64))
        )


def _ranking(weights: Floats, users: Ints, number: Ints, seed: int) -> Ints:
    """Items by arrival in an exponential race, (users, items)."""
    columns = np.arange(weights.shape[1])[None, :]
    arrival = -np.log(uniform(seed, "ranking", number[:, None], users[:, None], columns)) / weights
    return np.asarray(np.argsort(arrival, axis=1))


def _among_first(weights: Floats, places: Floats) -> Floats:
    """Probability of being among the first `places`, (users, items): many places, few of them certain.

    Item i arrives at time s with density w exp(-w s), and is among the first when at most places - 1 others
    came before. The integral runs over the times at which that is in doubt; before, nobody is too late.
    """
    weights = weights / weights.sum(axis=1, keepdims=True)
    low, high = (_time(weights, places, sign * _REACH) for sign in (-1, 1))
    points, shares = np.polynomial.legendre.leggauss(_NODES)
    found = -np.expm1(-weights * low[:, None])
    for point, share in zip((points + 1) / 2, shares / 2, strict=True):
        time = (low + point * (high - low))[:, None]
        absent = np.exp(-weights * time)
        spread = absent * (1 - absent)
        others = (1 - absent).sum(axis=1, keepdims=True) - (1 - absent)
        deviation = np.sqrt(np.maximum(spread.sum(axis=1, keepdims=True) - spread, 1e-9))
        in_time = ndtr((places[:, None] - 0.5 - others) / deviation)
        found += share * (high - low)[:, None] * weights * absent * in_time
    return np.asarray(np.clip(found * (places / found.sum(axis=1))[:, None], 0.0, 1.0))


def _time(weights: Floats, places: Floats, deviations: float) -> Floats:
    """Time by which the expected number drawn is that many of its deviations away from `places`."""
    low, high = np.zeros(len(weights)), np.full(len(weights), 1.0)

    def short(time: Floats) -> NDArray[np.bool_]:
        absent = np.exp(-weights * time[:, None])
        drawn, spread = (1 - absent).sum(axis=1), np.sqrt((absent * (1 - absent)).sum(axis=1))
        return np.asarray(drawn - deviations * spread < places)

    for _ in range(200):
        if not short(high).any():
            break
        high = np.where(short(high), 2 * high, high)
    for _ in range(40):
        middle = (low + high) / 2
        under = short(middle)
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return np.asarray((low + high) / 2)
