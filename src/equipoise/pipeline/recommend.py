"""A list for anybody, from a finished run: known people, and new ones by clicks, a wish, attributes or nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.errors import DataError, ModelError
from equipoise.language import FittedEncoder
from equipoise.models import Fitted
from equipoise.models.histories import Histories, locate
from equipoise.models.newcomers.answerer import Answerer, Scored, steps_of, text_vectors
from equipoise.models.newcomers.audience import Audience
from equipoise.models.ranking import top_k
from equipoise.pipeline.finished import FinishedRun
from equipoise.pipeline.newcomers import answerer_of

ENOUGH = 0.5
"""Share of the evidence from which on a list is called a personal one."""

_ENGLISH = "minilm"

_SHORTER = "The list that the run made for '{user}' is shorter than {k}; this is the model's own."
_NOT_ALONE = "Corrections that re-rank the lists of all people together do not act on a single list."

NEW = "NEW"
"""Stands for a person whom the run does not know."""


@dataclass(frozen=True)
class Asked:
    """Who asks, and what is known of them.

    Attributes:
        user: Id of somebody the run knows; `NEW`, another id or None for somebody it does not.
        history: Ids of items that they chose, oldest first; for known people, after what the run knows.
        text: What they wish for.
        attributes: Columns of the users table and values.
    """

    user: str | None = None
    history: tuple[str, ...] = ()
    text: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """A list, what it rests on, and how far.

    Attributes:
        user: As asked.
        stage: Whose list it is.
        basis: What the list rests on: `history`, `wish`, `attributes`, `popularity`, the most telling first.
        evidence: Of all by which the listed items stand out from the average item, the share that is owed to what
            is known of this person and not to what everybody takes, in [0, 1]; None where the run has too few
            held-out events to learn it from, for a wish, of which nobody knows how well it was understood, and for a
            list that corrections put in order.
        reranked: Whether the list is one that the corrections of the run put in another order.
        shrunk: Whether the list was drawn towards what everybody takes; the lists of known people are the model's
            own.
        steps: Steps of the past that were read.
        items: `item_id`, `title` where items have one, `rank`, `score`, `probability` (null unless the model alone
            made the list), `cold` (whether nobody took the item in training).
        notes: What should be known of the list, in words.
    """

    user: str | None
    stage: str
    basis: tuple[str, ...]
    evidence: float | None
    reranked: bool
    shrunk: bool
    steps: int
    items: pl.DataFrame
    notes: tuple[str, ...]

    @property
    def enough(self) -> bool | None:
        """Whether the person more than the crowd made the list; None where that is not known."""
        return None if self.evidence is None else self.evidence >= ENOUGH

    @property
    def verdict(self) -> str:
        """How far the list is a personal one, in words."""
        if "wish" in self.basis:
            return "It follows the wish as far as texts of items are like it; how well it was understood is not known."
        if self.reranked:
            return "The run made this list for them, and its corrections put it in this order."
        if self.evidence is None:
            return "How far few clicks can be trusted is not known: the run has too few held-out events to learn it."
        if self.basis == ("popularity",):
            return "Not enough evidence: nothing is known of this person, and this is what everybody takes."
        start = "" if self.enough else "Not enough evidence for a personal list: "
        share = (
            f"{self.evidence:.0%} of what speaks for these items is known of this person, the rest is what "
        )
        end = "." if self.shrunk else " (the list is the model's own)."
        return f"{start}{share}everybody takes{end}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        said = {name: value for name, value in vars(self).items() if name != "items"}
        return said | {"enough": self.enough, "verdict": self.verdict, "items": self.items.to_dicts()}


def recommend(run: FinishedRun, asked: Asked, *, k: int = 10, stage: str | None = None) -> Answer:
    """The best `k` items for somebody.

    Known people of whom nothing new is said get the list of the model, or, where corrections put lists in another
    order, the one that the run made for them. Everybody else is answered as somebody new: see `models.newcomers`. How
    far a few clicks are to be trusted is learned on the run's validation part once, and kept in the folder of the run.

    Raises:
        DataError: if no item of the history is known, an attribute or its value is not, or there is a wish and the
            run has no texts.
        ModelError: if `k` is below 1.
    """
    if k < 1:
        raise ModelError(f"A list of {k} items was asked for", todo="Ask for k of at least 1.")
    chosen, hide, notes = stage or run.listed[-1], run.config.audit.exclude_seen, list[str]()
    fitted = run.model(chosen)
    trained = chosen if chosen in run.stages else v.BASELINE
    model = fitted.observe(run.prepared.valid.events)
    row = _row(model, asked.user, notes)
    clicks = _clicks(model, asked.history, notes)
    wish = (asked.text or "").strip() or None
    before = model.histories.take([row])
    past = before.followed_by(Histories.of_one(clicks, model.catalogue))
    known = len(before.items) > 0 and not (clicks or wish or asked.attributes)
    if run.reranks(chosen):
        made = _made(run, asked.user, chosen, k) if known else None
        if made is not None:
            return Answer(
                user=asked.user,
                stage=chosen,
                basis=("history",),
                evidence=None,
                reranked=True,
                shrunk=False,
                steps=steps_of(past),
                items=_named(run, model, made),
                notes=tuple(notes),
            )
        chosen = trained
        notes.append(_SHORTER.format(user=asked.user, k=k) if known else _NOT_ALONE)
    answerer = answerer_of(run, trained, fitted, model, wish)
    audience = Audience.of(_all_events(run), model.catalogue, asked.attributes)
    scored = answerer.answer(past, audience, wish)
    listed = model.recommend([asked.user], k, exclude_seen=hide) if known else _best(model, scored, k, hide)
    rows = locate(model.catalogue.items, listed[v.ITEM])
    told = answerer.shrinkage.learned or not scored.steps
    notes += _beside(run, asked, len(before.items))
    notes += [*_said(run, model, scored, wish), *_leanings(audience, scored, run.prepared.train)]
    if wish is not None:
        notes += _unread(wish, answerer)
    return Answer(
        user=asked.user,
        stage=chosen,
        basis=("history",) if known else scored.basis,
        evidence=scored.evidence(rows) if told and "wish" not in scored.basis else None,
        reranked=False,
        shrunk=not known,
        steps=scored.steps,
        items=_named(run, model, listed),
        notes=tuple(notes),
    )


def _made(run: FinishedRun, user: str | None, stage: str, k: int) -> pl.DataFrame | None:
    """The list that the run made for somebody; None where it is shorter than asked for."""
    lists = run.folder.read_frame("recommendations.parquet")
    own = lists.filter((pl.col(v.STAGE) == stage) & (pl.col(v.USER).cast(pl.String) == user)).sort(v.RANK)
    return own.head(k) if len(own) >= k else None


def _beside(run: FinishedRun, asked: Asked, known: int) -> list[str]:
    """What is said of a known person beside what the run knows, or against it."""
    notes = []
    if known and asked.history:
        notes.append(f"The history is taken as coming after the {known:,} steps that the run knows.")
    users = run.prepared.train.users
    if users is None or asked.user is None:
        return notes
    own = users.filter(pl.col(v.USER).cast(pl.String) == asked.user)
    for column, value in asked.attributes.items():
        known_as = own[column][0] if len(own) else None
        if known_as is not None and not _says(value, known_as):
            notes.append(f"The data say {column} = {known_as} of this person; the answer is for {value}.")
    return notes


def _says(text: str, value: Any) -> bool:
    """Whether a text is a table's value, numbers as numbers: 25 is 25.0."""
    try:
        return text == str(value) or float(text) == value
    except ValueError:
        return False


def _unread(wish: str, answerer: Answerer) -> list[str]:
    """That an encoder of English cannot read a wish."""
    vectors = text_vectors(answerer.model) or (None if answerer.texts is None else answerer.texts.vectors)
    letters = [sign for sign in wish if sign.isalpha()]
    latin = sum(unicodedata.name(sign, "").startswith("LATIN") for sign in letters)
    if vectors is None or not isinstance(vectors.encoder, FittedEncoder):
        return []
    if vectors.encoder.config.name != _ENGLISH or 2 * latin >= len(letters):
        return []
    return [
        f"The encoder '{_ENGLISH}' reads English, and this wish hardly holds any; "
        '[encoder] name = "multilingual" reads many languages.'
    ]


def _row(model: Fitted, user: str | None, notes: list[str]) -> int:
    """Row of somebody among the model's histories, -1 for a stranger."""
    if user is None:
        return -1
    known = pl.concat([model.catalogue.users, model.guests.cast(model.catalogue.users.dtype)])
    row = int(locate(known, pl.Series([user]))[0])
    if row < 0 and user != NEW:
        notes.append(
            f"'{user}' is not among the {len(known):,} people of the run, and is answered as somebody new."
        )
    return row


def _clicks(model: Fitted, history: tuple[str, ...], notes: list[str]) -> list[Any]:
    """The items of a history that the model knows, in its own ids.

    Raises:
        DataError: if it knows none.
    """
    items = model.catalogue.items
    rows = locate(items, pl.Series(history, dtype=pl.String))
    strange = [name for name, row in zip(history, rows, strict=True) if row < 0]
    if history and len(strange) == len(history):
        raise DataError(
            f"No item of the history is known: {', '.join(strange[:5])}",
            where=f"{len(items):,} items, such as {', '.join(map(str, items.head(3).to_list()))}",
            todo="Give ids of items as they stand in the data, with commas between them.",
        )
    if strange:
        notes.append(
            f"{len(strange)} of {len(history)} items of the history are not known: {', '.join(strange[:5])}."
        )
    return list(items.gather(rows[rows >= 0]).to_list())


def _all_events(run: FinishedRun) -> Dataset:
    """What the run's lists know: training and validation part."""
    train, valid = run.prepared.train, run.prepared.valid
    return train.with_events(pl.concat([train.events, valid.events], how="diagonal_relaxed"))


def _best(model: Fitted, scored: Scored, k: int, exclude_seen: bool) -> pl.DataFrame:
    """The best `k` items of an answer, as `Fitted.recommend` gives them."""
    scores = np.where(scored.seen & exclude_seen, -np.inf, scored.scores)
    best = top_k(scores[None], k)[0]
    best = best[np.isfinite(scores[best])]
    return pl.DataFrame(
        {
            v.ITEM: model.catalogue.items.gather(best),
            v.RANK: np.arange(1, len(best) + 1),
            v.SCORE: scores[best].astype(np.float64),
            v.PROBABILITY: pl.Series([None] * len(best), dtype=pl.Float64),
        }
    )


def _named(run: FinishedRun, model: Fitted, listed: pl.DataFrame) -> pl.DataFrame:
    """A list with titles, and with whether anybody took each item."""
    cold = model.catalogue.item_counts[locate(model.catalogue.items, listed[v.ITEM])] == 0
    titles = _titles(run, listed[v.ITEM])
    named = [] if titles is None else [titles.alias("title")]
    return listed.select(
        v.ITEM, *named, v.RANK, v.SCORE, v.PROBABILITY, pl.Series(v.COLD, cold, dtype=pl.Boolean)
    )


def _titles(run: FinishedRun, items: pl.Series) -> pl.Series | None:
    """What items are called; None where they have no titles."""
    if run.items is None or run.title_column is None:
        return None
    rows = locate(run.items[v.ITEM], items)
    return run.items[run.title_column].cast(pl.String).gather(pl.Series(rows).replace(-1, None))


def _said(run: FinishedRun, model: Fitted, scored: Scored, wish: str | None) -> list[str]:
    """What became of a wish."""
    if wish is None:
        return []
    if "wish" not in scored.basis:
        return ["The wish holds nothing that the texts of the items know, and was left out."]
    if not scored.nearest:
        return []
    stand = model.catalogue.items.gather(list(scored.nearest))
    titles = _titles(run, stand)
    names = ", ".join(map(str, stand if titles is None else titles))
    return [
        f"The model '{model.config.name}' reads no texts. The wish counts by its likeness to the texts of the items, "
        f"and by what people take who take {names}."
    ]


def _leanings(audience: Audience, scored: Scored, train: Dataset) -> list[str]:
    """What attributes did."""
    if audience.leanings and "attributes" not in scored.basis:
        return ["Attributes changed nothing: the list rests on what is known of the person besides."]
    notes = []
    for one in audience.leanings:
        sensitive = (
            " It is a sensitive attribute, and the list depends on it."
            if one.column in train.sensitive
            else ""
        )
        notes.append(
            f"{one.column} = {one.value}: {one.people:,} people. They take an item more or less often than expected "
            f"by a factor of {one.factor:.3g}, as a rule.{sensitive}"
        )
    return notes
