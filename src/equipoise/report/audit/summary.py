"""The evidence on one printable page: verdict, numbers behind it, what was not testable, who signs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from equipoise.report import environment
from equipoise.report.audit.evidence import Row
from equipoise.report.audit.page import AuditPage, page_of
from equipoise.report.audit.sentences import worst_first
from equipoise.report.audit.tables import Verdicts
from equipoise.report.languages import Words
from equipoise.report.numbers import number

SYSTEMS, TESTS, REASONS, COLLAPSED = 4, 8, 4, 1
"""How many of each fit on the page whatever their names are."""


def render_summary(evidence: Mapping[str, Any], lang: str = "en") -> str:
    """The summary of an audit: one page of A4 without any script.

    Args:
        evidence: The content of `evidence.json`.
        lang: "en" or "zh".

    Raises:
        ConfigError: if there is no such language.
    """
    page = page_of(evidence, Words(lang))
    return (
        environment.templates()
        .get_template("summary.html")
        .render(
            summary=Summary(page), page=page, e=page.evidence, say=page.speaker, t=page.words, number=number
        )
    )


@dataclass(frozen=True)
class Summary:
    """What fits on one page."""

    page: AuditPage

    @cached_property
    def systems(self) -> Sequence[Verdicts]:
        """The first systems under audit."""
        return self.page.verdicts[:SYSTEMS]

    @cached_property
    def tests(self) -> list[Row]:
        """The worst test of each system and attribute, then the other most serious ones."""
        ordered = worst_first(self.page.evidence.judged)
        first: dict[tuple[str, str], Row] = {}
        for row in ordered:
            first.setdefault((str(row["system"]), str(row["attribute"])), row)
        leading = list(first.values())
        return [*leading, *(row for row in ordered if row not in leading)][:TESTS]

    @cached_property
    def untestable(self) -> list[str]:
        """What could not be tested: first what was asked for, then what was not measured."""
        return [*self.page.untestable, *self.page.absent]

    @property
    def reasons(self) -> list[str]:
        """The first of them."""
        return self.untestable[:REASONS]

    @property
    def collapsed(self) -> list[Row]:
        """The first system that shows everybody the same."""
        return self.page.collapsed[:COLLAPSED]
