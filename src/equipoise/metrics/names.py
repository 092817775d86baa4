"""Metrics by name, as configurations write them: "ndcg@10"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from equipoise.errors import ConfigError, nearest
from equipoise.metrics import ranking
from equipoise.metrics import system as of_system
from equipoise.metrics.definitions import DEFINITIONS, Definition
from equipoise.metrics.ranking import RankingMetric
from equipoise.metrics.system import SystemMetric

RANKING: Final[dict[str, Callable[[int], RankingMetric]]] = {
    "precision": ranking.precision,
    "recall": ranking.recall,
    "hit_rate": ranking.hit_rate,
    "ndcg": ranking.ndcg,
    "mrr": ranking.mrr,
    "map": ranking.average_precision,
}
"""Metrics of a user's list against the truth, by name without cutoff."""

SYSTEM: Final[dict[str, Callable[[int], SystemMetric]]] = {
    "coverage": of_system.coverage,
    "gini": of_system.gini,
    "entropy": of_system.entropy,
}
"""Metrics of all lists together, by name without cutoff."""


def _split(
    text: str, known: dict[str, Callable[[int], RankingMetric]] | dict[str, Callable[[int], SystemMetric]]
) -> tuple[str, int]:
    name, at, cutoff = text.strip().lower().partition("@")
    if name not in known:
        raise ConfigError(f"There is no metric called '{name}'", where=f"'{text}'", todo=nearest(name, known))
    if not at or not cutoff.isdigit() or int(cutoff) < 1:
        raise ConfigError(
            f"The metric '{text}' has no cutoff", todo=f"Write the length of the list behind it: '{name}@10'."
        )
    return name, int(cutoff)


def parse(text: str) -> RankingMetric:
    """The metric that "ndcg@10" names.

    Raises:
        ConfigError: if there is no such metric (the nearest is suggested), or the cutoff is missing.
    """
    name, cutoff = _split(text, RANKING)
    return RANKING[name](cutoff)


def parse_system(text: str) -> SystemMetric:
    """The system metric that "gini@10" names; errors as in `parse`."""
    name, cutoff = _split(text, SYSTEM)
    return SYSTEM[name](cutoff)


def define(text: str) -> Definition | None:
    """Meaning of a metric by its name, with or without cutoff and group in brackets; None for a name that is not
    ours.
    """
    return DEFINITIONS.get(text.partition("@")[0].partition("(")[0])
