"""The network of invariant preference: factors of environments, their assignment to events, and the adversary."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from equipoise.models import choice, losses
from equipoise.models.attributes import Attributes
from equipoise.models.factors import Examples, Factors, Ints
from equipoise.models.histories import Catalogue
from equipoise.models.offset import Offset
from equipoise.models.reversal import reverse
from equipoise.models.training import Step

if TYPE_CHECKING:
    from equipoise.models.disentangled.invariant import Invariant


class InvariantFactors(Factors):
    """Factors of what is invariant, beside those of environments.

    In environment e a score is `p·q + Σ_k a_k b_k c_k(e) + bias(e)`, with a of the user, b of the item, c of the
    environment; among a and b are biases of user and item.

    Args:
        config: Sizes, loss, environments.
        catalogue: See `Factors`.
        rows: See `Factors`.
        offset: See `Factors`.
        known: See `Factors`; attributes describe what is invariant.
        named: Environment of each event, -1 where the model is to find it; int64 of shape (events,). None where it is
            to find all.
    """

    def __init__(
        self,
        config: Invariant,
        catalogue: Catalogue,
        rows: Examples,
        offset: Offset | None = None,
        known: tuple[Attributes, Attributes] | None = None,
        named: Ints | None = None,
    ) -> None:
        super().__init__(config, catalogue, rows, offset, known)
        self.settings = config
        self.named = None if named is None else torch.from_numpy(named)
        count = config.environments if named is None else int(named.max()) + 1
        spread, width = 0.1 / math.sqrt(config.width), config.width
        self.apart_users = nn.Parameter(torch.randn(len(self.users), width + 1) * spread)
        self.apart_items = nn.Parameter(torch.randn(len(self.items), width + 1) * spread)
        self.environments = nn.Parameter(torch.randn(count, width + 2))
        self.intercepts = nn.Parameter(torch.zeros(count))
        self.adversary = nn.Linear(self.width, count)

    def _loss(self, step: Step, batch: Examples, rng: np.random.Generator) -> Tensor:
        apart = _widened(self.apart_users[step.users], 1), _widened(self.apart_items, 0)
        plain = super()._loss(step, batch, rng)
        if self.settings.loss == "rating":
            environment, within = self._rated(step, batch, *apart)
        else:
            environment, within = self._chosen(step, batch, *apart)
        shared = reverse(step.representations * step.items[step.targets], self.settings.strength)
        told = functional.cross_entropy(self.adversary(shared), environment)
        return plain + self.settings.within * within + told

    def _rated(self, step: Step, batch: Examples, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Environment of each example, and the squared error in it."""
        assert step.values is not None
        shared = (step.representations * step.items[step.targets]).sum(1)
        said = (
            shared[:, None] + (users * items[step.targets]) @ self.environments.T + self.intercepts
        )  # in each
        error = (said - step.values[:, None]).square()
        environment = self._told(batch, error.detach().argmin(1))
        own = error.gather(1, environment[:, None])[:, 0]
        return environment, (step.weights * own).mean()

    def _chosen(self, step: Step, batch: Examples, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Environment of each example, and the cross-entropy of its item in it."""
        targets = self.place_of_warm[step.targets]
        competing = torch.cat([step.items, items], 1)[self.warm]

        def within(environments: Tensor) -> choice.Chosen:
            made = torch.cat([step.representations, users * environments], 1)
            chosen = choice.Chosen(made, competing, targets, step.weights)
            if self.offset is None:
                return chosen
            return chosen.shifted(self.offset, torch.from_numpy(batch.periods))

        with torch.no_grad():
            likelihood = torch.stack([_likelihood(within(one)) for one in self.environments], 1)
        environment = self._told(batch, likelihood.argmax(1))
        chosen = within(self.environments[environment])
        return environment, losses.full_softmax(
            chosen.representations, chosen.items, chosen.targets, chosen.weights, half=self.settings.half
        )

    def _told(self, batch: Examples, found: Tensor) -> Tensor:
        """The named environments, and those found where there is no name."""
        if self.named is None:
            return found
        named = self.named[torch.from_numpy(batch.places)]
        return torch.where(named >= 0, named, found)

    def _shrinkage(self, step: Step) -> Tensor:
        apart = self.apart_users[step.users].square().sum() + self.apart_items[step.targets].square().sum()
        return super()._shrinkage(step) + self.settings.shrinkage * apart / len(step.users)


def _widened(vectors: Tensor, place: int) -> Tensor:
    """Vectors with a 1 before the last column, or after it, so that products have a bias of either side."""
    one = torch.ones(len(vectors), 1)
    return torch.cat([vectors[:, :-1], one, vectors[:, -1:]] if place else [vectors, one], 1)


def _likelihood(chosen: choice.Chosen) -> Tensor:
    """Log-likelihood of the item that was taken, shape (n,)."""
    scores = chosen.representations @ chosen.items.T
    return scores.gather(1, chosen.targets[:, None])[:, 0] - scores.logsumexp(1)
