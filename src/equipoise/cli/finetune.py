"""`equipoise finetune`: teach the text encoder what goes together, or a ranker's language model what comes next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from equipoise.errors import ConfigError, EquipoiseError

if TYPE_CHECKING:
    from equipoise.pipeline.finetuned import Tuned
    from equipoise.statistics import Interval


def finetune(
    config: Annotated[
        Path,
        typer.Argument(
            help="A TOML file. [finetune] says how the [encoder] is trained, [finetune_ranker] how the language model "
            "of the [model] is."
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write into (default: runs/finetune-<name>).")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="section.key=value; may be repeated.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Root of all random numbers.")] = None,
) -> None:
    """Train the text encoder on items that the same people chose near each other, or where the configuration has a
    section [finetune_ranker], the language model of the ranker on what people chose next; training events only.
    """
    from equipoise.config import read_config
    from equipoise.pipeline.finetune import finetune as finetune_encoder
    from equipoise.pipeline.finetune_ranker import finetune_ranker

    settings = read_config(config, set_ or ())
    if settings.finetune is not None and settings.finetune_ranker is not None:
        raise ConfigError(
            "The configuration says how to train two models, the encoder and that of the ranker",
            where="sections [finetune] and [finetune_ranker]",
            todo="Train one of them by a file of its own.",
        )
    train = finetune_encoder if settings.finetune_ranker is None else finetune_ranker
    console = Console()

    def say(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    try:
        found = train(config, out=out, overrides=set_ or (), seed=seed, say=say)
    except KeyboardInterrupt:
        raise EquipoiseError(
            "Stopped; the state at the last check is kept", todo="The same command goes on."
        ) from None
    for line in told(found):
        say(line)


def told(found: Tuned) -> list[str]:
    """What came of it, and what to do now."""
    from equipoise.pipeline.finetune import FineTuned

    encoder = isinstance(found, FineTuned)
    measured = f"recall@{found.k} of the next item" if encoder else f"NDCG@{found.k} of what was chosen next"
    setting, what = ("[encoder] name", "encoder") if encoder else ("[model] generator", "language model")
    lines = [
        f"Training ended: {found.stopped}",
        f"{measured}, over {found.gain.n} held-out users, the half that did not tell when to stop: "
        f"{_value(found.before)} before, {_value(found.after)} after; gain {_value(found.gain)}",
    ]
    keep = f'Keep the base: {setting} = "{found.base}".'
    if found.made is None:
        return [*lines, f"No step was better on validation than the base, so nothing was saved. {keep}"]
    if not found.helps:
        return [
            *lines,
            f"The gain cannot be told from none, or is a loss. {keep}",
            f'The fine-tuned {what} can be used all the same: {setting} = "{found.made}"',
        ]
    return [*lines, f'It helps. Use it: {setting} = "{found.made}"']


def _value(value: Interval) -> str:
    if value.low is None or value.high is None:
        return f"{value.value:.4f}"
    return f"{value.value:.4f} [{value.low:.4f}, {value.high:.4f}]"
