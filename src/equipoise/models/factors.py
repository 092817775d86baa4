"""The network of matrix factorisation: vectors of users and items, their biases, and the loss on a batch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor, nn
from torch.nn import functional

from equipoise.component import Runtime
from equipoise.models import choice, losses
from equipoise.models.attributes import Attributes
from equipoise.models.filtered import Filtered
from equipoise.models.histories import Catalogue, Histories
from equipoise.models.offset import Offset
from equipoise.models.training import Filter, Step

if TYPE_CHECKING:
    from equipoise.models.mf import MF

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Examples:
    """One row per event: user, item, weight, value, period of the offset, and place among all, each of shape
    (events,).
    """

    users: Ints
    items: Ints
    weights: Floats
    values: Floats
    periods: Ints
    places: Ints

    def batches(self, size: int, rng: np.random.Generator) -> list[Examples]:
        """All rows in a random order, `size` at a time."""
        order = rng.permutation(len(self.users))
        return [self._take(order[start : start + size]) for start in range(0, len(order), size)]

    def _take(self, rows: Ints) -> Examples:
        return Examples(
            self.users[rows],
            self.items[rows],
            self.weights[rows],
            self.values[rows],
            self.periods[rows],
            self.places[rows],
        )


def examples(histories: Histories, offset: Offset | None = None) -> Examples:
    """The events of histories that have a known item."""
    known = histories.items >= 0
    users = np.repeat(np.arange(len(histories)), np.diff(histories.starts))[known]
    times = histories.times[known]
    periods = np.zeros(len(users), dtype=np.int64) if offset is None else offset.periods(times)
    return Examples(
        users,
        histories.items[known],
        histories.weights[known],
        histories.values[known],
        periods,
        np.arange(len(users)),
    )


@contextmanager
def seeded(runtime: Runtime) -> Iterator[None]:
    """Inside the block, torch draws from the run's seed: what a network is at its start."""
    with torch.random.fork_rng():
        torch.manual_seed(int(runtime.rng("network").integers(2**62)))
        yield


class Described(nn.Module):
    """Vectors of attributes' values, summed for each user or item: factors and, in the last column, a bias.

    Args:
        known: The attributes.
        width: Factors.
        spread: Standard deviation to begin with.
        rows: Users or items that have events.
    """

    def __init__(self, known: Attributes, width: int, spread: float, rows: int) -> None:
        super().__init__()
        self.rows = rows
        self.codes = torch.from_numpy(known.codes)
        self.values = nn.Parameter(torch.randn(known.size, width + 1) * spread)
        with torch.no_grad():
            self.values[0] = 0  # what is not known adds nothing, and is not trained
            self.values[:, -1] = 0

    def each(self, rows: Tensor) -> Tensor:
        """The vector of every attribute, shape (n, attributes, width + 1)."""
        return functional.embedding(self.codes[rows], self.values, padding_idx=0)


def _described(known: Attributes | None, width: int, spread: float, rows: int) -> Described | None:
    return None if known is None or not known.columns else Described(known, width, spread, rows)


class Factors(nn.Module):
    """Parameters of matrix factorisation.

    Args:
        config: Sizes and loss.
        catalogue: Users and items; those without an event keep vectors of zero.
        rows: Training events, for means and counts.
        offset: Added to the scores of items in training; None for nothing.
        known: Attributes of users and of items; None for none.
    """

    def __init__(
        self,
        config: MF,
        catalogue: Catalogue,
        rows: Examples,
        offset: Offset | None = None,
        known: tuple[Attributes, Attributes] | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.width = config.width + 2
        self.counts = np.bincount(rows.items, minlength=len(catalogue.items))
        warm = self.counts > 0
        self.warm = torch.from_numpy(np.flatnonzero(warm))
        self.active = torch.from_numpy(np.unique(rows.users))
        self.place_of_warm = torch.from_numpy(np.cumsum(warm) - 1)
        active = torch.from_numpy(np.bincount(rows.users, minlength=len(catalogue.users)) > 0)
        self.cells = len(self.active) * len(self.warm) / len(rows.users)
        table = None if offset is None else offset.table(catalogue.items)[:, warm]
        self.offset = None if table is None else torch.from_numpy(table)
        spread = 0.1 / math.sqrt(config.width)
        self.users = nn.Parameter(torch.randn(len(active), config.width) * spread * active[:, None])
        self.items = nn.Parameter(
            torch.randn(len(warm), config.width) * spread * torch.from_numpy(warm)[:, None]
        )
        mean, bias = 0.0, np.zeros(len(warm))
        if config.loss == "rating":
            mean = float(np.average(rows.values, weights=rows.weights + 1e-12))
        else:
            taken = np.bincount(rows.items, rows.weights, minlength=len(warm))
            expected = taken.sum() if offset is None else _expected(offset.table(catalogue.items), rows)
            bias = np.log(np.maximum(taken, 0.5) / expected)
            bias -= bias[warm].mean()
            if config.loss == "pointwise":
                mean = -math.log(max(len(self.active) * len(self.warm) / taken.sum() - 1, 1.0))
        # a softmax is blind to the user's bias, and steps along a gradient of rounding errors would tell activity
        blind = config.loss in ("softmax", "sampled_softmax")
        self.user_bias = nn.Parameter(torch.zeros(len(active)), requires_grad=not blind)
        self.item_bias = nn.Parameter(torch.from_numpy(bias.astype(np.float32)))
        self.mean = nn.Parameter(torch.tensor(mean), requires_grad=config.loss != "softmax")
        self.filtered: Filtered | None = None
        self.read: tuple[Any, ...] = ()  # what else it is made from, so that a checkpoint knows its own
        self.account: tuple[dict[str, Any], ...] = ()  # and what became of that
        users, items = known or (None, None)
        self.described_users = _described(users, config.width, spread, int(active.sum()))
        self.described_items = _described(items, config.width, spread, int(warm.sum()))

    def vectors(self) -> tuple[Floats, Floats]:
        """Vectors of all users and of all items, the biases among them."""
        with torch.no_grad():
            users = self._users(torch.arange(len(self.users)))
            return users.numpy().copy(), self._items().numpy().copy()

    def refilter(self, rule: Filter) -> None:
        """Fit the filter to the users' vectors as they stand."""
        assert self.filtered is not None
        with torch.no_grad():
            self.filtered.refit(rule, self._unfiltered(torch.arange(len(self.users))).numpy())

    def step(self, batch: Examples, rng: np.random.Generator) -> tuple[Tensor, Step]:
        """The loss on a batch, shrinkage included."""
        step = Step(
            users=torch.from_numpy(batch.users),
            targets=torch.from_numpy(batch.items),
            weights=torch.from_numpy(batch.weights),
            representations=self._users(torch.from_numpy(batch.users)),
            items=self._items(),
            parameters=dict(self.named_parameters()),
            values=torch.from_numpy(batch.values) if self.config.loss == "rating" else None,
        )
        return self._loss(step, batch, rng) + self._shrinkage(step), step

    def _shrinkage(self, step: Step) -> Tensor:
        """Squared factors and biases per example, each times its weight.

        An attribute's value counts like one user or item of average activity, so that what many have in common
        costs least where it is said once.
        """
        n = len(step.users)
        factors = (self.users[step.users].square().sum() + self.items[step.targets].square().sum()) / n
        biases = (self.user_bias[step.users].square().sum() + self.item_bias[step.targets].square().sum()) / n
        for side in (self.described_users, self.described_items):
            if side is not None:
                squared = side.values.square() / side.rows
                factors, biases = factors + squared[:, :-1].sum(), biases + squared[:, -1].sum()
        shrinkage = self.config.shrinkage * factors
        return shrinkage + self.config.bias_shrinkage * biases if self.config.bias_shrinkage else shrinkage

    def _users(self, rows: Tensor) -> Tensor:
        vectors = self._unfiltered(rows)
        return vectors if self.filtered is None else self.filtered(vectors, rows)

    def _unfiltered(self, rows: Tensor) -> Tensor:
        factors, bias = self.users[rows], self.user_bias[rows] + self.mean
        if self.described_users is not None:
            described = self.described_users.each(rows).sum(1)
            factors, bias = factors + described[:, :-1], bias + described[:, -1]
        return torch.cat([factors, torch.ones(len(rows), 1), bias[:, None]], 1)

    def _items(self) -> Tensor:
        factors: Tensor = self.items
        bias: Tensor = self.item_bias
        if self.described_items is not None:
            described = self.described_items.each(torch.arange(len(factors))).sum(1)
            factors, bias = factors + described[:, :-1], bias + described[:, -1]
        return torch.cat([factors, bias[:, None], torch.ones(len(factors), 1)], 1)

    def _loss(self, step: Step, batch: Examples, rng: np.random.Generator) -> Tensor:
        config = self.config
        if config.loss == "rating":
            predicted = (step.representations * step.items[step.targets]).sum(1)
            return losses.squared_error(predicted, torch.from_numpy(batch.values), step.weights)
        if config.loss == "pointwise":
            return self._pointwise(step, batch, rng)
        items, targets = step.items[self.warm], self.place_of_warm[step.targets]
        chosen = choice.Chosen(step.representations, items, targets, step.weights)
        if self.offset is not None:
            chosen = chosen.shifted(self.offset, torch.from_numpy(batch.periods))
        return choice.loss(chosen, config.loss, config, self.counts[self.counts > 0], rng)

    def _pointwise(self, step: Step, batch: Examples, rng: np.random.Generator) -> Tensor:
        """Of a block of pairs: some of the users, all items or `negatives` of them."""
        users = self.active[torch.from_numpy(rng.integers(len(self.active), size=BLOCK_USERS))]
        drawn = torch.arange(len(self.warm))
        if len(drawn) > self.config.negatives:
            drawn = torch.from_numpy(rng.choice(len(drawn), self.config.negatives, replace=False))
        others = self._users(users) @ step.items[self.warm[drawn]].T
        if self.offset is not None:
            others = others + self.offset[torch.from_numpy(rng.choice(batch.periods, len(users)))][:, drawn]
        taken = (step.representations * step.items[step.targets]).sum(1)
        return losses.pointwise(taken, others, self.cells, step.weights)


BLOCK_USERS = 512  # of all pairs of users and items, those of so many users stand for the others in a batch


def _expected(table: Floats, rows: Examples) -> NDArray[np.float64]:
    """Events that each item would have if the offset alone said what is taken, up to a common factor."""
    chance = softmax(table.astype(np.float64), axis=1)
    return np.asarray(np.bincount(rows.periods, minlength=len(table)) @ chance)
