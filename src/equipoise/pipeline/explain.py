"""Explain the lists of a finished run, one place or all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.data import vocabulary as v
from equipoise.debias import AfterTraining
from equipoise.debias.after.groups import attribute_of
from equipoise.errors import DataError, EquipoiseError
from equipoise.explain import Explainer, Explanation, Summary, faithfulness, summary
from equipoise.pipeline.finished import FinishedRun
from equipoise.pipeline.folder import write_whole
from equipoise.pipeline.sensitive import PathsAsked, sensitive_part
from equipoise.pipeline.train import chosen_corrections

_NEWCOMER = (
    "Rank and score are what the model alone says of somebody without a past; 'equipoise recommend' mixes it with what "
    "everybody takes, so that ranks there may be others."
)
_READS = (
    "The correction '{}' reads '{}' when it re-ranks: the place in the list depends on it directly, which is not among "
    "these parts."
)
_RERANKED = (
    "Corrections re-rank the lists of this run afterwards; rank, score and reasons are those of the model before "
    "that."
)
_ONLY_RERANKED = "Places that only the re-ranking explains count as not faithful."
_LEARNED = (
    "{count:,} of {all:,} places are of users of whom the model keeps a learned vector. Nothing that is left out of "
    "their past moves their lists, so that no explanation from the past is faithful."
)


@dataclass(frozen=True)
class Explained:
    """Explanations of all places of lists, tried by deletion.

    Attributes:
        table: As `faithfulness` returns it, with the column `stage`.
        summary: How faithful they are.
        path: Where the table was written.
        notes: What a reader must know, in sentences.
    """

    table: pl.DataFrame
    summary: Summary
    path: Path
    notes: tuple[str, ...] = ()


def explain(
    run: FinishedRun,
    user: Any,
    item: Any,
    *,
    k: int = 10,
    counterfactual: bool = True,
    stage: str | None = None,
    paths: PathsAsked | None = None,
) -> Explanation:
    """Why an item stands where it stands in the list that a run's model makes for a user.

    Whoever explains many places calls `explainer` once, since each call of this function loads the model.

    Args:
        run: A finished run.
        user: Id of a user; one that the run does not know is explained as somebody new.
        item: Id of an item that the user has not seen.
        k: Length of the list that the counterfactual is about.
        counterfactual: Whether to look for past interactions without which the item leaves the list.
        stage: `baseline` or `corrected`; the last one of the run by default.
        paths: A sensitive attribute, and the graph along which its part of the score is told.

    Raises:
        DataError: if the run has no such stage or item, or the user has the item already; if the attribute is not
            known of the user.
        ConfigError: if the graph does not fit the data.
        ModelError: if the model's files are damaged.
    """
    asked = explainer(run, stage)
    said = asked.explain(user, item, k=k, counterfactual=counterfactual)
    if paths is not None:
        said = _with_paths(run, stage, asked, said, user, item, paths)
    newcomer = (_NEWCOMER,) if said.asked_as == "unknown" else ()
    return replace(said, notes=(*said.notes, *newcomer, *reranked(run, stage)))


def _with_paths(
    run: FinishedRun,
    stage: str | None,
    asked: Explainer,
    said: Explanation,
    user: Any,
    item: Any,
    paths: PathsAsked,
) -> Explanation:
    """The explanation with what runs along paths."""
    try:
        told = sensitive_part(asked, user, item, paths, said.k, run.runtime())
        notes = (*told.notes, *reading_corrections(run, stage, paths.sensitive))
        return replace(said, sensitive=replace(told, notes=notes))
    except EquipoiseError as error:
        if paths.needed:
            raise
        note = f"Paths of '{paths.sensitive}' were not followed: {error.paragraph}"
        return replace(said, notes=(*said.notes, note))


def explainer(run: FinishedRun, stage: str | None = None) -> Explainer:
    """The model of a stage, knowing what the run's lists were made from, ready to be asked for reasons.

    Args:
        run: A finished run.
        stage: `baseline` or `corrected`; the last one of the run by default.

    Raises:
        DataError: if the run has no such stage.
        ModelError: if the model's files are damaged.
    """
    return Explainer(run.knowing(stage), run.prepared.train, run.title_column, run.config.audit.exclude_seen)


def explain_all(
    run: FinishedRun,
    *,
    k: int = 10,
    stage: str | None = None,
    users: int | None = None,
    out: Path | None = None,
    force: bool = False,
) -> Explained:
    """Explain every place of the run's lists, and see by deletion whether the explanations are faithful.

    An audit of the run reads the table from the run's folder, and measures transparency by its column `faithful`.

    Args:
        run: A finished run.
        k: Places of each list that are explained.
        stage: `baseline` or `corrected`; the last one of the run by default.
        users: How many users, drawn by the run's seed; None for all.
        out: A Parquet file; `explanations.parquet` in the run's folder by default.
        force: Whether to replace a table that is there.

    Raises:
        DataError: if the run has no such stage, or its lists are shorter than `k`.
        EquipoiseError: if there is such a file already.
        ModelError: if the model's files are damaged.
    """
    path = out or run.folder.path / "explanations.parquet"
    if path.exists() and not force:
        raise EquipoiseError(
            "There is such a file already",
            where=str(path),
            todo="Choose another --out, or replace it by --force.",
        )
    runtime, chosen = run.runtime(), stage or run.listed[-1]
    asked = explainer(run, chosen)
    lists = run.folder.read_frame("recommendations.parquet").filter(pl.col(v.STAGE) == chosen)
    if k > (longest := int(str(lists[v.RANK].max() or 0))) or k < 1:
        raise DataError(
            f"Lists of {k} places were asked about, but those of the run have {longest}",
            todo=f"Ask for k between 1 and {longest}.",
        )
    everybody = lists[v.USER].unique().sort()
    if users is not None and users < len(everybody):
        drawn = runtime.rng("explained").choice(len(everybody), users, replace=False)
        lists = lists.filter(pl.col(v.USER).is_in(everybody.gather(sorted(drawn)).implode()))
    table = faithfulness(asked, lists, k, runtime)
    table = table.with_columns(pl.lit(chosen).alias(v.STAGE))
    write_whole(path, table.write_parquet)
    notes = list(reranked(run, chosen))
    notes += [_ONLY_RERANKED] * len(notes)
    if learned := int(table["learned"].sum()):
        notes.append(_LEARNED.format(count=learned, all=len(table)))
    return Explained(table, summary(table, runtime), path, tuple(notes))


def reading_corrections(run: FinishedRun, stage: str | None, column: str) -> tuple[str, ...]:
    """That corrections after the model read an attribute themselves, where they do."""
    if stage == v.BASELINE:
        return ()
    reading = [
        one.name
        for one in chosen_corrections(run.config)
        if isinstance(one, AfterTraining)
        and hasattr(one, "attribute")
        and attribute_of(run.prepared.train, one.attribute) == column
    ]
    return tuple(_READS.format(name, column) for name in dict.fromkeys(reading))


def reranked(run: FinishedRun, stage: str | None) -> tuple[str, ...]:
    """That corrections change lists after the model, where they do and the stage's lists are such."""
    return (_RERANKED,) if run.reranks(stage) else ()
