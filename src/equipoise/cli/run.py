"""`equipoise run`: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
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
    k = finished.config.audit.k[0]
    title = f"{finished.config.name}: means over held-out users, with intervals"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1))
    table.add_column("metric")
    for heading in [*stages, *(["difference", "p"] if differences else [])]:
        table.add_column(heading, justify="right", no_wrap=True)
    for metric in (name for name in next(iter(stages.values())) if name.endswith(f"@{k}")):
        cells = [_interval(values[metric]) for values in stages.values()]
        if differences:
            change = differences[metric]
            p_value = "" if change["p_value"] is None else f"{change['p_value']:.3f}"
            cells += [_interval({**change, "value": change["difference"]}), p_value]
        table.add_row(metric, *cells)
    for metric in (
        name for name in next(iter(finished.metrics["system"].values())) if name.endswith(f"@{k}")
    ):
        _without_interval(table, metric, [stage[metric] for stage in finished.metrics["system"].values()])
    planted = finished.metrics.get("planted")
    if planted:
        truth = f"preference_ndcg@{k}"
        _without_interval(table, f"{truth} (the truth)", [stage[truth] for stage in planted.values()])
    return table


def _without_interval(table: Table, name: str, values: list[float]) -> None:
    table.add_row(name, *(f"{value:.3f}" for value in values))


def _interval(value: dict[str, float | None]) -> str:
    if value["value"] is None:
        return "-"
    if value["low"] is None or value["high"] is None:
        return f"{value['value']:.3f}"
    return f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"
