"""What stands where an item lacks a modality: the mean of those that have it, or what the others foretell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import RidgeCV

from equipoise.language.encoders import Arrays
from equipoise.language.fusion.blocks import Block, Present, presence
from equipoise.language.fusion.fusion import Joined
from equipoise.language.vectors import Floats

_PENALTIES = np.logspace(-2, 4, 13)


@dataclass(frozen=True)
class Side(Joined):
    """Blocks side by side, those of missing modalities with the mean of the items that have them: zeros.

    Attributes:
        weights: Of the modalities.
    """

    weights: tuple[float, ...]

    def filled(self, blocks: Sequence[Floats], present: Present) -> list[Floats]:
        """The blocks with something in place of what is missing."""
        return list(blocks)

    def vectors(self, blocks: Sequence[Floats], present: Present) -> Floats:
        """The filled blocks times their weights, side by side."""
        filled = self.filled(blocks, present)
        weighted = [weight * block for weight, block in zip(self.weights, filled, strict=True)]
        return np.concatenate(weighted, axis=1).astype(np.float32)

    def arrays(self) -> Arrays:
        """Nothing was learned."""
        return {}


@dataclass(frozen=True)
class Foretold(Side):
    """Missing modalities foretold from the others by ridge regression; what of these is missing too is at its mean.

    Attributes:
        maps: For each modality, from all others side by side, shape (their widths, its width).
    """

    maps: tuple[Floats, ...]

    @classmethod
    def of(cls, blocks: Sequence[Block], weights: tuple[float, ...]) -> Foretold:
        """Regressions on the items that have the modality and another; penalties are chosen by leaving one out."""
        matrices, there = [block.matrix for block in blocks], presence(blocks)
        maps = []
        for place, matrix in enumerate(matrices):
            others, width = beside(matrices, place), matrix.shape[1]
            rows = there[:, place] & np.delete(there, place, axis=1).any(axis=1)
            if rows.sum() < 2:
                maps.append(np.zeros((others.shape[1], width), dtype=np.float32))
                continue
            ridge = RidgeCV(_PENALTIES, fit_intercept=False).fit(others[rows], matrix[rows])
            maps.append(ridge.coef_.reshape(width, -1).T.astype(np.float32))
        return cls(weights, tuple(maps))

    def filled(self, blocks: Sequence[Floats], present: Present) -> list[Floats]:
        """The blocks with what the others foretell."""
        return [
            np.where(present[:, [place]], block, beside(blocks, place) @ self.maps[place])
            for place, block in enumerate(blocks)
        ]

    def arrays(self) -> Arrays:
        """The regressions."""
        return {f"map.{place}": matrix for place, matrix in enumerate(self.maps)}


def beside(blocks: Sequence[Floats], place: int) -> Floats:
    """All blocks but one, side by side."""
    return np.concatenate([block for number, block in enumerate(blocks) if number != place], axis=1)
