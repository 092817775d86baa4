"""What of an audit is not published: small groups, and whatever would give them away by subtraction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from equipoise.audit.evidence.rows import Row
from equipoise.audit.evidence.subtraction import Cell, Crossing, crossings
from equipoise.audit.fairness.frame import FairnessFrame
from equipoise.data.vocabulary import UNKNOWN
from equipoise.statistics import INSUFFICIENT

_OF_CELLS: Final = ("value", "low", "high", "users", "excluded")
_OF_GAPS: Final = (
    "gap", "low", "high", "p_value", "p_adjusted", "minimum_detectable", "users", "null_mean", "null_high",
    "excess",
)  # fmt: skip
_OF_COMPARISONS: Final = ("difference", "low", "high", "p_value", "p_adjusted")


@dataclass(frozen=True)
class Mask:
    """The cells that an audit does not publish: one decision for all its systems, metrics and sections.

    Hidden is what a frame suppresses for any system or metric: groups with fewer than `min_cell` users, and as
    many more of their line of a table that the hidden ones are at least two, and `min_cell` users together.
    Then tables are held against each other: while a hidden group can be worked out from everybody and the groups
    that are shown, of any attribute or intersection, the smallest group that this takes is hidden too.

    A small group "unknown" is hidden itself, and hides no other: who takes all others from everybody finds its
    mean. Neither can more be hidden than there is: a table of one group is the whole audience.

    Attributes:
        hidden: Attribute and group of each cell.
    """

    hidden: frozenset[Cell]

    @classmethod
    def of(cls, frames: Sequence[FairnessFrame], min_cell: int) -> Mask:
        """The mask of all that these frames measured.

        Args:
            frames: Frames over the same users and attributes.
            min_cell: Fewest users of a group that is shown.
        """
        hidden: set[Cell] = set()
        for frame in frames:
            small = frame.by_group.filter("suppressed")
            hidden.update(small.select("attribute", "group").unique().rows())
        tables: list[Crossing] = [table for frame in frames for table in crossings(frame)]
        while more := {cell for table in tables for cell in table.revealing(hidden, min_cell)}:
            hidden |= more
        return cls(frozenset(hidden))

    def covers(self, row: Row) -> bool:
        """Whether the row is of a hidden group."""
        return (row["attribute"], row["group"]) in self.hidden

    def touches(self, attribute: str) -> bool:
        """Whether a known group of the attribute is hidden, so that no gap of it is published."""
        return any(name == attribute and group != UNKNOWN for name, group in self.hidden)

    def applied(self, sections: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
        """The sections as they are published.

        Values, intervals and sizes of hidden groups are None, their slices are left out. Gaps of their
        attributes have a verdict and no number, and that is that the evidence is insufficient: nobody could
        check another. Attackers' scores stay without the number of users, which would tell sizes.
        """
        done = dict(sections)
        for name in ("groups", "lists"):
            done[name] = [self._of_group(row) for row in sections[name]]
        done["slices"] = [row for row in sections["slices"] if not self.covers(row)]
        done["gaps"] = [
            {**_without(row, _OF_GAPS), "groups": "", "verdict": row["verdict"] and INSUFFICIENT}
            if self.touches(row["attribute"])
            else row
            for row in sections["gaps"]
        ]
        for name, columns in (("gap_comparisons", _OF_COMPARISONS), ("attackers", ("users",))):
            done[name] = [
                _without(row, columns) if self.touches(row["attribute"]) else row for row in sections[name]
            ]
        return done

    def _of_group(self, row: Row) -> Row:
        return {**_without(row, _OF_CELLS), "suppressed": True} if self.covers(row) else row


def _without(row: Row, columns: Iterable[str]) -> Row:
    """The row with nothing in these columns, where it has them."""
    return row | {name: None for name in columns if name in row}
