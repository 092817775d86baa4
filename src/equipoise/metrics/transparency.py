"""How much of a list comes with a faithful explanation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import narwhals as nw

from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.metrics import frames
from equipoise.metrics.definitions import DEFINITIONS, Definition
from equipoise.metrics.ranking import check_cutoff

FAITHFUL: Final = "faithful"


@dataclass(frozen=True)
class Faithful:
    """Share of a list's places whose explanation is faithful.

    Attributes:
        k: Cutoff.
    """

    k: int
    definition: Definition = DEFINITIONS["faithful"]

    @property
    def name(self) -> str:
        """As in "faithful@10"."""
        return f"{self.definition.name}@{self.k}"

    def measurable(self, recommendations: Any) -> bool:
        """Whether the recommendations say of their explanations whether they are faithful."""
        return FAITHFUL in frames.read(recommendations, (v.USER,), "recommendations").collect_schema().names()

    def __call__(self, recommendations: Any, truth: Any = None) -> Any:
        """Frame of `user_id`, `value` for every user with recommendations; the truth is not looked at.

        Raises:
            DataError: if there is no column `faithful` (then it is not measured), or it holds anything but
                true, false, and nothing.
        """
        wanted = (v.USER, v.ITEM, v.RANK, FAITHFUL)
        shown = frames.read(recommendations, wanted, "recommendations").select(*wanted)
        shown = shown.filter(nw.col(v.RANK) <= self.k)
        kind = shown.collect_schema()[FAITHFUL]
        if not (kind.is_numeric() or kind in (nw.Boolean, nw.Object, nw.Unknown)):
            raise _strange(f"a column of {kind}")
        known = shown.filter(~nw.col(FAITHFUL).is_null())
        try:
            known = known.select(v.USER, nw.col(FAITHFUL).cast(nw.Float64))
        except (TypeError, ValueError):  # any objects of pandas
            raise _strange("a column of mixed types") from None
        strange = known.filter((nw.col(FAITHFUL) != 0.0) & (nw.col(FAITHFUL) != 1.0)).select(nw.len())
        rows = int(frames.collect(strange).item())
        if rows:
            raise _strange(f"{rows} rows")
        places = shown.group_by(v.USER).agg(nw.col(v.ITEM).len().alias("_places"))
        explained = known.group_by(v.USER).agg(nw.col(FAITHFUL).sum())
        value = (nw.col(FAITHFUL).fill_null(0.0) / nw.col("_places")).alias("value")
        table = places.join(explained, on=v.USER, how="left").select(v.USER, value)
        return frames.collect(table).sort(v.USER).to_native()


def _strange(where: str) -> DataError:
    return DataError(
        "The recommendations say something other than true or false in 'faithful'",
        where=where,
        todo="Write true or false, 1 or 0, or nothing.",
    )


def faithful(k: int) -> Faithful:
    """Share of the list's places with a faithful explanation, in [0, 1]: transparency.

    The recommendations say so in a column `faithful` (true, false, or nothing where there is no explanation or
    nobody checked, which counts as not faithful). Without the column it is not measured.

    Source: Jacovi and Goldberg (2020), "Towards faithfully interpretable NLP systems: how should we define and
    evaluate faithfulness?"

    Args:
        k: Cutoff.

    Example:
        >>> import polars as pl
        >>> shown = pl.DataFrame({"user_id": [1, 1], "item_id": ["a", "b"], "rank": [1, 2], "faithful": [True, None]})
        >>> faithful(2)(shown)["value"][0]
        0.5
    """
    return Faithful(check_cutoff(k, "faithful"))
