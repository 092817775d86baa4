"""The network of DICE: vectors of interest beside vectors of conformity."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from equipoise.models.factors import Examples, Factors, Floats
from equipoise.models.histories import Catalogue
from equipoise.models.training import Step

if TYPE_CHECKING:
    from equipoise.models.disentangled.dice import DICE

_COMPARED = 128  # vectors whose distance correlation is taken per step


class Causes(Factors):
    """Parameters of DICE: the first half of the factors is interest, the second, with the items' biases, conformity.

    Args:
        config: Sizes and weights of the losses.
        catalogue: Users and items.
        rows: Training events.
        popularity: Of each item, shape (items,).
    """

    config: DICE

    def __init__(
        self, config: DICE, catalogue: Catalogue, rows: Examples, popularity: NDArray[np.float64]
    ) -> None:
        super().__init__(config, catalogue, rows)
        self.parting = config.width // 2
        self.width = (config.width if config.recommend_by == "both" else self.parting) + 2
        self.popularity = torch.from_numpy(np.log(np.maximum(popularity, 0.5)).astype(np.float32))
        self.per_epoch = -(-len(rows.users) // config.batch_events)
        self.item_bias.data = self.popularity - self.popularity[self.warm].mean()
        self.liked = nn.Parameter(torch.zeros(len(catalogue.items)))
        self.done = nn.Parameter(
            torch.tensor(0.0), requires_grad=False
        )  # kept with the state of the training
        for blind in (self.user_bias, self.mean):  # a pair is of one user
            blind.requires_grad_(False)

    def vectors(self) -> tuple[Floats, Floats]:
        """Vectors of users and items by which they recommend: of interest alone, or of both."""
        with torch.no_grad():
            users, items = self._recommending(self._users(torch.arange(len(self.users))), self._items())
            return users.numpy().copy(), items.numpy().copy()

    def step(self, batch: Examples, rng: np.random.Generator) -> tuple[Tensor, Step]:
        """The loss on a batch; extra losses and heads see the vectors that recommend."""
        loss, step = super().step(batch, rng)
        users, items = self._recommending(step.representations, step.items)
        return loss, replace(step, representations=users, items=items)

    def _recommending(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Of all factors and biases those that recommend, of users and of all items."""
        liked = self.liked[:, None]
        if self.config.recommend_by == "both":
            return users, torch.cat([items[:, :-2], items[:, -2:-1] + liked, items[:, -1:]], 1)
        items = torch.cat([items[:, : self.parting], liked, items[:, -1:]], 1)
        return torch.cat([users[:, : self.parting], users[:, -2:]], 1), items

    def _loss(self, step: Step, batch: Examples, rng: np.random.Generator) -> Tensor:
        config = self.config
        calm = config.decay ** (int(self.done) // self.per_epoch)
        self.done.data += 1
        drawn = self.warm[torch.from_numpy(rng.integers(len(self.warm), size=config.negatives))]
        users, own, others = step.representations, step.items[step.targets], step.items[drawn]
        other = drawn[None] != step.targets[:, None]

        def better(columns: slice) -> Tensor:
            """By how much each example's item is scored above each drawn one."""
            mine = (users[:, columns] * own[:, columns]).sum(1, keepdim=True)
            return mine - users[:, columns] @ others[:, columns].T

        liked = self.liked[step.targets][:, None] - self.liked[drawn][None]
        interest, conformity = (
            liked + better(slice(0, self.parting)),
            better(slice(self.parting, config.width + 1)),
        )
        gap = self.popularity[drawn][None] - self.popularity[step.targets][:, None]
        margin = calm * float(np.log(config.margin))
        rarer, more = (gap < -margin) & other, (gap > margin) & other
        click = functional.softplus(-(interest + conformity)) * other
        cause = functional.softplus(-interest) * more
        cause = cause + functional.softplus(conformity) * more + functional.softplus(-conformity) * rarer
        losses = ((click + calm * config.cause_weight * cause).mean(1) * step.weights).mean()
        return losses + config.discrepancy * self._dependence(step, rng) if config.discrepancy else losses

    def _dependence(self, step: Step, rng: np.random.Generator) -> Tensor:
        """Distance correlation of interest and conformity, of users and of items."""
        users = self.users[self.active[torch.from_numpy(rng.integers(len(self.active), size=_COMPARED))]]
        items = self.items[self.warm[torch.from_numpy(rng.integers(len(self.warm), size=_COMPARED))]]
        return sum(
            (distance_correlation(x[:, : self.parting], x[:, self.parting :]) for x in (users, items)),
            torch.tensor(0.0),
        )


def distance_correlation(x: Tensor, y: Tensor) -> Tensor:
    """Distance correlation of two sets of vectors, in [0, 1]; 0 for independent ones in the limit.

    Source: Székely, Rizzo and Bakirov (2007), "Measuring and testing dependence by correlation of distances",
    section 2.

    Args:
        x: Shape (n, any).
        y: Shape (n, any).
    """
    a, b = _centred(x), _centred(y)
    covariance = (a * b).mean().clamp_min(0)
    spread = (a.square().mean() * b.square().mean()).clamp_min(1e-20).sqrt()
    return (covariance / spread + 1e-12).sqrt()


def _centred(x: Tensor) -> Tensor:
    """Distances between all rows, with the means of rows and columns taken away."""
    squared = (x[:, None] - x[None]).square().sum(2)
    distances = (squared + 1e-12).sqrt()
    return distances - distances.mean(0) - distances.mean(1, keepdim=True) + distances.mean()
