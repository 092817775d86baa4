"""A plan of exploration as a page: what each amount of exploration takes, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from equipoise.report.causal.framing import Page, Row, framed
from equipoise.report.languages import Words
from equipoise.report.numbers import brief, count


def render_plan(content: Mapping[str, Any], lang: str = "en") -> str:
    """A plan of exploration as one HTML page that opens offline.

    Args:
        content: What `Plan.as_dict()` gives, with `situation` (what it starts from), `users` (those at hand, or None)
            and `audit` (what the audit asks for, or None); beside that perhaps `name`, `created`, `command`,
            `versions`.
        lang: "en" or "zh".

    Raises:
        ConfigError: if there is no such language.
    """
    return framed("plan.html", PlanPage(content, Words(lang)))


@dataclass(frozen=True)
class PlanPage(Page):
    """What the template asks for."""

    @property
    def what(self) -> str:
        """Which of the pages this is."""
        return "plan"

    @property
    def chosen(self) -> Row:
        """The amount of exploration that is advised; empty where none answers."""
        return self.facts("chosen")

    @property
    def code(self) -> str:
        """Style of the verdict's mark."""
        return "good" if self.chosen else "bad"

    @property
    def verdict(self) -> str:
        """The verdict in a word or two."""
        return self.words("plan.verdict.found" if self.chosen else "plan.verdict.none")

    @property
    def sentence(self) -> str:
        """The advice, first on the page."""
        if not self.chosen:
            return self.words("plan.sentence.none", users=count(self.content.get("users") or 0))
        return self.words(
            "plan.sentence.found",
            epsilon=self.share(self.chosen["epsilon"]),
            users=count(self.chosen["users"]),
            lost=brief(self.chosen["lost"]),
        )

    @property
    def because(self) -> list[str]:
        """What an audit needs, where it was asked."""
        users, audit = self.content.get("audit_users"), self.facts("audit")
        if users is None:
            return []
        return [self.words("plan.audit", users=count(users), tolerance=brief(audit.get("tolerance")))]

    @cached_property
    def options(self) -> list[tuple[Row, bool, float, float]]:
        """Amounts of exploration: whether advised, and the lengths of the bars of users and of loss, in per cent."""
        rows = self.rows("options")
        most = {name: max((row[name] for row in rows), default=0) or 1 for name in ("users", "lost")}
        return [
            (row, row["epsilon"] == self.chosen.get("epsilon"), 100 * row["users"] / most["users"],
             100 * row["lost"] / most["lost"])
            for row in rows
        ]  # fmt: skip

    @property
    def assumed(self) -> list[tuple[str, str]]:
        """What the plan starts from, as pairs of words."""
        told = dict(self.facts("situation"))
        if self.content.get("users"):
            told["users"] = self.content["users"]
        return [
            (self.words.known("plan.fact", name), self._shown(value))
            for name, value in told.items()
            if value is not None
        ]

    def _shown(self, value: float | str) -> str:
        return self.words.known("plan.against", value) if isinstance(value, str) else brief(value)

    @property
    def contents(self) -> list[str]:
        """Parts of the page in their order."""
        return ["options", "assumed", "limits"]
