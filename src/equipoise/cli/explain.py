"""`equipoise explain`: why an item stands in a user's list, and what would have kept it out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from equipoise.cli.words import say
from equipoise.errors import ConfigError
from equipoise.progress import waiting

if TYPE_CHECKING:
    from equipoise.explain import Counterfactual, Explanation, Reason
    from equipoise.explain.sensitive import Along, Sensitive
    from equipoise.pipeline.explain import Explained
    from equipoise.statistics import Interval

_KINDS = {
    "interaction": "past interaction",
    "search": "past search",
    "word": "word of the text",
    "attribute": "attribute",
}

_SHARE = (
    "Share: of all that raises the score among reasons of the same sort (the past, or words, or attributes), not of "
    "the score; shares of different sorts do not compare, contributions do."
)


def explain(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.", metavar="RUN_DIR")],
    user: Annotated[str | None, typer.Option(help="Id of the user.")] = None,
    item: Annotated[str | None, typer.Option(help="Id of the item.")] = None,
    k: Annotated[int, typer.Option(min=1, help="Length of the list.")] = 10,
    stage: Annotated[
        str | None, typer.Option(help="baseline or corrected (default: the last one of the run).")
    ] = None,
    counterfactual: Annotated[
        bool,
        typer.Option(help="Look for past interactions without which the item leaves the list."),
    ] = True,
    sensitive: Annotated[
        str | None,
        typer.Option(
            help="Column of the users: tell what of the score runs along which path from it (default: [explain] "
            "sensitive of the run).",
            metavar="COLUMN",
        ),
    ] = None,
    graph: Annotated[
        str | None,
        typer.Option(
            help="With --sensitive: what causes what, or a file of it, as in 'gender -> share.Books; age -> activity' "
            "(default: [explain] graph of the run).",
        ),
    ] = None,
    instead: Annotated[
        str | None,
        typer.Option(
            help="With --sensitive: the value that the user's own is held against (default: the most frequent other)."
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Explain all places of the run's lists, and try the explanations.")
    ] = False,
    users: Annotated[
        int | None, typer.Option(min=1, help="With --all: so many users, drawn by the run's seed.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="With --all: file to write (default: RUN_DIR/explanations.parquet).")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="With --all: replace a table that is there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say which past interactions, words and attributes carried an item's score, and without which past
    interactions the item would not be in the list.

    With --sensitive and --graph, also say what of the score runs along which path of the graph from a sensitive
    attribute of the user: past the history, where the model reads the attribute, and through each feature of it.

    With --all, every place of the run's lists is explained, what is cited is deleted, and the model is asked again.
    """
    from equipoise.pipeline import explain as journey
    from equipoise.pipeline.causal.graph import read_graph
    from equipoise.pipeline.finished import FinishedRun
    from equipoise.pipeline.sensitive import asked_paths

    console = Console()
    if everything and (user is not None or item is not None):
        raise ConfigError("--all explains everybody's lists", todo="Leave out --user and --item, or --all.")
    if everything and (sensitive is not None or graph is not None or instead is not None):
        raise ConfigError(
            "--sensitive, --graph and --instead are for one place",
            todo="Give --user and --item, or leave them out.",
        )
    if not everything and (user is None or item is None):
        raise ConfigError(
            "It is not said whose list, and which item",
            todo="Give --user and --item, or --all for all lists of the run.",
        )
    if not everything and (users is not None or out is not None or force):
        raise ConfigError("--users, --out and --force belong to --all", todo="Add --all, or leave them out.")
    finished = FinishedRun.open(run)
    if everything:
        told = journey.explain_all(finished, k=k, stage=stage, users=users, out=out, force=force)
        _tell_all(console, told, as_json)
        return
    drawn = None if graph is None else str(read_graph(graph))
    paths = asked_paths(finished, drawn, sensitive, instead)
    with waiting("reading the run and its model, and asking it"):
        said = journey.explain(
            finished, user, item, k=k, counterfactual=counterfactual, stage=stage, paths=paths
        )
    if as_json:
        say(console, json.dumps(said.as_dict(), ensure_ascii=False, indent=2, allow_nan=False))
    else:
        _tell(console, said)


def _tell(console: Console, said: Explanation) -> None:
    say(
        console,
        f"{_called(said.item, said.title)}: rank {said.rank} for user {said.user}, score {said.score:.4g}",
    )
    if said.reasons:
        console.print(_table(said.reasons))
        say(console, _SHARE)
    if said.counterfactual is not None:
        for line in _without(said.counterfactual, said):
            say(console, line)
    if said.sensitive is not None:
        _tell_paths(console, said.sensitive)
    for note in said.notes:
        say(console, f"Note: {note}")


def _called(name: str, title: str | None) -> str:
    return f"{name} ({title})" if title else name


def _tell_paths(console: Console, found: Sensitive) -> None:
    say(console, f"What '{found.attribute}' = {found.value} brings, held against {found.instead}:")
    for one in found.parts:
        say(console, f"  {_carried(one, ' and '.join(one.paths))}")
        if one.each:
            say(console, f"    {one.each}")
    say(console, f"  {_carried(found.interaction, 'only together')}")
    say(console, f"  {_carried(found.total, 'all paths')}")
    for line in (*found.assumptions, *found.notes):
        say(console, f"Note: {line}")


def _carried(one: Along, name: str) -> str:
    if one.score is None or one.places is None or one.why:
        return f"{name}: {'' if one.score is None else '0, since '}{one.why}"
    value, between = _shown(one.score, "{:+.3g}")
    return f"{name}: {value} of the score ({between}), {one.places.value:+.1f} places up"


def _table(reasons: tuple[Reason, ...]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for column in ("Kind", "What", "Says"):
        table.add_column(column, overflow="fold")
    for column in ("Contribution", "Share"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in reasons:
        share = f"{one.share:.0%}" if one.contribution > 0 else ""
        table.add_row(
            _KINDS[one.kind], escape(one.name), escape(_says(one)), f"{one.contribution:+.3g}", share
        )
    return table


def _says(one: Reason) -> str:
    carried = "" if one.event_value is None else f"value {one.event_value:g}"
    return ", ".join(part for part in (one.value, carried) if part)


def _without(found: Counterfactual, said: Explanation) -> list[str]:
    if not found.found:
        return [f"No set of past interactions keeps it out of the {said.k} best: {found.says}"]
    gone = ", ".join(map(_called, found.removed, found.titles))
    sure = "No fewer of them suffice." if found.irreducible else found.says
    instead = _called(str(found.instead), found.instead_title)
    return [
        f"Without {gone}: rank {found.rank}, outside the {said.k} best; {instead} takes its place.",
        f"Verified with {found.forwards} answers of the model. {sure}",
    ]


def _tell_all(console: Console, explained: Explained, as_json: bool) -> None:
    if as_json:
        told = {name: one.as_dict() for name, one in vars(explained.summary).items()}
        content = {
            "path": str(explained.path),
            "places": len(explained.table),
            **told,
            "notes": explained.notes,
        }
        say(console, json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False))
        return
    found = explained.summary
    rows = (
        ("Places with a faithful explanation", found.faithful, "{:.1%}"),
        ("Interactions it cites, on average", found.size, "{:.2f}"),
        ("Random deletions of the same size that succeed", found.chance, "{:.1%}"),
        ("Gain over random deletions, paired", found.gain, "{:+.1%}"),
        ("As many of the largest contributions succeed", found.largest, "{:.1%}"),
        ("Share of the list replaced", found.change, "{:.1%}"),
        ("The same less random deletions, paired", found.change_gain, "{:+.1%}"),
    )
    table = Table(box=SIMPLE_HEAD)
    for column in (f"{len(explained.table):,} places", "Value", "95 % interval"):
        table.add_column(column)
    for name, interval, form in rows:
        table.add_row(name, *_shown(interval, form))
    console.print(table)
    for note in explained.notes:
        say(console, f"Note: {note}")
    say(console, f"Table: {explained.path}")


def _shown(interval: Interval, form: str) -> tuple[str, str]:
    if interval.value is None:
        return "none", ""
    if interval.low is None or interval.high is None:
        return form.format(interval.value), interval.reason or ""
    return form.format(interval.value), f"{form.format(interval.low)} to {form.format(interval.high)}"
