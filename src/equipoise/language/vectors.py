"""`Vectors`: one row of numbers per id, the noun that leaves this folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.errors import DataError

Floats = NDArray[np.float32]


@runtime_checkable
class TextEncoder(Protocol):
    """Anything that turns texts into vectors of one fixed width."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """Vectors of shape (len(texts), width), float32; an empty text gets the zero vector."""
        ...

    def save(self, folder: Path) -> None:
        """Write what is needed to build this encoder again (safetensors and JSON)."""
        ...


@dataclass(frozen=True)
class Vectors:
    """Vectors of items (or users), with the encoder that can embed further texts into the same space.

    Attributes:
        ids: Identifiers, one per row, without repetition.
        matrix: float32 of shape (len(ids), width).
        encoder: What made them, where texts unseen so far (a search query, a wish) may have to be embedded;
            else None.
        account: What became of the items' images, numbers and other modalities, in plain values.
    """

    ids: pl.Series
    matrix: Floats
    encoder: TextEncoder | None = None
    account: tuple[dict[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if self.matrix.ndim != 2 or len(self.ids) != len(self.matrix):
            raise DataError(f"{len(self.ids)} ids do not fit vectors of shape {self.matrix.shape}")
        if self.ids.n_unique() != len(self.ids):
            raise DataError("The ids of the vectors repeat", todo="Keep one row per id.")

    @property
    def width(self) -> int:
        """Numbers per vector."""
        return int(self.matrix.shape[1])

    def aligned(self, ids: pl.Series) -> tuple[Floats, NDArray[np.bool_]]:
        """The vectors in the order of `ids` (zeros where there is none) and which ids have one."""
        rows = pl.DataFrame({"id": self.ids}).with_row_index("row")
        wanted = pl.DataFrame({"id": ids.cast(self.ids.dtype, strict=False)})
        found = wanted.join(rows, on="id", how="left", maintain_order="left")["row"]
        present = found.is_not_null().to_numpy()
        matrix = np.zeros((len(ids), self.width), dtype=np.float32)
        matrix[present] = self.matrix[found.drop_nulls().to_numpy()]
        return matrix, present

    def frame(self, key: str = "item_id") -> pl.DataFrame:
        """The vectors as a table of `key` and `vector` (a fixed-width list of float32)."""
        column = pl.Series("vector", self.matrix, dtype=pl.Array(pl.Float32, self.width))
        return pl.DataFrame({key: self.ids, "vector": column})

    @classmethod
    def from_frame(cls, frame: Any, key: str = "item_id", encoder: TextEncoder | None = None) -> Vectors:
        """The inverse of `frame`; list columns of equal length are taken too.

        Raises:
            DataError: if the rows have different lengths, or hold something else than numbers.
        """
        table: pl.DataFrame = frame
        try:
            lists = table["vector"].cast(pl.List(pl.Float32))
        except pl.exceptions.PolarsError as error:
            raise DataError(
                "The vectors are not lists of numbers", where=f"their type is {table.schema['vector']}"
            ) from error
        widths = lists.list.len().unique()
        if len(widths) > 1 or widths.null_count():
            raise DataError("The vectors have different lengths", todo="Every row needs the same width.")
        numbers = lists.explode(empty_as_null=False)
        if numbers.null_count():
            raise DataError("The vectors have gaps", where=f"{numbers.null_count():,} values are null")
        matrix = numbers.to_numpy().reshape(len(table), int(widths[0]) if len(widths) else 0)
        return cls(table[key], np.ascontiguousarray(matrix), encoder)
