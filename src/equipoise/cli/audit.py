"""`equipoise audit`: measure any recommender for groups of people; `equipoise audit verify`: check it again."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from equipoise.errors import ConfigError, EquipoiseError

_DEFAULT = "RUN_DIR or tables"  # the command that needs no name; nobody can type this one
_WORDS = "equipoise.words"


class _Group(TyperGroup):
    """`equipoise audit RUN_DIR` needs no further word; `equipoise audit verify DIR` is a command of its own."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[_WORDS] = list(args)
        named = bool(args) and args[0] in self.commands
        return super().parse_args(ctx, args if named else [_DEFAULT, *args])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return None if name == _DEFAULT else name, command, rest


app = typer.Typer(
    cls=_Group,
    help="Audit recommendations for groups of people; check an audit again.",
)

_tables = partial(typer.Option, rich_help_panel="Tables")
_question = partial(typer.Option, rich_help_panel="What is asked")
_statistics = partial(typer.Option, rich_help_panel="Statistics")
_output = partial(typer.Option, rich_help_panel="Output")

Text = str | None
Texts = list[str] | None


@app.command(_DEFAULT)
def audit(
    context: typer.Context,
    run: Annotated[Path | None, typer.Argument(help="Folder of a finished run.", metavar="RUN_DIR")] = None,
    recommendations: Annotated[
        Texts, _tables(help="Lists as [NAME=]PATH: user_id, item_id, rank; repeatable.")
    ] = None,
    truth: Annotated[Text, _tables(help="Held-out pairs: user_id, item_id.")] = None,
    users: Annotated[Text, _tables(help="Users: user_id and attributes.")] = None,
    items: Annotated[Text, _tables(help="Items: item_id and attributes.")] = None,
    train: Annotated[Text, _tables(help="Earlier events, for lists by popularity.")] = None,
    vectors: Annotated[
        Texts, _tables(help="User vectors as [NAME=]PATH: user_id, vector; repeatable.")
    ] = None,
    format_: Annotated[
        Text,
        _tables(
            "--format",
            help="Who wrote the lists: recbole, rectools, lenskit, implicit (default: told from the file).",
        ),
    ] = None,
    user_ids: Annotated[Text, _tables(help="User id of each row, for lists that are arrays.")] = None,
    item_ids: Annotated[
        Text, _tables(help="Item id of each inner number, for lists that are arrays.")
    ] = None,
    relevant: Annotated[
        float | None, _tables(help="Held-out pairs count from this value or rating on (default: all).")
    ] = None,
    groups: Annotated[Text, _question(help="Columns of the users (default: those of the run).")] = None,
    intersect: Annotated[
        int | None, _question(min=1, help="Cross up to so many attributes (default: 1).")
    ] = None,
    k: Annotated[Text, _question(help="List lengths (default: those of the run, else 10,20).")] = None,
    metrics: Annotated[Text, _question(help="As in ndcg,recall@5 (default: ndcg,recall).")] = None,
    controls: Annotated[
        Text, _question(help="Adjust for profile_size, activity, or columns of the users.")
    ] = None,
    policy: Annotated[Path | None, _question(help="TOML file of tolerances, owners, reasons.")] = None,
    tolerance: Annotated[
        Texts, _question(help="Largest tolerated gap, for all metrics or as METRIC=NUMBER; repeatable.")
    ] = None,
    item_groups: Annotated[Text, _question(help="Columns of the items whose exposure is measured.")] = None,
    target: Annotated[
        Text, _question(help="Hold exposure against catalogue, uniform or merit (default: catalogue).")
    ] = None,
    attackers: Annotated[
        bool | None,
        _question("--attackers/--no-attackers", help="Infer attributes from lists (default: yes)."),
    ] = None,
    level: Annotated[
        float | None, _statistics(min=0.5, max=1.0, help="Level of intervals (default: 0.95).")
    ] = None,
    draws: Annotated[
        int | None, _statistics(min=100, help="Bootstrap draws of users (default: 1000).")
    ] = None,
    permutations: Annotated[
        int | None, _statistics(min=100, help="Draws of labels per test (default: 1000).")
    ] = None,
    min_cell: Annotated[
        int | None, _statistics(min=2, help="Smaller groups are neither shown nor judged (default: 30).")
    ] = None,
    seed: Annotated[int | None, _statistics(min=0, help="Root of all random numbers (default: 0).")] = None,
    lang: Annotated[Text, _output(help="Language of the pages: en, zh (default: en).")] = None,
    name: Annotated[Text, _output(help="Name on the pages.")] = None,
    out: Annotated[
        Path | None, _output(help="Folder to write (default: RUN_DIR/audit, or audits/<time>-<name>).")
    ] = None,
    force: Annotated[bool, _output("--force", help="Replace the audit in that folder.")] = False,
) -> None:
    """Audit a finished run (nothing else to say), or the lists of any recommender with --recommendations.

    Writes evidence.json, report.html, summary.html and tables, and prints the verdicts.

    `equipoise audit verify DIR` checks a finished audit again.

    With an Ed25519 key in the environment variable EQUIPOISE_SIGNING_KEY the evidence is signed.
    """
    from equipoise.audit.policy import Policy
    from equipoise.cli.verdicts import findings
    from equipoise.pipeline.audit import audit as journey
    from equipoise.pipeline.audit.inputs import Named

    console = Console()
    inputs = {
        "run": None if run is None else str(run),
        "recommendations": [Named.parse(text) for text in recommendations or ()],
        "vectors": [Named.parse(text) for text in vectors or ()],
        "truth": truth,
        "users": users,
        "items": items,
        "train": train,
        "format": format_,
        "user_ids": user_ids,
        "item_ids": item_ids,
        "relevant": relevant,
    }
    settings = {
        "groups": _list(groups),
        "intersections": intersect,
        "k": _list(k),
        "metrics": _list(metrics),
        "controls": _list(controls),
        "policy": None if policy is None else Policy.read(policy),
        "tolerance": _tolerance(tolerance or []),
        "item_groups": _list(item_groups),
        "target": target,
        "attackers": attackers,
        "level": level,
        "n_bootstrap": draws,
        "n_permutations": permutations,
        "min_cell": min_cell,
        "seed": seed,
        "lang": lang,
        "name": name,
        "command": shlex.join(["equipoise", "audit", *context.meta[_WORDS]]),
    }
    given = {key: value for key, value in settings.items() if value is not None}
    try:
        finished = journey(inputs, given, out=out, force=force, say=lambda line: _say(console, line))
    except KeyboardInterrupt:
        raise EquipoiseError("Stopped; nothing was written", todo="The same command starts again.") from None
    for part in findings(finished.evidence, console.width):
        console.print(part)
    for title, path in (("Report: ", finished.report), ("Summary:", finished.summary)):
        _say(console, f"{title} {path}")
    _say(console, f"Check it again: equipoise audit verify {shlex.quote(str(finished.path))}")


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="Folder that an audit wrote.", metavar="DIR")],
    only: Annotated[str | None, typer.Option(help="Compute one number again, by its id.")] = None,
    public_key: Annotated[
        Path | None,
        typer.Option(help="PEM file of the key that should have signed: tells who, not only whether."),
    ] = None,
    allow_network: Annotated[
        bool,
        typer.Option("--allow-network", help="Read addresses and databases that the evidence names."),
    ] = False,
) -> None:
    """Does an audit still hold? Checks hash, signature and tables, and computes every number again.

    Exit code 0: it holds. 1: it does not. 2: it could not be checked.
    """
    from equipoise.cli.verdicts import verification
    from equipoise.pipeline.audit import verify as journey

    console = Console()
    try:
        found = journey(folder, only=only, public_key=public_key, allow_network=allow_network)
    except KeyboardInterrupt:
        raise EquipoiseError("Stopped; nothing was checked") from None
    for part in verification(found):
        console.print(part, soft_wrap=isinstance(part, str), highlight=False)
    if not found.holds:
        raise typer.Exit(1)


def _list(text: str | None) -> list[str] | None:
    """Comma-separated words."""
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]


def _tolerance(given: list[str]) -> float | dict[str, float] | None:
    """One number for all metrics, or a number for each metric named."""
    found: dict[str, float] = {}
    for text in given:
        name, _, number = text.rpartition("=")
        try:
            found[name.strip().lower()] = float(number)
        except ValueError:
            raise ConfigError(
                f"'{text}' is no tolerance", todo="Write --tolerance 0.02, or --tolerance ndcg@10=0.02."
            ) from None
    if "" in found and len(given) > 1:
        raise ConfigError(
            "One tolerance for all metrics leaves no room for others", todo="Name a metric with each."
        )
    return found.get("", found or None)


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)
