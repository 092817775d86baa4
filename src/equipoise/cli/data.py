"""`equipoise data ...`: describe, generate, check-log, fetch."""

from __future__ import annotations

import typer

app = typer.Typer(help="Look at data, generate it, check it, fetch it.", no_args_is_help=True)
