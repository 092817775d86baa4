"""The propensities of a run's correction, as a part of the run's page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from equipoise.report.causal.drawings import LovePlot, love
from equipoise.report.environment import plain
from equipoise.report.languages import Words
from equipoise.report.numbers import brief, count, percent

TOLERATED = 0.1
"""Standardised mean difference up to which items count as balanced (Austin 2009)."""
SHOWN = 12
"""Columns of the items in the figure, the least balanced first."""


@dataclass(frozen=True)
class WeightsPanel:
    """What the template asks for.

    Attributes:
        card: One of the cards under `propensities` in `metrics.json`.
        words: The language.
    """

    card: Mapping[str, Any]
    words: Words

    @property
    def code(self) -> str:
        """Style of the verdict's mark."""
        return "good" if self.card["verdict"]["code"] == "sound" else "weak"

    @property
    def verdict(self) -> str:
        """The verdict in a sentence."""
        return self.words(f"weights.verdict.{self.card['verdict']['code']}")

    @property
    def because(self) -> list[str]:
        """Doubts in sentences."""
        return [self.words(f"weights.because.{code}") for code in self.card["verdict"]["because"]]

    @cached_property
    def facts(self) -> list[tuple[str, str]]:
        """Model, range and health of the weights."""
        c = self.card
        options = plain(c.get("options") or {}, self.words)
        model = self.words.known("propensity", str(c["model"])) + (f" ({options})" if options else "")
        pairs = [
            ("model", model),
            ("rows", count(c["rows"])),
            ("range", f"{brief(c['lowest'])} {self.words('to')} {brief(c['highest'])}"),
            ("effective_sample_size", count(c["effective_sample_size"])),
            ("effective_share", percent(c["effective_share"])),
            ("share_clipped", percent(c["share_clipped"])),
            ("largest_weight", brief(c["largest_weight"])),
            ("top_share", percent(c["top_share"])),
            ("mean_weight", brief(c.get("mean_weight"))),
            ("calibration_error", brief(c.get("calibration_error"))),
            ("without", count(c["without"]) if c.get("without") else "–"),
        ]
        return [(self.words(f"weights.fact.{name}"), value) for name, value in pairs if value != "–"]

    @cached_property
    def love(self) -> LovePlot | None:
        """Items shown against the catalogue, before and after weighting; None without exposures."""
        rows = sorted(self.card.get("balance") or (), key=lambda row: -abs(row["before"]))[:SHOWN]
        return love(rows, TOLERATED) if rows else None
