"""`Concat`: modalities side by side."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import NonNegativeFloat, model_validator

from equipoise.component import Runtime
from equipoise.language.encoders import Arrays
from equipoise.language.fusion.blocks import Block
from equipoise.language.fusion.filling import Foretold, Side
from equipoise.language.fusion.fusion import Fusion, Joined


class SideBySide(Fusion, ABC):
    """Vectors of all modalities side by side, each centred and with a mean squared length of one (early fusion,
    Baltrušaitis, Ahuja and Morency 2019, section 6).
    """

    weights: tuple[NonNegativeFloat, ...] = ()
    """What the vectors of each modality are multiplied by; 1 for all where none are given."""

    @model_validator(mode="after")
    def _weighted(self) -> Self:
        if self.weights and len(self.weights) != len(self.modalities):
            raise ValueError(f"{len(self.weights)} weights do not fit {len(self.modalities)} modalities")
        if self.weights and not any(self.weights):
            raise ValueError("all weights are 0")
        return self

    @property
    def factors(self) -> tuple[float, ...]:
        """The weight of each modality."""
        return self.weights or (1.0,) * len(self.modalities)


class Concat(SideBySide):
    """Modalities side by side; a missing one is at its mean, or foretold by a regression."""

    name = "concat"

    missing: Literal["mean", "ridge"] = "mean"
    """What stands in place of a missing modality: the mean of the items that have it, or what a ridge regression
    foretells from the modalities that are there."""

    def join(self, blocks: Sequence[Block], runtime: Runtime) -> tuple[Joined, dict[str, Any]]:
        """Nothing is learned, but for the regressions that fill what is missing."""
        if self.missing == "ridge":
            return Foretold.of(blocks, self.factors), {"filled": "ridge regression on the other modalities"}
        return Side(self.factors), {"filled": "mean of the items that have it"}

    def joined(self, widths: Sequence[int], arrays: Arrays) -> Joined:
        """The inverse of `Joined.arrays`."""
        if self.missing == "ridge":
            return Foretold(self.factors, tuple(arrays[f"map.{place}"] for place in range(len(widths))))
        return Side(self.factors)
