"""The network of the joint model: one tower per modality, summed into the vector of an item."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from torch import Tensor, nn

from equipoise.models.attributes import Attributes
from equipoise.models.factors import Examples, Factors, Floats
from equipoise.models.histories import Catalogue
from equipoise.models.joint.inputs import Inputs
from equipoise.models.offset import Offset
from equipoise.models.training import Step

if TYPE_CHECKING:
    from equipoise.models.joint.model import Joint

_AT_ONCE = 512  # images that go through the network at once where no gradient is kept
_SHIFT = 2  # pixels by which images are moved in training, at most


class Pictures(nn.Module):
    """A small convolutional network: three layers of stride 2, then the mean and the maximum over the places.

    Args:
        channels: Of the first layer; the others have twice and four times as many.
        width: Of the vectors.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        widths = (3, channels, 2 * channels, 4 * channels)
        self.layers = nn.Sequential(*(
            layer
            for before, after in pairwise(widths)
            for layer in (nn.Conv2d(before, after, 3, stride=2, padding=1), nn.GroupNorm(1, after), nn.ReLU())
        ))  # fmt: skip
        self.out = nn.Linear(2 * widths[-1], width)
        nn.init.zeros_(self.out.weight)  # pictures say nothing until something is learned of them
        nn.init.zeros_(self.out.bias)

    def forward(self, pixels: Tensor) -> Tensor:
        """Vectors of images, uint8 of shape (n, 3, size, size)."""
        found = self.layers((pixels.float() - 127.5) / 64)
        vectors: Tensor = self.out(torch.cat([found.mean((2, 3)), found.amax((2, 3))], 1))
        return vectors


class Towers(Factors):
    """Matrix factorisation whose items are the sum of their own factors and what each modality says of them.

    Of a large catalogue, only some images go through the network in a step, drawn anew; the others count with the
    vector that they last had, as in a memory bank (Wu, Xiong, Yu and Lin 2018). The bank is filled
    anew when an epoch begins, so that a resumed training is the same.

    Args:
        config: Sizes, loss and dropout.
        catalogue: Users and items.
        rows: Training events.
        inputs: What is known of the items.
        offset: Added to the scores of items in training; None for nothing.
        known: Attributes of users and items; None for none.
    """

    def __init__(
        self,
        config: Joint,
        catalogue: Catalogue,
        rows: Examples,
        inputs: Inputs,
        offset: Offset | None = None,
        known: tuple[Attributes, Attributes] | None = None,
    ) -> None:
        super().__init__(config, catalogue, rows, offset, known)
        self.joint = config
        self.read, self.account = (inputs,), inputs.account
        width = config.width + 1
        self.told = torch.from_numpy(inputs.known | (self.counts > 0))
        self.blocks = [torch.from_numpy(block.matrix) for block in inputs.blocks]
        present = [block.present for block in inputs.blocks]
        self.linear = nn.ParameterList(
            nn.Parameter(torch.zeros(block.shape[1], width)) for block in self.blocks
        )
        self.pixels, self.pictures = None, None
        if inputs.pixels is not None:
            self.pixels = torch.from_numpy(np.ascontiguousarray(inputs.pixels.transpose(0, 3, 1, 2)))
            self.pictures = Pictures(config.channels, width)
            present.append(inputs.pictured)
        self.present = torch.from_numpy(np.stack(present, axis=1))  # (items, modalities), pictures last
        self.absent = nn.Parameter(torch.zeros(self.present.shape[1], width))
        self.bank: Tensor | None = None
        self.fresh = torch.zeros(0, dtype=torch.long)
        self.shift = (0, 0)
        self.there = self.present
        self.own = torch.ones(len(self.told))
        with torch.no_grad():  # how popular an item without events would be is not known, not none
            self.item_bias[self.counts == 0] = 0.0

    def train(self, mode: bool = True) -> Self:
        """Begin an epoch, or stand still to be read."""
        self.bank = None
        self.there, self.own = self.present, torch.ones(len(self.told))
        return super().train(mode)

    def vectors(self) -> tuple[Floats, Floats]:
        """Vectors of users and items with all that is known of them; zeros for an item of which nothing is."""
        before = self.training
        self.eval()
        users, items = super().vectors()
        self.train(before)
        return users, items * self.told.numpy()[:, None]

    def step(self, batch: Examples, rng: np.random.Generator) -> tuple[Tensor, Step]:
        """The loss on a batch; each item goes without its own factors, or without a modality, by chance."""
        shape = tuple(self.present.shape)
        self.there = self.present & torch.from_numpy(rng.random(shape) >= self.joint.modality_dropout)
        self.own = torch.from_numpy((rng.random(shape[0]) >= self.joint.id_dropout).astype(np.float32))
        if self.pictures is not None:
            self._renew(rng)
        return super().step(batch, rng)

    def _renew(self, rng: np.random.Generator) -> None:
        """Choose the images that go through the network in this step: any, for were it those that were taken in the
        batch, the network would be told of no others that they were not.
        """
        if self.bank is None:
            with torch.no_grad():
                self.bank = self._pictured()
        shown = np.flatnonzero(self.there[:, -1].numpy() & (self.counts > 0))
        chosen = rng.permutation(shown)[: self.joint.images_per_step]
        self.fresh = torch.from_numpy(np.sort(chosen))
        down, right = rng.integers(-_SHIFT, _SHIFT + 1, size=2)
        self.shift = int(down), int(right)

    def _pictured(self) -> Tensor:
        """What the network makes of all images, shape (items, width + 1)."""
        assert self.pictures is not None
        assert self.pixels is not None
        return torch.cat([self.pictures(part) for part in torch.split(self.pixels, _AT_ONCE)])

    def _pictures(self) -> Tensor:
        """The same with a gradient for those of this step alone; the others are as they last were."""
        if not self.training:
            return self._pictured()
        assert self.pictures is not None
        assert self.pixels is not None
        assert self.bank is not None
        moved = torch.roll(self.pixels[self.fresh], self.shift, (2, 3))
        new = self.pictures(moved)
        all_of_them = self.bank.index_put((self.fresh,), new)
        self.bank = all_of_them.detach()
        return all_of_them

    def _shrinkage(self, step: Step) -> Tensor:
        """That of the factors, and of the maps into them: a ridge penalty, without which they learn items by heart."""
        last = [] if self.pictures is None else [self.pictures.out.weight]
        maps = sum((linear.square().sum() for linear in (*self.linear, *last)), torch.zeros(()))
        return super()._shrinkage(step) + self.joint.map_shrinkage * maps

    def _items(self) -> Tensor:
        whole = super()._items()
        said = [block @ linear for block, linear in zip(self.blocks, self.linear, strict=True)]
        if self.pictures is not None:
            said.append(self._pictures())
        described = torch.stack(
            [torch.where(self.there[:, [place]], one, self.absent[place]) for place, one in enumerate(said)]
        ).sum(0)
        own = self.items * (self.own - 1)[:, None]  # takes away what is dropped
        ones = torch.zeros(len(whole), 1)
        return whole + torch.cat([own + described[:, :-1], described[:, -1:], ones], 1)
