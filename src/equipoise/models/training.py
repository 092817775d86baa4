"""What may be handed to a training run from outside: weights, an offset, extra losses, heads, a filter and a
gradient transform.

Corrections, private and federated training reach a model through these sockets only. This module does not
import torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.errors import ModelError
from equipoise.models.offset import Offset

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
        values: Value of each example's event (a rating), float32 of shape (n,), NaN where it has none; None where
            the model reads no values.
    """

    users: Tensor
    targets: Tensor
    weights: Tensor
    representations: Tensor
    items: Tensor
    parameters: dict[str, Tensor]
    values: Tensor | None = None


ExtraLoss = Callable[[Step], "Tensor"]
"""A scalar to add to the model's own loss; a constant factor in front of it is the caller's to include."""


class Head(Protocol):
    """A further network that reads the representations and is trained beside the model.

    An adversary and a second task are heads.
    """

    @property
    def name(self) -> str:
        """Under which its parameters are kept."""
        ...

    def build(self, width: int) -> nn.Module:
        """The network, for representations of this width."""
        ...

    def loss(self, network: nn.Module, step: Step) -> Tensor:
        """The scalar it adds to the model's loss."""
        ...


class Filter(Protocol):
    """What stands between a model's representations of its users and all that reads them: its scores, its heads,
    and whoever is given its vectors of users.

    A model trains through the filter, fits it anew after every epoch, and publishes what comes out of it.
    """

    def groups(self, users: pl.Series) -> NDArray[np.int64]:
        """Group of each user, from 0; group 0 is that of whoever the model does not know.

        Args:
            users: Ids of the model's users.
        """
        ...

    def fit(
        self, vectors: NDArray[np.float32], groups: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The map of each group, `vector @ matrix + offset`.

        Args:
            vectors: Unfiltered vectors of all users, shape (users, width).
            groups: As `groups` says.

        Returns:
            Matrices of shape (groups, width, width) and offsets of shape (groups, width).
        """
        ...

    def fit_strangers(
        self, vectors: NDArray[np.float32], groups: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The one map for strangers, where these get vectors of another kind than users trained on.

        Args:
            vectors: Vectors as strangers get them, of users trained on, shape (n, width).
            groups: Group of each of these users, int64 of shape (n,).

        Returns:
            Matrix of shape (width, width) and offset of shape (width,).
        """
        ...


GradientTransform = Callable[["list[nn.Parameter]"], None]
"""Called between the backward pass and the optimiser's step; changes `.grad` in place (clips, adds noise)."""


@dataclass(frozen=True)
class Training:
    """What a correction hands to `Recommender.fit`.

    Attributes:
        weights: Weight per row of `data.events`, non-negative and finite, of shape (rows,); None for 1
            everywhere. Losses are weighted sums over examples divided by their number, so that weights of
            mean 1 keep the loss's scale.
        losses: Added to the model's loss at every step.
        heads: Trained beside the model.
        gradient_transform: Applied to the gradients before every step of the optimiser.
        checkpoint: File that holds the state of the run after each epoch; an interrupted run that finds its
            file goes on from there and ends as if it had not been interrupted.
        offset: Added to the scores of items in training alone; for losses of choice, not for ratings.
        filter: Stands between users' representations and all that reads them, in training and afterwards.
    """

    weights: NDArray[np.float32] | None = None
    losses: tuple[ExtraLoss, ...] = ()
    heads: tuple[Head, ...] = ()
    gradient_transform: GradientTransform | None = None
    checkpoint: Path | None = None
    offset: Offset | None = None
    filter: Filter | None = None

    @property
    def used(self) -> frozenset[str]:
        """The names of the fields that are filled."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return frozenset(
            name
            for name, value in values.items()
            if value is not None and not (isinstance(value, tuple) and not value)
        )

    def merged(self, other: Training) -> Training:
        """Both at once: weights are multiplied, losses, heads and offsets add up, transforms take turns.

        Raises:
            ModelError: if both have a filter.
        """
        if self.filter is not None and other.filter is not None:
            raise ModelError(
                "Two corrections filter what the model knows of its users",
                todo="Name all attributes in one of them.",
            )
        offset = self.offset or other.offset
        if self.offset is not None and other.offset is not None:
            offset = self.offset.plus(other.offset)
        pairs = [weights for weights in (self.weights, other.weights) if weights is not None]
        transforms = [one for one in (self.gradient_transform, other.gradient_transform) if one is not None]

        def in_turn(parameters: list[nn.Parameter]) -> None:
            for transform in transforms:
                transform(parameters)

        return Training(
            np.prod(pairs, axis=0, dtype=np.float32) if pairs else None,
            self.losses + other.losses,
            self.heads + other.heads,
            in_turn if len(transforms) > 1 else next(iter(transforms), None),
            self.checkpoint or other.checkpoint,
            offset,
            self.filter or other.filter,
        )
