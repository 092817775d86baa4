"""`equipoise policy-value`: what a policy would have brought, from the log of another one."""

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


def policy_value(
    log: Annotated[str, typer.Option(help="Table of decisions: item_id, reward, propensity, user_id ...")],
    target: Annotated[
        str, typer.Option(help="A table (request_id, item_id, probability), a column of the log, or uniform.")
    ],
    estimator: Annotated[
        str,
        typer.Option(
            help="ips, clipped_ips, snips, dm, dr, sndr, switch_dr, dros, mips, replay, ... or slope."
        ),
    ] = "snips",
    outcome_model: Annotated[
        str | None, typer.Option(help="linear, boosting, a table, or two columns: q_logged,q_target.")
    ] = None,
    context: Annotated[
        str | None, typer.Option(help="Columns, with commas, that a fitted outcome model reads.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="Setting of the estimator, as in clip=10; repeatable.")
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(help="Threshold of support, as in minimum_effective_sample_size=200; repeatable."),
    ] = None,
    items: Annotated[str | None, typer.Option(help="Table of the items that uniform chooses from.")] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Column whose rows depend on each other (default: user_id).")
    ] = None,
    level: Annotated[float, typer.Option(help="Level of the interval.")] = 0.95,
    seed: Annotated[int, typer.Option(min=0, help="Root of all random numbers.")] = 0,
    lang: Annotated[str, typer.Option(help="Language of the page: en, zh.")] = "en",
    name: Annotated[str | None, typer.Option(help="Name on the page.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write (default: policy-values/<time>-...).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the answer in that folder.")] = False,
) -> None:
    """Value a policy from a log, and write policy-value.json and report.html.

    Where the log does not support the policy there is no number but a reason; exit code 0. Exit code 2: something
    has to be put right first.
    """
    from equipoise.pipeline.causal import policy_value as journey

    console = Console()
    request = {
        "log": log, "target": target, "estimator": estimator, "outcome_model": outcome_model,
        "context": listed(context), "options": settings(option), "support": settings(threshold), "items": items,
        "cluster": cluster, "level": level, "seed": seed, "lang": lang, "name": name,
        "command": shlex.join(["equipoise", *sys.argv[1:]]),
    }  # fmt: skip
    try:
        answer = journey(request, out=out, force=force, say=lambda line: say(console, line))
    except KeyboardInterrupt:
        raise EquipoiseError("Stopped; nothing was written") from None
    for part in shown(answer.content):
        console.print(part)
    say(console, f"Report: {answer.report}")


def settings(given: list[str] | None) -> dict[str, Any]:
    """Settings as NAME=VALUE, their values read as TOML, and as text where they are not.

    Raises:
        ConfigError: if one is not of that form.
    """
    import tomllib

    found: dict[str, Any] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"'{text}' is no setting", todo="Write NAME=VALUE, as in clip=10.")
        try:
            found[name.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found[name.strip()] = value
    return found


def shown(content: dict[str, Any]) -> list[Any]:
    """The value, the logger's, their difference, and what they rest on, for the console."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for heading in ("mean reward per decision", "value", f"{content['level']:.0%} interval"):
        table.add_column(heading, justify="left" if heading.startswith("mean") else "right")
    table.add_row(escape(f"{content['target']} ({content['estimator']})"), *_cells(content, "{:.4g}"))
    table.add_row("as logged", *_cells(content["logger_value"], "{:.4g}"))
    if content.get("difference"):
        table.add_row("difference", *_cells(content["difference"], "{:+.4g}"))
    lines: list[Any] = [table]
    lines.append(
        f"{content['n']:,} decisions of {content['clusters']:,} clusters, worth "
        f"{content['effective_sample_size']:,.0f} equally weighted ones; largest weight "
        f"{content['max_weight']:.3g}, mean weight {content['mean_weight']:.3g}"
    )
    if content["refused"]:
        lines.append(f"[bold yellow]Refused.[/] {escape(content['reason'])}")
    elif not content["interval_reliable"]:
        lines.append(
            f"[bold yellow]The interval cannot be relied on.[/] {escape(content['interval_reason'] or '')}"
        )
    return lines + [escape(note) for note in content.get("notes", ())]


def _cells(value: dict[str, Any], form: str) -> tuple[str, str]:
    said = "-" if value.get("value") is None else form.format(value["value"])
    if value.get("low") is None or value.get("high") is None:
        return said, "-"
    return said, f"{form.format(value['low'])} to {form.format(value['high'])}"
