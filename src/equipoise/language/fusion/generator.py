"""The training of a generator against a critic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from equipoise.component import Runtime
from equipoise.language.fusion.blocks import Present
from equipoise.language.fusion.gan import Generator, condition
from equipoise.language.vectors import Floats

if TYPE_CHECKING:
    from equipoise.language.fusion.gan import Gan

_LEFT_OUT = 0.2  # share of the other modalities that count as missing in training, so that the generator can do without
_LEAK = 0.2
_LAYERS = ("0.weight", "0.bias", "2.weight", "2.bias")


def trained(
    config: Gan, blocks: Sequence[Floats], present: Present, place: int, runtime: Runtime
) -> Generator:
    """A generator of one modality, from the items that have it and another.

    Args:
        config: Sizes and rates.
        blocks: Of each modality, shape (items, its width).
        present: Which item has which, shape (items, modalities).
        place: Which modality is made.
        runtime: Seed.
    """
    rng = runtime.rng("gan", place)
    rows = np.flatnonzero(present[:, place] & (present.sum(axis=1) >= 2))
    width = blocks[place].shape[1]
    inputs = sum(block.shape[1] for block in blocks) - width + present.shape[1] - 1
    generator = _network(inputs + config.noise, config.hidden, width, nn.ReLU(), rng)
    critic = _network(inputs + width, config.hidden, 1, nn.LeakyReLU(_LEAK), rng)
    makes, judges = (
        torch.optim.Adam(network.parameters(), config.learning_rate, betas=(0.5, 0.9))
        for network in (generator, critic)
    )
    for _ in range(config.epochs):
        for part in np.array_split(rng.permutation(rows), max(1, -(-len(rows) // config.batch_items))):
            given = torch.from_numpy(_thinned(blocks, present, place, part, rng))
            real = torch.from_numpy(blocks[place][part])
            noise = torch.from_numpy(rng.normal(size=(len(part), config.noise)).astype(np.float32))
            made = generator(torch.cat([given, noise], 1))
            _descend(
                judges, _distance(critic, given, real, 1.0) + _distance(critic, given, made.detach(), 0.0)
            )
            error = (made - real).square().sum(1).mean()
            _descend(makes, _distance(critic, given, made, 1.0) + config.reconstruction * error)
    layers = dict(generator.named_parameters())
    hidden, hidden_bias, out, out_bias = (layers[name].detach().numpy() for name in _LAYERS)
    return Generator(hidden.T.copy(), hidden_bias.copy(), out.T.copy(), out_bias.copy())


def _thinned(
    blocks: Sequence[Floats], present: Present, place: int, rows: np.ndarray, rng: np.random.Generator
) -> Floats:
    """What the generator is given of some items, without some of the modalities that they have; one is left."""
    there = present[rows].copy()
    there[:, place] = False
    kept = there & (rng.random(there.shape) >= _LEFT_OUT)
    none = ~kept.any(axis=1)
    kept[none] = there[none]
    return condition([np.where(kept[:, [n]], block[rows], 0) for n, block in enumerate(blocks)], kept, place)


def _distance(critic: nn.Module, given: Tensor, made: Tensor, target: float) -> Tensor:
    """Squared distance of what the critic says from what it should, or what the generator wants."""
    distance: Tensor = (critic(torch.cat([given, made], 1)) - target).square().mean()
    return distance


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()


def _network(
    inputs: int, hidden: int, outputs: int, bend: nn.Module, rng: np.random.Generator
) -> nn.Sequential:
    """Two layers whose start comes from `rng` (He et al. 2015)."""
    first, last = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)
    with torch.no_grad():
        for layer in (first, last):
            start = rng.normal(size=tuple(layer.weight.shape)) * np.sqrt(2 / layer.in_features)
            layer.weight.copy_(torch.from_numpy(start.astype(np.float32)))
            layer.bias.zero_()
    return nn.Sequential(first, bend, last)
