"""From a table and a question to an effect, its card, and the page that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.data.frames import require
from equipoise.data.sources import read_table
from equipoise.errors import ConfigError, DataError
from equipoise.pipeline.causal.graph import read_graph
from equipoise.pipeline.causal.requests import EffectRequest
from equipoise.pipeline.causal.writing import Answer, Say, place, provenance, write
from equipoise.report import render_card


def effect(
    request: EffectRequest | Mapping[str, Any],
    *,
    out: Path | str | None = None,
    force: bool = False,
    say: Say = lambda line: None,
) -> Answer:
    """Estimate an effect, try to refute it, and write `effect.json` and `report.html`.

    Args:
        request: The question.
        out: Folder to write into; `effects/<time>-<name>` by default.
        force: Replace an answer that is in the folder already.
        say: Called with a line for each step.

    Raises:
        EquipoiseError: with what was wrong, where, and what to do. Nothing is written then. An effect that the
            data do not allow is no error: its card says why.
    """
    from equipoise.causal.effects import estimate_effect
    from equipoise.causal.refutation import card

    asked = request if isinstance(request, EffectRequest) else EffectRequest.of(request)
    folder = place(out, "effect", f"{asked.treatment}-{asked.outcome}", force=force)
    if asked.graph is None and asked.adjust is None:
        raise ConfigError(
            "It is not said what to adjust for",
            todo="Give --graph, or --adjust with columns (--adjust '' for a randomised treatment).",
        )
    graph = None if asked.graph is None else read_graph(asked.graph)
    table = read_table(asked.data)
    say(f"read      {len(table):,} rows")
    found = estimate_effect(
        table,
        asked.treatment,
        asked.outcome,
        graph=graph,
        adjust=asked.adjust,
        method=asked.method,
        cluster=asked.cluster,
        estimand=asked.estimand,
        treated=_treated(asked.treated, table, asked.treatment),
        instrument=asked.instrument,
        mediator=asked.mediator or None,
        outcome_model=asked.outcome_model,
        propensity_model=asked.propensity_model,
        folds=asked.folds,
        clip=asked.clip,
        level=asked.level,
        seed=asked.seed,
    )
    say(f"estimated {found.method}" + ("; refused" if found.refused else "; now trying to refute it"))
    controls = {"outcomes": asked.negative_controls, "exposures": asked.negative_exposures}
    content = card(
        found,
        n_permutations=asked.permutations,
        negative_controls=controls if any(controls.values()) else None,
        seed=asked.seed,
    )
    content["groups"] = _groups(found, asked.groups)
    content |= provenance(asked.command, asked.name)
    answer = write(folder, "effect", content, render_card, asked.lang)
    say(f"wrote     {answer.path}")
    return answer


def _treated(said: Any, table: pl.DataFrame, column: str) -> Any:
    """The treated value in the type of its column.

    Raises:
        DataError: if the column cannot hold it.
    """
    require(table.columns, column, table="data")
    if not isinstance(said, str) or table.schema[column] == pl.String:
        return said
    if table.schema[column] == pl.Boolean:
        return {"true": True, "1": True, "false": False, "0": False}.get(said.lower(), said)
    value = pl.Series([said]).cast(table.schema[column], strict=False)[0]
    if value is None:
        raise DataError(
            f"No row has the treatment '{said}'",
            where=f"column '{column}' holds {table.schema[column]}",
            todo="Give one of its values as --treated.",
        )
    return value


def _groups(found: Any, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """The effect by group, as rows of the card."""
    if not columns or found.refused:
        return []
    rows = found.by_group(list(columns)).to_dicts()
    names = ("n", "value", "low", "high", "p_value", "p_adjusted", "reason")
    return [{"group": f"{row['column']} = {row['group']}", **{k: row.get(k) for k in names}} for row in rows]
