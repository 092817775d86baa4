"""Copy for the recommendations of a finished run: written, checked, counted, and compared between groups."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from equipoise.component import Runtime
from equipoise.copywriting import MEASURES, Claim, Copy, Copywriter, Facts, gather, measures, parity
from equipoise.data import vocabulary as v
from equipoise.data.ratings import middle, ratings
from equipoise.errors import DataError
from equipoise.explain import AS, Explanation
from equipoise.language.generators import Writer
from equipoise.language.untrusted import cleaned, findings
from equipoise.pipeline.explain import explainer, reranked
from equipoise.pipeline.finished import FinishedRun
from equipoise.pipeline.folder import write_whole
from equipoise.pipeline.protection import keep
from equipoise.progress import track
from equipoise.statistics import Interval, bootstrap_means, bootstrap_ratio

FILES: Final = frozenset({"copy.parquet", "copy.json"})
_OFFLINE_CHINESE = (
    "Without a network, Chinese copy comes from the template alone: the bundled model writes English."
)
_UNLISTED = "The item is not among the {k} best of this person by the model (rank {rank:,})."
_UNAIDED = (
    "Without any of the past the item would be at place {place} of the list: the past is not why it is there, and no "
    "choice is named as a reason."
)
_ALL_UNAIDED = (
    "{count:,} of {all:,} texts name no choice: without any of the past the item would be on the list too."
)
_WITHHELD = (
    "{count} texts of the catalogue read like instructions to a machine, and were withheld from the copy."
)


@dataclass(frozen=True)
class Written:
    """One text with what it was allowed to say.

    Attributes:
        copy: The text and its checks.
        facts: What it may say.
        notes: What a reader must know, in sentences.
    """

    copy: Copy
    facts: Facts
    notes: tuple[str, ...]


def write(
    run: FinishedRun,
    user: Any,
    item: Any,
    *,
    copywriter: Copywriter,
    writer: Writer,
    stage: str | None = None,
) -> Written:
    """A text for one user about one item.

    Args:
        run: A finished run.
        user: Id of a user; to one that the run does not know is written as to somebody new.
        item: Id of an item that the user has not seen.
        copywriter: Language, style and limits of the text.
        writer: Who writes the draft.
        stage: `baseline` or `corrected`; the last one of the run by default.

    Raises:
        DataError: if the run has no such stage or item, or the user has the item already.
        ModelError: if the writer does not know the language.
    """
    desk = _Desk(run, copywriter)
    explanation = explainer(run, stage).explain(user, item, counterfactual=False)
    facts = desk.facts(explanation)
    (copy,) = copywriter.write([facts], writer)
    whom = [AS[explanation.asked_as]] if explanation.asked_as in AS else []
    if not explanation.listed:
        whom.append(_UNLISTED.format(k=explanation.k, rank=explanation.rank))
    elif explanation.listed_anyway:
        whom.append(_UNAIDED.format(place=explanation.unaided))
    return Written(copy, facts, (*desk.notes(writer), *whom, *reranked(run, stage)))


def write_all(
    run: FinishedRun,
    *,
    copywriter: Copywriter,
    writer: Writer,
    limit: int | None = None,
    stage: str | None = None,
    out: Path | None = None,
    force: bool = False,
    runtime: Runtime | None = None,
) -> dict[str, Any]:
    """A text for each user about the first item of the list; writes `copy.parquet` and `copy.json`.

    Args:
        run: A finished run.
        copywriter: Language, style and limits of the texts.
        writer: Who writes the drafts.
        limit: Most users, drawn at random with the run's seed; None for all.
        stage: `baseline` or `corrected`, whose lists are written about; the last one of the run by default.
        out: Folder to write; `copy` in the run's folder by default.
        force: Whether to replace texts that are there.
        runtime: How to run; the run's own options by default.

    Returns:
        What `copy.json` holds: shares of statements that stand and of fallbacks with intervals, faults by kind, parity
        of groups.

    Raises:
        DataError: if the run has no such stage, or no lists.
        EquipoiseError: if the folder holds texts already, or other files.
        ModelError: if the writer does not know the language.
    """
    runtime = runtime or run.runtime()
    folder = out or run.folder.path / "copy"
    keep(folder, FILES, "texts", force=force)
    stage = stage or run.listed[-1]
    firsts = _firsts(run, stage, limit, runtime)
    reasons = explainer(run, stage)
    desk = _Desk(run, copywriter)
    explanations = [
        reasons.explain(user, item, counterfactual=False)
        for user, item in track(list(firsts.iter_rows()), "finding reasons", show=runtime.progress)
    ]
    facts = [desk.facts(each) for each in explanations]
    copies = copywriter.write(facts, writer)
    table = firsts.with_columns(_columns(copies)).with_columns(
        pl.DataFrame([measures(copy, each) for copy, each in zip(copies, facts, strict=True)]).select(
            pl.all().exclude("fallback")
        )
    )
    summary = {
        "stage": stage,
        "copywriter": copywriter.describe(),
        "generator": {**writer.config.describe(), "identity": writer.identity},
        **_shares(table.select(v.USER).to_series(), copies, runtime.seed),
        "parity": _parity(run, table, runtime.seed),
        "notes": [*desk.notes(writer), *_asked(explanations), *reranked(run, stage)],
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "copy.parquet", table.write_parquet)
    text = json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(folder / "copy.json", lambda draft: draft.write_text(text, "utf-8"))
    return summary


class _Desk:
    """Where facts are gathered: rows of items and people at hand, strangers' texts read with care."""

    def __init__(self, run: FinishedRun, copywriter: Copywriter) -> None:
        train = run.prepared.train
        self._items, self._title, self._lang = run.items, run.title_column, copywriter.lang
        self._users = None
        if train.users is not None and train.sensitive:
            self._users = train.users.select(pl.col(v.USER).cast(pl.String), *train.sensitive)
        self._low = _low_ratings(train.positives)
        self._withheld: set[str] = set()

    def facts(self, explanation: Explanation) -> Facts:
        """What may be said about one recommendation."""
        past = [reason.name for reason in explanation.reasons if reason.kind == "interaction"]
        rows = self._rows([explanation.item, *past[:10]])
        return gather(
            explanation,
            rows.get(explanation.item, {}),
            rows,
            title=self._title,
            lang=self._lang,
            read=self._read,
            unsaid=self._unsaid(explanation.user),
            disliked=self._disliked(explanation.user),
        )

    def notes(self, writer: Writer) -> tuple[str, ...]:
        """What a reader must know."""
        notes = []
        if self._lang == "zh" and writer.config.name in ("template", "smollm2"):
            notes.append(_OFFLINE_CHINESE)
        if self._withheld:
            notes.append(_WITHHELD.format(count=len(self._withheld)))
        return tuple(notes)

    def _rows(self, items: Sequence[str]) -> dict[str, dict[str, Any]]:
        if self._items is None:
            return {}
        key = pl.col(v.ITEM).cast(pl.String)
        found = self._items.filter(key.is_in(list(items))).with_columns(key)
        return {row[v.ITEM]: row for row in found.iter_rows(named=True)}

    def _unsaid(self, user: str | None) -> list[str]:
        if self._users is None or user is None:
            return []
        row = self._users.filter(pl.col(v.USER) == str(user)).drop(v.USER)
        return [str(value) for value in row.row(0) if value is not None] if len(row) else []

    def _disliked(self, user: str | None) -> set[str]:
        """What a person rated below the middle of the scale."""
        if self._low is None or user is None:
            return set()
        return set(self._low.filter(pl.col(v.USER) == str(user))[v.ITEM])

    def _read(self, text: str) -> str:
        """A stranger's text without what nobody sees; nothing of one that speaks to a machine."""
        if findings(text):
            self._withheld.add(text)
            return ""
        return cleaned(text)


def _firsts(run: FinishedRun, stage: str, limit: int | None, runtime: Runtime) -> pl.DataFrame:
    """The users to write for, and the first item of each one's list."""
    lists = run.folder.read_frame("recommendations.parquet")
    firsts = lists.filter((pl.col(v.STAGE) == stage) & (pl.col(v.RANK) == 1)).select(v.USER, v.ITEM)
    if firsts.is_empty():
        raise DataError(f"The run has no lists of the stage '{stage}'", where=str(run.folder.path))
    firsts = firsts.sort(v.USER)
    if limit is None or limit >= len(firsts):
        return firsts
    drawn = runtime.rng("copy").choice(len(firsts), size=limit, replace=False)
    return firsts[np.sort(drawn)]


def _asked(explanations: Sequence[Explanation]) -> Iterable[str]:
    """How many texts rest on what the model says to others than their reader, or on nothing of the past."""
    for kind, says in AS.items():
        if count := sum(each.asked_as == kind for each in explanations):
            yield f"{count:,} of {len(explanations):,} texts: {says}"
    if count := sum(each.listed_anyway for each in explanations):
        yield _ALL_UNAIDED.format(count=count, all=len(explanations))


def _columns(copies: Sequence[Copy]) -> Iterable[pl.Series]:
    """The texts as columns."""
    for name in ("text", "lang", "style", "generator", "fallback"):
        yield pl.Series(name, [getattr(copy, name) for copy in copies])
    yield pl.Series("checks", [[f"{fault.kind}: {fault.what}" for fault in copy.checks] for copy in copies],
                    dtype=pl.List(pl.String))  # fmt: skip
    yield pl.Series("grounded", [copy.grounded for copy in copies], dtype=pl.Float64)
    yield pl.Series("draft", [copy.draft.text if copy.draft else None for copy in copies], dtype=pl.String)


def _shares(users: pl.Series, copies: Sequence[Copy], seed: int) -> dict[str, Any]:
    """How many statements stand, how many texts were replaced, and why.

    A draft of which no statement could be read, as one in another language, counts as a statement that does not stand.
    """
    texts = {
        "drafts": [copy.draft.claims for copy in copies if copy.draft],
        "shown": [copy.claims for copy in copies],
    }
    drafts = [copy.draft for copy in copies if copy.draft]
    unread = [draft for draft in drafts if not draft.claims]
    drafted = [claim for draft in drafts for claim in draft.claims if claim.states]
    shown = [claim for copy in copies for claim in copy.claims if claim.states]
    fallback = bootstrap_means(np.array([copy.fallback for copy in copies], dtype=np.float64), seed=seed)[0]
    kinds = Counter(kind for copy in copies for kind in {fault.kind for fault in copy.checks})
    return {
        "texts": len(copies),
        "users": users.n_unique(),
        "statements": {"drafted": len(drafted), "shown": len(shown)},
        "drafts": {"written": len(drafts), "unread": len(unread)},
        "grounded": {
            "drafts": _share([not claim.faults for claim in drafted] + [False] * len(unread)),
            "shown": _share([not claim.faults for claim in shown]),
        },
        "grounded_intervals": {name: _standing(claims, seed).as_dict() for name, claims in texts.items()},
        "fallback": fallback.as_dict(),
        "texts_by_fault": dict(sorted(kinds.items())),
    }


def _standing(texts: Sequence[Sequence[Claim]], seed: int) -> Interval:
    """The share of statements that stand, with an interval from a bootstrap of texts."""
    stating = [[claim for claim in claims if claim.states] for claims in texts]
    all_of = [len(stated) + (not claims) for stated, claims in zip(stating, texts, strict=True)]
    stand = [sum(not claim.faults for claim in stated) for stated in stating]
    return bootstrap_ratio(stand, all_of, seed=seed)[0]


def _share(true: Sequence[bool]) -> float | None:
    return sum(true) / len(true) if true else None


def _parity(run: FinishedRun, table: pl.DataFrame, seed: int) -> dict[str, Any] | None:
    """Groups compared; None where the run knows no sensitive column."""
    train = run.prepared.train
    columns = [
        column for column in train.sensitive if train.users is not None and column in train.users.columns
    ]
    if train.users is None or not columns:
        return None
    measured = table.select(v.USER, pl.col(MEASURES).cast(pl.Float64))
    return parity(measured, train.users, columns, level=run.config.audit.level, seed=seed).as_dict()


def _low_ratings(events: pl.DataFrame) -> pl.DataFrame | None:
    """People and items, as text, whose latest rating lies below the middle of the scale; None where no scale shows."""
    rated = ratings(events)
    centre = middle(rated[v.VALUE])
    if centre is None:
        return None
    if v.TIMESTAMP in rated.columns:
        rated = rated.sort(v.TIMESTAMP)
    low = rated.with_columns(low=pl.col(v.VALUE) < centre).group_by(v.USER, v.ITEM).agg(pl.col("low").last())
    return low.filter("low").select(pl.col(v.USER, v.ITEM).cast(pl.String))
