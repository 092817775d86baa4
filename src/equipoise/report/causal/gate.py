"""The launch gate as a page: is the candidate worth more than what runs today, and does it treat groups alike?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from equipoise.report.causal import drawings
from equipoise.report.causal.framing import Page, Row, framed
from equipoise.report.languages import Words
from equipoise.report.numbers import brief, count, number

CODES = {"pass": "good", "fail": "bad", "undecided": "open"}
"""Outcome of the gate, or of one of its checks, to the style of its mark."""


def render_gate(content: Mapping[str, Any], lang: str = "en") -> str:
    """The launch gate as one HTML page that opens offline.

    Args:
        content: Plain JSON values; whatever is optional may be missing or None::

            {"kind": "gate", "schema": 1, "name", "created", "command", "versions",
             "candidate": "new", "current": "logged",             # what the two are called
             "verdict": {"code": "pass|fail|undecided"},
             "checks": [{"subject": "value", "status": "pass|fail|undecided",
                         "code": "better|worse|unclear|refused|unreliable|not measured",
                         "value", "low", "high", "minimum", "reason"},
                        {"subject": "fairness", "status", "code": "unfair|fair|insufficient|not measured",
                         "attribute", "metric", "kind", "value", "low", "high", "tolerance"}],
             "notes": ["what a reader of the checks should know"],
             "value": {"estimator", "level", "n", "clusters", "effective_sample_size", "effective_share",
                       "candidate": {"value", "low", "high"}, "current": {...}, "difference": {...}} | None,
             "policy": {"owner", "launch": {...}}}

        lang: "en" or "zh".

    Raises:
        ConfigError: if there is no such language.
    """
    return framed("gate.html", GatePage(content, Words(lang)))


def said(check: Row, words: Words) -> str:
    """What one check of the gate found, in a sentence."""
    values = {name: number(check.get(name), signed=True) for name in ("value", "low", "high")}
    values |= {name: brief(check.get(name)) for name in ("minimum", "tolerance")}
    interval = f"{values['low']} {words('to')} {values['high']}" if check.get("low") is not None else "–"
    attribute, metric = str(check.get("attribute") or ""), str(check.get("metric") or "")
    return words(
        f"gate.says.{check['subject']}.{check['code']}".replace(" ", "_"),
        **values,
        interval=interval,
        attribute=attribute.replace("_", " "),
        metric=words.known("metric", metric.partition("@")[0]) + metric[len(metric.partition("@")[0]) :],
        reason=words.phrase(check.get("reason") or ""),
    )


@dataclass(frozen=True)
class GatePage(Page):
    """What the template asks for."""

    @property
    def what(self) -> str:
        """Which of the pages this is."""
        return "gate"

    @property
    def name(self) -> str:
        """What the page is about."""
        return str(
            self.content.get("name") or f"{self.content.get('candidate')} / {self.content.get('current')}"
        )

    @property
    def outcome(self) -> str:
        """Pass, fail or undecided."""
        return str(self.facts("verdict").get("code") or "undecided")

    @property
    def code(self) -> str:
        """Style of the verdict's mark."""
        return CODES.get(self.outcome, "open")

    @property
    def sentence(self) -> str:
        """The verdict, first on the page."""
        names = {key: str(self.content.get(key)) for key in ("candidate", "current")}
        return self.words(f"gate.sentence.{self.outcome}", **names)

    @property
    def because(self) -> list[str]:
        """What decided: the failed checks, or those left undecided, or all that passed."""
        deciding = [row for row in self.rows("checks") if row["status"] == self.outcome]
        return [said(row, self.words) for row in deciding[:6]]

    @property
    def level(self) -> str:
        """Level of the interval of the difference."""
        return self.share(self.facts("value").get("level") or 0.95)

    @property
    def checks(self) -> list[tuple[Row, str, str]]:
        """All checks, the failed ones first: the check, its style, its sentence."""
        order = {"fail": 0, "undecided": 1, "pass": 2}
        rows = sorted(self.rows("checks"), key=lambda row: order.get(row["status"], 3))
        return [(row, CODES.get(row["status"], "open"), said(row, self.words)) for row in rows]

    @property
    def notes(self) -> list[str]:
        """What a reader of the checks should know."""
        return [self.said(note) for note in self.rows("notes")]

    @cached_property
    def values(self) -> drawings.Forest | None:
        """Both policies on one scale."""
        v = self.facts("value")
        entries = [
            drawings.Entry(str(self.content.get(key)), stage, v[key], self.words(f"gate.role.{key}"))
            for key, stage in (("candidate", "corrected"), ("current", "logger"))
            if v.get(key)
        ]
        return (
            drawings.forest(entries, self.words("to"), (v.get("current") or {}).get("value"))
            if entries
            else None
        )

    @cached_property
    def gain(self) -> drawings.Forest | None:
        """The difference beside the gain that is asked for."""
        difference = self.facts("value").get("difference") or {}
        if difference.get("value") is None:
            return None
        check = next((row for row in self.rows("checks") if row["subject"] == "value"), {})
        stage = {"pass": "gain", "fail": "loss"}.get(str(check.get("status")), "corrected")
        entry = drawings.Entry(self.words("value.gain"), stage, difference)
        return drawings.forest([entry], self.words("to"), check.get("minimum") or 0.0, signed=True)

    @property
    def value_facts(self) -> list[tuple[str, str]]:
        """What the comparison rests on."""
        v = self.facts("value")
        pairs = [
            ("estimator", self.words.known("estimator", str(v.get("estimator") or ""))),
            ("n", count(v["n"]) if v.get("n") is not None else ""),
            ("clusters", count(v["clusters"]) if v.get("clusters") is not None else ""),
            (
                "effective_sample_size",
                count(v["effective_sample_size"]) if v.get("effective_sample_size") else "",
            ),
            ("effective_share", self.share(v["effective_share"]) if v.get("effective_share") else ""),
        ]
        return [(self.words(f"value.fact.{name}"), value) for name, value in pairs if value]

    @property
    def agreed(self) -> list[tuple[str, str]]:
        """What the policy says of launches."""
        policy = self.facts("policy")
        told = [(self.words("column.owner"), str(policy["owner"]))] if policy.get("owner") else []
        launch = policy.get("launch") or {}
        return told + [
            (
                self.words.known("launch", name),
                brief(value)
                if isinstance(value, int | float)
                else self.words.known("launch.value", str(value)),
            )
            for name, value in launch.items()
            if value is not None
        ]

    @property
    def contents(self) -> list[str]:
        """Parts of the page in their order."""
        there = {"checks": self.rows("checks"), "value": self.values, "agreed": self.agreed, "limits": True}
        return [name for name, content in there.items() if content]
