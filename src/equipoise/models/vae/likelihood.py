"""What variational autoencoders over profiles share in training: the multinomial, the latents, the annealing."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from equipoise.models.vae.batches import Batch

Floats = NDArray[np.float32]


class Multinomial(nn.Module):
    """Items that compete to be taken: those that training saw, under an offset or none.

    Args:
        counts: Training events per item.
        offset: Added to the scores in training, shape (periods, items); None for nothing.
    """

    def __init__(self, counts: NDArray[np.int64], offset: Floats | None = None) -> None:
        super().__init__()
        warm = counts > 0
        self.warm = torch.from_numpy(np.flatnonzero(warm))
        self.place = torch.from_numpy(np.cumsum(warm) - 1)
        self.offset = None if offset is None else torch.from_numpy(offset[:, warm])

    def forward(self, scores: Tensor, batch: Batch) -> Tensor:
        """Log-likelihood of each example of a batch, shape (examples,).

        Args:
            scores: Of the items that compete, shape (users, warm items).
            batch: Whose examples.
        """
        owners, targets = torch.from_numpy(batch.owners), self.place[torch.from_numpy(batch.targets)]
        if self.offset is None:
            return torch.log_softmax(scores, 1)[owners, targets]
        periods = len(self.offset)
        pairs, row = torch.unique(owners * periods + torch.from_numpy(batch.periods), return_inverse=True)
        shifted = scores[pairs // periods] + self.offset[pairs % periods]
        return torch.log_softmax(shifted, 1)[row, targets]


class Annealed(nn.Module):
    """Weight of the Kullback-Leibler term, which rises from 0 (Liang et al. 2018, section 2.2.2).

    Args:
        highest: Where it ends.
        steps: Over how many steps.
    """

    def __init__(self, highest: float, steps: float) -> None:
        super().__init__()
        self.highest, self.steps = highest, max(steps, 1.0)
        # a parameter, so that checkpoints keep it
        self.done = nn.Parameter(torch.zeros(()), requires_grad=False)

    def forward(self) -> float:
        """The weight at this step."""
        with torch.no_grad():
            self.done.add_(1)
        return self.highest * min(1.0, float(self.done) / self.steps)


def drawn(mean: Tensor, log_variance: Tensor, rng: np.random.Generator) -> Tensor:
    """A draw from each normal distribution that gradients pass through."""
    noise = torch.from_numpy(rng.standard_normal(tuple(mean.shape), dtype=np.float32))
    return mean + noise * (0.5 * log_variance).exp()


def divergence(mean: Tensor, log_variance: Tensor, prior: Tensor | None = None) -> Tensor:
    """Kullback-Leibler divergence from normal distributions with unit variance, summed over latents and rows.

    Args:
        mean: Shape (rows, latents).
        log_variance: Shape (rows, latents).
        prior: Means of the prior, shape (rows, latents); None for 0.
    """
    off = mean if prior is None else mean - prior
    return 0.5 * (off.square() + log_variance.exp() - log_variance - 1).sum()


def matrix(rows: int, columns: int) -> nn.Parameter:
    """Weights of a layer at its start (Glorot and Bengio 2010, equation 16)."""
    bound = math.sqrt(6 / (rows + columns))
    return nn.Parameter((torch.rand(rows, columns) * 2 - 1) * bound)
