"""From the evidence of an audit to one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from equipoise.report import environment
from equipoise.report.audit.charts import Charts
from equipoise.report.audit.evidence import VERDICTS, Evidence, Row, distinct
from equipoise.report.audit.explained import Explained
from equipoise.report.audit.scripts import embedded, hashes, script_data, scripts
from equipoise.report.audit.sentences import Speaker, Tally, merged
from equipoise.report.audit.strips import Chart
from equipoise.report.audit.tables import Matrix, Verdicts, by, lorenz_table, matrices
from equipoise.report.languages import Words
from equipoise.report.numbers import number

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

SAID_BY = {
    "exposure": {"no_items", "no_item_groups"},
    "transparency": {"no_explanations"},
    "attackers": {"no_attackers"},
    "lorenz": {"no_catalogue"},
}
"""Codes of the evidence that say why a section is absent."""

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
    template = environment.templates().get_template("audit.html")
    return template.render(
        page=page,
        e=page.evidence,
        say=page.speaker,
        t=page.words,
        number=number,
        json=embedded,
        hashes=hashes(),
        **scripts(),
    )


def page_of(evidence: Mapping[str, Any], words: Words) -> AuditPage:
    """What the templates ask for, from the evidence."""
    return AuditPage(Speaker(Evidence(evidence), words))


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
            table = by(rows, "attribute", "metric")
            told = [self.speaker.about(list(own.values())) for own in table.values()]
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
        rows = self.evidence.secondary
        return {
            name: [row for row in rows if row["attribute"] == name] for name in distinct(rows, "attribute")
        }

    @cached_property
    def matrices(self) -> Mapping[str, list[Matrix]]:
        """Groups by metrics: for each attribute, one table per system."""
        return self._matrices("groups")

    @cached_property
    def lists(self) -> Mapping[str, list[Matrix]]:
        """List measures by group: for each attribute, one table per system."""
        return self._matrices("lists")

    def _matrices(self, section: str) -> dict[str, list[Matrix]]:
        rows, systems, headline = self.evidence.rows(section), self.evidence.systems, self.evidence.headline
        return {name: matrices(rows, name, systems, headline) for name in distinct(rows, "attribute")}

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
        return by(self.evidence.rows("concentration"), "system", "metric")

    @cached_property
    def lorenz_table(self) -> list[tuple[float, dict[str, float]]]:
        """The Lorenz curves at tenths of the items."""
        return lorenz_table(self.evidence.facts("lorenz"))

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
        """What was not measured, and why, where the evidence does not say it itself."""
        told = {str(row.get("code")) for row in self.evidence.rows("not_testable")}
        missing = [
            name for name in MEASURED if not self._measured(name) and not told & SAID_BY.get(name, set())
        ]
        said = [self.words(f"audit.absent.{name}") for name in missing]
        return said + [
            self.words("audit.absent.reference", system=row["name"], needs=row["missing"])
            for row in self.evidence.rows("systems")
            if row.get("missing") and f"no_{row['missing']}" not in told
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

    def script_data(self) -> dict[str, Any]:
        """What the script needs; to be asked for when all numbers and charts have been written."""
        return script_data(self.drawn, self.explained, self.protocol)


def _or(value: float | None, other: float) -> float:
    return other if value is None else value
