"""`equipoise write`: short texts about recommendations, every statement checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from equipoise.cli.words import listed, say
from equipoise.errors import ConfigError
from equipoise.progress import waiting

if TYPE_CHECKING:
    from equipoise.pipeline.write import Written


def write(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    user: Annotated[str | None, typer.Option(help="Whom to write to.")] = None,
    item: Annotated[str | None, typer.Option(help="What to write about.")] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Write to all users, about the first item of each list.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="With --all: most users, drawn at random.")] = None,
    style: Annotated[str, typer.Option(help="Tone: plain, warm, brief.")] = "plain",
    lang: Annotated[str, typer.Option(help="Language of the text: en, zh.")] = "en",
    generator: Annotated[
        str, typer.Option(help="template, smollm2, hf:<name or folder>, openai:<model>.")
    ] = "template",
    nouns: Annotated[
        str | None, typer.Option(help="Words true of every item, with commas, such as film,films.")
    ] = None,
    stage: Annotated[str | None, typer.Option(help="baseline or corrected (default: the last one).")] = None,
    out: Annotated[Path | None, typer.Option(help="With --all: folder to write (default: RUN/copy).")] = None,
    force: Annotated[bool, typer.Option("--force", help="With --all: replace texts that are there.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a short text about a recommendation; what the item's fields and the reasons do not say is not shown.

    A draft with a statement that fails a check is replaced by the template's text, and counted.
    """
    from equipoise.component import build
    from equipoise.copywriting import Copywriter
    from equipoise.language.generators import generator as named
    from equipoise.pipeline.finished import FinishedRun
    from equipoise.pipeline.write import write as one
    from equipoise.pipeline.write import write_all

    _sensible(user, item, all_, limit, out)
    fields = {"lang": lang, "style": style, "nouns": tuple(listed(nouns) or ())}
    copywriter = build(Copywriter, fields, where="the copy")
    author = named(generator)
    copywriter.require_style(author.name)
    finished = FinishedRun.open(run)
    with waiting("opening the generator"):
        writer = author.open(finished.runtime())
    console = Console()
    if all_:
        summary = write_all(
            finished, copywriter=copywriter, writer=writer, limit=limit, stage=stage, out=out, force=force
        )
        if json_:
            typer.echo(json.dumps(summary, ensure_ascii=False, indent=2))
            return
        _summarised(console, summary)
        say(console, f"Texts: {out or run / 'copy'}/copy.parquet")
        return
    with waiting("finding reasons and writing"):
        written = one(finished, user, item, copywriter=copywriter, writer=writer, stage=stage)
    if json_:
        typer.echo(
            json.dumps({**written.copy.as_dict(), "notes": written.notes}, ensure_ascii=False, indent=2)
        )
        return
    say(console, written.copy.text)
    console.print(_claims(written))
    for fault in written.copy.checks:
        say(console, f"The draft was not shown: {fault.kind}, {fault.what}.")
    for note in written.notes:
        say(console, note)


def _sensible(user: str | None, item: str | None, all_: bool, limit: int | None, out: Path | None) -> None:
    """Refuse options that do not go together.

    Raises:
        ConfigError: saying which.
    """
    if all_ and (user is not None or item is not None):
        raise ConfigError(
            "--all writes to everybody", todo="Leave out --user and --item, or leave out --all."
        )
    if not all_ and (user is None or item is None):
        raise ConfigError(
            "It is not said whom to write to and about what", todo="Give --user and --item, or --all."
        )
    if not all_ and (limit is not None or out is not None):
        raise ConfigError("--limit and --out go with --all", todo="Add --all, or leave them out.")


def _claims(written: Written) -> Table:
    """What each shown statement rests on."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    table.add_column("statement")
    table.add_column("rests on")
    titles = {past.item: past.title for past in written.facts.past}
    for claim in written.copy.claims:
        grounds = [f"choice of {titles[ground]}" if ground in titles else ground for ground in claim.grounds]
        table.add_row(escape(claim.text), escape(", ".join(grounds) or "states no fact"))
    return table


def _summarised(console: Console, summary: dict[str, Any]) -> None:
    """The counts of many texts, and where groups lie apart."""
    fallback, grounded = summary["fallback"], summary["grounded_intervals"]
    say(console, f"{summary['texts']:,} texts by {summary['generator']['name']}.")
    for what, share in (("drafts", grounded["drafts"]), ("shown texts", grounded["shown"])):
        if share["value"] is not None:
            say(console, f"Statements of fact that stand, in {what}: {_between(share, '{:.1%}')}")
    if unread := summary["drafts"]["unread"]:
        say(
            console,
            f"Drafts of which no statement could be read: {unread:,} of {summary['drafts']['written']:,}",
        )
    say(console, f"Replaced by the template: {_between(fallback, '{:.1%}')}")
    if summary["texts_by_fault"]:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in summary["texts_by_fault"].items())
        say(console, f"Why, in texts: {kinds}")
    if summary["parity"]:
        _compared(console, summary["parity"])
    for note in summary["notes"]:
        say(console, note)


def _between(interval: Mapping[str, Any], form: str) -> str:
    """A value with the ends of its interval, where it has one."""
    value, low, high = (interval[name] for name in ("value", "low", "high"))
    ends = "" if low is None else f" ({form.format(low)} to {form.format(high)})"
    return f"{form.format(value)}{ends}"


def _compared(console: Console, parity: Mapping[str, Any]) -> None:
    """The lowest and the highest group in each measure that varies, and whether chance alone parts them so."""
    means = [mean for mean in parity["groups"] if mean["value"] is not None]
    if not parity["gaps"]:
        say(console, "Between groups: all texts are alike, or no two groups are large enough.")
        return
    for gap in parity["gaps"]:
        same = [mean for mean in means if all(mean[name] == gap[name] for name in ("attribute", "measure"))]
        least, most = (find(same, key=lambda mean: float(mean["value"])) for find in (min, max))
        ends = ", ".join(f"{mean['group']} {_between(mean, '{:.3g}')}" for mean in (least, most))
        say(
            console,
            f"{gap['measure'].replace('_', ' ')} by {gap['attribute']}: {ends}; a gap of {gap['gap']:.3g}, by chance "
            f"{gap['by_chance']:.3g} (p {gap['adjusted']:.3f}, Holm)",
        )
    equal = {mean["measure"] for mean in means} - {gap["measure"] for gap in parity["gaps"]}
    if equal:
        say(console, f"The same for everybody: {', '.join(sorted(equal)).replace('_', ' ')}.")
