"""Training of a generator against a critic, beside the likelihood of real profiles, and drawing from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from torch import Tensor

from equipoise.component import Runtime
from equipoise.debias.before.augmentation import networks
from equipoise.debias.before.augmentation.profiles import Floats, Ints, Profiles, from_lists
from equipoise.models.loop import torch_threads

_RANK = 24
_NOISE = 16
_HIDDEN = 96
_BATCH = 256
_PRIOR = 20.0  # users of all groups together that a group's item frequencies are shrunk by
_RATE = 3e-3
_PATIENCE = 6  # passes without a better one, after which there are no more
_SLOWER = 0.3  # of the rate, once the critic plays along


@dataclass(frozen=True)
class Conditions:
    """Groups and lengths as the networks read them.

    Attributes:
        groups: Number of groups.
        middle: Mean log-length of real profiles.
        longest: Most items that a profile may have.
    """

    groups: int
    middle: float
    longest: int

    def tensor(self, group: Ints, lengths: Ints) -> Tensor:
        """(profiles, groups + 1): ones and zeros, and the log-length."""
        table = np.zeros((len(group), self.groups + 1), dtype=np.float32)
        table[np.arange(len(group)), group] = 1
        table[:, -1] = np.log(np.maximum(lengths, 1)) - self.middle
        return torch.from_numpy(table)


class Maker:
    """A generator with its encoder and its critic, over the profiles that it learns from.

    The generator is the decoder of a conditional variational autoencoder (Kingma and Welling 2014; Sohn et al. 2015)
    and plays against the critic with profiles drawn from its prior; both losses are kept, as in VAE/GAN (Larsen et al.
    2016), since a critic of few profiles alone makes the generator forget most kinds of them.

    Args:
        profiles: What is learned from.
        weight: Of the critic's verdict beside the likelihood.
        runtime: Seed, threads.
    """

    def __init__(self, profiles: Profiles, weight: float, runtime: Runtime) -> None:
        self.profiles, self.weight, self.runtime = profiles, weight, runtime
        lengths = profiles.lengths
        n_items = profiles.matrix.shape[1]
        self.conditions = Conditions(len(profiles.names), float(np.log(lengths).mean()), n_items - 1)
        with torch.random.fork_rng():
            torch.manual_seed(int(runtime.rng("networks").integers(2**62)))
            factors, popularity = _described(profiles, runtime)
            self.generator = networks.Generator(factors, _bias(profiles), _NOISE, _HIDDEN)
            self.encoder = networks.Encoder(factors, len(profiles.names), _NOISE, _HIDDEN)
            self.critic = networks.Critic(
                factors, popularity, torch.from_numpy(profiles.matrix.toarray()), len(profiles.names), _HIDDEN
            )
        mine = [*self.generator.body.parameters(), *self.encoder.parameters()]
        self._players = tuple(
            torch.optim.Adam(parameters, lr=_SLOWER * _RATE, betas=(0.5, 0.99))
            for parameters in (mine, self.critic.parameters())
        )
        self._rounds = 0

    def learn(self, epochs: int, withheld: Profiles) -> float:
        """Fit generator and encoder by likelihood alone, and keep them as they were when it was best of withheld
        profiles.

        Returns:
            Negative log-likelihood per item of the withheld, from above.
        """
        parameters = [*self.generator.parameters(), *self.encoder.parameters()]
        optimiser = torch.optim.Adam(parameters, lr=_RATE)
        rng, noise = self.runtime.rng("likelihood"), self._generator("likelihood noise")
        best, latest, kept = np.inf, 0, [one.detach().clone() for one in parameters]
        with self._limited():
            for epoch in range(epochs):
                for rows in self._batches(rng):
                    loss = self._likelihood(
                        self.profiles.take(rows), noise, min(1.0, 2 * (epoch + 1) / epochs)
                    )
                    optimiser.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimiser.step()
                with torch.no_grad():
                    found = float(self._likelihood(withheld, self._generator("withheld"), 1.0))
                if found < best:
                    best, latest, kept = found, epoch, [one.detach().clone() for one in parameters]
                elif epoch - latest >= _PATIENCE:
                    break
        with torch.no_grad():
            for one, value in zip(parameters, kept, strict=True):
                one.copy_(value)
        return best

    def play(self, steps: int) -> None:
        """Train generator and critic against each other for so many steps each.

        The generator keeps its items and moves what it makes within their space alone: the map from noise to taste.
        """
        rng, noise = self.runtime.rng("play", self._rounds), self._generator("play", self._rounds)
        self._rounds += 1
        with self._limited():
            for _, rows in zip(range(steps), _forever(lambda: self._batches(rng)), strict=False):
                real = self.profiles.take(rows)
                profiles, condition, lengths = self._tensors(real)
                made = self.critic.features(self._drawn(condition, lengths, noise), condition)
                verdict = networks.critic_loss(
                    self.critic, self.critic.features(profiles, condition), made.detach()
                )
                self._players[1].zero_grad()
                verdict.backward()  # type: ignore[no-untyped-call]
                self._players[1].step()
                loss = self._likelihood(real, noise, 1.0)
                loss = loss + self.weight * networks.generator_loss(self.critic(made))
                self._players[0].zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                self._players[0].step()

    def draw(self, group: Ints, lengths: Ints, *key: int | str) -> Profiles:
        """Profiles of these groups and lengths.

        Args:
            group: Index of each one's group.
            lengths: Items of each.
            key: What the draws are for, so that two purposes have draws of their own.
        """
        noise, rows, columns = self._generator(*key), [], []
        with torch.no_grad(), self._limited():
            for start in range(0, len(group), _BATCH):
                part = slice(start, start + _BATCH)
                made = self._drawn(
                    self.conditions.tensor(group[part], lengths[part]), torch.from_numpy(lengths[part]), noise
                )
                row, column = np.nonzero(made.numpy() > 0.5)
                rows.append(row + start)
                columns.append(column)
        shape = (len(group), self.profiles.matrix.shape[1])
        empty = np.empty(0, dtype=np.int64)
        return self.profiles.made(
            from_lists(np.concatenate([empty, *rows]), np.concatenate([empty, *columns]), shape), group
        )

    def state(self) -> dict[str, Any]:
        """What the generator has learned so far, as a copy."""
        return {name: tensor.clone() for name, tensor in self.generator.state_dict().items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Set the generator back."""
        self.generator.load_state_dict(state)

    def _likelihood(self, real: Profiles, noise: torch.Generator, share: float) -> Tensor:
        """Of real profiles per item taken, negative, from above; `share` of the divergence counts."""
        profiles, condition, lengths = self._tensors(real)
        mean, spread = self.encoder(profiles, condition)
        latent = mean + (spread / 2).exp() * torch.randn(mean.shape, generator=noise)
        logits = self.generator(latent, condition)
        bound = networks.arrivals(logits, profiles) - share * networks.divergence(mean, spread)
        return -bound.sum() / lengths.sum()

    def _drawn(self, condition: Tensor, lengths: Tensor, noise: torch.Generator) -> Tensor:
        latent = torch.randn((len(condition), _NOISE), generator=noise)
        logits = self.generator(latent, condition)
        uniform = torch.rand(logits.shape, generator=noise).clamp(1e-7, 1 - 1e-6)
        return networks.first_arrivals(logits, lengths.clamp(1, self.conditions.longest), uniform)

    def _tensors(self, real: Profiles) -> tuple[Tensor, Tensor, Tensor]:
        """Profiles, their condition, their lengths."""
        condition = self.conditions.tensor(real.group, real.lengths)
        return torch.from_numpy(real.matrix.toarray()), condition, torch.from_numpy(real.lengths)

    def _batches(self, rng: np.random.Generator) -> list[Ints]:
        order = rng.permutation(len(self.profiles))
        return np.array_split(order, max(round(len(order) / _BATCH), 1))

    def _generator(self, *key: int | str) -> torch.Generator:
        return torch.Generator().manual_seed(int(self.runtime.rng("draws", *key).integers(2**62)))

    def _limited(self) -> Any:
        return torch_threads(self.runtime, _BATCH * self.profiles.matrix.shape[1])


def _described(profiles: Profiles, runtime: Runtime) -> tuple[Tensor, Tensor]:
    """Factors of items by the profiles' singular value decomposition, with unit variance; their popularity."""
    matrix = profiles.matrix.astype(np.float64)
    scaled = sparse.diags(1 / np.sqrt(np.maximum(profiles.lengths, 1))) @ matrix
    rank = max(min(_RANK, min(matrix.shape) - 1), 1)
    seed = int(runtime.rng("factors").integers(2**31))
    _, _, right = randomized_svd(scaled, rank, random_state=seed)
    factors = right.T * np.sqrt(len(right.T) / 4)
    popularity = np.log1p(profiles.counts)
    popularity = (popularity - popularity.mean()) / max(float(popularity.std()), 1e-9)
    return torch.from_numpy(factors.astype(np.float32)), torch.from_numpy(popularity.astype(np.float32))


def _bias(profiles: Profiles) -> Tensor:
    """Logarithms of the rates that give each group's item frequencies, shrunk towards those of all: (groups, items)."""
    counts: Floats = np.zeros((len(profiles.names), profiles.matrix.shape[1]))
    np.add.at(counts, (np.repeat(profiles.group, profiles.lengths), profiles.matrix.indices), 1.0)
    people = np.bincount(profiles.group, minlength=len(profiles.names))[:, None]
    everyone = (counts.sum(axis=0) + 0.5) / (len(profiles) + 1.0)
    shares = (counts + _PRIOR * everyone) / (people + _PRIOR)
    return torch.from_numpy(np.log(-np.log1p(-np.clip(shares, 1e-6, 1 - 1e-6))).astype(np.float32))


def _forever(batches: Callable[[], list[Ints]]) -> Iterator[Ints]:
    while True:
        yield from batches()
