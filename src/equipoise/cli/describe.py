"""`equipoise describe`: items and people of a run in words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from equipoise.cli.words import say
from equipoise.errors import ConfigError

_SHOWN = 3


def describe(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    who: Annotated[str, typer.Option(help="items or users.")] = "items",
    generator: Annotated[
        str, typer.Option(help="template, smollm2, hf:<name or folder>, openai:<model>.")
    ] = "template",
    lang: Annotated[str, typer.Option(help="Language of the texts: en, zh.")] = "en",
    limit: Annotated[
        int | None, typer.Option(min=1, help="How many, the most taken or most active first.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace descriptions made by other settings.")
    ] = False,
) -> None:
    """Describe items or people in words, from the training part of a run, into its folder `profiles`.

    Stopped or out of budget, the same command goes on where it ended. The items' descriptions can be read by encoders:
    name profiles/items.parquet as [data] items of another run, and "profile" among its text columns.
    """
    from equipoise.language.generators import generator as named
    from equipoise.language.generators.prompt import Language
    from equipoise.language.profiles import Who
    from equipoise.pipeline.describe import describe as journey
    from equipoise.pipeline.finished import FinishedRun

    for what, said, known in (("--who", who, get_args(Who)), ("--lang", lang, get_args(Language))):
        if said not in known:
            raise ConfigError(f"{what} is one of {', '.join(known)}, not '{said}'")
    finished = FinishedRun.open(run)
    writer = named(generator).open(finished.runtime())
    found, account = journey(finished, who, writer, lang=lang, limit=limit, force=force)  # type: ignore[arg-type]
    console = Console()
    asked = account["questions"]
    say(
        console,
        f"{account['described']:,} of {account['wanted']:,} {who} described by {writer.config.name}: "
        f"{asked['answered_now']:,} texts written now, {asked['answered_before']:,} kept from before.",
    )
    for fault, count in found.faults.items():
        say(console, f"No text for {count:,}: {fault}.")
    if found.withheld:
        say(
            console,
            f"{found.withheld:,} texts of the catalogue read like instructions, and were not passed on.",
        )
    if spent := account["spent"]:
        say(
            console,
            f"Spent: {spent['requests']:,} requests, {spent['tokens']:,} tokens, {spent['cost']:.4g} money.",
        )
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    table.add_column(found.table.columns[0])
    table.add_column("profile", overflow="fold")
    for name, text, _ in found.table.drop_nulls("profile").head(_SHOWN).iter_rows():
        table.add_row(escape(str(name)), escape(text))
    console.print(table)
    say(console, f"Texts: {run / 'profiles' / who}.parquet")
