"""The systems of an audit: those that are asked about, and two that know nobody."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from equipoise.audit.evidence.rows import Row
from equipoise.audit.lists.baselines import random_lists, top_popular
from equipoise.audit.request import Settings, Tables
from equipoise.data import vocabulary as v
from equipoise.errors import DataError

TOP_POPULAR, RANDOM = "TopPop", "Random"
SYSTEM = "system"


@dataclass(frozen=True)
class Systems:
    """Lists by system.

    Attributes:
        audited: Lists with the column `system`, as they came.
        reference: Lists of the reference systems with the column `system`; empty where there is nothing to make
            them from.
        catalogue: `item_id` of all items that could have been shown; None where only the lists themselves name
            items: what was shown would then be all there is.
        told: The section `systems` of the evidence.
    """

    audited: pl.DataFrame
    reference: pl.DataFrame
    catalogue: pl.DataFrame | None
    told: list[Row]

    @cached_property
    def everybody(self) -> pl.DataFrame:
        """Lists of all systems with the column `system`, references last."""
        return pl.concat([self.audited.select(self.reference.columns), self.reference])

    @cached_property
    def lists(self) -> dict[str, pl.DataFrame]:
        """Lists by system, references last."""
        parts = self.everybody.group_by(SYSTEM, maintain_order=True)
        return {str(name): part.drop(SYSTEM) for (name,), part in parts}

    @classmethod
    def of(cls, tables: Tables, settings: Settings) -> Systems:
        """The audited systems, and reference lists for all their users.

        The most popular items are counted in the training events alone: counted in the truth they would know the
        answers. Random lists are drawn from the catalogue.

        Raises:
            DataError: if an audited system has the name of a reference system.
        """
        taken = [name for name in (TOP_POPULAR, RANDOM) if name in tables.systems]
        if taken:
            raise DataError(
                f"Recommendations are called '{taken[0]}', which is the name of a reference system of the audit",
                where=f"systems: {', '.join(tables.systems)}",
                todo=f"Give them another name, as in --recommendations my-{taken[0].lower()}=PATH.",
            )
        columns = [SYSTEM, v.USER, v.ITEM, v.RANK]
        audited = tables.recommendations
        catalogue = _catalogue(tables)
        users = pl.concat([audited.select(v.USER), tables.truth.select(v.USER)]).unique()
        k = max(settings.k)
        reference: dict[str, pl.DataFrame] = {}
        if tables.train is not None:
            reference[TOP_POPULAR] = top_popular(tables.train, users, k)
        if catalogue is not None:
            reference[RANDOM] = random_lists(catalogue, users, k, settings.seed, train=tables.train)
        told = [{"name": name, "role": "audited", "missing": None} for name in tables.systems]
        for name, needs in ((TOP_POPULAR, "train"), (RANDOM, "items")):
            told.append({"name": name, "role": "reference", "missing": None if name in reference else needs})
        stacked = [
            frame.with_columns(pl.lit(name).alias(SYSTEM)).select(columns)
            for name, frame in reference.items()
        ]
        empty = audited.select(columns).clear()
        same = [frame.cast(dict(empty.schema)) for frame in stacked]  # type: ignore[arg-type]
        return cls(audited, pl.concat([empty, *same]), catalogue, told)


def _catalogue(tables: Tables) -> pl.DataFrame | None:
    """Items of the items table, of the training events and of all lists; None without the first two."""
    if tables.items is None and tables.train is None:
        return None
    dtype = tables.recommendations.schema[v.ITEM]
    known = [
        table.select(pl.col(v.ITEM).cast(dtype))
        for table in (tables.items, tables.train, tables.recommendations)
        if table is not None
    ]
    return pl.concat(known).drop_nulls().unique().sort(v.ITEM)
