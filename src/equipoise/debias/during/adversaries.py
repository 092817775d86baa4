"""Networks that read an attribute from representations, while the gradient that leaves them is turned round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from equipoise.models.reversal import reverse
from equipoise.models.training import Step

_HIDDEN = 64


class Readers(nn.Module):
    """Several networks for one attribute, which differ by what they were at the start."""

    def __init__(self, width: int, classes: int, count: int) -> None:
        super().__init__()
        self.readers = nn.ModuleList(
            nn.Sequential(
                nn.Linear(width, _HIDDEN), nn.LeakyReLU(), nn.Linear(_HIDDEN, _HIDDEN), nn.LeakyReLU(),
                nn.Linear(_HIDDEN, classes),
            )
            for _ in range(count)
        )  # fmt: skip
        self.steps = nn.Parameter(torch.zeros(()), requires_grad=False)  # kept with an interrupted training

    def forward(self, vectors: Tensor) -> Tensor:
        """Log-odds of the classes, shape (readers, n, classes); inputs are standardised over the batch."""
        standard = functional.batch_norm(vectors, None, None, training=True)
        return torch.stack([reader(standard) for reader in self.readers])


@dataclass(frozen=True)
class Adversary:
    """A head whose readers learn an attribute, while the representations learn to keep it from them.

    Attributes:
        name: Under which its parameters are kept.
        codes: Class of each user of the catalogue, -1 where it is not known; int64 of shape (users,).
        readers: How many networks read.
        strength: Factor of the gradient that reaches the representations.
        warmup: Steps over which the strength rises from 0.
    """

    name: str
    codes: NDArray[np.int64]
    readers: int
    strength: float
    warmup: int

    def build(self, width: int) -> Readers:
        """The readers, for representations of this width."""
        return Readers(width, int(self.codes.max()) + 1, self.readers)

    def loss(self, network: nn.Module, step: Step) -> Tensor:
        """Cross-entropy of the readers, in which each user of the batch counts once and each class the same."""
        assert isinstance(network, Readers)
        codes = torch.from_numpy(self.codes)[step.users]
        rows = (codes >= 0).nonzero()[:, 0]
        codes, users = codes[rows], step.users[rows]
        once = 1.0 / torch.bincount(users, minlength=len(self.codes))[users]
        sums = torch.bincount(codes, once)
        present = int((sums > 0).sum())
        if present < 2:
            return step.representations.new_zeros(())
        network.steps.add_(1)
        strength = self.strength * min(1.0, float(network.steps) / (self.warmup + 1))
        weights = once / sums[codes] / present
        turned = reverse(step.representations[rows], strength)
        losses = [
            functional.cross_entropy(told, codes, reduction="none") @ weights for told in network(turned)
        ]
        return torch.stack(losses).sum()
