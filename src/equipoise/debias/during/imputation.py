"""The imputation model of doubly robust training: what it imputes, how it learns, and what it adds to the loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from equipoise.models.attributes import Attributes
from equipoise.models.factors import Described
from equipoise.models.training import Step

Ints = NDArray[np.int64]

_LEAST = 1e-12


class PseudoRatings(nn.Module):
    """Matrix factorisation that gives every cell a rating to stand for the one that was not seen.

    Args:
        width: Factors.
        mean: Rating to begin with.
        events: Events per user and per item.
        known: Attributes of users and of items that have factors of their own.
    """

    def __init__(
        self, width: int, mean: float, events: tuple[Ints, Ints], known: tuple[Attributes, Attributes] | None
    ) -> None:
        super().__init__()
        self.sides = nn.ModuleList(
            _Side(width, count, None if known is None else known[place]) for place, count in enumerate(events)
        )
        self.mean = nn.Parameter(torch.tensor(mean))
        self.steps = nn.Parameter(
            torch.tensor(0.0), requires_grad=False
        )  # kept in a checkpoint, as all parameters

    def each(self, users: Tensor, items: Tensor) -> Tensor:
        """Of pairs, shape (n,)."""
        (p, user_bias), (q, item_bias) = self._vectors(users, items)
        return (p * q).sum(1) + user_bias + item_bias + self.mean

    def all(self, users: Tensor, items: Tensor) -> Tensor:
        """Of all pairs of these users and these items, shape (users, items)."""
        (p, user_bias), (q, item_bias) = self._vectors(users, items)
        return p @ q.T + user_bias[:, None] + item_bias + self.mean

    def sizes(self, users: Tensor, items: Tensor) -> Tensor:
        """Squared factors and biases of these pairs, per pair."""
        parts = [side.size(rows) for side, rows in zip(self.sides, (users, items), strict=True)]  # type: ignore[operator]
        return torch.stack(parts).sum()

    def _vectors(self, users: Tensor, items: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        return self.sides[0](users), self.sides[1](items)


class _Side(nn.Module):
    """Factors and biases of users, or of items, with those of their attributes."""

    def __init__(self, width: int, events: Ints, known: Attributes | None) -> None:
        super().__init__()
        spread = 0.1 / math.sqrt(width)
        self.own = nn.Parameter(torch.randn(len(events), width) * spread)
        self.bias = nn.Parameter(torch.zeros(len(events)))
        met = int((events > 0).sum())
        self.described = Described(known, width, spread, met) if known is not None and known.columns else None

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        if self.described is None:
            return self.own[rows], self.bias[rows]
        shared = self.described.each(rows).sum(1)
        return self.own[rows] + shared[:, :-1], self.bias[rows] + shared[:, -1]

    def size(self, rows: Tensor) -> Tensor:
        own = (self.own[rows].square().sum() + self.bias[rows].square().sum()) / len(rows)
        return (
            own
            if self.described is None
            else own + self.described.values.square().sum() / self.described.rows
        )


@dataclass(frozen=True)
class Imputation:
    """Head of doubly robust training for squared errors of ratings.

    The model's own loss on weighted examples is the inverse-propensity estimate of its error. `correction`
    makes it doubly robust; `imputation_loss` is that of the imputation model. Each is learned with the other held
    still, both at every step.

    Attributes:
        events: Examples per user and per item of the catalogue.
        mean: Mean rating.
        width: Factors of the imputation model.
        shrinkage: Weight of its squared parameters.
        cells: Most cells per step; of more, items are drawn.
        seed: Of these draws.
        known: Attributes of users and of items that the imputation model reads; None for none.
        emphasis: Factor of each cell's weight in the imputation loss, from users and items; None for 1.
        joint: Whether the imputation model is to impute the model's squared errors, and not ratings.
        name: Of the head.
    """

    events: tuple[Ints, Ints]
    mean: float
    width: int
    shrinkage: float
    cells: int
    seed: int
    known: tuple[Attributes, Attributes] | None = None
    emphasis: Callable[[Tensor, Tensor], Tensor] | None = None
    joint: bool = False
    name: str = "imputation"

    def build(self, width: int) -> PseudoRatings:
        """The imputation model; it has factors of its own, so the width of the representations is not used."""
        return PseudoRatings(self.width, self.mean, self.events, self.known)

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
        seen = (scores(step) - network.each(step.users, step.targets).detach()).square()
        return self.everywhere(network, step) - (step.weights * seen).mean()

    def everywhere(self, network: PseudoRatings, step: Step) -> Tensor:
        """The imputed error of all cells: a mean over those of the batch's users, which is one over all users."""
        users, first, count = _distinct(step.users)
        events = self.events[0]
        average = events.sum() / (events > 0).sum()
        share = count / len(step.users) * float(average) / torch.from_numpy(events)[users]
        items = self._items(network, len(users))
        said = step.representations[first] @ step.items[items].T
        imputed = (said - network.all(users, items).detach()).square().mean(1)
        return (share * imputed).sum()

    def imputation_loss(self, network: PseudoRatings, step: Step) -> Tensor:
        """How far what is imputed is from what was seen, weighted, and the imputation model's shrinkage.

        Beside the model, ratings g are compared with ratings y. `joint` compares squared errors of the model f (Wang
        et al. 2019, equation 7), which are (g - y)² (g + y - 2f)² apart: the same where the model is right, and the
        more the further it errs. Errors do not tell on which side of f a rating lies, and 2f - y would do as well as
        y; so the second factor is held still, and divided by its mean, that shrinkage may keep its weight.
        """
        assert step.values is not None
        weights = (
            step.weights if self.emphasis is None else step.weights * self.emphasis(step.users, step.targets)
        )
        imputed = network.each(step.users, step.targets)
        if self.joint:
            factor = (imputed.detach() + step.values - 2 * scores(step).detach()).square()
            weights = weights * factor * (weights.sum() / (weights * factor).sum().clamp_min(_LEAST))
        apart = (imputed - step.values).square()
        return (weights * apart).mean() + self.shrinkage * network.sizes(step.users, step.targets)

    def _items(self, network: PseudoRatings, users: int) -> Tensor:
        """All items, or a uniform draw of as many as the step may hold, other ones at each step."""
        most, items = max(1, self.cells // users), len(self.events[1])
        if most >= items:
            return torch.arange(items)
        rng = np.random.default_rng([self.seed, int(network.steps)])
        with torch.no_grad():
            network.steps.add_(1)
        return torch.from_numpy(rng.integers(0, items, most))


def scores(step: Step) -> Tensor:
    """What the model says of each example, shape (n,)."""
    return (step.representations * step.items[step.targets]).sum(1)


def _distinct(users: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The distinct users in order, the first example of each, and its number of examples."""
    found, first, count = np.unique(users.numpy(), return_index=True, return_counts=True)
    return torch.from_numpy(found), torch.from_numpy(first), torch.from_numpy(count)
