"""Graphs as questions: propose one from data, hold one against data, ask one what follows from it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.data.sources import read_table
from equipoise.errors import ConfigError, DataError
from equipoise.pipeline.causal.writing import Answer, Say, place, provenance, write
from equipoise.report import render_graph

if TYPE_CHECKING:
    from equipoise.causal.graph import CausalGraph

_KIND = "graph"
_SETS = 20  # adjustment sets that are told; there can be exponentially many


@dataclass(frozen=True)
class Output:
    """Where an answer goes, and what stands on its page.

    Attributes:
        folder: Folder to write into; None for `graphs/<time>-<name>` of a proposal, and nothing of others.
        force: Whether to replace an answer in that folder.
        name: Name on the page.
        lang: Language of the page.
        command: What was typed.
    """

    folder: Path | None = None
    force: bool = False
    name: str | None = None
    lang: str = "en"
    command: str | None = None


def propose(
    data: str,
    method: str,
    *,
    descriptions: Path | None = None,
    output: Output | None = None,
    say: Say = lambda line: None,
    **options: Any,
) -> Answer:
    """Propose a graph from a table, and write `graph.json` and `report.html`.

    Args:
        data: Where the table lies, as in `read_table`.
        method: As in `propose_graph`.
        descriptions: TOML or JSON file of column names and what they mean.
        output: Where to write.
        say: Called with a line for each step.
        options: Further arguments of `propose_graph`.

    Raises:
        EquipoiseError: with what was wrong, where, and what to do. Nothing is written then.
    """
    from equipoise.causal.discovery import propose_graph

    to = output or Output()
    folder = place(to.folder, _KIND, f"{Path(data).stem}-{method}", force=to.force)
    table = read_table(data)
    say(f"read      {len(table):,} rows of {table.width} columns")
    meanings = None if descriptions is None else _described(descriptions)
    found = propose_graph(table, method, descriptions=meanings, **options)
    rows = found.edges.to_dicts()
    ready = found.graph_if_accepted
    content = {
        "kind": _KIND,
        "schema": 1,
        "verdict": {"code": "proposal", "sentence": found.summary},
        "nodes": list(found.variables),
        "edges": [{"from": row["a"], "to": row["b"], **row} for row in rows],
        "text": None if ready is None else str(ready),
        "mermaid": found.to_mermaid(),
        "proposal": {
            "method": found.method,
            "n": found.n,
            "n_bootstrap": found.n_bootstrap,
            "sentence": " ".join(found.notes),
            "words": found.sentence,
            "open": [" ".join(edge) for edge in found.open],
            "refused": list(found.refused),
        },
        **provenance(to.command, to.name),
    }
    return _written(folder, content, to, say)


def check(
    graph: str,
    data: str,
    *,
    level: float = 0.05,
    discrete: Sequence[str] | None = None,
    cluster: str | None = None,
    output: Output | None = None,
    say: Say = lambda line: None,
) -> Answer | dict[str, Any]:
    """Test on a table what a graph implies.

    Args:
        graph: A graph, or a file of one.
        data: Where the table lies, as in `read_table`.
        level: Chance of contradicting a right graph.
        discrete: Columns that are categories; None to tell from the values.
        cluster: Column of users whose rows depend on each other; None where all rows are independent.
        output: Where to write; nothing is written without a folder.
        say: Called with a line for each step.

    Returns:
        What was written, or the content that would have been.

    Raises:
        EquipoiseError: with what was wrong, where, and what to do. Nothing is written then.
    """
    from equipoise.causal.graph.implications import test_implications

    to = output or Output()
    folder = None if to.folder is None else place(to.folder, _KIND, "", force=to.force)
    drawn = read_graph(graph)
    table = read_table(data)
    apart = " (taken to be independent: else name a cluster)" if cluster is None else ""
    say(f"read      {len(table):,} rows{apart}")
    found = test_implications(drawn, table, level, discrete, cluster)
    if found.untested and found.untested == len(found.table):
        raise DataError(
            found.sentence,
            where="a column that never varies, or too few rows",
            todo="Give rows in which the variables of the graph take several values.",
        )
    content = {
        "kind": _KIND,
        "schema": 1,
        **drawn.as_dict(),
        "verdict": {"code": "contradicted" if found.contradicted else "agrees", "sentence": found.sentence},
        "implications": found.table.to_dicts(),
        "level": level,
        "n": found.n,
        "clusters": found.clusters,
        "untested": found.untested,
        **provenance(to.command, to.name),
    }
    return content if folder is None else _written(folder, content, to, say)


def show(
    graph: str,
    *,
    outcome: Sequence[str] = (),
    do: Sequence[str] = (),
    given: Sequence[str] = (),
    observed: Sequence[str] | None = None,
    strategy: str | None = None,
    output: Output | None = None,
    say: Say = lambda line: None,
) -> Answer | dict[str, Any]:
    """Draw a graph and, where a question is asked, answer it by a formula or by the reason why there is none.

    Args:
        graph: A graph, or a file of one.
        outcome: Variables asked about; none to ask nothing.
        do: Variables that are set.
        given: Variables that are conditioned on.
        observed: Variables that are observed; None for all.
        strategy: As in `identify`.
        output: Where to write; nothing is written without a folder.
        say: Called with a line for each step.

    Returns:
        What was written, or the content that would have been.

    Raises:
        EquipoiseError: with what was wrong, where, and what to do. Nothing is written then.
    """
    to = output or Output()
    if bool(outcome) != bool(do):
        raise ConfigError("A question needs both an outcome and what is set", todo="Give --outcome and --do.")
    folder = None if to.folder is None else place(to.folder, _KIND, "", force=to.force)
    drawn = read_graph(graph)
    content = {"kind": _KIND, "schema": 1, **drawn.as_dict()}
    implied = [str(one) for one in drawn.implications()]
    words = f"{len(drawn.nodes)} variables; the graph implies {len(implied)} independences."
    content |= {"verdict": {"code": "shown", "sentence": words}, "independences": implied}
    if outcome:
        content |= _answered(drawn, outcome, do, given, observed, strategy)
    content |= provenance(to.command, to.name)
    return content if folder is None else _written(folder, content, to, say)


def read_graph(text: str) -> CausalGraph:
    """A graph from its text, or from a file of it.

    Raises:
        GraphError: if it is neither.
    """
    from equipoise.causal.graph import CausalGraph

    if "->" not in text and "\n" not in text and Path(text).is_file():
        return CausalGraph.parse(Path(text).read_text("utf-8"))
    return CausalGraph.parse(text)


def _answered(
    graph: CausalGraph,
    outcome: Sequence[str],
    do: Sequence[str],
    given: Sequence[str],
    observed: Sequence[str] | None,
    strategy: str | None,
) -> dict[str, Any]:
    """The query of the page, and its verdict."""
    from equipoise.causal.identification import NotIdentifiable, adjustment_sets, identify

    asked: dict[str, Any] = {"outcome": list(outcome), "do": list(do), "given": list(given)}
    try:
        found = identify(graph, outcome, do, given or None, observed, strategy)
    except NotIdentifiable as refusal:
        asked |= {"identified": False, "reason": refusal.todo}
        if refusal.hedge is not None:
            outer, inner = (graph.ordered(part) for part in (refusal.hedge.outer, refusal.hedge.inner))
            asked["hedge"] = {"outer": list(outer), "inner": list(inner)}
        return {"verdict": {"code": "not identified", "sentence": refusal.what}, "query": asked}
    told = found.strategy == "backdoor" and not given
    sets = adjustment_sets(found.graph, outcome, do, limit=_SETS + 1) if told else []
    asked |= {
        "identified": True,
        "formula": found.formula,
        "latex": found.latex,
        "strategy": found.strategy,
        "adjustment_set": list(found.adjustment_set or ()),
        "adjustment_sets": [list(graph.ordered(names)) for names in sets[:_SETS]],
        "more_adjustment_sets": len(sets) > _SETS,
        "assumptions": list(found.assumptions),
    }
    return {"verdict": {"code": "identified", "sentence": found.formula}, "query": asked}


def _described(path: Path) -> dict[str, str]:
    """Descriptions of columns by name."""
    try:
        text = path.read_text("utf-8")
        found = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise ConfigError(f"The descriptions cannot be read: {error}", where=str(path)) from None
    if not isinstance(found, Mapping) or not all(isinstance(said, str) for said in found.values()):
        raise DataError(
            "The descriptions are not one text per column",
            where=str(path),
            todo='Write lines such as: shown = "whether the item was on the first page"',
        )
    return dict(found)


def _written(folder: Path, content: dict[str, Any], to: Output, say: Say) -> Answer:
    answer = write(folder, _KIND, content, render_graph, to.lang)
    say(f"wrote     {answer.path}")
    return answer
