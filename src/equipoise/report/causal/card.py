"""The card of an effect as a page: the number, what it rests on, and the attempts to refute it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from equipoise.report.causal import drawings
from equipoise.report.causal.framing import Page, Row, framed
from equipoise.report.causal.layout import Drawing, lay_out
from equipoise.report.figures import Curve, Ticks, reliability_curves
from equipoise.report.languages import Words
from equipoise.report.numbers import brief, count, number, p_value
from equipoise.statistics import Reliability

CODES = {"supported": "good", "fragile": "weak", "not credible": "bad", "refused": "open"}
"""Verdict of a card to the style of its mark."""
STATUS = {"passed": "good", "failed": "bad", "not run": "open"}
"""Outcome of a check to the style of its mark."""
TOLERATED = 0.1
"""Standardised mean difference up to which a covariate counts as balanced (Austin 2009)."""
SHOWN = 20
"""Covariates in the figure; the table has all."""


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
class CardPage(Page):
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

    @property
    def overlap(self) -> Row:
        """How alike the treated and the others are."""
        return self.facts("overlap")

    @cached_property
    def mirror(self) -> drawings.Mirror | None:
        """Propensities of both sides, back to back."""
        bins = self.overlap.get("histogram")
        sides = (self.words("card.treated"), self.words("card.control"))
        return drawings.mirror(bins, sides) if bins else None

    @cached_property
    def overlap_facts(self) -> list[tuple[str, str]]:
        """Range of the propensities and health of the weights."""
        o, sizes = self.overlap, self.overlap.get("effective_sample_size") or {}
        low, q01, median, q99, high = (
            brief(o.get(name)) for name in ("minimum", "q01", "median", "q99", "maximum")
        )
        pairs = [
            ("range", f"{low} {self.words('to')} {high}"), ("middle", f"{q01} {self.words('to')} {q99}"),
            ("median", median), ("ess_treated", _counted(sizes.get("treated"))),
            ("ess_control", _counted(sizes.get("control"))), ("max_weight", brief(o.get("max_weight"))),
            ("mean_weight", brief(o.get("mean_weight"))),
            ("share_clipped", self.share(o.get("share_clipped"))), ("clip", brief(o.get("clip"))),
        ]  # fmt: skip
        return [(self.words(f"card.overlap.{name}"), value) for name, value in pairs if value != "–"]

    @cached_property
    def balance(self) -> list[Row]:
        """Covariates, the least balanced first."""
        return sorted(self.rows("balance"), key=lambda row: -abs(row.get("before") or 0.0))

    @cached_property
    def love(self) -> drawings.LovePlot:
        """Imbalance before and after."""
        return drawings.love(self.balance[:SHOWN], TOLERATED)

    @cached_property
    def unbalanced(self) -> int:
        """Covariates that stay unbalanced."""
        return sum(abs(row.get("after") or 0.0) > TOLERATED for row in self.balance)

    @cached_property
    def calibration(self) -> tuple[list[Curve], Ticks] | None:
        """Reliability of the propensities."""
        bins = self.facts("calibration").get("bins")
        if not bins:
            return None
        said, seen, n = (np.array([row[key] for row in bins]) for key in ("predicted", "observed", "n"))
        return reliability_curves(
            {"corrected": Reliability(said, seen, n)}, {"corrected": self.words("card.propensity")}
        )

    @cached_property
    def checks(self) -> list[tuple[Row, str, drawings.Small | None]]:
        """Attempts to refute, those that failed first: the check, its style, its figure."""
        order = ["failed", "passed", "not run"]
        rows = sorted(
            self.rows("refutations"),
            key=lambda row: order.index(row["status"]) if row["status"] in order else 3,
        )
        return [(row, STATUS.get(str(row["status"]), "open"), self._figure(row)) for row in rows]

    def _figure(self, row: Row) -> drawings.Small | None:
        title = self.words.known("card.check", str(row["name"]))
        return drawings.small(row, "loss" if row["status"] == "failed" else "corrected", title)

    @property
    def sensitivity(self) -> Row:
        """How strong a hidden cause must be."""
        return self.facts("sensitivity")

    @cached_property
    def e_value(self) -> drawings.Forest | None:
        """The E-value of the estimate and of the limit of its interval."""
        e = self.sensitivity.get("e_value") or {}
        entries = [
            drawings.Entry(self.words(f"card.e_value.{key}"), stage, {"value": e.get(key)})
            for key, stage in (("point", "corrected"), ("limit", "baseline"))
            if e.get(key) is not None
        ]
        return drawings.forest(entries, self.words("to"), reference=1.0) if entries else None

    @cached_property
    def rosenbaum(self) -> drawings.Plot | None:
        """p-values by the strength of hidden bias."""
        curve = (self.sensitivity.get("rosenbaum") or {}).get("curve")
        words = (
            self.words("card.rosenbaum.title"),
            self.words("card.rosenbaum.x"),
            self.words("card.rosenbaum.y"),
        )
        return drawings.gammas(curve, 0.05, words) if curve else None

    @cached_property
    def contour(self) -> drawings.Plot | None:
        """What a hidden cause must be like to explain the estimate away."""
        partial = self.sensitivity.get("partial_r2")
        words = {name: self.words(f"card.partial.{name}") for name in ("title", "x", "y")}
        return drawings.explained_away(partial, words) if partial else None

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


def _counted(value: float | None) -> str:
    return "–" if value is None else count(value)
