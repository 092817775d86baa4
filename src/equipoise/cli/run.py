"""`equipoise run`: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from equipoise.pipeline import Run


def run(
    config: Annotated[
        Path | None, typer.Argument(help="A TOML file; without one, the built-in world.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write into [default: runs/<time>-<name>].")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="section.key=value; may be repeated.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Root of all random numbers.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after the last finished stage.")] = False,
) -> None:
    """Read, clean, split, encode, train, weigh, rank, correct, measure, report."""
    from equipoise.pipeline import run as main_job

    console = Console()
    finished = main_job(
        config,
        out=out,
        overrides=set_ or (),
        seed=seed,
        resume=resume,
        say=lambda line: console.print(line, highlight=False, markup=False),
    )
    console.print(comparison(finished))
    console.print(f"Report: {finished.report}", highlight=False, soft_wrap=True)


def comparison(finished: Run) -> Table:
    """The before/after table."""
    stages, differences = finished.metrics["stages"], finished.metrics["comparison"]
    table = Table(title=f"{finished.config.name}: held-out users, means with intervals", title_justify="left")
    table.add_column("metric")
    for stage in stages:
        table.add_column(stage, justify="right")
    if differences:
        table.add_column("difference", justify="right")
        table.add_column("p", justify="right")
    first = next(iter(stages.values()))
    for metric in first:
        cells = [_interval(values[metric]) for values in stages.values()]
        if differences:
            change = differences.get(metric)
            cells += ["", ""] if change is None else [
                _interval({**change, "value": change["difference"]}), f"{change['p_value']:.3f}"
            ]  # fmt: skip
        table.add_row(metric, *cells)
    for metric in next(iter(finished.metrics["system"].values())):
        values = [f"{stage[metric]:.4f}" for stage in finished.metrics["system"].values()]
        table.add_row(metric, *values, *([""] * 2 if differences else []))
    return table


def _interval(value: dict[str, float | None]) -> str:
    if value["value"] is None:
        return "-"
    if value["low"] is None or value["high"] is None:
        return f"{value['value']:.4f}"
    return f"{value['value']:.4f} [{value['low']:.4f}, {value['high']:.4f}]"
