"""A causal graph, or a proposal of one, as a page: the drawing, the answer to a query, the tests on data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from equipoise.report.causal.framing import Page, framed
from equipoise.report.causal.layout import Drawing, lay_out
from equipoise.report.languages import Words

Row = Mapping[str, Any]

CODES = {
    "identified": "good",
    "agrees": "good",
    "contradicted": "bad",
    "not identified": "bad",
    "proposal": "open",
    "shown": "open",
}
"""Verdict of a graph page to the style of its mark."""


def render_graph(content: Mapping[str, Any], lang: str = "en") -> str:
    """A graph as one HTML page that opens offline.

    Args:
        content: Plain JSON values; whatever is optional may be missing or None::

            {"kind": "graph", "schema": 1,
             "name": "clicks.graph",                             # optional: what the page is called
             "verdict": {"code": "identified|not identified|agrees|contradicted|proposal|shown",
                         "sentence": "..."},                      # one sentence, first on the page
             "nodes": ["age", "history", "click"],
             "edges": [{"from": "age", "to": "history", "kind": "->|<->|--|o->|o-o|o--",
                        "confidence": 0.93}],                     # confidence optional, in [0, 1]
             "text": "age -> history; ...", "mermaid": "...", "graphviz": "...",   # optional: to copy
             "proposal": {"method", "n", "n_bootstrap", "sentence", "refused": ["a -> zz", ...]},     # optional
             "query": {"outcome": ["click"], "do": ["history"], "given": [], "identified": true,       # optional
                       "formula", "latex", "strategy", "adjustment_set": ["age"], "assumptions": ["..."],
                       "adjustment_sets": [["age"], ...],         # optional: minimal ones
                       "more_adjustment_sets": False,             # whether there are more
                       "reason": "why not",                       # of a refusal
                       "hedge": {"outer": ["..."], "inner": ["..."]}},
             "implications": [{"a", "b", "given": ["..."], "test", "statistic", "p_value", "p_adjusted",
                               "rejected": false}],               # optional: as tested on data
             "level": 0.05, "n": 1000,                            # optional: of these tests
             "versions": {"equipoise": "..."}, "command": "equipoise graph ...", "created": "2026-01-31T12:00:00Z"}

        lang: "en" or "zh".

    Raises:
        ConfigError: if there is no such language.
    """
    return framed("graph.html", GraphPage(content, Words(lang)))


@dataclass(frozen=True)
class GraphPage(Page):
    """What the template asks for."""

    @property
    def what(self) -> str:
        """Which of the pages this is."""
        return "graph"

    @property
    def code(self) -> str:
        """Style of the verdict's mark."""
        return CODES.get(str(self.facts("verdict").get("code")), "open")

    @property
    def sentence(self) -> str:
        """The verdict as it was written: it may be a formula, which takes no full stop."""
        return self.words.phrase(self.facts("verdict").get("sentence") or "")

    @cached_property
    def roles(self) -> dict[str, str]:
        """Variables that the query names, and what they are in it."""
        query = self.facts("query")
        named = {"given": "given", "adjustment_set": "adjusted", "outcome": "outcome", "do": "do"}
        return {name: role for key, role in named.items() for name in query.get(key) or ()}

    @cached_property
    def drawing(self) -> Drawing:
        """The graph, laid out."""
        return lay_out(self.content.get("nodes") or [], self.rows("edges"), self.roles)

    @cached_property
    def kinds(self) -> list[str]:
        """Kinds of edges there are, for the legend."""
        return list(dict.fromkeys(str(edge["kind"]) for edge in self.rows("edges")))

    @cached_property
    def confident(self) -> list[Row]:
        """Edges with a confidence, the surest first."""
        known = [edge for edge in self.rows("edges") if edge.get("confidence") is not None]
        return sorted(known, key=lambda edge: -edge["confidence"])

    @cached_property
    def tested(self) -> list[Row]:
        """Implied independences, those that the data contradict first."""
        return sorted(
            self.rows("implications"),
            key=lambda row: (not row.get("rejected"), row.get("p_adjusted", row.get("p_value")) or 0.0),
        )

    @cached_property
    def contents(self) -> list[str]:
        """Parts of the page in their order."""
        there = {
            "drawing": self.content.get("nodes"),
            "query": self.facts("query"),
            "edges": self.confident,
            "implications": self.content.get("implications") is not None,
            "copy": self.content.get("text") or self.content.get("mermaid"),
            "limits": True,
        }
        return [name for name, content in there.items() if content]
