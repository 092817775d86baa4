"""From the evidence of an audit to one self-contained page."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from markupsafe import Markup

from equipoise.report import environment
from equipoise.report.audit.charts import Charts
from equipoise.report.audit.evidence import VERDICTS, Evidence, Row, distinct
from equipoise.report.audit.explained import Explained
from equipoise.report.audit.sentences import Speaker, Tally, merged, worst_first
from equipoise.report.audit.strips import Chart
from equipoise.report.languages import Words
from equipoise.report.numbers import number

_SCRIPT = Path(__file__).parent.parent / "templates" / "audit.js"
MEASURED = (
    "gaps",
    "groups",
    "slices",
    "comparisons",
    "lorenz",
    "exposure",
    "lists",
    "attackers",
    "transparency",
)
"""Sections whose absence the page explains."""

PLACES = {
    "overall": "systems",
    "comparisons": "systems",
    "gap_comparisons": "systems",
    "reference": "systems",
    "exposure": "providers",
    "provider": "providers",
    "concentration": "lorenz",
    "collapse": "lorenz",
    "not_testable": "untestable",
    "settings": "data",
    "versions": "data",
    "definitions": "glossary",
}
"""Where on the page sections of the evidence stand whose name is not that of their place."""


def render_audit(evidence: Mapping[str, Any], lang: str = "en") -> str:
    """The report of an audit: one HTML page that opens offline and asks nobody for anything.

    Args:
        evidence: The content of `evidence.json`. Missing sections are left out, and said to be missing.
        lang: "en" or "zh".

    Raises:
        ConfigError: if there is no such language.
    """
    page = page_of(evidence, Words(lang))
    scripts = {"plotly": _plotly(), "script": _SCRIPT.read_text("utf-8")}
    hashes = " ".join(f"'sha256-{_digest(text)}'" for text in scripts.values())
    return environment.templates().get_template("audit.html").render(
        page=page, e=page.evidence, say=page.speaker, t=page.words, number=number, json=embedded, hashes=hashes,
        **{name: Markup(text) for name, text in scripts.items()},
    )  # fmt: skip


def page_of(evidence: Mapping[str, Any], words: Words) -> AuditPage:
    """What the templates ask for, from the evidence."""
    return AuditPage(Speaker(Evidence(evidence), words))


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).strip()


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def embedded(content: Any) -> Markup:
    """JSON that may stand in a script element whatever text it holds."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


@dataclass(frozen=True)
class Verdicts:
    """Verdicts of one system: a table of attributes by metrics, and sentences."""

    system: str
    tally: Tally
    metrics: Sequence[str]
    table: Mapping[str, Mapping[str, Row]]
    sentences: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Matrix:
    """Groups of one attribute by metrics, for one system."""

    system: str
    metrics: Sequence[str]
    table: Mapping[str, Mapping[str, Row]]


@dataclass(frozen=True)
class AuditPage:
    """What the templates ask for."""

    speaker: Speaker
    drawn: list[Chart] = field(default_factory=list)

    @property
    def evidence(self) -> Evidence:
        """What is shown."""
        return self.speaker.evidence

    @property
    def words(self) -> Words:
        """The language."""
        return self.speaker.words

    @cached_property
    def charts(self) -> Charts:
        """The drawing room."""
        return Charts(self.speaker)

    @cached_property
    def explained(self) -> Explained:
        """Explanations of the numbers shown so far."""
        return Explained(self.speaker)

    def draw(self, chart: Chart) -> int:
        """Keep a chart for the script, and give its place."""
        self.drawn.append(chart)
        return len(self.drawn) - 1

    @cached_property
    def created(self) -> str:
        """When the audit was made, to the minute."""
        return environment.minute(str(self.evidence.content.get("created") or ""))

    @cached_property
    def contents(self) -> list[tuple[str, bool]]:
        """Parts of the page in their order, and whether they are there."""
        e = self.evidence
        there: dict[str, object] = {
            "verdicts": True, "untestable": self.untestable or self.absent, "gaps": self.gap_metrics,
            "groups": self.matrices, "slices": self.slices, "systems": e.rows("overall"),
            "lorenz": self.concentration or e.facts("lorenz"), "providers": e.rows("exposure") or e.rows("provider"),
            "lists": self.lists, "attackers": self.attacks, "transparency": True, "policy": True, "notes": self.notes,
            "questions": e.rows("questions"), "limits": True, "data": True, "glossary": e.facts("definitions"),
        }  # fmt: skip
        return [(name, bool(content)) for name, content in there.items()]

    def place(self, section: str) -> str:
        """Where on the page a section of the evidence stands; empty where it does not."""
        name = PLACES.get(section, section)
        return name if dict(self.contents).get(name) else ""

    def question(self, row: Row, part: str) -> str:
        """What a question of law asks, what the evidence shows, or what stays open."""
        code = str(row["question"])
        known = self.words.template(f"question.{code}" if part == "asks" else f"question.{code}.{part}")
        return known or str(row.get(part) or (code.replace("_", " ") if part == "asks" else ""))

    def table(self, name: str) -> str:
        """A table's name in words, with that of its system."""
        table, colon, system = name.partition(":")
        return self.words.known("table", table) + (f"{colon} {system}" if system else "")

    @cached_property
    def verdicts(self) -> list[Verdicts]:
        """Verdicts of each audited system."""
        found = []
        for system in self.evidence.audited:
            rows = [row for row in self.evidence.judged if row["system"] == system]
            if not rows:
                continue
            table: dict[str, dict[str, Row]] = {}
            for row in rows:
                table.setdefault(str(row["attribute"]), {})[str(row["metric"])] = row
            told = [
                (self.key(worst_first(by.values())[0]), self.speaker.about(list(by.values())))
                for by in table.values()
            ]
            metrics = self.evidence.led(distinct(rows, "metric"))
            found.append(Verdicts(system, Tally.of(rows), metrics, table, told))
        return found

    def key(self, row: Row) -> str:
        """Style name of a verdict."""
        return VERDICTS.get(str(row.get("verdict")), "none")

    @cached_property
    def collapsed(self) -> list[Row]:
        """Audited systems that show everybody the same."""
        rows = self.evidence.rows("collapse")
        return [row for row in rows if row.get("named") and row["system"] not in self.evidence.references]

    @cached_property
    def gap_metrics(self) -> list[str]:
        """Metrics with primary gaps, the headline first."""
        return self.evidence.led(distinct(self.evidence.primary, "metric"))

    @cached_property
    def range_metrics(self) -> list[str]:
        """Metrics with gaps between several groups."""
        rows = [row for row in self.evidence.primary if row.get("null_mean") is not None]
        return self.evidence.led(distinct(rows, "metric"))

    def gaps_of(self, metric: str, ranges: bool = False) -> list[Row]:
        """Primary gaps of one metric; only those of several groups where asked for."""
        rows = [row for row in self.evidence.primary if row["metric"] == metric]
        return [row for row in rows if row.get("null_mean") is not None] if ranges else rows

    @cached_property
    def other_gaps(self) -> Mapping[str, list[Row]]:
        """Gaps of other kinds, by attribute."""
        rows = [row for row in self.evidence.rows("gaps") if not row.get("primary")]
        return {
            name: [row for row in rows if row["attribute"] == name] for name in distinct(rows, "attribute")
        }

    @cached_property
    def matrices(self) -> Mapping[str, list[Matrix]]:
        """Groups by metrics: for each attribute, one table per system."""
        return {name: self._matrices(self.evidence.rows("groups"), name)
                for name in distinct(self.evidence.rows("groups"), "attribute")}  # fmt: skip

    @cached_property
    def lists(self) -> Mapping[str, list[Matrix]]:
        """List measures by group: for each attribute, one table per system."""
        return {name: self._matrices(self.evidence.rows("lists"), name)
                for name in distinct(self.evidence.rows("lists"), "attribute")}  # fmt: skip

    def _matrices(self, rows: Sequence[Row], attribute: str) -> list[Matrix]:
        these = [row for row in rows if row["attribute"] == attribute]
        found = []
        for system in sorted(distinct(these, "system"), key=self.charts.style_order):
            own = [row for row in these if row["system"] == system]
            table: dict[str, dict[str, Row]] = {}
            for row in own:
                table.setdefault(str(row["group"]), {})[str(row["metric"])] = row
            found.append(Matrix(system, self.evidence.led(distinct(own, "metric")), table))
        return found

    @cached_property
    def slices(self) -> list[Row]:
        """Slices, the worst first: those served worse than the rest by q, then by the size of the difference."""
        return sorted(
            self.evidence.rows("slices"),
            key=lambda row: (
                not self.worse(row),
                _or(row.get("q_value"), 2.0),
                -abs(_or(row.get("difference"), 0.0)),
            ),
        )

    def worse(self, row: Row) -> bool:
        """Whether a slice is served worse than the rest, by the direction of its metric."""
        base = str(row.get("metric")).partition("@")[0]
        lower = self.evidence.facts("definitions").get(base, {}).get("better") == "low"
        return (_or(row.get("difference"), 0.0) > 0) if lower else (_or(row.get("difference"), 0.0) < 0)

    @cached_property
    def system_metrics(self) -> list[str]:
        """Measures of concentration."""
        return distinct(self.evidence.rows("concentration"), "metric")

    @cached_property
    def concentration(self) -> Mapping[str, Mapping[str, Row]]:
        """Measures of concentration by system."""
        table: dict[str, dict[str, Row]] = {}
        for row in self.evidence.rows("concentration"):
            table.setdefault(str(row["system"]), {})[str(row["metric"])] = row
        return table

    @cached_property
    def lorenz_table(self) -> list[tuple[float, dict[str, float]]]:
        """The Lorenz curves at tenths of the items."""
        curves = self.evidence.facts("lorenz")
        return [
            (i / 10, {name: _at(i / 10, curve["items"], curve["exposure"]) for name, curve in curves.items()})
            for i in range(1, 11)
        ]

    def of(self, section: str, **equal: object) -> list[Row]:
        """Rows of a section where these columns have these values."""
        return [row for row in self.evidence.rows(section) if all(row.get(k) == v for k, v in equal.items())]

    @cached_property
    def attacks(self) -> list[Row]:
        """Attackers, the strongest first; controls last."""
        rows = self.evidence.rows("attackers")
        return sorted(
            rows,
            key=lambda row: (bool(row.get("control")), row["metric"] != "auc", -_or(row.get("value"), 0.0)),
        )

    @cached_property
    def absent(self) -> list[str]:
        """What was not measured, and why."""
        missing = [name for name in MEASURED if not self._measured(name)]
        said = [self.words(f"audit.absent.{name}") for name in missing]
        return said + [
            self.words("audit.absent.reference", system=row["name"], needs=row["missing"])
            for row in self.evidence.rows("systems")
            if row.get("missing")
        ]

    def _measured(self, section: str) -> bool:
        if section == "transparency":
            return bool(self.evidence.facts("transparency").get("measured"))
        return bool(self.evidence.content.get(section))

    @cached_property
    def untestable(self) -> list[str]:
        """What could not be tested, in sentences."""
        return [self.speaker.coded("not_testable", row) for row in merged(self.evidence.rows("not_testable"))]

    @cached_property
    def notes(self) -> list[str]:
        """Rules that acted on the data, in sentences."""
        return [self.speaker.coded("note", row) for row in self.evidence.rows("notes")]

    @cached_property
    def settings(self) -> list[tuple[str, str]]:
        """Settings as pairs of words."""
        told = {name: value for name, value in self.evidence.facts("settings").items() if name != "protocol"}
        told |= {"seed": self.evidence.content.get("seed")}
        return [
            (self.words.known("setting", name), environment.plain(value, self.words) or "–")
            for name, value in told.items()
            if value is not None
        ]

    @cached_property
    def protocol(self) -> list[tuple[str, str]]:
        """The protocol as pairs of words."""
        return environment.protocol(self.evidence.facts("settings").get("protocol") or {}, self.words)

    @cached_property
    def script_data(self) -> dict[str, Any]:
        """What the script needs: charts, explanations of the numbers shown, definitions, words."""
        methods = sorted({one["method"] for one in self.explained.found.values()})
        facts = {
            name: value
            for name, value in self.evidence.facts("settings").items()
            if not isinstance(value, Mapping)
        }
        return {
            "charts": [chart.figure for chart in self.drawn],
            "numbers": self.explained.found,
            "definitions": self.explained.definitions(),
            "methods": {name: self._method(name, facts) for name in methods},
            "protocol": " · ".join(f"{name} {value}" for name, value in self.protocol),
            "words": {name: self.words(f"audit.shown.{name}") for name in ("slices", "copied")},
        }

    def _method(self, name: str, facts: Mapping[str, Any]) -> str:
        template = self.words.template(f"method.{name}")
        if template is None:
            return self.words.template("method.gap.other") if name.startswith("gap.") else ""  # type: ignore[return-value]
        filled = {
            place: environment.plain(facts.get(place, "–"), self.words)
            for place in re.findall(r"\{(\w+)\}", template)
        }
        return self.words(f"method.{name}", **filled)


def _or(value: float | None, other: float) -> float:
    return other if value is None else value


def _at(share: float, xs: Sequence[float], ys: Sequence[float]) -> float:
    """A curve's height between its points."""
    for (x0, y0), (x1, y1) in zip(zip(xs, ys, strict=True), zip(xs[1:], ys[1:], strict=True), strict=False):
        if x0 <= share <= x1:
            return y0 if x1 == x0 else y0 + (y1 - y0) * (share - x0) / (x1 - x0)
    return ys[-1] if ys else 0.0
