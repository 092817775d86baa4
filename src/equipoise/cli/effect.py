"""`equipoise effect`: what an action does, and the attempts to refute it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from equipoise.cli.words import listed, say
from equipoise.errors import ConfigError, EquipoiseError

_STYLES = {"supported": "green", "fragile": "yellow", "not credible": "red", "refused": "yellow"}
_MARKS = {"passed": "[green]passed[/]", "failed": "[red]failed[/]", "not run": "not run"}


def effect(
    config: Annotated[Path | None, typer.Argument(help="A TOML file with the question.")] = None,
    data: Annotated[str | None, typer.Option(help="Table with one row per observation.")] = None,
    treatment: Annotated[str | None, typer.Option(help="Column of what was done.")] = None,
    outcome: Annotated[str | None, typer.Option(help="Column of what came of it.")] = None,
    treated: Annotated[str | None, typer.Option(help="Value that counts as treated.")] = None,
    graph: Annotated[
        str | None, typer.Option(help='A graph, as in "age -> shown; shown -> bought", or a file of one.')
    ] = None,
    adjust: Annotated[
        str | None, typer.Option(help="Columns to adjust for, in place of a graph; '' for none.")
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(help="aipw, ipw, overlap, regression, matching, iv, frontdoor, mediation, plr."),
    ] = None,
    estimand: Annotated[
        str | None, typer.Option(help="ate: effect on everybody; att: on the treated.")
    ] = None,
    cluster: Annotated[str | None, typer.Option(help="Column whose rows depend on each other.")] = None,
    instrument: Annotated[str | None, typer.Option(help="Column of an instrument.")] = None,
    mediator: Annotated[str | None, typer.Option(help="Columns of mediators.")] = None,
    outcome_model: Annotated[str | None, typer.Option(help="linear or boosting.")] = None,
    propensity_model: Annotated[str | None, typer.Option(help="linear or boosting.")] = None,
    negative_control: Annotated[
        list[str] | None, typer.Option(help="Outcome that the treatment cannot have changed; repeatable.")
    ] = None,
    negative_exposure: Annotated[
        list[str] | None, typer.Option(help="Exposure that cannot have changed the outcome; repeatable.")
    ] = None,
    groups: Annotated[str | None, typer.Option(help="Columns to tell the effect by.")] = None,
    clip: Annotated[float | None, typer.Option(help="Cut propensities this far from 0 and 1.")] = None,
    permutations: Annotated[int | None, typer.Option(min=20, help="Refits on permuted treatments.")] = None,
    level: Annotated[float | None, typer.Option(help="Level of the intervals (default: 0.95).")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Root of all random numbers.")] = None,
    lang: Annotated[str | None, typer.Option(help="Language of the page: en, zh.")] = None,
    name: Annotated[str | None, typer.Option(help="Name on the page.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write (default: effects/<time>-...).")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the answer in that folder.")] = False,
) -> None:
    """Estimate an effect, try to refute it, and write effect.json and report.html.

    A refused effect is written too, with the reason and what the data alone allow; exit code 0. Exit code 2:
    something has to be put right first.
    """
    from equipoise.pipeline.causal import EffectRequest
    from equipoise.pipeline.causal import effect as journey

    console = Console()
    options: dict[str, Any] = {
        "data": data, "treatment": treatment, "outcome": outcome, "treated": treated, "graph": graph,
        "adjust": listed(adjust), "method": method, "estimand": estimand, "cluster": cluster,
        "instrument": instrument, "mediator": listed(mediator), "outcome_model": outcome_model,
        "propensity_model": propensity_model, "negative_controls": negative_control,
        "negative_exposures": negative_exposure, "groups": listed(groups), "clip": clip,
        "permutations": permutations, "level": level, "seed": seed, "lang": lang, "name": name,
    }  # fmt: skip
    fields = {} if config is None else EffectRequest.read(config)
    fields |= {key: value for key, value in options.items() if value is not None}
    for needed in ("data", "treatment", "outcome"):
        if needed not in fields:
            raise ConfigError(
                f"It is not said which {needed} is meant", todo=f"Give --{needed}, or a TOML file."
            )
    fields["command"] = shlex.join(["equipoise", *sys.argv[1:]])
    try:
        answer = journey(fields, out=out, force=force, say=lambda line: say(console, line))
    except KeyboardInterrupt:
        raise EquipoiseError("Stopped; nothing was written") from None
    for part in shown(answer.content):
        console.print(part)
    say(console, f"Report: {answer.report}")


def shown(card: dict[str, Any]) -> list[Any]:
    """The estimate, the checks and the verdict for the console."""
    e, asked, found = card["estimate"], card["question"], card["verdict"]
    title = f"{asked['method']}: {asked['estimand']} of {asked['treatment']} on {asked['outcome']}"
    table = Table(title=escape(title), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1))
    for heading in ("", "value", f"{e['level']:.0%} interval", "p"):
        table.add_column(heading, justify="left" if not heading else "right")
    p = e.get("p_value")
    table.add_row("effect", *_cells(e), "-" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}")
    if e.get("bounds"):
        table.add_row("what the data alone allow", *_cells(e["bounds"]), "")
    table.add_row("naive difference", *_cells(e["naive"]), "")
    lines: list[Any] = [table]
    for row in card["refutations"]:
        if row["status"] != "not run":
            lines.append(f"- {row['name'].replace('_', ' ')}: {_MARKS[row['status']]}. {escape(row['says'])}")
    lines.append(
        f"[bold {_STYLES[found['code']]}]{found['code'].capitalize()}.[/] {escape(found['sentence'])}"
    )
    lines += [f"  {escape(reason)}" for reason in found["because"]]
    return lines


def _cells(value: dict[str, Any]) -> tuple[str, str]:
    said = "-" if value.get("value") is None else f"{value['value']:+.4g}"
    if value.get("low") is None or value.get("high") is None:
        return said, "-"
    return said, f"{value['low']:+.4g} to {value['high']:+.4g}"
