"""The network of MACR: factors of the match, and a head each of the item alone and of the user alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from equipoise.models import losses
from equipoise.models.factors import BLOCK_USERS, Examples, Factors, Floats
from equipoise.models.histories import Catalogue
from equipoise.models.training import Step

if TYPE_CHECKING:
    from equipoise.models.disentangled.macr import MACR


class Paths(Factors):
    """Parameters of MACR; the item's own head stands where matrix factorisation has the item's bias.

    Args:
        config: Sizes and weights of the losses.
        catalogue: Users and items.
        rows: Training events.
        popularity: Of each item, shape (items,).
    """

    config: MACR

    def __init__(
        self, config: MACR, catalogue: Catalogue, rows: Examples, popularity: NDArray[np.float64]
    ) -> None:
        super().__init__(config, catalogue, rows)
        activity = np.bincount(rows.users, rows.weights, minlength=len(catalogue.users)).astype(np.float64)
        self.share = torch.from_numpy((popularity / popularity.sum()).astype(np.float32))
        self.item_bias = _ratio(popularity)
        self.user_head = _ratio(activity)
        gates = (
            torch.sigmoid(self.item_bias[self.warm]).mean()
            * torch.sigmoid(self.user_head[self.active]).mean()
        )
        self.outside = nn.Parameter(self.mean.detach() - config.level * gates.detach())
        self.mean = nn.Parameter(torch.tensor(config.level))

    def vectors(self) -> tuple[Floats, Floats]:
        """Vectors of users, and of items with σ(i) multiplied in."""
        users, items = super().vectors()
        gate = 1 / (1 + np.exp(-items[:, -2:-1]))
        return users, np.concatenate([items[:, :-2] * gate, 0 * gate, gate], 1)

    def _gated(self, step: Step) -> tuple[Tensor, Tensor]:
        """Factors of the users and items of the examples, each times its own gate."""
        width, items = self.config.width, step.items[step.targets]
        users = step.representations[:, :width] * torch.sigmoid(self.user_head[step.users])[:, None]
        return users, items[:, :width] * torch.sigmoid(items[:, width])[:, None]

    def _shrinkage(self, step: Step) -> Tensor:
        users, items = self._gated(step)
        return self.config.shrinkage * (users.square().sum() + items.square().sum()) / len(users)

    def _loss(self, step: Step, batch: Examples, rng: np.random.Generator) -> Tensor:
        width, heads = self.config.width, torch.sigmoid(self.user_head)
        gates = torch.sigmoid(step.items[:, width])
        users, items = self._gated(step)
        both = gates[step.targets] * heads[step.users]
        taken = (users * items).sum(1) + step.representations[:, -1] * both + self.outside
        rows = self.active[torch.from_numpy(rng.integers(len(self.active), size=BLOCK_USERS))]
        drawn = self.warm
        if len(drawn) > self.config.negatives:
            drawn = drawn[torch.from_numpy(rng.choice(len(drawn), self.config.negatives, replace=False))]
        block = self._users(rows) * heads[rows][:, None]
        others = (
            torch.cat([block[:, :width], block[:, -1:]], 1)
            @ (torch.cat([step.items[drawn, :width], torch.ones(len(drawn), 1)], 1) * gates[drawn][:, None]).T
        )
        match = losses.pointwise(taken, others + self.outside, self.cells, step.weights)
        heard, said = step.items[:, width], self.user_head[step.users]
        item = (self.share * functional.softplus(-heard)).sum() + functional.softplus(heard[self.warm]).mean()
        user = (step.weights * functional.softplus(-said)).mean()
        user = user + functional.softplus(self.user_head[self.active]).mean()
        return match + self.config.item_weight * item + self.config.user_weight * user


def _ratio(counts: NDArray[np.float64]) -> nn.Parameter:
    """Log of counts over their mean, where there are any."""
    ratio = np.log(np.maximum(counts, 0.5) / counts[counts > 0].mean())
    return nn.Parameter(torch.from_numpy(ratio.astype(np.float32)))
