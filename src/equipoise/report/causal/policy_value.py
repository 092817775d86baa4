"""The value of a policy as a page: what it would have brought, beside what the logger brought, and on what support."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from equipoise.report.causal import drawings
from equipoise.report.causal.framing import Page, Row, framed
from equipoise.report.environment import plain
from equipoise.report.languages import Words
from equipoise.report.numbers import brief, count, number

CODES = {
    "better": "good",
    "worse": "bad",
    "unclear": "open",
    "valued": "good",
    "unreliable": "weak",
    "refused": "open",
}
"""Verdict of a policy's value to the style of its mark."""


def render_policy_value(content: Mapping[str, Any], lang: str = "en") -> str:
    """The value of a policy as one HTML page that opens offline.

    Args:
        content: What `PolicyValue.as_dict()` gives; missing parts are left out. Beside its own keys it may have
            `name`, `target` (what the policy is called), `created`, `command`, `versions`.
        lang: "en" or "zh".

    Raises:
        ConfigError: if there is no such language.
    """
    return framed("policy_value.html", PolicyValuePage(content, Words(lang)))


def ruling(content: Mapping[str, Any]) -> str:
    """What may be said of a policy's value: a key of `CODES`."""
    difference = content.get("difference") or {}
    if content.get("refused") or content.get("value") is None:
        return "refused"
    if content.get("interval_reliable") is False:
        return "unreliable"
    if difference.get("low") is None or difference.get("high") is None:
        return "valued"
    return "better" if difference["low"] > 0 else "worse" if difference["high"] < 0 else "unclear"


@dataclass(frozen=True)
class Support:
    """One condition on the log: what was found, what is asked for, whether it holds."""

    name: str
    found: str
    asked: str
    style: str


@dataclass(frozen=True)
class PolicyValuePage(Page):
    """What the template asks for."""

    @property
    def what(self) -> str:
        """Which of the pages this is."""
        return "value"

    @property
    def name(self) -> str:
        """What the page is about."""
        return str(self.content.get("name") or self.target)

    @property
    def target(self) -> str:
        """What the valued policy is called."""
        return str(self.content.get("target") or self.words("value.target"))

    @property
    def ruling(self) -> str:
        """What may be said."""
        return ruling(self.content)

    @property
    def code(self) -> str:
        """Style of the verdict's mark."""
        return CODES[self.ruling]

    @property
    def verdict(self) -> str:
        """The verdict in a word or two."""
        return self.words(f"value.verdict.{self.ruling}")

    @property
    def sentence(self) -> str:
        """The verdict, first on the page."""
        logger = self.facts("logger_value").get("value")
        key = self.ruling
        if key == "valued" and logger is None:
            key = "valued.alone"
        values = {"value": number(self.content.get("value")), "logger": number(logger), "target": self.target}
        return self.words(f"value.sentence.{key}", **values)

    @property
    def because(self) -> list[str]:
        """Why there is no number, where there is none."""
        if self.ruling != "refused":
            return []
        facts = {
            "n": count(self.content.get("n") or 0),
            "size": brief(self.content.get("effective_sample_size")),
            "least": brief(self.facts("support").get("minimum_effective_sample_size")),
            "share": self.share(self.content.get("largest_share")),
            "most": self.share(self.facts("support").get("largest_share")),
            "mean": brief(self.content.get("mean_weight")),
            "mass": self.share(self.content.get("unsupported_mass")),
        }
        keys = [f"value.reason.{code}" for code in self.content.get("reasons") or ()]
        if not keys or any(self.words.template(key) is None for key in keys):
            return [self.said(self.content.get("reason") or "")]
        return [self.words(key, **facts) for key in keys]

    @cached_property
    def evidence(self) -> list[str]:
        """The numbers in sentences."""
        told = []
        facts = {"level": self.level, "n": count(self.content.get("n") or 0)}
        if (own := self.interval(self.content)) and self.ruling != "refused":
            told.append(self.words("value.interval", interval=own, **facts))
        difference = self.facts("difference")
        if difference.get("value") is not None and self.ruling != "refused":
            told.append(
                self.words(
                    "value.difference",
                    value=number(difference["value"], signed=True),
                    interval=self.interval(difference, signed=True) or "–",
                    level=self.level,
                )
            )
        if self.ruling == "unreliable":
            told.append(self.said(self.content.get("interval_reason") or self.words("value.unreliable")))
        return told

    @cached_property
    def hero(self) -> drawings.Forest | None:
        """The policy beside the logger."""
        estimator = self._estimator(self.content)
        entries = [drawings.Entry(self.target, "corrected", self.content, estimator)]
        if self.facts("logger_value").get("value") is not None:
            note = self.words("value.logger.note")
            entries.append(
                drawings.Entry(self.words("value.logger"), "logger", self.facts("logger_value"), note)
            )
        if self.content.get("value") is None:
            entries = entries[1:]
        return drawings.forest(entries, self.words("to"), self.facts("logger_value").get("value"))

    @cached_property
    def gain(self) -> drawings.Forest | None:
        """The difference, beside none."""
        difference = self.facts("difference")
        if difference.get("value") is None:
            return None
        stage = {"better": "gain", "worse": "loss"}.get(self.ruling, "corrected")
        label = self.words("value.gain")
        return drawings.forest([drawings.Entry(label, stage, difference)], self.words("to"), 0.0, signed=True)

    @cached_property
    def candidates(self) -> drawings.Forest | None:
        """Estimators that were compared."""
        rows = self.rows("candidates")
        entries = [
            drawings.Entry(
                self._estimator(row), "corrected" if row.get("chosen") else "baseline", row, self._note(row)
            )
            for row in rows
        ]
        return drawings.forest(entries, self.words("to"), None) if entries else None

    def _estimator(self, row: Row) -> str:
        options = {name: value for name, value in (row.get("options") or {}).items() if value is not None}
        told = ", ".join(f"{name} {plain(value, self.words)}" for name, value in options.items())
        name = self.words.known("estimator", str(row.get("estimator") or ""))
        return f"{name} ({told})" if told else name

    def _note(self, row: Row) -> str:
        told = []
        if row.get("chosen"):
            told.append(self.words("value.candidates.chosen"))
        if row.get("estimated_error") is not None:
            told.append(self.words("value.candidates.error", error=number(row["estimated_error"])))
        return self.listed(told)

    @cached_property
    def support(self) -> list[Support]:
        """Conditions on the log under which a number is given."""
        c, limits = self.content, self.facts("support")
        found = []
        if (least := limits.get("minimum_effective_sample_size")) is not None:
            size = c.get("effective_sample_size")
            found.append(
                self._condition(
                    "effective_sample_size",
                    _counted(size),
                    f"≥ {count(least)}",
                    size is not None and size >= least,
                )
            )
        if (most := limits.get("largest_share")) is not None and c.get("largest_share") is not None:
            found.append(
                self._condition(
                    "largest_share",
                    self.share(c["largest_share"]),
                    f"≤ {self.share(most)}",
                    c["largest_share"] <= most,
                )
            )
        if c.get("mean_weight") is not None and (errors := limits.get("mean_weight_errors")) is not None:
            factor, z, mean = (
                limits.get("mean_weight_factor") or 1.0,
                c.get("mean_weight_z"),
                c["mean_weight"],
            )
            off = z is not None and abs(z) > errors and not 1 / factor <= mean <= factor
            asked = self.words("value.support.near_one", errors=f"{errors:g}", factor=f"{factor:g}")
            said = number(mean) + (f" (z = {brief(z)})" if z is not None else "")
            found.append(self._condition("mean_weight", said, asked, not off))
        if (mass := c.get("unsupported_mass")) is not None:
            most = limits.get("unsupported_mass") or 0.0
            found.append(self._condition("unsupported_mass", self.share(mass), "0\u00a0%", mass <= most))
        return found

    def _condition(self, name: str, found: str, asked: str, holds: bool) -> Support:
        return Support(self.words(f"value.support.{name}"), found, asked, "good" if holds else "bad")

    @cached_property
    def told(self) -> list[tuple[str, str]]:
        """Further facts as pairs of words."""
        c = self.content
        pairs = [
            ("estimator", self._estimator(c)), ("n", _counted(c.get("n"))), ("clusters", _counted(c.get("clusters"))),
            ("standard_error", number(c.get("standard_error"))),
            ("effective_share", self.share(c.get("effective_share"))),
            ("max_weight", number(c.get("max_weight"))), ("share_clipped", self.share(c.get("share_clipped"))),
            ("largest_contribution", self.share(c.get("largest_contribution"))),
        ]  # fmt: skip
        return [(self.words(f"value.fact.{name}"), value) for name, value in pairs if value not in ("–", "")]

    @property
    def notes(self) -> list[str]:
        """What else a reader should know."""
        return [self.said(note) for note in self.content.get("notes") or ()]

    @cached_property
    def contents(self) -> list[str]:
        """Parts of the page in their order."""
        there = {"support": self.support or self.told, "candidates": self.candidates, "limits": True}
        return [name for name, content in there.items() if content]


def _counted(value: float | None) -> str:
    return "–" if value is None else count(value)
