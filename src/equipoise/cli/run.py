"""`equipoise run`: the main job."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from equipoise.errors import EquipoiseError

if TYPE_CHECKING:
    from equipoise.pipeline.run import Run

_WIDE = 98  # characters that the table needs with all its intervals


def run(
    config: Annotated[
        Path | None, typer.Argument(help="A TOML file; without one, the built-in world.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write into (default: runs/<time>-<name>).")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="section.key=value; may be repeated.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Root of all random numbers.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after the last finished stage.")] = False,
) -> None:
    """Read, clean, split, encode, train, weigh, rank, correct, measure, report."""
    from equipoise.pipeline.run import run as main_job

    console = Console()
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    try:
        finished = main_job(config, out=out, overrides=set_ or (), seed=seed, resume=resume, say=say)
    except KeyboardInterrupt:
        raise EquipoiseError(
            "Stopped; what was finished is kept",
            where=said[0].removeprefix("writing").strip() if said else None,
            todo="The same command with --resume goes on.",
        ) from None
    console.print(comparison(finished, console.width))
    console.print(f"Report: {finished.report}", highlight=False, soft_wrap=True)
    if finished.metrics["groups"]:
        command = f"equipoise audit {shlex.quote(str(finished.path))}"
        console.print(f"Compare groups of users: {command}", highlight=False, markup=False, soft_wrap=True)


def comparison(finished: Run, width: int = 100) -> Table:
    """The before/after table; a narrow one gives intervals to the differences alone."""
    metrics, k = finished.metrics, finished.config.audit.k[0]
    stages, differences = metrics["stages"], metrics["comparison"]
    title = f"{finished.config.name}: means over held-out users, with intervals"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1))
    table.caption, table.caption_justify = protocol(metrics["protocol"]), "left"
    for heading in ["metric", *stages, *(["difference", "p"] if differences else [])]:
        table.add_column(heading, justify="left" if heading == "metric" else "right", no_wrap=True)
    told = _interval if width >= _WIDE or not differences else _value
    for name in _at(k, next(iter(stages.values()))):
        cells = [told(values[name]) for values in stages.values()]
        if differences:
            change = differences[name]
            p_value = "" if change["p_value"] is None else f"{change['p_value']:.3f}"
            cells += [_interval({**change, "value": change["difference"]}), p_value]
        table.add_row(name, *cells)
    for name in _at(k, next(iter(metrics["system"].values()))):
        table.add_row(name, *(f"{stage[name]:.3f}" for stage in metrics["system"].values()))
    for name in _at(k, next(iter(metrics.get("planted", {}).values()), {})):
        if name.startswith("preference_ndcg"):
            truth = [f"{stage[name]:.3f}" for stage in metrics["planted"].values()]
            table.add_row(f"true ndcg@{k}", *truth)
    return table


def protocol(said: dict[str, Any]) -> str:
    """How the numbers were taken, in a line."""
    return (
        f"split {said['split']}; {said['candidates']}; seen items {said['seen_items']}; relevant: {said['relevant']}; "
        f"{said['test_users']:,} users, {said['test_pairs']:,} events; {said['interval']}"
    )


def _at(k: int, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.endswith(f"@{k}")]


def _value(value: dict[str, float | None]) -> str:
    return "-" if value["value"] is None else f"{value['value']:.3f}"


def _interval(value: dict[str, float | None]) -> str:
    if value["low"] is None or value["high"] is None:
        return _value(value)
    return f"{_value(value)} [{value['low']:.3f}, {value['high']:.3f}]"
