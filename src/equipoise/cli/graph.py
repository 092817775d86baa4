"""`equipoise graph`: propose a causal graph, hold one against data, ask one what follows from it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from equipoise.cli.words import listed, say
from equipoise.errors import ConfigError, EquipoiseError

app = typer.Typer(
    help="Propose a causal graph, check one on data, ask one a question.",
    no_args_is_help=True,
)

_STYLES = {"identified": "green", "agrees": "green", "contradicted": "red", "not identified": "red"}

Graph = Annotated[
    str, typer.Argument(help='A graph, as in "age -> shown; shown <-> bought", or a file of one.')
]
Out = Annotated[Path | None, typer.Option(help="Folder to write graph.json and report.html into.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the answer in that folder.")]
Lang = Annotated[str, typer.Option(help="Language of the page: en, zh.")]
Name = Annotated[str | None, typer.Option(help="Name on the page.")]
Categories = Annotated[
    str | None, typer.Option(help="Columns that are categories (default: told from the values).")
]
Level = Annotated[float, typer.Option(help="Level of the tests of independence.")]


@app.command()
def propose(
    data: Annotated[str, typer.Argument(help="Table with one column per variable.")],
    method: Annotated[
        str, typer.Option(help="pc, ges, lingam, fci (causal-learn), or llm (a language model).")
    ] = "pc",
    columns: Annotated[str | None, typer.Option(help="Columns to take (default: all).")] = None,
    categories: Categories = None,
    cluster: Annotated[str | None, typer.Option(help="Column of users, resampled as wholes.")] = None,
    descriptions: Annotated[
        Path | None, typer.Option(help="TOML or JSON file of what columns mean, for llm.")
    ] = None,
    model: Annotated[str, typer.Option(help="Language model on the server, for llm.")] = "",
    resamples: Annotated[
        int | None, typer.Option(min=0, help="Resamples for the confidence (default: 30; 5 answers of llm).")
    ] = None,
    level: Level = 0.05,
    seed: Annotated[int, typer.Option(min=0, help="Root of all random numbers.")] = 0,
    lang: Lang = "en",
    name: Name = None,
    out: Out = None,
    force: Force = False,
) -> None:
    """Propose a graph from data or from a language model; a person decides what to make of it.

    Writes graph.json and report.html (by default into graphs/<time>-...). `llm` sends names and descriptions
    of the columns, never a value, to the server that EQUIPOISE_BASE_URL names.
    """
    from equipoise.pipeline.causal import graph as journey

    console = Console()
    answer = _run(
        lambda: journey.propose(
            data,
            method,
            columns=listed(columns),
            discrete=listed(categories),
            cluster=cluster,
            descriptions=descriptions,
            model=model,
            n_bootstrap=resamples,
            level=level,
            seed=seed,
            output=_output(out, force, name, lang),
            say=lambda line: say(console, line),
        )
    )
    content = answer.content
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for heading, justify in (
        ("edge", "left"),
        ("confidence", "right"),
        ("adjacent", "right"),
        ("->", "right"),
        ("<-", "right"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for edge in content["edges"]:
        shares = (edge[share] for share in ("confidence", "adjacent", "forward", "backward"))
        table.add_row(
            escape(f"{edge['from']} {edge['kind']} {edge['to']}"),
            *("-" if share is None else f"{share:.0%}" for share in shares),
        )
    console.print(table)
    say(console, content["proposal"]["words"])
    if content["text"]:
        say(console, f"If you stand for all of it: {content['text']}")
    say(console, f"Report: {answer.report}")


@app.command()
def check(
    graph: Graph,
    data: Annotated[str, typer.Option(help="Table with one column per variable.")],
    categories: Categories = None,
    cluster: Annotated[
        str | None, typer.Option(help="Column of users whose rows depend on each other (default: none do).")
    ] = None,
    level: Level = 0.05,
    lang: Lang = "en",
    name: Name = None,
    out: Out = None,
    force: Force = False,
) -> None:
    """Test on data every independence that a graph implies.

    Rows are taken to be independent of each other. Where users have several, name their column as --cluster:
    without it a right graph is contradicted far more often than the level says.

    Exit code 0: nothing contradicts the graph. 1: the data contradict it. 2: it could not be tested.
    """
    from equipoise.pipeline.causal import graph as journey

    console = Console()
    answer = _run(
        lambda: journey.check(
            graph,
            data,
            level=level,
            discrete=listed(categories),
            cluster=cluster,
            output=_output(out, force, name, lang),
            say=lambda line: say(console, line),
        )
    )
    content = _content(answer)
    if content["implications"]:
        table = Table(box=SIMPLE_HEAD, padding=(0, 1))
        for heading in ("implied", "test", "strength", "p", "p adjusted"):
            table.add_column(heading, justify="left" if heading in ("implied", "test") else "right")
        for row in content["implications"]:
            given = f" | {', '.join(row['given'])}" if row["given"] else ""
            style = "red" if row["rejected"] else None
            numbers = (f"{row['strength']:.2f}", f"{row['p_value']:.2g}", f"{row['p_adjusted']:.2g}")
            shown = (row["test"], *numbers) if row["degrees"] else ("could not be tested", "-", "-", "-")
            table.add_row(escape(f"{row['a']} ⊥ {row['b']}{given}"), *shown, style=style)
        console.print(table)
    _told(console, content, answer)
    if content["verdict"]["code"] == "contradicted":
        raise typer.Exit(1)


@app.command()
def show(
    graph: Graph,
    outcome: Annotated[str | None, typer.Option(help="Variables asked about.")] = None,
    do: Annotated[str | None, typer.Option(help="Variables that are set.")] = None,
    given: Annotated[str | None, typer.Option(help="Variables conditioned on.")] = None,
    observed: Annotated[str | None, typer.Option(help="Variables that are observed (default: all).")] = None,
    strategy: Annotated[str | None, typer.Option(help="backdoor, frontdoor, id or iv.")] = None,
    as_: Annotated[str, typer.Option("--as", help="Print as words, mermaid, graphviz or latex.")] = "words",
    lang: Lang = "en",
    name: Name = None,
    out: Out = None,
    force: Force = False,
) -> None:
    """Draw a graph, and answer a question by a formula or by the reason why there is none.

    Exit code 0: drawn, or identified. 1: the effect is not identifiable. 2: the question cannot be read.
    """
    from equipoise.pipeline.causal import graph as journey

    console = Console()
    if as_ not in ("words", "mermaid", "graphviz", "latex"):
        raise ConfigError(
            f"A graph is not printed as '{as_}'", todo="Known: words, mermaid, graphviz, latex."
        )
    if as_ == "latex" and not outcome:
        raise ConfigError("Without a question there is no formula", todo="Give --outcome and --do.")
    answer = _run(
        lambda: journey.show(
            graph,
            outcome=listed(outcome) or (),
            do=listed(do) or (),
            given=listed(given) or (),
            observed=listed(observed),
            strategy=strategy,
            output=_output(out, force, name, lang),
        )
    )
    content = _content(answer)
    query = content.get("query", {})
    if as_ in ("mermaid", "graphviz"):
        say(console, content[as_])
    elif as_ == "latex" and query["identified"]:
        say(console, query["latex"])
    else:
        say(console, content["text"])
        for implied in content["independences"] if not query else ():
            say(console, f"  {implied}")
        if query.get("identified"):
            sets = [", ".join(names) or "nothing" for names in query["adjustment_sets"]]
            sets += ["other sets"] if query["more_adjustment_sets"] else []
            say(
                console,
                f"Strategy: {query['strategy']}" + (f"; adjust for {' or for '.join(sets)}" if sets else ""),
            )
            for assumption in query["assumptions"]:
                say(console, f"  assumes: {assumption}")
        _told(console, content, answer)
        if query and not query["identified"]:
            say(console, query["reason"])
    if query and not query["identified"]:
        raise typer.Exit(1)


def _run(journey: Any) -> Any:
    try:
        return journey()
    except KeyboardInterrupt:
        raise EquipoiseError("Stopped; nothing was written") from None


def _output(out: Path | None, force: bool, name: str | None, lang: str) -> Any:
    from equipoise.pipeline.causal.graph import Output

    return Output(out, force, name, lang, shlex.join(["equipoise", *sys.argv[1:]]))


def _content(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = answer if isinstance(answer, dict) else answer.content
    return found


def _told(console: Console, content: dict[str, Any], answer: Any) -> None:
    """The verdict, and where the page is."""
    found = content["verdict"]
    style = _STYLES.get(found["code"], "default")
    console.print(
        f"[bold {style}]{found['code'].capitalize()}.[/] {escape(found['sentence'])}",
        soft_wrap=True,
        highlight=False,
    )
    if not isinstance(answer, dict):
        say(console, f"Report: {answer.report}")
