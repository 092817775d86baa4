"""`Gan`: modalities side by side, where what is missing is invented from what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from equipoise.component import Runtime
from equipoise.language.encoders import Arrays, optional
from equipoise.language.fusion.blocks import Block, Present, presence
from equipoise.language.fusion.concat import SideBySide
from equipoise.language.fusion.filling import Side, beside
from equipoise.language.fusion.fusion import Joined
from equipoise.language.vectors import Floats

_LAYERS = ("hidden", "hidden_bias", "out", "out_bias")


class Gan(SideBySide):
    """Modalities side by side; a missing one is the mean of what a conditional generator makes of the others.

    One generator per modality is trained on the items that have it against a critic that sees the other modalities
    too (Mirza and Osindero 2014; least squares, Mao et al. 2017), and towards what it should have made (Isola, Zhu,
    Zhou and Efros 2017, equation 4). Ridge regression (`concat` with `missing = "ridge"`) is the baseline that it must
    beat: on small catalogues and where modalities go together linearly it does not.
    """

    name = "gan"

    hidden: PositiveInt = 64
    """Units of the hidden layers of generator and critic."""
    noise: PositiveInt = 8
    """Random numbers that a generator gets."""
    draws: PositiveInt = 16
    """What the generator makes is averaged over so many draws of them."""
    reconstruction: NonNegativeFloat = 10.0
    """Weight of the squared error, against 1 for fooling the critic."""
    epochs: PositiveInt = 100
    """Passes over the items that have the modality."""
    batch_items: PositiveInt = 128
    """Items per batch."""
    learning_rate: PositiveFloat = 2e-3
    """Of Adam, for both networks."""

    def join(self, blocks: Sequence[Block], runtime: Runtime) -> tuple[Joined, dict[str, Any]]:
        """Train a generator for every modality that some item lacks.

        Raises:
            MissingExtraError: if torch is not installed.
        """
        optional("torch", package="torch", extra="llm", purpose=f"The encoder '{self.name}'")
        from equipoise.language.fusion.generator import trained

        there, matrices = presence(blocks), [block.matrix for block in blocks]
        generators = tuple(
            None if there[:, place].all() else trained(self, matrices, there, place, runtime)
            for place in range(len(blocks))
        )
        noise = runtime.rng("gan draws").normal(size=(self.draws, self.noise)).astype(np.float32)
        return Invented(self.factors, generators, noise), {
            "filled": "what a generator makes of the other modalities"
        }

    def joined(self, widths: Sequence[int], arrays: Arrays) -> Joined:
        """The inverse of `Joined.arrays`."""
        generators = tuple(
            Generator(*(np.asarray(arrays[f"{name}.{place}"]) for name in _LAYERS))
            if f"out.{place}" in arrays
            else None
            for place in range(len(widths))
        )
        return Invented(self.factors, generators, np.asarray(arrays["noise"]))


@dataclass(frozen=True)
class Generator:
    """A network with one hidden layer of rectified units.

    Attributes:
        hidden: Shape (inputs, units).
        hidden_bias: Shape (units,).
        out: Shape (units, width).
        out_bias: Shape (width,).
    """

    hidden: Floats
    hidden_bias: Floats
    out: Floats
    out_bias: Floats

    def __call__(self, inputs: Floats) -> Floats:
        """What it makes of the others, which of them are there, and noise; shape (n, width)."""
        made: Floats = np.maximum(inputs @ self.hidden + self.hidden_bias, 0) @ self.out + self.out_bias
        return made


@dataclass(frozen=True)
class Invented(Side):
    """Missing modalities made by generators.

    Attributes:
        generators: Of each modality; None where none was missing when they were trained: its mean stands then.
        noise: The draws that are averaged, shape (draws, numbers).
    """

    generators: tuple[Generator | None, ...]
    noise: Floats

    def filled(self, blocks: Sequence[Floats], present: Present) -> list[Floats]:
        """The blocks with what generators make of the others."""
        result = list(blocks)
        for place, generator in enumerate(self.generators):
            lacking = ~present[:, place]
            if generator is None or not lacking.any():
                continue
            given = condition([block[lacking] for block in blocks], present[lacking], place)
            made = [generator(np.column_stack([given, np.tile(z, (len(given), 1))])) for z in self.noise]
            result[place] = blocks[place].copy()
            result[place][lacking] = np.mean(made, axis=0)
        return result

    def arrays(self) -> Arrays:
        """The generators, and the draws."""
        made = {
            f"{name}.{place}": getattr(generator, name)
            for place, generator in enumerate(self.generators)
            if generator is not None
            for name in _LAYERS
        }
        return {"noise": self.noise, **made}


def condition(blocks: Sequence[Floats], present: Present, place: int) -> Floats:
    """What a generator is given: all other modalities, and which of them are there."""
    others = np.delete(present, place, axis=1)
    return np.concatenate([beside(blocks, place), others.astype(np.float32)], axis=1)
