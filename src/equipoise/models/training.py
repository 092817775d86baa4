"""What may be handed to a training run from outside: weights, extra losses, heads and a gradient transform.

Corrections, private and federated training reach a model through these sockets only. The module does not import torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Step:
    """One mini-batch as extra losses and heads see it: `n` training examples in a row, gradients attached.

    Attributes:
        users: Catalogue row of each example's user, int64 of shape (n,).
        targets: Catalogue index of the item to predict, int64 of shape (n,).
        weights: Weight of each example, float32 of shape (n,).
        representations: What the model knows of the user at that moment, float32 of shape (n, width).
        items: Vectors of all items of the catalogue, float32 of shape (items, width).
        parameters: The parameters of the model itself (not of the heads), by name.
    """

    users: Tensor
    targets: Tensor
    weights: Tensor
    representations: Tensor
    items: Tensor
    parameters: dict[str, Tensor]


ExtraLoss = Callable[[Step], "Tensor"]
"""A scalar to add to the model's own loss; a constant factor in front of it is the caller's to include."""


class Head(Protocol):
    """A further network that reads the representations and is trained beside the model (an adversary, a second task)."""

    name: str
    """Under which its parameters are kept."""

    def build(self, width: int) -> nn.Module:
        """The network, for representations of this width."""
        ...

    def loss(self, network: nn.Module, step: Step) -> Tensor:
        """The scalar it adds to the model's loss."""
        ...


GradientTransform = Callable[["list[nn.Parameter]"], None]
"""Called between the backward pass and the optimiser's step; changes `.grad` in place (clips, adds noise, reverses)."""


@dataclass(frozen=True)
class Training:
    """What a correction hands to `Recommender.fit`.

    Attributes:
        weights: Weight per row of `data.events`, non-negative, of shape (rows,); None for 1 everywhere.
        losses: Added to the model's loss at every step.
        heads: Trained beside the model.
        gradient_transform: Applied to the gradients before every step of the optimiser.
    """

    weights: NDArray[np.float32] | None = None
    losses: tuple[ExtraLoss, ...] = ()
    heads: tuple[Head, ...] = ()
    gradient_transform: GradientTransform | None = None
