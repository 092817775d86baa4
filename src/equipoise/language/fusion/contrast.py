"""The contrast that lays modalities of one item together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from equipoise.component import Runtime
from equipoise.language.fusion.blocks import Present
from equipoise.language.vectors import Floats

if TYPE_CHECKING:
    from equipoise.language.fusion.align import Align


def aligned(
    config: Align, blocks: Sequence[Floats], present: Present, runtime: Runtime
) -> tuple[Floats, ...]:
    """Maps of the modalities into one space.

    Args:
        config: Sizes and rates.
        blocks: Of each modality, shape (items, its width).
        present: Which item has which, shape (items, modalities).
        runtime: Seed.

    Returns:
        Of each modality, shape (its width, config.width).
    """
    rng = runtime.rng("align")
    matrices = [torch.from_numpy(np.ascontiguousarray(block)) for block in blocks]
    there = torch.from_numpy(present)
    starts = [rng.normal(size=(block.shape[1], config.width)) / np.sqrt(config.width) for block in blocks]
    maps = [nn.Parameter(torch.from_numpy(start.astype(np.float32))) for start in starts]
    optimiser = torch.optim.AdamW(maps, config.learning_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.epochs)
    rows = np.flatnonzero(present.sum(axis=1) >= 2)
    for _ in range(config.epochs):
        order = rng.permutation(rows)
        for part in np.array_split(order, -(-len(order) // config.batch_items)):
            batch = torch.from_numpy(part)
            placed = [
                functional.normalize(matrix[batch] @ one, dim=1)
                for matrix, one in zip(matrices, maps, strict=True)
            ]
            losses = [
                contrast(placed[one][both], placed[other][both], config.temperature)
                for one, other in combinations(range(len(maps)), 2)
                if (both := there[batch, one] & there[batch, other]).sum() > 1
            ]
            if not losses:
                continue
            optimiser.zero_grad()
            torch.stack(losses).mean().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        schedule.step()
    return tuple(one.detach().numpy().copy() for one in maps)


def contrast(one: Tensor, other: Tensor, temperature: float) -> Tensor:
    """InfoNCE in both directions: the cross-entropy of which row of `other` belongs to a row of `one`, and back.

    Args:
        one: Of length one, shape (n, width).
        other: The same items in another modality, shape (n, width).
        temperature: What likenesses are divided by.

    Returns:
        A scalar, log n where nothing is known.
    """
    likeness = one @ other.T / temperature
    same = torch.arange(len(one))
    return (functional.cross_entropy(likeness, same) + functional.cross_entropy(likeness.T, same)) / 2
