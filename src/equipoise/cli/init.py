"""`equipoise init`: look at a folder of tables and write a configuration for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def init(
    path: Annotated[Path, typer.Argument(help="A folder of tables, or one table.")],
    out: Annotated[Path, typer.Option(help="Configuration to write.")] = Path("equipoise.toml"),
) -> None:
    """Recognise a ready format or guess the columns, and write a commented configuration that `run` accepts."""
    from equipoise.data.guess import guess
    from equipoise.errors import ConfigError

    if out.exists():
        raise ConfigError("The configuration exists already", where=str(out), todo="Choose another --out.")
    out.write_text(guess(path).to_toml(), "utf-8")
    Console().print(f"Wrote {out}. Look it over, then: equipoise run {out}", highlight=False, soft_wrap=True)
