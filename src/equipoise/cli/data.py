"""`equipoise data ...`: describe, generate, check-log, fetch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(help="Look at data, generate it, check it, fetch it.", no_args_is_help=True)


@app.command()
def describe(
    path: Annotated[str, typer.Argument(help="A folder of tables, one table, or a database URL.")],
    format_: Annotated[
        str | None, typer.Option("--format", help="A ready format; recognised by default.")
    ] = None,
) -> None:
    """Rows, users, items, density, time span, missing values, duplicates, columns found."""
    from equipoise.data.config import Source, read
    from equipoise.data.describe import describe as described
    from equipoise.data.guess import guess

    source = guess(path).source if format_ is None else Source(format=format_, path=path)
    found = described(read(source))
    console = Console()
    summary = Table(title=f"{path} ({source.format})", title_justify="left", show_header=False)
    for row in found.table():
        summary.add_row(*row)
    console.print(summary)
    columns = Table(title="Columns", title_justify="left")
    for heading in ("table", "column", "type", "missing", "different", "example"):
        columns.add_column(heading, overflow="ellipsis", max_width=40)
    for column in found.columns:
        different = "" if column.different is None else f"{column.different:,}"
        cells = (column.table, column.name, column.dtype, f"{column.missing:,}", different, column.example)
        columns.add_row(*(_plain(cell) for cell in cells))
    console.print(columns)


@app.command()
def generate(
    world: Annotated[str, typer.Argument(help="A kind of world: storefront.")],
    out: Annotated[Path, typer.Option(help="Folder to write into.")],
    users: Annotated[int, typer.Option(min=2, help="Number of users.")] = 2000,
    items: Annotated[int, typer.Option(min=2, help="Number of items.")] = 500,
    seed: Annotated[int, typer.Option(help="Root of all draws.")] = 0,
    days: Annotated[int, typer.Option(min=1, help="Length of the log.")] = 40,
) -> None:
    """Write a world as files: events, users, items, and the truth in a folder of its own."""
    from equipoise.errors import DataError
    from equipoise.worlds import worlds

    if out.exists() and any(out.iterdir()):
        raise DataError("The folder is not empty", where=str(out), todo="Choose a new folder as --out.")
    fields = {"n_users": users, "n_items": items, "seed": seed, "days": days}
    made = worlds.build(world, fields).generate()
    (out / "truth").mkdir(parents=True, exist_ok=True)
    tables = {"events": made.log, "users": made.users, "items": made.items, "truth/pairs": made.truth()}
    for name, table in tables.items():
        table.write_parquet(out / f"{name}.parquet")
    Console().print(
        f"Wrote {len(made.log):,} events of {users:,} users and {items:,} items to {out}. "
        f"The truth is in {out / 'truth'}. Next: equipoise init {out}",
        highlight=False,
        soft_wrap=True,
    )


@app.command("check-log")
def check_log(
    log: Annotated[str, typer.Argument(help="A table with one row per shown position.")],
) -> None:
    """Check an exposure log against its schema; exit code 2 when a rule is broken."""
    from equipoise.data.exposure import check_log as checked
    from equipoise.data.sources import read_table

    found = checked(read_table(log))
    table = Table(title=f"{log}: {found.length:,} rows", title_justify="left")
    for heading in ("rule", "rows that break it", "first of them"):
        table.add_column(heading)
    for row in found.table():
        table.add_row(*row, style=None if row[1] == "0" or row[0].startswith("(") else "red")
    console = Console()
    console.print(table)
    console.print(
        "The log can carry propensity weighting." if found.passed else "The log breaks the rules above."
    )
    if not found.passed:
        raise typer.Exit(2)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A public set; `list` shows all.")],
    out: Annotated[Path, typer.Option(help="Folder that the set's own folder goes into.")] = Path("data"),
    accept_licence: Annotated[bool, typer.Option("--accept-licence", help="The terms are accepted.")] = False,
) -> None:
    """Fetch a public set from its official address: licence first, resumable, checksummed."""
    from equipoise.data.fetch import PUBLIC_SETS, licence
    from equipoise.data.fetch import fetch as fetched

    console = Console()
    for known in sorted(PUBLIC_SETS) if name == "list" else [name]:
        console.print(licence(known), highlight=False, soft_wrap=True)
    if name == "list":
        return
    got = fetched(name, out, accept_licence)
    verified = "agrees with the owner's checksum" if got.verified else "the owner publishes no checksum"
    console.print(
        f'{got.folder}: sha256 {got.sha256} ({verified}). [data] format = "{got.format}"', highlight=False
    )


def _plain(text: str) -> str:
    """Values of the data are text, not markup."""
    from rich.markup import escape

    return escape(text)
