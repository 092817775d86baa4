"""Every number of the page leads to its formula, protocol, users, excluded rows, and the command that repeats it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from equipoise.data.vocabulary import UNKNOWN
from equipoise.report.audit.evidence import Row
from equipoise.report.audit.sentences import Speaker
from equipoise.report.languages import Words
from equipoise.report.numbers import count, number

_PLACES = ("system", "first", "second", "view", "attacker", "attribute", "groups", "group", "kind", "metric")


@dataclass(frozen=True)
class Explained:
    """Collects the explanations of the numbers that a page shows, while it is written.

    Attributes:
        speaker: Says names and numbers.
        found: Id of a number to its explanation.
    """

    speaker: Speaker
    found: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def words(self) -> Words:
        """The language."""
        return self.speaker.words

    def link(self, section: str, row: Row, value: str) -> str:
        """Where the number of a row leads to; empty for rows without an id."""
        name = row.get("id")
        if not name:
            return ""
        self.found.setdefault(str(name), self._explanation(section, row, value))
        return "#number=" + quote(str(name), safe="/@:")

    def _explanation(self, section: str, row: Row, value: str) -> dict[str, Any]:
        signed = section in {"comparison", "gap_comparison", "slice"} or (
            section == "gap" and self.speaker.signed(row)
        )
        said = value
        if interval := self.speaker.interval(row, signed):
            level = self.speaker.share(self.speaker.evidence.level)
            said += self.words("audit.gap.interval", level=level, interval=interval)
        return {
            "what": [place for name in _PLACES if (place := self._place(name, row))],
            "value": said,
            "metric": str(row.get("metric") or "").partition("@")[0],
            "kind": str(row.get("kind") or "") if section == "gap" else "",
            "method": self._method(section, row),
            "users": self._users(section, row),
            "excluded": self._excluded(section, row),
        }

    def _place(self, name: str, row: Row) -> str:
        value = row.get(name)
        if value is None or (name == "group" and "groups" in row):
            return ""
        if name == "metric":
            return self.speaker.shown(str(value))
        if name == "attribute":
            return self.speaker.attribute(str(value))
        if name == "group":
            return self.speaker.group(value)
        return self.words.known(name, str(value)) if name in {"kind", "view", "attacker"} else str(value)

    def _method(self, section: str, row: Row) -> str:
        """Key of the sentence on how the number came about."""
        if section == "gap":
            several = row.get("null_mean") is not None and row.get("kind") == "difference"
            return "gap.range" if several else f"gap.{row.get('kind')}".replace(" ", "_").replace("-", "_")
        return section

    def _users(self, section: str, row: Row) -> str:
        cells = self.speaker.evidence.cells(row) if section == "gap" else []
        told = [
            f"{self.speaker.group(cell['group'])} {self.size(cell)}"
            for cell in cells
            if cell["group"] != UNKNOWN
        ]
        if told:
            return self.words("audit.comma").join(told)
        if row.get("users") is None and row.get("items") is not None:
            return self.words("audit.items", n=count(row["items"]))
        return self.size(row) if row.get("users") is not None or row.get("suppressed") else ""

    def size(self, row: Row) -> str:
        """Users of a group; "< 30" where it is too small to be told."""
        users, least = row.get("users"), self.speaker.evidence.min_cell
        hidden = row.get("suppressed") or (users is None and self.speaker.evidence.hidden(row))
        if hidden or (users is not None and users < least and "group" in row):
            return f"< {least}"
        return "–" if users is None else count(users)

    def _excluded(self, section: str, row: Row) -> str:
        if row.get("excluded") is not None:
            return count(row["excluded"])
        told = [cell.get("excluded") for cell in self.speaker.evidence.cells(row)]
        known = [n for n in told if n is not None]  # without those of hidden groups there is no sum
        return count(sum(known)) if section == "gap" and told and len(known) == len(told) else ""

    def definitions(self) -> dict[str, dict[str, str]]:
        """Formula, range and unit of the metrics, in words."""
        return {
            name: {
                "title": self.words.phrase(one.get("title") or name),
                "formula": str(one.get("formula") or ""),
                "about": self.about(one),
            }
            for name, one in self.speaker.evidence.facts("definitions").items()
        }

    def about(self, one: Row) -> str:
        """Range, unit, direction, fair value, guard and source of a definition."""
        told = []
        if one.get("low") is not None:
            high = self.words("glossary.unbounded") if one.get("high") is None else f"{one['high']:g}"
            told.append(f"{self.words('column.range')} {one['low']:g} {self.words('to')} {high}")
        for name in ("unit", "better", "fair", "guard", "source", "note"):
            if one.get(name) in (None, ""):
                continue
            value = one[name]
            if name == "better":
                said = self.words.known("glossary", str(value))
            else:
                said = number(value) if isinstance(value, float) else self.words.phrase(value)
            told.append(said if name == "note" else f"{self.words('column.' + name)} {said}")
        return " · ".join(told)
