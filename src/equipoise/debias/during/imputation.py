"""The imputation model of doubly robust training: what it imputes, how it learns, and what it adds to the loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from equipoise.models.training import Step

Ints = NDArray[np.int64]


class PseudoRatings(nn.Module):
    """Matrix factorisation that gives every cell a rating to stand for the one that was not seen.

    Args:
        users: Number of users.
        items: Number of items.
        width: Factors.
        mean: Rating to begin with.
    """

    def __init__(self, users: int, items: int, width: int, mean: float) -> None:
        super().__init__()
        spread = 0.1 / math.sqrt(width)
        self.users = nn.Parameter(torch.randn(users, width) * spread)
        self.items = nn.Parameter(torch.randn(items, width) * spread)
        self.user_bias = nn.Parameter(torch.zeros(users))
        self.item_bias = nn.Parameter(torch.zeros(items))
        self.mean = nn.Parameter(torch.tensor(mean))
        self.steps = nn.Parameter(
            torch.tensor(0.0), requires_grad=False
        )  # kept in a checkpoint, as all parameters

    def each(self, users: Tensor, items: Tensor) -> Tensor:
        """Of pairs, shape (n,)."""
        bias = self.mean + self.user_bias[users] + self.item_bias[items]
        return (self.users[users] * self.items[items]).sum(1) + bias

    def all(self, users: Tensor, items: Tensor) -> Tensor:
        """Of all pairs of these users and these items, shape (users, items)."""
        bias = self.mean + self.user_bias[users][:, None] + self.item_bias[items]
        return self.users[users] @ self.items[items].T + bias

    def sizes(self, users: Tensor, items: Tensor) -> Tensor:
        """Squared factors and biases of each pair, summed over the pairs."""
        parts = ((self.users, users), (self.items, items), (self.user_bias, users), (self.item_bias, items))
        return torch.stack([values[rows].square().sum() for values, rows in parts]).sum()


@dataclass(frozen=True)
class Imputation:
    """Head of doubly robust training for squared errors of ratings.

    The model's own loss on weighted examples is the inverse-propensity estimate of its error. `correction`
    makes it doubly robust; `imputation_loss` is that of the imputation model. Each is learned with the other
    held still.

    Attributes:
        users: Number of users of the catalogue.
        items: Number of items of the catalogue.
        events: Examples per user, shape (users,).
        mean: Mean rating.
        width: Factors of the imputation model.
        shrinkage: Weight of its squared parameters.
        cells: Most cells per step; of more, items are drawn.
        seed: Of these draws.
        emphasis: Factor of each cell's weight in the imputation loss, from users and items; None for 1.
        name: Of the head.
    """

    users: int
    items: int
    events: Ints
    mean: float
    width: int
    shrinkage: float
    cells: int
    seed: int
    emphasis: Callable[[Tensor, Tensor], Tensor] | None = None
    name: str = "imputation"

    def build(self, width: int) -> PseudoRatings:
        """The imputation model; it has factors of its own, so the width of the representations is not used."""
        return PseudoRatings(self.users, self.items, self.width, self.mean)

    def loss(self, network: nn.Module, step: Step) -> Tensor:
        """Both parts together."""
        assert isinstance(network, PseudoRatings)
        return self.correction(network, step) + self.imputation_loss(network, step)

    def correction(self, network: PseudoRatings, step: Step) -> Tensor:
        """What turns the weighted error into the doubly robust one (Wang et al. 2019, equation 6): the imputed error
        of all cells, less the weighted imputed error of those seen.

        All items of the batch's users are taken, each user counted by the inverse of how often examples bring
        it: an unbiased estimate of the mean over the cells of all users that have an example.
        """
        own = (step.representations * step.items[step.targets]).sum(1)
        seen = (own - network.each(step.users, step.targets).detach()).square()
        users, first, count = _distinct(step.users)
        events = torch.from_numpy(self.events)[users]
        active = int((self.events > 0).sum())
        share = count / len(step.users) * (int(self.events.sum()) / active) / events
        items = self._items(network, len(users))
        scores = step.representations[first] @ step.items[items].T
        imputed = (scores - network.all(users, items).detach()).square().mean(1)
        return (share * imputed).sum() - (step.weights * seen).mean()

    def imputation_loss(self, network: PseudoRatings, step: Step) -> Tensor:
        """How far imputed residuals are from those of the cells seen, weighted, and the model's shrinkage.

        Residuals are compared, not their squares, which do not tell on which side of its score a rating lies.
        """
        assert step.values is not None
        weights = (
            step.weights if self.emphasis is None else step.weights * self.emphasis(step.users, step.targets)
        )
        apart = (network.each(step.users, step.targets) - step.values).square()
        sizes = network.sizes(step.users, step.targets) / len(step.users)
        return (weights * apart).mean() + self.shrinkage * sizes

    def _items(self, network: PseudoRatings, users: int) -> Tensor:
        """All items, or a uniform draw of as many as the step may hold, other ones at each step."""
        most = max(1, self.cells // users)
        if most >= self.items:
            return torch.arange(self.items)
        rng = np.random.default_rng([self.seed, int(network.steps)])
        with torch.no_grad():
            network.steps.add_(1)
        return torch.from_numpy(rng.integers(0, self.items, most))


def _distinct(users: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The distinct users in order, the first example of each, and its number of examples."""
    found, first, count = np.unique(users.numpy(), return_index=True, return_counts=True)
    return torch.from_numpy(found), torch.from_numpy(first), torch.from_numpy(count)
