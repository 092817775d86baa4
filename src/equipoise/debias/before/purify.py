"""Purification: what is no taste is found, told of, and dropped or weighed down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.before.purification.activity import bots
from equipoise.debias.before.purification.bombing import bombing
from equipoise.debias.before.purification.clickbait import clickbait
from equipoise.debias.before.purification.duplicates import copies, repeats
from equipoise.debias.before.purification.finding import ROW, Found
from equipoise.debias.before.weights import multiplied
from equipoise.debias.correction import BeforeTraining, Bias, Context
from equipoise.errors import ModelError
from equipoise.models.recommender import Recommender

Detector = Literal["bots", "bombing", "clickbait", "repeats", "copies"]
_WORST = 10  # findings of a detector that are reported by name
_MANY = 0.2  # of all rows; more is hardly noise


class Purify(BeforeTraining):
    """Robust detection of bots, review bombing, clickbait, repeated events and copied users.

    Each detector compares with the median and the median deviation of this log, so that what is to be found
    does not set the measure, and asks for effects that honest users do not make; see `purification`. First it is
    reported what was found, then the rows concerned are dropped or weighed down. An item whose rows are dropped
    from a user's history may be recommended to that user again; `down_weigh` leaves histories whole.
    """

    name: ClassVar[str] = "purify"
    against: ClassVar[tuple[Bias, ...]] = ("noise",)

    action: Literal["report", "drop", "down_weigh"] = "drop"
    """What becomes of the rows that were found."""
    detectors: tuple[Detector, ...] = ("bots", "bombing", "clickbait", "repeats", "copies")
    """What is looked for; a detector whose columns are missing, or for which times are told too coarsely, says so
    and finds nothing."""
    z: float = Field(5.0, gt=0)
    """Robust deviations from which on something is unusual."""
    window: float = Field(1.0, gt=0)
    """Length of a burst of ratings in days."""
    dwell: str | None = None
    """Column of the time stayed after a click; None for `value` on rows of clicks, else purchases tell."""
    within: float = Field(2.0, ge=0)
    """Seconds within which the same event of the same user with the same item is a repeat; not judged where times
    are told more coarsely."""
    least_items: int = Field(10, ge=2)
    """Users with fewer items are not compared with each other."""
    similarity: float = Field(0.9, gt=0, le=1)
    """Jaccard similarity of the items from which on a user is a copy of another."""
    weight: float = Field(0.1, ge=0, lt=1)
    """What a row that was found counts for with `down_weigh`."""

    def transform(self, data: Dataset, context: Context) -> Dataset:
        """See `BeforeTraining.transform`.

        Raises:
            ModelError: if everything would be dropped.
        """
        found = self.find(data, context.runtime)
        bad = np.zeros(len(data.events), dtype=bool)
        for one in found.values():
            bad[one.rows.to_numpy()] = True
        if self.action == "drop" and bad.all() and len(bad):
            raise ModelError(
                "Purification would drop every event", where=f"{len(bad)} rows",
                todo='Look at the findings with action = "report", and raise z.',
            )  # fmt: skip
        context.report(
            self,
            rows=len(bad),
            rows_found=int(bad.sum()),
            share_found=float(bad.mean()) if len(bad) else 0.0,
            found={name: _told(one) for name, one in found.items()},
            warnings=_warnings(found, float(bad.mean()) if len(bad) else 0.0),
        )
        if self.action == "report" or not bad.any():
            return data
        if self.action == "down_weigh":
            return data.with_events(multiplied(data.events, np.where(bad, self.weight, 1.0)))
        return data.with_events(data.events.filter(pl.Series(~bad)))

    def find(self, data: Dataset, runtime: Runtime | None = None) -> dict[str, Found]:
        """What each detector finds, by its name; nothing is changed."""
        events = data.events.with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64))
        items = data.items.height if data.items is not None else 0
        catalogue = max(data.events[v.ITEM].drop_nulls().n_unique(), items)
        looks: dict[str, Callable[[], Found]] = {
            "bots": lambda: bots(events, catalogue, self.z),
            "bombing": lambda: bombing(events, self.window, self.z),
            "clickbait": lambda: clickbait(events, self.z, self.dwell),
            "repeats": lambda: repeats(events, self.within),
            "copies": lambda: copies(events, self.least_items, self.similarity, runtime or Runtime()),
        }
        return {name: looks[name]() for name in self.detectors}

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """See `Correction.obstacle`."""
        return None if self.detectors else "no detector is chosen."


def _told(one: Found) -> dict[str, Any]:
    if one.skipped is not None:
        return {"skipped": one.skipped}
    return {
        **({} if one.in_part is None else {"in_part": one.in_part}),
        "findings": len(one.findings),
        "rows": len(one.rows),
        "by_rule": dict(one.findings["rule"].value_counts().sort("rule").iter_rows()),
        "worst": one.findings.head(_WORST).to_dicts(),
    }


def _warnings(found: dict[str, Found], share: float) -> list[str]:
    said = [
        f"The detector of {name} could not look: {one.skipped}" for name, one in found.items() if one.skipped
    ]
    said += [one.in_part for one in found.values() if one.in_part]
    if share > _MANY:
        said.append(
            f"{share:.0%} of all rows were found, which is hardly noise: look at them before they go."
        )
    return said
