"""What the number of a card rests on, as figures: overlap, balance, refutations, sensitivity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from equipoise.report.causal import drawings
from equipoise.report.causal.framing import Page, Row
from equipoise.report.figures import Curve, Ticks, reliability_curves
from equipoise.report.numbers import brief, count
from equipoise.statistics import Reliability

STATUS = {"passed": "good", "failed": "bad", "not run": "open"}
"""Outcome of a check to the style of its mark."""
TOLERATED = 0.1
"""Standardised mean difference up to which a covariate counts as balanced (Austin 2009)."""
SHOWN = 20
"""Covariates in the figure; the table has all."""


@dataclass(frozen=True)
class Support(Page):
    """The parts of a card's page that the number rests on."""

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


def _counted(value: float | None) -> str:
    return "–" if value is None else count(value)
