"""`equipoise recommend`: a list for anybody, from a finished run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from equipoise.cli.words import listed, say
from equipoise.errors import ConfigError
from equipoise.progress import waiting

if TYPE_CHECKING:
    from equipoise.pipeline.recommend import Answer


def recommend(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    history: Annotated[
        str | None, typer.Option(help="Ids of items that were chosen, oldest first, with commas.")
    ] = None,
    text: Annotated[str | None, typer.Option(help='A wish, such as "quiet jazz for reading".')] = None,
    user: Annotated[
        str | None, typer.Option(help="Somebody of the run; NEW, or nothing: somebody new.")
    ] = None,
    attributes: Annotated[
        str | None, typer.Option(help="What the person is, such as gender=F,age=25 (columns of the users).")
    ] = None,
    k: Annotated[int, typer.Option(help="Length of the list.", min=1)] = 10,
    stage: Annotated[
        str | None,
        typer.Option(help="baseline or corrected (default: the last of the run)."),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Recommend to somebody known, or to somebody new by a few clicks, a wish, attributes, or nothing.

    Says what the list rests on, and where there is not enough evidence for a personal one.
    """
    from equipoise.pipeline.finished import FinishedRun
    from equipoise.pipeline.recommend import Asked
    from equipoise.pipeline.recommend import recommend as journey

    asked = Asked(user, tuple(listed(history) or ()), text, pairs(attributes))
    with waiting("reading the run, its model and texts"):
        answer = journey(FinishedRun.open(run), asked, k=k, stage=stage)
    if json_:
        typer.echo(json.dumps(answer.as_dict(), ensure_ascii=False, indent=2))
        return
    console = Console()
    console.print(shown(answer))
    for line in [f"Rests on {', '.join(answer.basis)}. {answer.verdict}", *answer.notes]:
        say(console, line)


def pairs(text: str | None) -> dict[str, str]:
    """Names and values of `a=1,b=2`.

    Raises:
        ConfigError: if a part has no `=`, or a name stands twice.
    """
    found: dict[str, str] = {}
    for part in listed(text) or []:
        name, sign, value = (word.strip() for word in part.partition("="))
        if not (sign and name and value) or name in found:
            raise ConfigError(
                f"'{part}' is no attribute with its value"
                if name not in found
                else f"'{name}' is said twice",
                where="--attributes",
                todo="Write them as gender=F,age=25.",
            )
        found[name] = value
    return found


def shown(answer: Answer) -> Table:
    """The list, for the console."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    titled, likely = "title" in answer.items.columns, answer.items["probability"].is_not_null().any()
    for name, there in (
        ("rank", True),
        ("item", True),
        ("title", titled),
        ("score", True),
        ("chance", likely),
    ):
        if there:
            table.add_column(name, justify="right" if name in ("rank", "score", "chance") else "left")
    for row in answer.items.iter_rows(named=True):
        new = " (new)" if row["cold"] else ""
        cells = [str(row["rank"]), f"{row['item_id']}{'' if titled else new}"]
        cells += [f"{row['title'] or ''}{new}"] if titled else []
        cells += [f"{row['score']:.4g}"] + ([f"{row['probability']:.1%}"] if likely else [])
        table.add_row(*map(escape, cells))
    return table
