"""The charts of an audit: gaps against tolerance, ranges against chance, utility against gap, exposure, attackers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from equipoise.report.audit.evidence import DIFFERENCES, Evidence, Row, distinct, fair, kind
from equipoise.report.audit.marks import Style, styles
from equipoise.report.audit.sentences import Speaker
from equipoise.report.audit.strips import (
    FAINT,
    Block,
    Chart,
    Point,
    axis_of,
    plain_text,
    rounded,
    strips,
    whiskers,
)
from equipoise.report.languages import Words
from equipoise.report.numbers import number, percent

SQUARE = 400
"""Height of charts with two axes, in pixels."""


@dataclass(frozen=True)
class Charts:
    """Draws the charts of one evidence."""

    speaker: Speaker

    @property
    def evidence(self) -> Evidence:
        """What is drawn."""
        return self.speaker.evidence

    @property
    def words(self) -> Words:
        """The language."""
        return self.speaker.words

    @cached_property
    def styles(self) -> Mapping[str, Style]:
        """Style of each system."""
        return styles(self.evidence.systems, self.evidence.references)

    def style(self, system: object) -> Style:
        """Style of a system; grey for names that the list of systems does not have."""
        return self.styles.get(str(system), Style("--reference", "circle-open"))

    def gaps(self, metric: str) -> Chart:
        """Gaps of one metric by attribute and system, on the band of the tolerance, with the detectable gap."""
        rows = [row for row in self.evidence.primary if row["metric"] == metric]
        blocks = []
        for attribute in distinct(rows, "attribute"):
            these = [row for row in rows if row["attribute"] == attribute]
            tolerance = next((row["tolerance"] for row in these if row.get("tolerance") is not None), None)
            middle = fair(these[0])
            band = None if tolerance is None or middle is None else (middle - tolerance, middle + tolerance)
            points = [self._point(row, "gap", _detectable(row)) for row in self._ordered(these)]
            blocks.append(Block(self._heading(these[0]), points, band, middle))
        title = self.words("audit.gaps.title", metric=self.speaker.shown(metric))
        return strips(title, blocks, self.words("audit.axis.gap", metric=self.speaker.shown(metric)))

    def ranges(self, metric: str) -> Chart:
        """Gaps between several groups beside the gaps that shuffled groups have."""
        rows = [
            row
            for row in self.evidence.primary
            if row["metric"] == metric and row.get("null_mean") is not None
        ]
        blocks = []
        for attribute in distinct(rows, "attribute"):
            these = self._ordered([row for row in rows if row["attribute"] == attribute])
            points = [
                replace(
                    self._point(row, "gap", [("null", row["null_mean"])]),
                    bar=(0.0, row["null_high"]) if row.get("null_high") is not None else None,
                )
                for row in these
            ]
            blocks.append(Block(self._heading(these[0]), points))
        title = self.words("audit.ranges.title", metric=self.speaker.shown(metric))
        return strips(title, blocks, self.words("audit.axis.range", metric=self.speaker.shown(metric)), 0.0)

    def exposure(self, attribute: str) -> Chart:
        """Exposure of each group of items by system, beside its target."""
        rows = [row for row in self.evidence.rows("exposure") if row["attribute"] == attribute]
        blocks = []
        for group in distinct(rows, "group"):
            these = self._ordered([row for row in rows if row["group"] == group])
            points = [
                self._point(
                    row, "share", [("target", row["target"])] if row.get("target") is not None else []
                )
                for row in these
            ]
            blocks.append(Block(self.speaker.group(group), points))
        title = self.words("audit.exposure.title", attribute=self.speaker.attribute(attribute))
        return strips(title, blocks, self.words("audit.axis.exposure"), 0.0)

    def attackers(self, attribute: str) -> Chart:
        """AUC of the strongest attacker on each view, with controls, and chance."""
        rows = [
            row
            for row in self.evidence.rows("attackers")
            if row["attribute"] == attribute and row["metric"] == "auc"
        ]
        blocks = []
        for view in distinct(rows, "view"):
            points = []
            for system in distinct(rows, "system"):
                these = [row for row in rows if row["view"] == view and row["system"] == system]
                controls = [
                    ("control", row["value"])
                    for row in these
                    if row.get("control") and row["value"] is not None
                ]
                found = [row for row in these if not row.get("control") and row["value"] is not None]
                if found:
                    best = max(found, key=lambda row: (bool(row.get("strongest")), row["value"]))
                    points.append(self._point(best, "value", controls))
            blocks.append(Block(self.words.known("view", view), points))
        title = self.words("audit.attackers.title", attribute=self.speaker.attribute(attribute))
        return strips(title, blocks, self.words("audit.axis.auc"), 0.5)

    def scatter(self, attribute: str) -> Chart:
        """Utility of each system against its gap, both with intervals."""
        metric = self.evidence.headline
        utility = {
            str(row["system"]): row for row in self.evidence.rows("overall") if row["metric"] == metric
        }
        rows = [
            row for row in self.evidence.primary if row["metric"] == metric and row["attribute"] == attribute
        ]
        data: list[dict[str, Any]] = []
        for row in self._ordered(rows):
            over = utility.get(str(row["system"]))
            if over is None or row.get("gap") is None or over.get("value") is None:
                continue
            style = self.style(row["system"])
            gap = Point(style, row["gap"], row.get("low"), row.get("high"), "")
            value = Point(style, over["value"], over.get("low"), over.get("high"), "")
            told = number(row["gap"], self.speaker.signed(row))
            title = f"{row['system']}: {number(over['value'])}; {self.words('column.gap')} {told}"
            data.append(
                {
                    "type": "scatter", "mode": "markers", "x": [rounded(row["gap"])], "y": [rounded(over["value"])],
                    "marker": style.marker(12), "hoverinfo": "text", "hovertext": [plain_text(title)],
                    **whiskers(gap, "error_x"), **whiskers(value, "error_y"),
                }
            )  # fmt: skip
        shown = self.speaker.shown(str(metric))
        tolerance = next((row["tolerance"] for row in rows if row.get("tolerance") is not None), None)
        named = self.speaker.measured(rows[0]) if rows else shown
        layout = _square(self.words("audit.axis.gap", metric=named), shown)
        middle = fair(rows[0]) if rows else None
        layout["shapes"] = [] if middle is None else [_upright(middle)]
        if tolerance is not None and middle is not None:
            layout["shapes"].insert(0, _band(middle, tolerance))
        title = self.words("audit.scatter.title", metric=shown, attribute=self.speaker.attribute(attribute))
        return Chart(title, SQUARE, {"data": data, "layout": layout})

    def lorenz(self) -> Chart:
        """Share of items against the share of places that they hold."""
        data: list[dict[str, Any]] = [
            {"type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1], "hoverinfo": "skip",
             "line": {"color": FAINT, "width": 1, "dash": "dot"}}
        ]  # fmt: skip
        dashes = ("solid", "dash", "dashdot", "longdash", "longdashdot", "dot")
        curves = self.evidence.facts("lorenz")
        for i, system in enumerate(sorted(curves, key=self.style_order)):
            style = self.style(system)
            data.append(
                {
                    "type": "scatter", "mode": "lines+markers", "x": [rounded(x) for x in curves[system]["items"]],
                    "y": [rounded(y) for y in curves[system]["exposure"]],
                    "line": {"color": style.colour, "width": 2, "dash": dashes[i % len(dashes)]},
                    "marker": {**style.marker(8), "maxdisplayed": 6}, "hoverinfo": "text",
                    "hovertext": [
                        plain_text(f"{system}: {percent(x)} → {percent(y)}")
                        for x, y in zip(curves[system]["items"], curves[system]["exposure"], strict=True)
                    ],
                }
            )  # fmt: skip
        layout = _square(self.words("exposure.x"), self.words("exposure.y"))
        for axis in ("xaxis", "yaxis"):
            layout[axis] |= {"range": [-0.01, 1.01], "tickformat": ".0%"}
        return Chart(self.words("exposure.title"), SQUARE, {"data": data, "layout": layout})

    def style_order(self, system: object) -> int:
        """Place of a system in all charts and tables."""
        names = self.evidence.systems
        return names.index(str(system)) if str(system) in names else len(names)

    def _ordered(self, rows: Sequence[Row]) -> list[Row]:
        return sorted(rows, key=lambda row: self.style_order(row["system"]))

    def _heading(self, row: Row) -> str:
        told = [self.speaker.attribute(row["attribute"])]
        if kind(row) not in DIFFERENCES:
            told.append(self.words.known("kind", kind(row)))
        if self.evidence.hidden(row) and row.get("gap") is None:
            told.append(f"(< {self.evidence.min_cell})")
        elif row.get("groups"):
            told.append(f"({row['groups']})")
        return "  ".join(told)

    def _point(self, row: Row, key: str, marks: Sequence[tuple[str, float]]) -> Point:
        title = f"{self.speaker.system(row['system'])}: {number(row.get(key))}"
        if interval := self.speaker.interval(row):
            title += f" [{interval}]"
        return Point(self.style(row["system"]), row.get(key), row.get("low"), row.get("high"), title, marks)


def _detectable(row: Row) -> list[tuple[str, float]]:
    found = row.get("minimum_detectable")
    if found is None or kind(row) not in DIFFERENCES:
        return []
    return (
        [("detectable", found)]
        if row.get("null_mean") is not None
        else [("detectable", -found), ("detectable", found)]
    )


def _square(x: str, y: str) -> dict[str, Any]:
    return {
        "height": SQUARE, "margin": {"l": 62, "r": 14, "t": 10, "b": 54}, "xaxis": axis_of(x), "yaxis": axis_of(y),
        "showlegend": False, "shapes": [],
    }  # fmt: skip


def _band(middle: float, tolerance: float) -> dict[str, Any]:
    return {"type": "rect", "x0": middle - tolerance, "x1": middle + tolerance, "y0": 0, "y1": 1, "yref": "paper",
            "layer": "below", "fillcolor": "--band", "line": {"width": 1, "color": "--band-edge"}}  # fmt: skip


def _upright(x: float) -> dict[str, Any]:
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "layer": "below",
            "line": {"width": 1, "color": FAINT}}  # fmt: skip
