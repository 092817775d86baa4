"""What is known of items and people in training, as the facts that prompts are made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.errors import DataError

Facts = Mapping[str, Any]

_LONGEST: Final = 1_500  # signs of a text of the item that is described
_IN_PASSING: Final = 200  # signs of a text of an item in somebody's history
_STEPS: Final = 20  # latest events of a person
_TOGETHER: Final = 5  # items named beside an item
_LEAST: Final = 2  # people who took both


@dataclass(frozen=True)
class Sources:
    """Facts of a training set.

    Attributes:
        data: The training part; nothing else may be handed in.
        title: The column that calls an item by its name.
    """

    data: Dataset
    title: str

    @property
    def columns(self) -> list[str]:
        """Columns of the items that are told: the name, then the texts."""
        return list(dict.fromkeys([self.title, *self.data.text]))

    def items(self) -> list[tuple[Any, Facts, list[str]]]:
        """Id, fields, and names of the items closest by who took both; the most taken items first.

        Closeness is the cosine of the two items over people's latest events.
        """
        taken = self._taken(v.ITEM)
        table = self._table().join(taken, on=v.ITEM, how="left", maintain_order="left")
        table = table.sort(pl.col("len").fill_null(0), descending=True, maintain_order=True)
        together = self._together()
        return [
            (
                row[v.ITEM],
                {name: _cut(row[name], _LONGEST) for name in self.columns},
                together.get(row[v.ITEM], []),
            )
            for row in table.iter_rows(named=True)
        ]

    def users(self) -> list[tuple[Any, int, list[Facts]]]:
        """Id, number of all positive events, and latest steps, oldest first.

        The most active people come first, and none without an event.
        """
        told = [v.VALUE] if v.VALUE in self.data.events.columns else []
        table = self._table().with_columns(pl.lit(True).alias("known"))
        steps = self._recent(*told).join(table, on=v.ITEM, how="left", maintain_order="left")
        histories: dict[Any, list[Facts]] = {
            user: [
                {name: _cut(step[name], _IN_PASSING) for name in [*self.columns, *told]}
                for step in rows.iter_rows(named=True)
                if step["known"]
            ]
            for (user,), rows in steps.group_by(v.USER, maintain_order=True)
        }
        order = self._taken(v.USER).sort("len", v.USER, descending=[True, False]).select(v.USER, "len")
        return [(user, count, histories[user]) for user, count in order.iter_rows() if histories.get(user)]

    def saying(self, texts: Collection[str]) -> list[Any]:
        """Ids of the items of which one of these texts is told, whole or cut."""

        def says(value: Any) -> bool:
            parts = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
            return any(_cut(part, most) in texts for part in parts for most in (_LONGEST, _IN_PASSING))

        rows = self._table().iter_rows(named=True) if texts else ()
        return [row[v.ITEM] for row in rows if any(says(row[name]) for name in self.columns)]

    def _table(self) -> pl.DataFrame:
        if self.data.items is None:
            raise DataError(
                "There is no items table, so there are no texts to describe anything by",
                todo="Name one under [data] items.",
            )
        return self.data.items.select(v.ITEM, *self.columns)

    def _taken(self, column: str) -> pl.DataFrame:
        """How many events a user or an item has."""
        return self.data.positives.group_by(column).len()

    def _recent(self, *columns: str) -> pl.DataFrame:
        """The latest events of each user, oldest first."""
        events, time = self.data.positives, self.data.time
        ordered = events if time is None else events.sort(time, maintain_order=True)
        return ordered.select(v.USER, v.ITEM, *columns).group_by(v.USER, maintain_order=True).tail(_STEPS)

    def _together(self) -> dict[Any, list[str]]:
        """Per item, names of those nearest to it."""
        pairs = self._recent().unique()
        taken = pairs.group_by(v.ITEM).len("taken")
        other = taken.rename({v.ITEM: "other", "taken": "taken_other"})
        titles = self._table().select(pl.col(v.ITEM).alias("other"), pl.col(self.title).alias("called"))
        nearest = (
            pairs.join(pairs.rename({v.ITEM: "other"}), on=v.USER)
            .filter(pl.col(v.ITEM) != pl.col("other"))
            .group_by(v.ITEM, "other")
            .len("both")
            .filter(pl.col("both") >= _LEAST)
            .join(taken, on=v.ITEM)
            .join(other, on="other")
            .join(titles.drop_nulls("called"), on="other")
            .with_columns((pl.col("both") / (pl.col("taken") * pl.col("taken_other")).sqrt()).alias("cosine"))
            .sort(v.ITEM, "cosine", "other", descending=[False, True, False])
            .group_by(v.ITEM, maintain_order=True)
            .head(_TOGETHER)
        )
        found: dict[Any, list[str]] = {}
        for item, title in nearest.select(v.ITEM, "called").iter_rows():
            found.setdefault(item, []).append(str(title)[:_IN_PASSING])
        return found


def _cut(value: Any, longest: int) -> Any:
    """A value as JSON has it, long texts cut."""
    if isinstance(value, str):
        return value[:longest]
    if isinstance(value, Sequence):
        return [_cut(part, longest) for part in value[:50]]
    return value if value is None or isinstance(value, bool | int | float) else str(value)
