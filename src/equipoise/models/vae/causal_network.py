"""The network of `causal_vae`: two latents of a user, of which one is conditioned on what is observed around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from equipoise.models.training import Step
from equipoise.models.vae.batches import Batch, Profiles, rows
from equipoise.models.vae.context import Context
from equipoise.models.vae.likelihood import Annealed, Multinomial, divergence, drawn, matrix

if TYPE_CHECKING:
    from equipoise.models.vae.causal_vae import CausalVAE

Floats = NDArray[np.float32]

_PRIOR = 10.0  # impressions at the mean rate that an item begins with


class CausalNetwork(nn.Module):
    """One hidden layer encodes what was taken, what was shown and the context; both decoders are linear.

    Args:
        config: Sizes.
        profiles: What users took.
        context: What is observed of them beside.
        exposed: Latents of exposure; 0 for a plain autoencoder.
        counts: Training events per item; an item without any does not compete, and its vectors stay 0.
        offset: Added to the scores of items in training, shape (periods, items); None for nothing.
    """

    def __init__(
        self,
        config: CausalVAE,
        profiles: Profiles,
        context: Context,
        exposed: int,
        counts: NDArray[np.int64],
        offset: Floats | None = None,
    ) -> None:
        super().__init__()
        self.config, self.profiles, self.context, self.width = config, profiles, context, config.width + 1
        n_items, hidden, taste, features = (
            len(counts),
            config.hidden,
            config.width,
            context.features.shape[1] + 1,
        )
        warm = torch.from_numpy(counts > 0)[:, None]
        self.read, self.read_bias = (
            nn.Parameter(matrix(n_items, hidden) * warm),
            nn.Parameter(torch.zeros(hidden)),
        )
        self.read_context = matrix(features, hidden)
        self.taste, self.taste_bias = matrix(hidden, taste), nn.Parameter(torch.zeros(taste))
        self.taste_spread, self.taste_spread_bias = matrix(hidden, taste), nn.Parameter(torch.zeros(taste))
        self.exposure, self.exposure_bias = matrix(hidden, exposed), nn.Parameter(torch.zeros(exposed))
        self.exposure_spread = matrix(hidden, exposed)
        self.exposure_spread_bias = nn.Parameter(torch.zeros(exposed))
        self.prior = matrix(features, exposed)
        self.items = nn.Parameter(matrix(n_items, taste) * warm)
        self.item_bias = nn.Parameter(_log_rates(counts, context))
        self.pushed = nn.Parameter(matrix(n_items, exposed) * warm)
        if context.shown is not None:
            self.read_shown = matrix(n_items, hidden)
            self.shown = matrix(n_items, exposed)
            self.shown_bias = nn.Parameter(_centred(np.asarray(context.shown.sum(axis=0)).ravel()))
        self.multinomial = Multinomial(counts, offset)
        per_epoch = -(-len(profiles.active) // config.batch_users)
        self.kl = Annealed(config.kl, config.annealed * config.epochs * per_epoch)

    def step(self, batch: Batch, rng: np.random.Generator) -> tuple[Tensor, Step]:
        """The negative evidence bound per example, one draw of all latents per user."""
        counts, told = self.profiles.counts[batch.users], self._told(len(batch.users), rng)
        features = self._features(batch, told)
        taken = torch.from_numpy(rows(counts, self.config.dropout, rng))
        hidden = taken @ self.read + features @ self.read_context + self.read_bias
        seen = None
        if self.context.shown is not None:
            shown = self.context.shown[batch.users]
            hidden = hidden + told * (torch.from_numpy(rows(shown)) @ self.read_shown)
            seen = torch.from_numpy(shown.toarray())
        hidden = torch.tanh(hidden)
        mean, spread = (
            hidden @ self.taste + self.taste_bias,
            hidden @ self.taste_spread + self.taste_spread_bias,
        )
        prior = features @ self.prior
        exposed_mean = prior + hidden @ self.exposure + self.exposure_bias
        exposed_spread = hidden @ self.exposure_spread + self.exposure_spread_bias
        taste, exposure = drawn(mean, spread, rng), drawn(exposed_mean, exposed_spread, rng)
        users = torch.cat([taste, torch.ones(len(taste), 1)], 1)
        items = torch.cat([self.items, self.item_bias[:, None]], 1)
        step = self._step(batch, users, items)
        warm = self.multinomial.warm
        scores = users @ items[warm].T
        if seen is None or self.config.direct:
            scores = scores + exposure @ self.pushed[warm].T
        bound = torch.zeros(())
        if seen is not None:
            # what was taken without being shown counts as shown as often as it was taken
            chances = torch.maximum(seen, torch.from_numpy(self.profiles.events[batch.users].toarray()))
            scores = scores + chances[:, warm].log()
            bound = (seen * torch.log_softmax(exposure @ self.shown.T + self.shown_bias, 1)).sum()
        bound = bound + (self.multinomial(scores, batch) * step.weights).sum()
        latent = divergence(mean, spread) + divergence(exposed_mean, exposed_spread, prior)
        return (self.kl() * latent - bound) / len(step.targets), step

    def _told(self, users: int, rng: np.random.Generator) -> Tensor:
        """1 for users whose context is read in this step, else 0, so that strangers can be answered."""
        return torch.from_numpy((rng.random((users, 1)) >= self.config.context_dropout).astype(np.float32))

    def _features(self, batch: Batch, told: Tensor) -> Tensor:
        features = torch.from_numpy(self.context.beside(batch.users, self.profiles.counts[batch.users]))
        return torch.cat([features[:, :-1] * told, features[:, -1:]], 1)

    def _step(self, batch: Batch, users: Tensor, items: Tensor) -> Step:
        """Taste alone: extra losses and heads act on what recommends."""
        owners = torch.from_numpy(batch.owners)
        return Step(
            users=torch.from_numpy(batch.users)[owners],
            targets=torch.from_numpy(batch.targets),
            weights=torch.from_numpy(batch.weights),
            representations=users[owners],
            items=items,
            parameters=dict(self.named_parameters()),
        )


def _log_rates(counts: NDArray[np.int64], context: Context) -> Tensor:
    """Where the items' log-odds begin: at how often each is taken, of how often it was shown where that is known.

    Items that were hardly shown move little in training, and would else stay as popular as they were.
    """
    if context.shown is None:
        return _centred(counts)
    shown = np.maximum(np.asarray(context.shown.sum(axis=0)).ravel(), counts)
    mean = counts.sum() / shown.sum()
    return _centred((counts + _PRIOR * mean) / (shown + _PRIOR), least=1e-6)


def _centred(counts: NDArray[Any], least: float = 0.5) -> Tensor:
    logs = np.log(np.maximum(counts, least))
    return torch.from_numpy((logs - logs.mean()).astype(np.float32))
