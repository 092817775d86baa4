"""What an audit found, and what verifying it found, as tables and sentences of the console."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from equipoise.audit.verification import Number, Verification

if TYPE_CHECKING:
    from equipoise.report.audit.sentences import Speaker

_STYLES = {"unfair": "red", "fair within tolerance": "green", "insufficient evidence": "yellow"}
_ALIKE = 3  # sentences of one kind that are printed
_SHOWN = 20  # differences that are listed
_WIDE = 110  # characters that the table needs with all its columns


def findings(evidence: Mapping[str, Any], width: int = 120) -> Iterator[RenderableType]:
    """Verdicts as a table, then the rules that acted and what could not be tested, each as a sentence."""
    from equipoise.report.audit.evidence import Evidence
    from equipoise.report.audit.sentences import Speaker
    from equipoise.report.languages import Words

    speaker = Speaker(Evidence(evidence), Words("en"))
    yield _verdicts(speaker, width)
    yield f"[bold]{escape(speaker.headline())}[/]"
    for row in evidence.get("collapse", ()):
        if row.get("named") and row["system"] in speaker.evidence.audited:
            yield f"[yellow]{escape(speaker.collapse(row))}[/]"
    for row in evidence.get("notes", ()):
        yield f"- {escape(speaker.coded('note', row))}"
    for rows in _by_code(evidence.get("not_testable", ())):
        for row in rows[:_ALIKE]:
            yield f"- [yellow]not testable:[/] {escape(speaker.coded('not_testable', row))}"
        if len(rows) > _ALIKE:
            yield f"  ... and {len(rows) - _ALIKE} more like this, which stand in the report"


def _by_code(rows: Iterable[Mapping[str, Any]]) -> Iterable[list[Mapping[str, Any]]]:
    """Rows of one kind together, in the order of the first of each."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(str(row["code"]), []).append(row)
    return found.values()


def _verdicts(speaker: Speaker, width: int) -> Table:
    """One row per primary gap, by system; groups and p where there is room."""
    evidence, audited = speaker.evidence, speaker.evidence.audited
    rows = [row for row in evidence.primary if row["system"] in audited]
    table = Table(
        title=f"{escape(evidence.name)}: gaps between groups, {evidence.level:.0%} intervals",
        caption="MDG: the least gap that so many users would show four times in five",
        title_justify="left", caption_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0),
    )  # fmt: skip
    everywhere = len({row["tolerance"] for row in rows}) == 1
    if everywhere:
        table.caption = f"tolerance {_number(rows[0]['tolerance'], 'none')}; {table.caption}"
    shown = ["attribute", "metric", "gap", *([] if everywhere else ["tolerance"]), "MDG", "verdict"]
    if width >= _WIDE:
        shown = [*shown[:2], "groups", *shown[2:-1], "p", "verdict"]
    for name in shown:
        number = name in ("gap", "tolerance", "MDG", "p")
        table.add_column(
            name, justify="right" if number else "left", no_wrap=name not in ("attribute", "groups")
        )
    system = None
    for row in rows:
        if row["system"] != system and len(audited) > 1:
            table.add_row(f"[bold]{escape(str(row['system']))}[/]")
        system, verdict = row["system"], row["verdict"] or ""
        cells = {
            "attribute": escape(str(row["attribute"])),
            "metric": escape(_measured(row)),
            "groups": escape(str(row["groups"] or "")),
            "gap": f"< {evidence.min_cell}"
            if row["gap"] is None and evidence.hidden(row)
            else _interval(row),
            "tolerance": _number(row["tolerance"], "none"),
            "MDG": _number(row["minimum_detectable"]),
            "p": _number(row["p_adjusted"]),
            "verdict": f"[{_STYLES.get(verdict, 'default')}]{verdict}[/]",
        }
        table.add_row(*(cells[name] for name in shown))
    return table


def verification(found: Verification) -> Iterator[RenderableType]:
    """What was looked at, what differs, the one number asked for, and whether the audit holds."""
    marks = {True: "[green]holds[/]", False: "[red]does not hold[/]", None: "[yellow]cannot tell[/]"}
    table = Table(title=escape(str(found.folder)), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1))
    for heading in ("", "", "finding"):
        table.add_column(heading)
    for check in found.checks:
        table.add_row(check.name, marks[check.holds], escape(check.words))
    yield table
    if found.number is not None:
        yield from _one(found.number)
    for one in found.differences[:_SHOWN]:
        yield f"[red]{escape(one.place)}[/]: recorded {_value(one.recorded)}, now {_value(one.recomputed)}"
    if len(found.differences) > _SHOWN:
        yield f"... and {len(found.differences) - _SHOWN:,} more"
    what = "The audit" if found.number is None else "This number"
    yield f"[green]{what} holds.[/]" if found.holds else f"[red]{what} does not hold.[/]"


def _one(number: Number) -> Iterator[str]:
    row, again = number.recorded, number.recomputed
    yield f"[bold]{escape(number.id)}[/]"
    if number.definition:
        title, formula = number.definition.get("title", ""), number.definition.get("formula", "")
        yield escape(f"{title}: {formula} ({number.definition.get('unit', '')})")
    for key in dict.fromkeys([*row, *(again or {})]):
        if key != "id":
            value = row.get(key)
            now = "" if again is None or again.get(key) == value else f", now {_value(again.get(key))}"
            yield f"  {key}: {_value(value)}{now}"
    if again is None:
        yield "[red]It does not come out any more.[/]"


def _measured(row: Mapping[str, Any]) -> str:
    """The metric, with the kind of gap where it is no difference."""
    return (
        str(row["metric"])
        if row.get("kind", "difference") == "difference"
        else f"{row['metric']}, {row['kind']}"
    )


def _interval(row: Mapping[str, Any]) -> str:
    if row["gap"] is None or row["low"] is None or row["high"] is None:
        return _number(row["gap"])
    return f"{row['gap']:.3f} [{row['low']:.3f}, {row['high']:.3f}]".replace("[", r"\[")


def _number(value: float | None, nothing: str = "-") -> str:
    return nothing if value is None else f"{value:.3f}"


def _value(value: Any) -> str:
    return "nothing" if value is None else escape(str(value))
