"""What all causal pages share: the frame around them, and how they read plain values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from equipoise.report import environment
from equipoise.report.languages import Words
from equipoise.report.numbers import number, percent

Row = Mapping[str, Any]


def framed(template: str, page: Page) -> str:
    """A page from its template: styles and figures stand in it, nothing is fetched, nothing runs."""
    return (
        environment.templates()
        .get_template(template)
        .render(page=page, c=page.content, t=page.words, number=number)
    )


@dataclass(frozen=True)
class Page(ABC):
    """What the templates ask of every page.

    Attributes:
        content: What is shown, as plain JSON values.
        words: The language.
    """

    content: Mapping[str, Any]
    words: Words

    @property
    @abstractmethod
    def what(self) -> str:
        """Which of the pages this is, the prefix of its messages."""

    @property
    @abstractmethod
    def code(self) -> str:
        """Style of the verdict's mark: good, bad, weak or open."""

    @property
    @abstractmethod
    def contents(self) -> list[str]:
        """Parts of the page in their order."""

    @property
    def verdict(self) -> str:
        """The verdict in a word or two."""
        return self.words.known(f"{self.what}.verdict", str(self.facts("verdict").get("code") or ""))

    @property
    def sentence(self) -> str:
        """The verdict, first on the page."""
        return self.said(self.facts("verdict").get("sentence") or "")

    @property
    def because(self) -> list[str]:
        """What stands behind the verdict."""
        return [self.said(reason) for reason in self.facts("verdict").get("because") or ()]

    @cached_property
    def created(self) -> str:
        """When the content was made, to the minute."""
        return environment.minute(str(self.content.get("created") or ""))

    @property
    def name(self) -> str:
        """What the page is about, beside its kind."""
        return str(self.content.get("name") or "")

    @property
    def level(self) -> str:
        """Level of the intervals, kept in one line."""
        return self.share(self.content.get("level") or 0.95)

    def said(self, text: object) -> str:
        """A sentence that another part wrote, in this language, with its full stop."""
        told = self.words.phrase(text)
        return told if not told or told[-1] in ".!?。！？" else told + self.words("causal.stop")

    def facts(self, name: str) -> Mapping[str, Any]:
        """A part of the content; empty where there is none."""
        found = self.content.get(name)
        return found if isinstance(found, Mapping) else {}

    def rows(self, name: str) -> list[Row]:
        """A list of the content; empty where there is none."""
        return list(self.content.get(name) or ())

    def share(self, value: float | None) -> str:
        """A share as per cent, kept in one line."""
        return percent(value).replace(" ", "\u00a0")

    def listed(self, names: Iterable[object]) -> str:
        """Names with commas between."""
        return self.words("causal.comma").join(str(name) for name in names)

    def interval(self, value: Mapping[str, Any], signed: bool = False) -> str:
        """In words: "0.0012 to 0.0430"; empty without an interval."""
        if value.get("low") is None or value.get("high") is None:
            return ""
        return f"{number(value['low'], signed)} {self.words('to')} {number(value['high'], signed)}"
