"""`equipoise plan`: before logging, how much exploration and how many users until a log can answer."""

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

from equipoise.cli.words import say


def plan(
    gain: Annotated[float | None, typer.Option(help="Gain per decision that must be found.")] = None,
    items: Annotated[int | None, typer.Option(min=2, help="Items that a decision chooses among.")] = None,
    reward_rate: Annotated[float | None, typer.Option(help="Mean reward per decision today.")] = None,
    log: Annotated[str | None, typer.Option(help="An earlier log, to take what is not said from.")] = None,
    policy: Annotated[
        str | None, typer.Option(help="Policy of the gate, whose minimum_gain the gain must exceed.")
    ] = None,
    minimum_gain: Annotated[
        float | None, typer.Option(help="Least gain that the gate asks for (default: the policy's, else 0).")
    ] = None,
    users: Annotated[int | None, typer.Option(min=1, help="Users at hand.")] = None,
    epsilon: Annotated[
        list[float] | None, typer.Option(help="Share of decisions left to chance; repeatable.")
    ] = None,
    disagreement: Annotated[
        float | None, typer.Option(help="Share of decisions in which the new policy differs (default: 0.5).")
    ] = None,
    random_rate: Annotated[float | None, typer.Option(help="Mean reward of a random item.")] = None,
    decisions_per_user: Annotated[float | None, typer.Option(help="Decisions of a user.")] = None,
    within_user: Annotated[float | None, typer.Option(help="Correlation of a user's decisions.")] = None,
    against: Annotated[str | None, typer.Option(help="current (default) or logged.")] = None,
    power: Annotated[float | None, typer.Option(help="Chance of finding it (default: 0.8).")] = None,
    level: Annotated[float | None, typer.Option(help="Level of the interval (default: 0.95).")] = None,
    tolerance: Annotated[float | None, typer.Option(help="Gap that an audit tolerates.")] = None,
    deviation: Annotated[
        float | None, typer.Option(help="Deviation of the audit's metric over users.")
    ] = None,
    smallest_share: Annotated[float | None, typer.Option(help="Share of the smallest group.")] = None,
    lang: Annotated[str, typer.Option(help="Language of the page: en, zh.")] = "en",
    name: Annotated[str | None, typer.Option(help="Name on the page.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write (default: plans/<time>-plan).")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the answer in that folder.")] = False,
) -> None:
    """How much exploration and how many users until the gate or an audit can answer, and what it costs.

    Writes plan.json and report.html.
    """
    from equipoise.pipeline.causal import plan as journey

    console = Console()
    request = {
        "gain": gain, "minimum_gain": minimum_gain, "items": items, "reward_rate": reward_rate, "log": log,
        "policy": policy, "users": users, "epsilons": epsilon, "disagreement": disagreement, "random_rate": random_rate,
        "decisions_per_user": decisions_per_user, "within_user": within_user, "against": against, "power": power,
        "level": level, "tolerance": tolerance, "deviation": deviation, "smallest_share": smallest_share,
        "lang": lang, "name": name, "command": shlex.join(["equipoise", *sys.argv[1:]]),
    }  # fmt: skip
    given = {key: value for key, value in request.items() if value is not None}
    answer = journey(given, out=out, force=force, say=lambda line: say(console, line))
    for part in shown(answer.content):
        console.print(part)
    say(console, f"Report: {answer.report}")


def shown(content: dict[str, Any]) -> list[Any]:
    """Amounts of exploration side by side, and the advice, for the console."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for heading in ("left to chance", "users needed", "rewards lost", "what asks for the most"):
        table.add_column(heading, justify="left" if heading.startswith("what") else "right")
    chosen = (content["chosen"] or {}).get("epsilon")
    for row in content["options"]:
        style = "bold green" if row["epsilon"] == chosen else None
        cells = (
            f"{row['epsilon']:.1%}",
            f"{row['users']:,}",
            f"{row['lost']:,.4g}",
            row["limit"].replace("_", " "),
        )
        table.add_row(*cells, style=style)
    lines: list[Any] = [table, escape(content["reason"])]
    if content["audit_users"] is not None:
        lines.append(f"An audit needs {content['audit_users']:,} users.")
    return lines
