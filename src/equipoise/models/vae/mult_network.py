"""The network of `mult_vae`: one hidden layer on either side of the latents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from equipoise.models.training import Step
from equipoise.models.vae.batches import Batch, Profiles, rows
from equipoise.models.vae.likelihood import Annealed, Multinomial, divergence, drawn, matrix

if TYPE_CHECKING:
    from equipoise.models.vae.mult_vae import MultVAE


class MultNetwork(nn.Module):
    """items -> hidden -> latents -> hidden -> items, with tanh between.

    Args:
        config: Sizes.
        profiles: What users took.
        counts: Training events per item; an item without any does not compete, and its vectors stay 0.
        offset: Added to the scores of items in training, shape (periods, items); None for nothing.
    """

    def __init__(
        self,
        config: MultVAE,
        profiles: Profiles,
        counts: NDArray[np.int64],
        offset: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__()
        self.config, self.profiles, self.width = config, profiles, config.hidden + 1
        warm = torch.from_numpy(counts > 0)
        self.read = nn.Parameter(matrix(len(counts), config.hidden) * warm[:, None])
        self.read_bias = nn.Parameter(torch.zeros(config.hidden))
        self.mean, self.mean_bias = (
            matrix(config.hidden, config.width),
            nn.Parameter(torch.zeros(config.width)),
        )
        self.spread, self.spread_bias = (
            matrix(config.hidden, config.width),
            nn.Parameter(torch.zeros(config.width)),
        )
        self.widen, self.widen_bias = (
            matrix(config.width, config.hidden),
            nn.Parameter(torch.zeros(config.hidden)),
        )
        self.items = nn.Parameter(matrix(len(counts), config.hidden) * warm[:, None])
        share = np.log(np.maximum(counts, 0.5) / max(counts.sum(), 1))
        self.item_bias = nn.Parameter(torch.from_numpy((share - share.mean()).astype(np.float32)))
        self.multinomial = Multinomial(counts, offset)
        per_epoch = -(-len(profiles.active) // config.batch_users)
        self.kl = Annealed(config.kl, config.annealed * config.epochs * per_epoch)

    def step(self, batch: Batch, rng: np.random.Generator) -> tuple[Tensor, Step]:
        """The negative evidence bound per example, one draw of the latents per user."""
        taken = rows(self.profiles.counts[batch.users], self.config.dropout, rng)
        hidden = torch.tanh(torch.from_numpy(taken) @ self.read + self.read_bias)
        mean = hidden @ self.mean + self.mean_bias
        log_variance = hidden @ self.spread + self.spread_bias
        latent = drawn(mean, log_variance, rng)
        decoded = torch.tanh(latent @ self.widen + self.widen_bias)
        users = torch.cat([decoded, torch.ones(len(decoded), 1)], 1)
        items = torch.cat([self.items, self.item_bias[:, None]], 1)
        owners = torch.from_numpy(batch.owners)
        step = Step(
            users=torch.from_numpy(batch.users)[owners],
            targets=torch.from_numpy(batch.targets),
            weights=torch.from_numpy(batch.weights),
            representations=users[owners],
            items=items,
            parameters=dict(self.named_parameters()),
        )
        likelihood = self.multinomial(users @ items[self.multinomial.warm].T, batch)
        bound = (likelihood * step.weights).sum() - self.kl() * divergence(mean, log_variance)
        return -bound / len(owners), step
