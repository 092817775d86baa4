"""`equipoise gate`: may a candidate replace what runs today?"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from equipoise.cli.words import listed, say
from equipoise.errors import EquipoiseError

EXIT_CODES = {"pass": 0, "fail": 1, "undecided": 3}
_STYLES = {"pass": "green", "fail": "red", "undecided": "yellow"}


def gate(
    candidate: Annotated[
        str,
        typer.Argument(help="Folder of a run, a table of probabilities, a column of the log, or uniform."),
    ],
    against: Annotated[
        str, typer.Option(help="What runs today: likewise, or logged, the policy that wrote the log.")
    ],
    policy: Annotated[
        Path, typer.Option(help="TOML file: [launch] minimum_gain, estimator; [[rule]] of fairness.")
    ],
    log: Annotated[
        str | None, typer.Option(help="Table of decisions to value both on: item_id, reward, propensity ...")
    ] = None,
    audit: Annotated[
        str | None, typer.Option(help="Folder of a finished audit of a candidate that is no run.")
    ] = None,
    outcome_model: Annotated[
        str | None, typer.Option(help="linear, boosting or a table, for estimators that need one.")
    ] = None,
    context: Annotated[
        str | None, typer.Option(help="Columns, with commas, that a fitted outcome model reads.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Column whose rows depend on each other (default: user_id).")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the checks as JUnit XML.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Root of all random numbers.")] = 0,
    lang: Annotated[str, typer.Option(help="Language of the page: en, zh.")] = "en",
    name: Annotated[str | None, typer.Option(help="Name on the page.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write (default: gates/<time>-...).")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the answer in that folder.")] = False,
) -> None:
    """Launch value and fairness in one check; writes gate.json and report.html.

    Exit code 0: pass. 1: fail. 3: the evidence does not decide. 2: it could not be checked.
    """
    from equipoise.pipeline.causal import gate as journey

    console = Console()
    request = {
        "candidate": candidate, "current": against, "policy": str(policy), "log": log, "audit": audit,
        "outcome_model": outcome_model, "context": listed(context), "cluster": cluster, "seed": seed, "lang": lang,
        "name": name, "command": shlex.join(["equipoise", *sys.argv[1:]]),
    }  # fmt: skip
    if junit is not None:
        _cleared(junit)
    try:
        answer = journey(request, out=out, force=force, say=lambda line: say(console, line))
    except KeyboardInterrupt:
        raise EquipoiseError("Stopped; nothing was written") from None
    if junit is not None:
        junit.write_text(answer.junit, "utf-8")
    for check in answer.content["checks"]:
        status = check["status"]
        console.print(f"- [{_STYLES[status]}]{status}[/] {check['subject']}: {escape(check['says'])}")
    for note in answer.content["notes"]:
        console.print(escape(note))
    console.print(f"[bold {_STYLES[answer.outcome]}]{answer.outcome.capitalize()}.[/]")
    say(console, f"Report: {answer.report}")
    raise typer.Exit(EXIT_CODES[answer.outcome])


def _cleared(path: Path) -> None:
    """See that a file can be written, and take away an older one, which would speak for a check that failed.

    Raises:
        OSError: if it cannot be written.
    """
    path.write_text("", "utf-8")
    if path.is_file() and not path.is_symlink():  # a terminal or a pipe stays
        path.unlink()
