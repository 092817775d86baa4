"""What the items of a catalogue are made from: blocks of numbers, and pixels. This module does not import torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.errors import ModelError
from equipoise.language.fusion.blocks import Block
from equipoise.language.modalities.numeric import Numeric
from equipoise.language.modalities.reading import read_images
from equipoise.language.vectors import Vectors
from equipoise.models.histories import locate

_FILLED = "what the model learned of items that lack it"


@dataclass(frozen=True)
class Inputs:
    """The modalities of a catalogue's items, in its order.

    Attributes:
        blocks: Vectors and numbers, each on one scale with zeros where there is nothing.
        pixels: Red, green and blue from 0 to 255, shape (items, size, size, 3); None where no images are read.
        pictured: Which items have an image, shape (items,).
        known: Which items have anything, shape (items,).
        account: What became of images and numbers, and of all that is read together, in plain values.
    """

    blocks: tuple[Block, ...]
    pixels: NDArray[np.uint8] | None
    pictured: NDArray[np.bool_]
    known: NDArray[np.bool_]
    account: tuple[dict[str, Any], ...]


def inputs(
    data: Dataset, items: pl.Series, vectors: Vectors | None, reads: Sequence[str], size: int
) -> Inputs:
    """What is read of the items.

    Args:
        data: Training events with the items table.
        items: Ids of the catalogue.
        vectors: What the encoder made of them.
        reads: Of "vectors", "images" and "numeric", those that may be read.
        size: Pixels per side.

    Raises:
        ModelError: if there is nothing to read.
        DataError: if there are images and none can be read.
        MissingExtraError: if there are images and Pillow is not installed.
    """
    blocks, account, table = list[Block](), list[dict[str, Any]](), data.items
    if vectors is not None and "vectors" in reads:
        blocks.append(Block.of("vectors", vectors, items))
    if table is not None and data.numeric and "numeric" in reads:
        numbers = Numeric().item_vectors(table, (), numeric=data.numeric)
        blocks.append(Block.of("numeric", numbers, items))
        account += numbers.account
    pixels, pictured = None, np.zeros(len(items), dtype=bool)
    if table is not None and data.images and "images" in reads:
        found = read_images(table, data.images, size)
        rows = locate(table[v.ITEM], items)
        pictured = (rows >= 0) & found.present[rows]
        pixels = found.pixels[rows]
        account.append(found.account)
    known = np.asarray(np.column_stack([pictured, *(block.present for block in blocks)]).any(axis=1))
    if not known.any():
        raise ModelError(
            "The model 'joint' reads images, numbers or vectors of items, and there are none",
            where=f"it reads {', '.join(reads)}",
            todo="Name columns under [data] images or numeric, or give an encoder.",
        )
    account.append({"modality": "joint", "items": len(items), "with": int(known.sum()), "filled": _FILLED})
    return Inputs(tuple(blocks), pixels, pictured, known, tuple(account))
