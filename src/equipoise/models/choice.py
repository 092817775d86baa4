"""Losses of a chosen item against others: all of them, or some drawn for the batch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from equipoise.models import losses
from equipoise.models.optimised import Optimised


@dataclass(frozen=True)
class Chosen:
    """What was taken, by whom.

    Attributes:
        representations: Shape (n, width).
        items: Vectors of the items that compete, shape (items, width).
        targets: Row of `items` that was taken, int64 of shape (n,).
        weights: Shape (n,).
    """

    representations: Tensor
    items: Tensor
    targets: Tensor
    weights: Tensor

    def shifted(self, offset: Tensor, periods: Tensor) -> Chosen:
        """The same with `offset[period, item]` added to every score, by one more column of vectors per period.

        Args:
            offset: Of the items that compete, shape (periods, items).
            periods: Period of each example, int64 of shape (n,).
        """
        when = functional.one_hot(periods, len(offset)).to(self.representations.dtype)
        return replace(
            self,
            representations=torch.cat([self.representations, when], 1),
            items=torch.cat([self.items, offset.T], 1),
        )


def loss(
    chosen: Chosen,
    kind: Literal["softmax", "sampled_softmax", "gbce"],
    config: Optimised,
    counts: NDArray[np.int64],
    rng: np.random.Generator,
) -> Tensor:
    """The loss of that name; all examples of a batch share its negatives.

    Args:
        chosen: The examples.
        kind: Which loss.
        config: Negatives and how they are drawn.
        counts: Training events of each item that competes, all at least 1.
        rng: Draws the negatives.
    """
    examples = (chosen.representations, chosen.items, chosen.targets)
    if kind == "softmax":
        return losses.full_softmax(*examples, chosen.weights, half=config.half)
    chance = counts.astype(np.float64) ** (config.negative_power if kind == "sampled_softmax" else 0.0)
    chance /= chance.sum()
    drawn = torch.from_numpy(rng.choice(len(chance), config.negatives, p=chance))
    if kind == "gbce":
        return losses.gbce(*examples, drawn, chosen.weights, t=config.gbce_t)
    log_q = torch.from_numpy(np.log(chance).astype(np.float32))
    return losses.sampled_softmax(*examples, drawn, log_q, chosen.weights)
