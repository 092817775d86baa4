"""Vectors made elsewhere, of texts, images, sounds or anything else."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import polars as pl

from equipoise.component import Runtime
from equipoise.data import vocabulary as v
from equipoise.errors import DataError, nearest
from equipoise.language.encoders import Encoder
from equipoise.language.vectors import Vectors

_LOG = logging.getLogger(__name__)


class Match(NamedTuple):
    """How the ids of a file of vectors meet those of the items.

    Attributes:
        missing: Ids of items that have no vector.
        unknown: Ids in the file that no item has.
    """

    missing: pl.Series
    unknown: pl.Series


class Precomputed(Encoder):
    """Vectors read from a Parquet file of `item_id` and `vector`; nothing is encoded, and queries cannot be
    embedded.
    """

    name = "vectors"
    argument: ClassVar[str] = "path"

    path: str = ""
    """The Parquet file."""
    column: str = "vector"
    """The column that holds lists of numbers, all of one length."""
    missing: Literal["error", "absent", "zero"] = "error"
    """What to do where an item has no vector: refuse, leave it without one, or give it the zero vector."""

    def item_vectors(
        self,
        items: pl.DataFrame,
        text: Sequence[str],
        *,
        images: Sequence[str] = (),
        numeric: Sequence[str] = (),
        cache: Path | None = None,
        runtime: Runtime | None = None,
    ) -> Vectors:
        """Vectors of all items; text columns and cache are not looked at. Ids that no item has are left out.

        Raises:
            DataError: if the file, a column, or (unless `missing = "zero"`) an item's vector is missing; if
            ids repeat or
                no id of the file is an item's; if vectors differ in length or hold a value that is not a
                finite number.
        """
        stored = self._read(items.schema[v.ITEM])
        match = _match(items[v.ITEM], stored.ids)
        where = f"{self.path}: {len(stored.ids):,} vectors, {len(items):,} items"
        if len(items) and len(match.missing) == len(items):
            what = "No id in the file of vectors is that of an item"
            raise DataError(what, where=where, todo="Check the ids of both.")
        if len(match.missing) and self.missing == "error":
            raise DataError(
                f"{len(match.missing):,} items have no vector, among them {_some(match.missing)}",
                where=where,
                todo='Add them, or set missing = "absent" to leave them without one, or "zero" for the zero vector.',
            )
        _LOG.info("%s: %d items without a vector, %d vectors without an item", self.path, *map(len, match))
        account = {"modality": "vectors", "items": len(items), "with": len(items) - len(match.missing)}
        matrix, present = stored.aligned(items[v.ITEM])
        if self.missing == "zero":
            return Vectors(items[v.ITEM], matrix, account=(account,))
        ids = items[v.ITEM].filter(pl.Series(present, dtype=pl.Boolean))
        return Vectors(ids, matrix[present], account=(account,))

    def match(self, items: pl.DataFrame) -> Match:
        """Which items have no vector, and which vectors no item."""
        return _match(items[v.ITEM], self._read(items.schema[v.ITEM]).ids)

    def _read(self, dtype: pl.DataType) -> Vectors:
        file = Path(self.path).expanduser()
        if not file.exists():
            raise DataError("There is no file of vectors", where=str(file))
        try:
            table = pl.read_parquet(file)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError("The file of vectors is not a readable Parquet file", where=str(file)) from error
        for column in (v.ITEM, self.column):
            if column not in table.columns:
                what = f"The file of vectors has no column '{column}'"
                raise DataError(what, where=str(file), todo=nearest(column, table.columns))
        ids = table[v.ITEM].cast(dtype, strict=False)
        if ids.null_count():
            raise DataError(
                f"{ids.null_count():,} ids of the vectors are null or not of the items' type {dtype}",
                where=str(file),
            )
        if repeated := len(ids) - ids.n_unique():
            raise DataError(
                f"{repeated:,} ids repeat in the file of vectors, "
                f"among them {_some(ids.filter(ids.is_duplicated()))}",
                where=str(file),
                todo="Keep one row per id.",
            )
        stored = Vectors.from_frame(pl.DataFrame({v.ITEM: ids, "vector": table[self.column]}))
        if not np.isfinite(stored.matrix).all():
            broken = ids.filter(pl.Series(~np.isfinite(stored.matrix).all(axis=1)))
            raise DataError(
                f"{len(broken):,} vectors hold a value that is not a finite number, "
                f"among them that of {_some(broken)}",
                where=str(file),
            )
        return stored


def _match(items: pl.Series, stored: pl.Series) -> Match:
    return Match(items.filter(~items.is_in(stored.implode())), stored.filter(~stored.is_in(items.implode())))


def _some(ids: pl.Series) -> str:
    return ", ".join(map(str, ids.unique(maintain_order=True).head(3)))
