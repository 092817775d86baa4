"""Consumer side: quality of all and of groups, gaps with their verdicts, systems against each other, slices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from equipoise.audit.evidence.rows import Row, rows
from equipoise.audit.evidence.systems import SYSTEM, Systems
from equipoise.audit.fairness.frame import FairnessFrame
from equipoise.audit.fairness.groups import PROFILE_SIZE
from equipoise.audit.request import Settings, Tables
from equipoise.data import vocabulary as v
from equipoise.metrics import KINDS, Metric, parse

_GROUP = ("attribute", "group", "metric")


@dataclass(frozen=True)
class People:
    """The users of an audit, measured.

    Attributes:
        audited: The audited systems.
        reference: The reference systems, in a frame of their own: they are no hypotheses, and correct nobody's
            p-values. None where there are none.
    """

    audited: FairnessFrame
    reference: FairnessFrame | None

    @classmethod
    def of(cls, tables: Tables, systems: Systems, settings: Settings) -> People:
        """Measure all systems by the metrics of the settings."""
        metrics = {name: parse(name) for name in settings.metric_names}
        reference = None
        if not systems.reference.is_empty():
            names = systems.reference[SYSTEM].unique(maintain_order=True).to_list()
            reference = framed(tables, systems.reference, metrics, settings, references=names)
        return cls(framed(tables, systems.audited, metrics, settings), reference)

    @property
    def frames(self) -> list[FairnessFrame]:
        """Both frames, or the one there is."""
        return [frame for frame in (self.audited, self.reference) if frame is not None]

    @property
    def members(self) -> pl.DataFrame:
        """`user_id` and the group by each attribute, one row per measured user; null where it is unknown."""
        names = [attribute.name for attribute in self.audited.attributes]
        table = self.audited.per_user.select(v.USER, *names).unique(v.USER, maintain_order=True)
        return table.with_columns(pl.col(name).replace(v.UNKNOWN, None) for name in names)

    def sections(self) -> dict[str, list[Row]]:
        """`overall`, `groups`, `gaps`, `comparisons`, `gap_comparisons` and `slices`."""
        frames, audited = self.frames, self.audited
        systems = ("first", "second")
        return {
            "overall": [
                row for frame in frames for row in rows(frame.overall, "overall", (SYSTEM, "metric"))
            ],
            "groups": [row for frame in frames for row in by_group(frame, "group")],
            "gaps": [row for frame in frames for row in _gaps(frame)],
            "comparisons": rows(audited.comparisons, "comparison", (*systems, "metric")),
            "gap_comparisons": rows(
                audited.gap_comparisons, "gap-comparison", (*systems, "attribute", "metric")
            ),
            "slices": rows(audited.slices.rename({"slice": "group"}), "slice", (SYSTEM, *_GROUP)),
        }

    def notes(self) -> list[Row]:
        """Documented rules that acted on the audited systems."""
        return [{"code": note.code, "values": dict(note.values)} for note in self.audited.notes]


def framed(
    tables: Tables,
    lists: pl.DataFrame,
    metrics: Mapping[str, Metric],
    settings: Settings,
    **options: Any,
) -> FairnessFrame:
    """A frame of the audit's tables and settings over some lists."""
    columns = () if tables.users is None else tables.users.columns
    given: dict[str, Any] = {
        "intersections": settings.intersections,
        "controls": list(
            dict.fromkeys(
                PROFILE_SIZE if name == "activity" and name not in columns else name
                for name in settings.controls
            )
        ),
        "tolerance": settings.tolerance,
        "policy": settings.policy,
        **options,
    }
    return FairnessFrame(
        metrics=metrics,
        recommendations=lists,
        truth=tables.truth,
        users=tables.users,
        groups=settings.groups,
        items=tables.items,
        train=tables.train,
        min_cell=settings.min_cell,
        level=settings.level,
        n_bootstrap=settings.n_bootstrap,
        n_permutations=settings.n_permutations,
        seed=settings.seed,
        **given,
    )


def by_group(frame: FairnessFrame, kind: str) -> list[Row]:
    """Values by group; of suppressed cells not even the size is told."""
    hidden = pl.col("suppressed")
    told = frame.by_group.with_columns(pl.when(~hidden).then(pl.col("users")).alias("users"))
    return rows(told, kind, (SYSTEM, *_GROUP))


def _gaps(frame: FairnessFrame) -> list[Row]:
    """Gaps of every kind; `primary` where the verdict is spoken."""
    kinds = list(KINDS)
    primary = pl.col("verdict").is_not_null()
    told = frame.gaps.with_columns(primary.alias("primary"))
    found = rows(told, "gap", (SYSTEM, "attribute", "metric", "kind"))
    for row in found:  # a reference system has no verdict; its differences are drawn beside those that have
        row["primary"] = row["primary"] or (row["kind"] == kinds[0] and not _judged(found, row))
    return found


def _judged(gaps: list[Row], gap: Row) -> bool:
    """Whether another kind of the same gap carries the verdict."""
    same = (SYSTEM, "attribute", "metric")
    return any(one["verdict"] is not None and all(one[key] == gap[key] for key in same) for one in gaps)
