"""The card of an effect as a page: the number, what it rests on, and the attempts to refute it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from equipoise.report.causal import drawings
from equipoise.report.causal.framing import Row, framed
from equipoise.report.causal.layout import Drawing, lay_out
from equipoise.report.causal.support import Support
from equipoise.report.languages import Words
from equipoise.report.numbers import count, number, p_value

CODES = {"supported": "good", "fragile": "weak", "not credible": "bad", "refused": "open"}
"""Verdict of a card to the style of its mark."""


def render_card(card: Mapping[str, Any], lang: str = "en") -> str:
    """The card of an effect as one HTML page that opens offline.

    Args:
        card: The card of `equipoise.causal.refutation.card`; missing parts are left out. Beside its own keys it may
            have `name`, `created`, `command`, `versions`, and in `graph` the `nodes` and `edges` that `render_graph`
            draws.
        lang: "en" or "zh".

    Raises:
        ConfigError: if there is no such language.
    """
    return framed("card.html", CardPage(card, Words(lang)))


@dataclass(frozen=True)
class CardPage(Support):
    """What the template asks for."""

    @property
    def what(self) -> str:
        """Which of the pages this is."""
        return "card"

    @property
    def name(self) -> str:
        """What the page is about."""
        return str(
            self.content.get("name")
            or f"{self.question.get('treatment', '')} → {self.question.get('outcome', '')}"
        )

    @property
    def code(self) -> str:
        """Style of the verdict's mark."""
        return CODES.get(str(self.facts("verdict").get("code")), "open")

    @property
    def level(self) -> str:
        """Level of the interval."""
        return self.share(self.estimate.get("level") or 0.95)

    @property
    def question(self) -> Row:
        """What is asked."""
        return self.facts("question")

    @property
    def estimate(self) -> Row:
        """The number, or why there is none."""
        return self.facts("estimate")

    @property
    def data(self) -> Row:
        """What it was estimated from."""
        return self.facts("data")

    @cached_property
    def evidence(self) -> list[str]:
        """The estimate in sentences."""
        e, told = self.estimate, []
        if e.get("refused"):
            told.append(self.words("card.refused", reason=self.said(e.get("reason") or "")))
            if bounds := e.get("bounds"):
                assumption = self.said(bounds.get("assumption") or "")
                told.append(
                    self.words(
                        "card.bounds", interval=self.interval(bounds, signed=True), assumption=assumption
                    )
                )
        elif e.get("value") is not None:
            told.append(self.words("card.estimate", **self._asked(), value=number(e["value"], signed=True)))
            told[-1] += self._uncertainty(e) + self.words("causal.stop")
            if e.get("interval_reliable") is False:
                told.append(self.words("card.unreliable"))
        naive = e.get("naive") or {}
        if naive.get("value") is not None:
            told.append(
                self.words(
                    "card.naive", value=number(naive["value"], signed=True), interval=self._within(naive)
                )
            )
        return told

    def _asked(self) -> dict[str, str]:
        q = self.question
        estimand = self.words.known("estimand", str(q.get("estimand") or ""))
        return {"estimand": estimand, "treatment": str(q.get("treatment")), "outcome": str(q.get("outcome"))}

    def _uncertainty(self, value: Row) -> str:
        said = self._within(value)
        if value.get("p_value") is not None:
            p = p_value(value["p_value"])
            chance = self.words("p.small", p=p[2:]) if p.startswith("<") else self.words("p", p=p)
            said += self.words("causal.comma") + chance.replace(" ", "\u00a0")
        return said

    def _within(self, value: Row) -> str:
        told = self.interval(value, signed=True)
        return self.words("causal.within", level=self.level, interval=told) if told else ""

    @cached_property
    def hero(self) -> drawings.Forest | None:
        """The effect beside what a naive comparison says, and beside the bounds where there are some."""
        e, entries = self.estimate, []
        if e.get("value") is not None:
            method = self.words.known("method.effect", str(self.question.get("method") or ""))
            entries.append(drawings.Entry(self.words("card.hero.effect"), "corrected", e, method))
        if bounds := e.get("bounds"):
            none = {"value": None, "low": bounds.get("low"), "high": bounds.get("high")}
            entries.append(drawings.Entry(self.words("card.hero.bounds"), "bounds", none))
        if (e.get("naive") or {}).get("value") is not None:
            entries.append(drawings.Entry(self.words("card.hero.naive"), "baseline", e["naive"]))
        return drawings.forest(entries, self.words("to"), signed=True)

    @cached_property
    def asked(self) -> list[tuple[str, str]]:
        """The question and the data as pairs of words."""
        q, d, identification = self.question, self.data, self.facts("identification")
        coded = {str(key): q.get(key) for key in ("treated", "control") if q.get(key) is not None}
        pairs: list[tuple[str, Any]] = [
            ("treatment", q.get("treatment")),
            ("outcome", q.get("outcome")),
            ("outcome_kind", self._named("outcome_kind", q.get("outcome_kind"))),
            *((key, value) for key, value in coded.items()),
            ("estimand", self._named("estimand", q.get("estimand"))),
            ("method", self._named("method.effect", q.get("method"))),
            ("strategy", self._named("strategy", identification.get("strategy"))),
            ("adjustment", self.listed(identification.get("adjustment_set") or ()) or None),
            ("n", count(d["n"]) if d.get("n") is not None else None),
            ("n_treated", count(d["treated"]) if d.get("treated") is not None else None),
            ("n_control", count(d["control"]) if d.get("control") is not None else None),
            ("clusters", self._clusters()),
            ("dropped", count(d["dropped"]) if d.get("dropped") else None),
        ]  # fmt: skip
        return [
            (self.words(f"card.fact.{name}"), str(value)) for name, value in pairs if value not in (None, "")
        ]

    def _named(self, kind: str, name: object) -> str:
        return self.words.known(kind, str(name)) if name else ""

    def _clusters(self) -> str | None:
        clusters, cluster = self.data.get("clusters"), self.data.get("cluster")
        return None if clusters is None or cluster is None else f"{count(clusters)} ({cluster})"

    @cached_property
    def drawing(self) -> Drawing | None:
        """The graph, laid out; None where its edges are not given."""
        graph = self.facts("graph")
        if not graph.get("nodes"):
            return None
        adjusted = self.facts("identification").get("adjustment_set") or ()
        roles = dict.fromkeys(map(str, adjusted), "adjusted")
        roles |= {str(self.question.get("outcome")): "outcome", str(self.question.get("treatment")): "do"}
        return lay_out(graph["nodes"], graph.get("edges") or [], roles)

    @cached_property
    def contents(self) -> list[str]:
        """Parts of the page in their order."""
        there = {
            "refutations": self.rows("refutations"),
            "question": True,
            "overlap": self.overlap,
            "balance": self.balance,
            "calibration": self.calibration,
            "sensitivity": any(self.sensitivity.values()),
            "groups": self.rows("groups"),
            "limits": True,
        }
        return [name for name, content in there.items() if content]
