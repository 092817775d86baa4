"""Linear programmes of expected exposure: rankings to draw from, of the highest expected score among those whose
expected shares of exposure are as asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp

from equipoise.debias.after.birkhoff import decompose
from equipoise.debias.after.market import Market, Outcome
from equipoise.debias.after.pools import Floats, Ints, discounts

_TINY = 1e-9
_CLOSE = 1e-4  # of the best score, in standard deviations: where the search for it ends
_SLIGHT = 1e-8  # weight of the score where shares alone are sought: it decides between items of one group
_INFEASIBLE = 2  # status of scipy's solvers


@dataclass(frozen=True)
class Mixture:
    """Rankings to draw from.

    Attributes:
        weights: Probability of each, (rankings,).
        orders: Places of one pool, (rankings, k), or of all pools, (rankings, users, k).
        score: Expected mean score per unit of exposure.
        shares: Expected share of exposure of each group, (groups,).
        off: How far a share may be from its target: the tolerance, or as far as it has to be where no rankings come
            nearer.
        bound: No mixture whose shares are as near has a higher expected score.
    """

    weights: Floats
    orders: Ints
    score: float
    shares: Floats
    off: float
    bound: float


def of_all_lists(market: Market, target: Floats, tolerance: float, iterations: int) -> Mixture:
    """The programme whose shares are those of all lists together.

    Its variables would be the chances of every user, item and place. But nothing ties users to each other except the
    shares, so it is solved over mixtures of whole sets of lists (column generation; Dantzig & Wolfe 1960): a programme
    with two constraints per group, to which the set of lists that is best at its prices is added until none is better.
    That is the optimum of the large programme, up to 1e-4 standard deviations of score, and it mixes few sets.

    Args:
        market: All pools.
        target: Share of exposure of each group, (groups,).
        tolerance: How far shares may be off.
        iterations: Most sets of lists that are tried, for each of two searches: for shares that are near enough, then
            for the best score.
    """
    sets = _Sets(market)
    sets.add(1.0, np.zeros(len(target)))  # the model's own: no lists score higher
    if np.abs(sets.shares[0] - target).max() <= tolerance:
        score = float(sets.scores[0])
        return Mixture(np.ones(1), sets.order(0)[None], score, sets.shares[0], tolerance, score)
    for most in np.eye(len(target)):
        sets.add(_SLIGHT, most)
    nearest, _ = sets.generate(
        lambda: sets.nearest(target), _SLIGHT, iterations, enough=lambda found: bool(found.fun <= tolerance)
    )
    off = max(tolerance, float(nearest.fun) + _TINY)
    solved, gain = sets.generate(lambda: sets.best(target, off), 1.0, iterations)
    weights = np.where(solved.x[:-1] > _TINY, solved.x[:-1], 0.0)
    used = np.flatnonzero(weights)
    weights = weights[used] / weights.sum()
    score = float(weights @ sets.scores[used])
    orders = np.stack([sets.order(int(place)) for place in used])
    return Mixture(weights, orders, score, weights @ sets.shares[used], off, score + gain)


class _Sets:
    """Sets of lists that were met, and programmes over mixtures of them.

    The variables are the weight of each set, and how far a share may be from its target.
    """

    def __init__(self, market: Market) -> None:
        self.market = market
        self._prices = list[tuple[float, Floats]]()
        self._met = list[Outcome]()

    @property
    def shares(self) -> Floats:
        return np.array([one.shares for one in self._met])

    @property
    def scores(self) -> Floats:
        return np.array([one.score for one in self._met])

    def order(self, place: int) -> Ints:
        """The lists of a set, made anew: to keep them all would take memory."""
        return self._sorted(*self._prices[place])

    def add(self, weight: float, price: Floats) -> Outcome:
        """The lists by weight x score + price."""
        self._prices.append((weight, price))
        self._met.append(self.market.outcome(self._sorted(weight, price)))
        return self._met[-1]

    def generate(
        self,
        programme: Callable[[], OptimizeResult],
        weight: float,
        iterations: int,
        enough: Callable[[OptimizeResult], bool] = lambda found: False,
    ) -> tuple[OptimizeResult, float]:
        """Solve over the sets that were met, add the one that is best at the prices, and so on.

        Returns:
            The solution, and how much better a mixture could be at most.
        """
        gain = np.inf
        for _ in range(iterations):
            solved = programme()
            if enough(solved):
                return solved, 0.0
            over, under = np.split(solved.ineqlin.marginals, 2)
            price = over - under
            new = self.add(weight, price)
            gain = weight * new.score + float(new.shares @ price) + float(solved.eqlin.marginals[0])
            if gain <= _CLOSE:
                break
        return programme(), max(gain, 0.0)

    def nearest(self, target: Floats) -> OptimizeResult:
        """The mixture whose largest distance from a target is smallest."""
        return self._solved(np.r_[np.zeros(len(self._met)), 1.0], target, (0.0, None))

    def best(self, target: Floats, off: float) -> OptimizeResult:
        """The mixture of the highest score among those at most so far from the targets."""
        return self._solved(np.r_[-self.scores, 0.0], target, (off, off))

    def _solved(self, cost: Floats, target: Floats, off: tuple[float, float | None]) -> OptimizeResult:
        shares, one = self.shares.T, np.ones((len(target), 1))
        return linprog(
            cost,
            A_ub=np.block([[shares, -one], [-shares, -one]]),
            b_ub=np.r_[target, -target],
            A_eq=np.r_[np.ones(len(self._met)), 0.0][None, :],
            b_eq=[1.0],
            bounds=[(0.0, None)] * len(self._met) + [off],
            method="highs",
        )

    def _sorted(self, weight: float, price: Floats) -> Ints:
        """Lists by weight x score + price; ties stay in the model's order."""
        market, there = self.market, self.market.pool.there
        scores = weight * np.where(there, market.scores, 0.0)
        return market.pool.best(scores + price[market.groups.code], len(market.discount))


def of_one_list(scores: Floats, code: Ints, target: Floats, tolerance: float, k: int) -> Mixture:
    """The programme of one list by itself: the chance of each item at each place (Singh & Joachims 2018, "Fairness of
    exposure in rankings", sections 3.2 and 3.4), taken apart into rankings.

    Only the best k items of a group can be in a solution, so the others are left out. Within a group, better items
    stand before worse ones in every ranking, which a solution has for nothing where scores differ.

    Args:
        scores: Of the places of the pool, falling, (depth,).
        code: Group of each, (depth,).
        target: Share of exposure of each group, (groups,).
        tolerance: How far shares may be off.
        k: Length of the list, at most `depth`.
    """
    worth = discounts(k) / discounts(k).sum()
    own = np.bincount(code[:k], worth, len(target)).astype(np.float64)
    if np.abs(own - target).max() <= tolerance:  # no list scores higher
        score = float(scores[:k] @ worth)
        return Mixture(np.ones(1), np.arange(k)[None], score, own, tolerance, score)
    chosen = np.concatenate([np.flatnonzero(code == g)[:k] for g in np.unique(code)])
    groups = code[chosen]
    cost = -np.outer(scores[chosen], worth).ravel()
    matrix = _constraints(groups.tobytes(), len(target), k)
    off = tolerance
    solved = _solved(matrix, np.r_[cost, 0.0], len(chosen), target, (off, off))
    if solved.status == _INFEASIBLE:
        nearest = _solved(matrix, np.r_[np.zeros_like(cost), 1.0], len(chosen), target, (0.0, 1.0))
        off = max(tolerance, float(nearest.fun) + _TINY)
        solved = _solved(matrix, np.r_[cost, 0.0], len(chosen), target, (off, off))
    weights, rankings = decompose(solved.x[:-1].reshape(len(chosen), k))
    orders = np.stack([_in_order(groups, ranking) for ranking in rankings])
    shares = weights @ np.array([np.bincount(groups[order], worth, len(target)) for order in orders])
    score = float(weights @ (scores[chosen][orders] @ worth))
    return Mixture(weights, chosen[orders], score, shares, off, max(score, -float(solved.fun)))


@lru_cache(maxsize=64)
def _constraints(groups: bytes, n_groups: int, k: int) -> Any:
    """Rows: each item at most once, each place once, shares above and below; the last column is the distance."""
    code = np.frombuffer(groups, dtype=np.int64)
    items, worth = len(code), discounts(k) / discounts(k).sum()
    once = sparse.kron(sparse.eye(items), np.ones((1, k)))
    filled = sparse.kron(np.ones((1, items)), sparse.eye(k))
    shares = sparse.kron(code[None, :] == np.arange(n_groups)[:, None], worth[None, :])
    off = np.r_[np.zeros(items + k), -np.ones(n_groups), np.ones(n_groups)]
    return sparse.hstack([sparse.vstack([once, filled, shares, shares]), off[:, None]], format="csc")


def _solved(
    matrix: Any, cost: Floats, items: int, target: Floats, off: tuple[float, float]
) -> OptimizeResult:
    k = (len(cost) - 1) // items
    low = np.r_[np.zeros(items), np.ones(k), np.full(len(target), -np.inf), target]
    high = np.r_[np.ones(items), np.ones(k), target, np.full(len(target), np.inf)]
    bounds = Bounds(np.r_[np.zeros(len(cost) - 1), off[0]], np.r_[np.ones(len(cost) - 1), off[1]])
    return milp(cost, constraints=LinearConstraint(matrix, low, high), bounds=bounds)


def _in_order(groups: Ints, ranking: Ints) -> Ints:
    """The ranking with the best items of each group in its places, in the order of the pool."""
    found = np.empty_like(ranking)
    for g in np.unique(groups[ranking]):
        places = groups[ranking] == g
        found[places] = np.flatnonzero(groups == g)[: places.sum()]
    return found
