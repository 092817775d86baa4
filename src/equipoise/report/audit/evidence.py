"""The evidence of an audit as the pages read it: whatever is missing is empty, and nothing is computed anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from equipoise.data.vocabulary import UNKNOWN

Row = Mapping[str, Any]
"""One row of a section of the evidence."""

AUDITED = "audited"
DIFFERENCES = ("difference", "raw difference")
"""Kinds of gap that are differences of means: they say which group is ahead, and are meant where no kind is named."""

_FAIR: Mapping[str, float | None] = {"ratio": 1.0, "worst group": None}
VERDICTS = {"unfair": "unfair", "fair within tolerance": "fair", "insufficient evidence": "insufficient"}
"""Verdicts as the statistics write them, worst first, and their keys in the languages."""


def distinct(rows: Iterable[Row], column: str) -> list[str]:
    """Values of a column in the order of their first row."""
    return list(dict.fromkeys(str(row[column]) for row in rows if row.get(column) is not None))


def kind(row: Row) -> str:
    """The kind of a gap."""
    return str(row.get("kind") or DIFFERENCES[0])


def fair(row: Row) -> float | None:
    """The value that a gap of this kind has where nobody is treated otherwise; None where that depends on the data,
    as for the worst group, which is held against the mean of all.
    """
    return _FAIR.get(kind(row), 0.0)


@dataclass(frozen=True)
class Evidence:
    """Reads one evidence.

    Attributes:
        content: The evidence, as it stands in `evidence.json`.
    """

    content: Mapping[str, Any]

    def rows(self, section: str) -> list[Row]:
        """Rows of a section; none where it is missing."""
        return list(self.content.get(section) or [])

    def facts(self, section: str) -> Mapping[str, Any]:
        """A section that is a mapping; empty where it is missing."""
        return self.content.get(section) or {}

    @property
    def name(self) -> str:
        """Name of the audit."""
        return str(self.content.get("name") or "")

    @cached_property
    def level(self) -> float:
        """Level of the intervals."""
        return float(self.facts("settings").get("level") or 0.95)

    @cached_property
    def min_cell(self) -> int:
        """Users that a group needs to be shown and tested."""
        return int(self.facts("settings").get("min_cell") or 30)

    @cached_property
    def systems(self) -> list[str]:
        """All systems: audited ones first, then references."""
        told = {str(row["name"]): str(row.get("role") or AUDITED) for row in self.rows("systems")}
        found = {name: told.get(name, AUDITED) for name in [*told, *distinct(self.rows("overall"), "system")]}
        for name in distinct(self.rows("gaps"), "system"):
            found.setdefault(name, AUDITED)
        return sorted(found, key=lambda name: found[name] != AUDITED)

    @cached_property
    def audited(self) -> list[str]:
        """Systems under audit."""
        return [name for name in self.systems if name not in self.references]

    @cached_property
    def references(self) -> set[str]:
        """Systems that only stand beside, such as popularity."""
        return {str(row["name"]) for row in self.rows("systems") if row.get("role") not in (None, AUDITED)}

    @cached_property
    def primary(self) -> list[Row]:
        """The gap of each system, attribute and metric that a verdict speaks of; of references, the same kind."""
        rows = self.rows("gaps")
        judged = {
            (row["attribute"], row["metric"]): kind(row)
            for row in rows
            if row.get("primary") and row["system"] not in self.references
        }

        def chosen(row: Row) -> bool:
            wanted = judged.get((row["attribute"], row["metric"]))
            if row["system"] in self.references and wanted is not None:
                return kind(row) == wanted
            return bool(row.get("primary"))

        return [row for row in rows if chosen(row)]

    @cached_property
    def secondary(self) -> list[Row]:
        """All other gaps."""
        chosen = {id(row) for row in self.primary}
        return [row for row in self.rows("gaps") if id(row) not in chosen]

    @cached_property
    def _hidden(self) -> set[tuple[object, object]]:
        return {(row["attribute"], row["group"]) for row in self.rows("groups") if row.get("suppressed")}

    def hidden_groups(self, attribute: object) -> list[str]:
        """Known groups of an attribute that are not shown."""
        rows = (row for row in self.rows("groups") if row["attribute"] == attribute)
        found = dict.fromkeys(str(row["group"]) for row in rows if row.get("suppressed"))
        return [group for group in found if group != UNKNOWN]

    def hidden(self, row: Row) -> bool:
        """Whether a row's numbers are not shown, because it is of a hidden group or compares one."""
        if row.get("suppressed"):
            return True
        if "group" in row:
            return (row.get("attribute"), row["group"]) in self._hidden
        return bool(self.hidden_groups(row.get("attribute")))

    @cached_property
    def judged(self) -> list[Row]:
        """Primary gaps of audited systems with a verdict."""
        return [row for row in self.primary if row.get("verdict") and row["system"] in self.audited]

    @cached_property
    def attributes(self) -> list[str]:
        """Attributes of users, in the order of the settings."""
        return distinct([*self.primary, *self.rows("groups")], "attribute")

    @cached_property
    def metrics(self) -> list[str]:
        """Metrics per user, in the order of the evidence."""
        return distinct([*self.primary, *self.rows("groups"), *self.rows("overall")], "metric")

    @cached_property
    def headline(self) -> str | None:
        """The metric that figures show first: the first NDCG, else the first."""
        return next(
            (name for name in self.metrics if name.startswith("ndcg@")), next(iter(self.metrics), None)
        )

    @cached_property
    def gap_attributes(self) -> list[str]:
        """Attributes with a gap in the headline metric that is shown."""
        rows = [row for row in self.primary if row["metric"] == self.headline and row.get("gap") is not None]
        return distinct(rows, "attribute")

    def led(self, metrics: Sequence[str]) -> list[str]:
        """Metrics with the headline first."""
        return sorted(metrics, key=lambda name: name != self.headline)

    @cached_property
    def _cells(self) -> Mapping[tuple[str, str, str], list[Row]]:
        found: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
        for row in self.rows("groups"):
            found[str(row["system"]), str(row["attribute"]), str(row["metric"])].append(row)
        return found

    def cells(self, row: Row) -> list[Row]:
        """The groups behind a gap."""
        return self._cells.get(
            (str(row.get("system")), str(row.get("attribute")), str(row.get("metric"))), []
        )
