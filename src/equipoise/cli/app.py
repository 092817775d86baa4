"""The commands, and the one place where an error becomes a paragraph and exit code 2."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from equipoise.cli import (
    audit,
    data,
    debias,
    describe,
    doctor,
    effect,
    explain,
    finetune,
    gate,
    graph,
    init,
    plan,
    policy_value,
    recommend,
    run,
    tune,
    write,
)
from equipoise.errors import EquipoiseError

app = typer.Typer(
    name="equipoise",
    rich_markup_mode=None,  # here and in groups: sections are named in brackets, which markup would swallow
    help="From event logs to recommendations one can defend.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("run")(run.run)
app.command("tune")(tune.tune)
app.command("finetune")(finetune.finetune)
app.command("recommend")(recommend.recommend)
app.command("explain")(explain.explain)
app.command("write")(write.write)
app.command("describe")(describe.describe)
app.command("debias")(debias.debias)
app.command("init")(init.init)
app.command("doctor")(doctor.doctor)
app.command("effect")(effect.effect)
app.command("policy-value")(policy_value.policy_value)
app.command("gate")(gate.gate)
app.command("plan")(plan.plan)
app.add_typer(audit.app, name="audit")
app.add_typer(data.app, name="data")
app.add_typer(graph.app, name="graph")


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """From event logs to recommendations one can defend."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; every error is one paragraph and exit code 2, a fault of ours too."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words  # anywhere in the line, not only before the command
    words = [word for word in words if word != "--debug"]
    try:
        app(words, prog_name="equipoise")
    except (EquipoiseError, OSError) as error:
        if debug:
            raise
        Console(stderr=True, soft_wrap=True).print(
            f"[bold red]Error:[/] {_paragraph(error, resumable=words[:1] == ['run'])}", highlight=False
        )
        sys.exit(2)
    except Exception as error:  # 1 would say "fail" to whoever reads the exit code of a gate
        if debug:
            raise
        Console(stderr=True, soft_wrap=True).print(f"[bold red]Error:[/] {_fault(error)}", highlight=False)
        sys.exit(2)


def _paragraph(error: BaseException, *, resumable: bool) -> str:
    from rich.markup import escape

    if isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        kept = " What was finished is kept; --resume goes on." if resumable else ""
        return escape(f"{error.strerror or error}{place}.{kept}")
    return escape(str(error))


def _fault(error: Exception) -> str:
    """That something unforeseen happened, and what."""
    from rich.markup import escape

    said = " ".join(str(error).split())
    kind = type(error).__name__
    return escape(
        f"{kind}{': ' + said if said else ''}. This is a fault of Equipoise, not of yours. "
        "Please report it with the traceback that --debug shows."
    )
