"""`equipoise tune`: search hyper-parameters on validation parts only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from equipoise.errors import EquipoiseError


def tune(
    config: Annotated[Path, typer.Argument(help="A TOML file with a [tune] section.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write into (default: runs/tune-<name>).")
    ] = None,
    trials: Annotated[
        int | None, typer.Option(help="Trials in all, those of an earlier search counted.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="section.key=value; may be repeated.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Root of all random numbers.")] = None,
) -> None:
    """Search hyper-parameters; goes on with an earlier search in the same folder, and never looks at test events."""
    from equipoise.pipeline.tune import tune as search

    try:
        found = search(config, out=out, trials=trials, overrides=set_ or (), seed=seed)
    except KeyboardInterrupt:
        raise EquipoiseError("Stopped; finished trials are kept", todo="The same command goes on.") from None
    table = Table(
        title=f"Best of {found.trials} trials: {found.metric} {found.value:.4f}", title_justify="left"
    )
    table.add_column("setting")
    table.add_column("value", justify="right")
    for key, value in found.settings.items():
        table.add_row(key, str(value))
    table.caption, table.caption_justify = found.protocol, "left"
    console = Console()
    console.print(table)
    console.print(f"Configuration with these settings: {found.config}", highlight=False, soft_wrap=True)
