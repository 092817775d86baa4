"""Corrections side by side as a page: what to pick, the table, the front, each method, the truth where it is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from equipoise.report import environment
from equipoise.report.causal.framing import Page, Row, framed
from equipoise.report.debias import sentences
from equipoise.report.debias.methods import Method, method
from equipoise.report.debias.plots import Point, Scatter, scatter
from equipoise.report.debias.table import Line, table
from equipoise.report.debias.truth import Ranked, Twin, ranked, twin
from equipoise.report.languages import Words

_CODES = {"pick": "good", "mixed": "weak", "small": "open", "keep": "open"}
_BEHIND = {"bias": "lift", "planted": "favour"}  # sizes, and what is a size of


def render_debias(content: Mapping[str, Any], lang: str = "en") -> str:
    """A comparison of corrections as one HTML page that opens offline.

    Args:
        content: What `debias.json` holds.
        lang: "en" or "zh".

    Raises:
        ConfigError: if there is no such language.
    """
    return framed("debias.html", DebiasPage(content, Words(lang)))


@dataclass(frozen=True)
class DebiasPage(Page):
    """What the template asks for."""

    @property
    def what(self) -> str:
        """Which of the pages this is."""
        return "debias"

    @property
    def code(self) -> str:
        """Style of the verdict's mark."""
        return _CODES[self._overall["code"]]

    @property
    def verdict(self) -> str:
        """The verdict in a word or two."""
        return self.words(f"debias.verdict.{self._overall['code']}", pick=self._overall["pick"])

    @property
    def sentence(self) -> str:
        """What to pick, first on the page."""
        return sentences.overall(self.content, self.words)

    @property
    def because(self) -> list[str]:
        """What to pick for each care."""
        advice = self.facts("recommendation")["by_care"]
        return [sentences.for_care(one, self.content, self.words) for one in advice]

    @property
    def level(self) -> str:
        """Level of the intervals."""
        return self.share(self.facts("protocol").get("level"))

    @property
    def _overall(self) -> Row:
        told: Row = self.facts("recommendation")["overall"]
        return told

    @cached_property
    def lead(self) -> str:
        """By what methods are chosen."""
        measure = sentences.measured(str(self.content["accuracy"]), self.content, self.words)
        return self.words("debias.lead" + (".truth" if self.rows("truth") else ""), measure=measure)

    @cached_property
    def notes(self) -> list[str]:
        """What a reader must know first."""
        return [sentences.noted(note, self.words) for note in self.rows("notes")]

    @cached_property
    def table(self) -> tuple[list[tuple[str, str]], list[Line]]:
        """Column heads with their explanations, and the lines."""
        return table(self.content, self.words)

    @cached_property
    def columns(self) -> list[tuple[str, str]]:
        """Heads of the table and what they mean."""
        return self.table[0]

    @cached_property
    def lines(self) -> list[Line]:
        """The table."""
        return self.table[1]

    @cached_property
    def scatters(self) -> list[Scatter]:
        """Accuracy against each other respect of the front."""
        axes = self.facts("front")["axes"]
        members, accuracy = set(self.facts("front")["members"]), axes[0]
        found = []
        for axis in axes[1:]:
            points = []
            for place, row in enumerate(self.rows("rows"), start=1):
                stage = "front" if row["name"] in members else "beaten"
                stage = "outside" if row["kind"] == "reference" else stage
                y = row["strongest"] if axis == "leakage" else _sized(row["test"], axis)
                points.append(Point(place, row["name"], stage, row["test"][accuracy], y or {}))
            points.sort(key=lambda one: ("outside", "beaten", "front").index(one.stage))
            title = self.words("debias.front.title", axis=self._measured(axis))
            one = scatter(
                points, title, self._measured(accuracy), self._measured(axis), share=axis == "leakage"
            )
            found += [] if one is None else [one]
        return found

    @cached_property
    def beaten(self) -> list[str]:
        """Who is beaten by whom."""
        pairs: Mapping[str, list[str]] = self.facts("front")["beaten"]
        return [
            self.words("debias.front.beaten", method=name, by=self.listed(by)) for name, by in pairs.items()
        ]

    @cached_property
    def methods(self) -> list[Method]:
        """Each correction with its findings, settings and checks."""
        return [
            method(place, row, self.content, self.words)
            for place, row in enumerate(self.rows("rows"), start=1)
            if row["kind"] in ("method", "configured")
        ]

    @cached_property
    def truth(self) -> list[Ranked]:
        """The rows by the truth, where it is known."""
        return ranked(self.rows("truth"), self.words)

    @cached_property
    def twin(self) -> Twin | None:
        """The rows on a world like the log."""
        told = self.facts("twin")
        return twin(told, self.words) if told else None

    @cached_property
    def skipped(self) -> list[tuple[str, str]]:
        """Corrections that could not act, with the reason."""
        return [(row["method"], self.said(row["reason"])) for row in self.rows("skipped")]

    @cached_property
    def protocol(self) -> list[tuple[str, str]]:
        """How the numbers were taken, as pairs of words."""
        told = {
            name: value
            for name, value in self.facts("protocol").items()
            if name not in ("fewest", "level", "weighted") and value not in (None, [], {})
        }
        return environment.protocol(told, self.words)

    @property
    def contents(self) -> list[str]:
        """Parts of the page in their order."""
        there = {
            "table": True, "front": self.scatters, "methods": self.methods, "truth": self.truth, "twin": self.twin,
            "skipped": self.skipped, "protocol": True, "limits": True,
        }  # fmt: skip
        return [name for name, content in there.items() if content]

    def _measured(self, measure: str) -> str:
        return sentences.measured(measure, self.content, self.words)


def _sized(values: Row, axis: str) -> Row | None:
    """A measure with its interval; of a bias, its size: of a lift, what lies above 0."""
    if axis not in _BEHIND:
        found: Row | None = values.get(axis)
        return found
    lift = values[_BEHIND[axis]]
    if axis == "bias":
        return {
            name: None if lift[name] is None else max(0.0, lift[name]) for name in ("value", "low", "high")
        }
    if lift["value"] is None or lift["low"] is None or lift["high"] is None:
        return None if lift["value"] is None else {**lift, "value": abs(lift["value"])}
    ends = sorted(abs(lift[key]) for key in ("low", "high"))
    crosses = lift["low"] < 0 < lift["high"]
    return {"value": abs(lift["value"]), "low": 0.0 if crosses else ends[0], "high": ends[1]}
