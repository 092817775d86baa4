"""`equipoise data ...`: describe, generate, check-log, fetch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(help="Look at data, generate it, check it, fetch it.", no_args_is_help=True)
