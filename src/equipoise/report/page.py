"""From a run's plain results to one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from equipoise.metrics import Definition, define
from equipoise.report import environment, figures, sentences
from equipoise.report.causal.weights import WeightsPanel
from equipoise.report.environment import templates
from equipoise.report.languages import Words
from equipoise.report.numbers import number, percent, seconds
from equipoise.report.results import RunReport

FEW_USERS = 30
"""Groups of fewer users are marked."""


def render(results: RunReport, lang: str = "en") -> str:
    """One HTML page that opens offline: styles and figures stand in it, nothing is fetched, nothing runs.

    Args:
        results: What the page shows.
        lang: "en" or "zh".

    Raises:
        ConfigError: if there is no such language.
    """
    words = Words(lang)
    return (
        templates()
        .get_template("page.html")
        .render(page=Page(results, words), results=results, t=words, number=number)
    )


@dataclass(frozen=True)
class Row:
    """A metric, before and after."""

    name: str
    definition: Definition | None
    values: Mapping[str, Mapping[str, Any]]
    strip: figures.Strip
    comparison: Mapping[str, Any] | None


@dataclass(frozen=True)
class GroupFigure:
    """One attribute: a figure of one metric, and the table of all."""

    attribute: str
    metric: str
    strips: Mapping[str, tuple[figures.Mark, ...]]
    axis: figures.Axis
    users: Mapping[str, int]
    table: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]

    @property
    def metrics(self) -> list[str]:
        """Metrics of the table."""
        return list(next(iter(next(iter(self.table.values())).values())))


@dataclass(frozen=True)
class Page:
    """What the templates ask for."""

    results: RunReport
    words: Words

    @cached_property
    def stages(self) -> dict[str, str]:
        """Stage to its name in words."""
        return {stage: self.words.known("stage", stage) for stage in self.results.metrics.get("stages", {})}

    @cached_property
    def headline(self) -> str | None:
        """The metric the verdict speaks of."""
        return sentences.headline(self.results.metrics)

    @cached_property
    def compared(self) -> bool:
        """Whether there is a before and an after."""
        return bool(self.results.metrics.get("comparison"))

    @cached_property
    def verdict(self) -> str:
        """The verdict sentence."""
        return sentences.verdict(self.results.metrics, self.words)

    @cached_property
    def evidence(self) -> list[str]:
        """Sentences behind the verdict."""
        return sentences.evidence(self.results.metrics, self.words)

    @cached_property
    def level(self) -> str:
        """Level of the intervals."""
        return percent(self.results.metrics.get("protocol", {}).get("level", 0.95))

    @cached_property
    def rows(self) -> list[Row]:
        """Metrics with intervals."""
        stages, compared = self.results.metrics.get("stages", {}), self.results.metrics.get("comparison", {})
        found = []
        for name in next(iter(stages.values()), {}):
            values = {stage: numbers[name] for stage, numbers in stages.items() if name in numbers}
            strip = figures.strip(values, self.stages)
            found.append(Row(name, define(name), values, strip, compared.get(name)))
        return found

    @cached_property
    def hero(self) -> Row | None:
        """The row of the headline metric."""
        return next((row for row in self.rows if row.name == self.headline), None)

    @cached_property
    def system(self) -> list[tuple[str, dict[str, float]]]:
        """Values of the system as a whole, by metric and stage."""
        stages = self.results.metrics.get("system", {})
        names = list(next(iter(stages.values()), {}))
        return [(name, {stage: values[name] for stage, values in stages.items()}) for name in names]

    @cached_property
    def groups(self) -> list[GroupFigure]:
        """One figure per attribute."""
        stages: Mapping[str, Any] = self.results.metrics.get("groups", {})
        attributes: Mapping[str, Any] = next(iter(stages.values()), {})
        return [figure for attribute in attributes if (figure := self._group(attribute, stages)) is not None]

    def _group(self, attribute: str, stages: Mapping[str, Any]) -> GroupFigure | None:
        table: dict[str, dict[str, Any]] = {}
        for stage, attributes in stages.items():
            for group, metrics in attributes.get(attribute, {}).items():
                table.setdefault(str(group), {})[stage] = metrics
        if not table:
            return None
        offered = next(iter(next(iter(table.values())).values()))
        metric = self.headline if self.headline in offered else next(iter(offered))
        assert metric is not None
        chosen = {
            group: {stage: metrics[metric] for stage, metrics in by.items()} for group, by in table.items()
        }
        users = {group: int(next(iter(by.values()))["users"]) for group, by in chosen.items()}
        strips, axis = figures.group_strips(chosen, self.stages)
        return GroupFigure(attribute, metric, strips, axis, users, table)

    @cached_property
    def few_users(self) -> bool:
        """Whether any group is so small that it is marked."""
        return any(n < FEW_USERS for group in self.groups for n in group.users.values())

    few: int = FEW_USERS

    @cached_property
    def lorenz(self) -> tuple[list[figures.Curve], figures.Ticks]:
        """Lorenz curves, and the ticks of the axes."""
        return figures.lorenz_curves(self.results.exposure)

    @cached_property
    def lorenz_table(self) -> list[tuple[float, dict[str, float]]]:
        """The curves as a table."""
        return figures.lorenz_table(self.results.exposure)

    @cached_property
    def reliability(self) -> tuple[list[figures.Curve], figures.Ticks]:
        """Reliability curves, and the ticks of the axes."""
        return figures.reliability_curves(self.results.reliability, self.stages)

    @cached_property
    def calibration_errors(self) -> str:
        """Expected calibration errors in words."""
        found = self.results.metrics.get("calibration", {})
        return ", ".join(
            f"{self.stages.get(stage, stage)} {number(one['ece'])}" for stage, one in found.items()
        )

    @cached_property
    def planted(self) -> list[tuple[str, dict[str, Any]]]:
        """Quantities known only of generated worlds, by name and stage; an interval stays a mapping."""
        stages: Mapping[str, Any] = self.results.metrics.get("planted") or {}
        flat = {stage: dict(self._flattened(values)) for stage, values in stages.items()}
        names = list(dict.fromkeys(name for values in flat.values() for name in values))
        return [(name, {stage: values.get(name) for stage, values in flat.items()}) for name in names]

    @cached_property
    def weights(self) -> list[WeightsPanel]:
        """The propensities of each correction that uses some."""
        return [WeightsPanel(card, self.words) for card in self.results.metrics.get("propensities") or ()]

    @cached_property
    def weighted(self) -> list[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
        """Metrics by stage, on held-out events weighted by propensity, and on the same with equal weights."""
        told: Mapping[str, Any] = self.results.metrics.get("weighted") or {}
        stages, equal = told.get("stages", {}), told.get("equal", {})
        names = list(next(iter(stages.values()), {}))
        return [
            (name, *({stage: values[name] for stage, values in part.items()} for part in (stages, equal)))
            for name in names
        ]

    @cached_property
    def waterfall(self) -> list[figures.Bar]:
        """Rows of the events table, from reading on."""
        events = [row for row in self.results.account if row.get("table") == "events"]
        if not events:
            return []
        steps = [
            (self.words.phrase(row["reason"]), int(row["dropped"])) for row in events if row.get("dropped")
        ]
        read = int(events[0]["kept"]) + int(events[0]["dropped"])
        return figures.waterfall(steps, (self.words("data.read"), read), self.words("data.left"))

    @cached_property
    def protocol(self) -> list[tuple[str, str]]:
        """The protocol as pairs of words."""
        return environment.protocol(self.results.metrics.get("protocol", {}), self.words)

    @cached_property
    def protocol_line(self) -> str:
        """The protocol in one line, to stand beside numbers."""
        told = self.results.metrics.get("protocol", {})
        order = ["strategy", "split", "k", "candidates", "seen_items", "relevant", "test_users", "interval"]
        pairs = environment.protocol({name: told[name] for name in order if name in told}, self.words)
        return " · ".join(f"{name} {value}" for name, value in pairs)

    @cached_property
    def provenance(self) -> list[tuple[str, int | None, str | None]]:
        """Table, rows and content hash."""
        facts = self.results.manifest.get("stages", {}).get("prepare", {})
        rows, hashes = facts.get("rows", {}), facts.get("sha256", {})
        return [
            (self.words.phrase(name), rows.get(name), hashes.get(name))
            for name in dict.fromkeys([*rows, *hashes])
        ]

    @cached_property
    def timings(self) -> list[figures.Bar]:
        """Seconds per step."""
        spent = {
            name: float(facts["seconds"])
            for name, facts in self.results.manifest.get("stages", {}).items()
            if "seconds" in facts
        }
        longest = max([*spent.values(), 1e-9])
        return [
            figures.Bar(self.words.phrase(name), 0.0, round(100 * time / longest, 2), seconds(time), "whole")
            for name, time in spent.items()
        ]

    @cached_property
    def glossary(self) -> list[Definition]:
        """Definitions of the metrics on the page."""
        names = [row.name for row in self.rows] + [name for name, _ in self.system]
        found = {one.name: one for name in names if (one := define(name)) is not None}
        return list(found.values())

    @cached_property
    def started(self) -> str:
        """When the run began, to the minute."""
        return environment.minute(str(self.results.manifest.get("started") or ""))

    def said(self, attribute: str) -> str:
        """A column's name as words."""
        known = self.words.phrase(attribute)
        return attribute.replace("_", " ") if known == attribute else known

    def shown(self, name: str) -> str:
        """A metric's name as people write it."""
        return sentences.shown(name, self.words)

    def _flattened(self, values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
        for name, value in values.items():
            words = prefix + self.words.known("planted", name)
            if isinstance(value, Mapping) and "value" not in value:
                yield from self._flattened(value, f"{words}: ")
            else:
                yield words, value
