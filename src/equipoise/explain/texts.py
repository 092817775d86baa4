"""What the words of an item's text did for its score: the text is read again without them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.explain.explanation import Kind
from equipoise.explain.parts import directions
from equipoise.explain.question import Question
from equipoise.language.text import compose
from equipoise.language.units import units
from equipoise.language.vectors import TextEncoder
from equipoise.models.blend import FittedBlend
from equipoise.models.content import FittedContent
from equipoise.models.ranking import products
from equipoise.models.recommender import Fitted, Scores
from equipoise.models.sequence import FittedSequence
from equipoise.models.warm import FittedWarm

_MOST = 100  # distinct words of a text that are left out one by one, the first ones
_WORD = re.compile(r"\w+(?:['\u2019]\w+)*")
_SHOWN = 80  # characters of a column that are told

Scored = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """What one column contributes to the text of an item.

    Attributes:
        column: Its name.
        label: What stands before the column's own words.
        said: The column's own words.
    """

    column: str
    label: str
    said: str


def lines(items: pl.DataFrame, row: int, columns: Sequence[str]) -> list[Line]:
    """The lines of an item's text, as encoders read them; empty columns give none.

    Args:
        items: Items table.
        row: Row of the item.
        columns: Text columns.
    """
    found = []
    for column in columns:
        line = compose(items[row : row + 1], [column])[0]
        label = f"{column.replace('_', ' ')}: "
        named = line.startswith(label) and items.schema[column] != pl.String
        if line:
            found.append(Line(column, label if named else "", line.removeprefix(label) if named else line))
    return found


@dataclass(frozen=True)
class Cut:
    """A text without one of its words, or without one of its columns.

    Attributes:
        kind: `word` or `attribute`.
        name: The word as it is first written, or the column.
        value: What the column says; None for a word.
        text: What is left.
    """

    kind: Kind
    name: str
    value: str | None
    text: str


def cuts(said: Sequence[Line]) -> list[Cut]:
    """A text without each of its first 100 distinct words, wherever they stand, and without each of its columns.

    In scripts that put no spaces between words, every character is left out by itself. Columns are left out only
    where there are several.
    """
    first: dict[str, str] = {}
    for line in said:
        for found in _spoken(line.said):
            first.setdefault(found.casefold(), found)
    found_cuts = []
    for folded, word in list(first.items())[:_MOST]:
        rest = [
            f"{line.label}{_less(line.said, folded)}" for line in said if _less(line.said, folded).strip()
        ]
        found_cuts.append(Cut("word", word, None, "\n".join(rest)))
    if len(said) > 1:
        for gone in said:
            rest = [f"{line.label}{line.said}" for line in said if line is not gone]
            found_cuts.append(Cut("attribute", gone.column, _told(gone.said), "\n".join(rest)))
    return found_cuts


def _told(text: str) -> str:
    """A column's words, cut to what is told, with a sign that more follow."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1].rstrip()}…"


def contributions(question: Question, said: Sequence[Line], left_out: Sequence[Cut]) -> Scored | None:
    """What leaving out takes from the item's score, shape (cuts,); the user is read as before.

    All shorter texts are read in one batch.

    Returns:
        None where the model reads no texts, or cannot read new ones.

    Raises:
        MissingExtraError: if the encoder needs a package that is not installed.
    """
    encoder = _encoder(question.model)
    if encoder is None or not left_out:
        return None
    whole = "\n".join(f"{line.label}{line.said}" for line in said)
    scores = read_as(question.model, question, encoder.encode([whole, *(cut.text for cut in left_out)]))
    return None if scores is None else scores[0] - scores[1:]


@singledispatch
def read_as(model: Fitted, question: Question, vectors: Scores) -> Scored | None:
    """The scores that a question's item would have with other text vectors, shape (n,).

    Args:
        model: Whose scores.
        question: About which item, after which past.
        vectors: As the encoder gives them, shape (n, width).

    Returns:
        None where the model reads no text.
    """
    return None


@read_as.register
def _(model: FittedContent, question: Question, vectors: Scores) -> Scored:
    profile = model.user_vectors(np.array([question.user]), question.past)
    spoken = vectors.any(axis=1, keepdims=True)  # a text that says nothing has no direction
    return _single(products(profile, directions(vectors, model.middle) * spoken))


@read_as.register
def _(model: FittedSequence, question: Question, vectors: Scores) -> Scored | None:
    if model.text_vectors is None:
        return None
    person = model.user_vectors(np.array([question.user]), question.past)
    return _single(products(person, model.reading(question.item, vectors)))


@read_as.register
def _(model: FittedBlend, question: Question, vectors: Scores) -> Scored | None:
    """The standardisation stays that of the whole catalogue as it is."""
    users, total, reads = np.array([question.user]), np.zeros(len(vectors)), False
    for weight, member in zip(model.weights, model.members.values(), strict=True):
        scores, known = member.score(users, question.past)[0].astype(np.float64), member.judged
        found = read_as(member, question, vectors)
        reads |= found is not None
        deviation = float(scores[known].std())
        if known[question.item] and deviation > 0:
            own = scores[question.item] if found is None else found
            total += float(weight) * (own - scores[known].mean()) / deviation
    return total if reads else None


@read_as.register
def _(model: FittedWarm, question: Question, vectors: Scores) -> Scored:
    """The regression stays as it was learned; a text that says nothing leaves the item's own record, or the mean."""
    scores = model.member.score(np.array([question.user]), question.past)
    found, weight = read_as(model.member, question, vectors), float(model.own[question.item])
    middle = float((scores @ model.prior.texts.weights)[0])
    taste = (scores[0] - middle) @ model.prior.fit
    centre = model.texts.matrix[0] - model.prior.texts.directions[0]
    own = float(scores[0, question.item]) if found is None else found
    predicted = (vectors - centre).astype(np.float64) @ taste + middle
    alone = own if model.catalogue.item_counts[question.item] else middle
    return np.where(vectors.any(axis=1), weight * own + (1 - weight) * predicted, alone)


def _single(scores: Scores) -> Scored:
    return np.asarray(scores[0], dtype=np.float64)


def _encoder(model: Fitted) -> TextEncoder | None:
    """What reads texts for a model, or for a model that it is made of."""
    vectors = model.vectors
    if vectors is not None:
        return vectors.encoder
    return next((found for part in model.parts.values() if (found := _encoder(part)) is not None), None)


def _spoken(text: str) -> list[str]:
    """Words, and single characters of scripts that put no spaces between words."""
    found: list[str] = []
    for word in _WORD.findall(text):
        split = [unit for unit in units(word) if unit.strip()]
        found += list(word) if len(split) > 1 and all(len(unit) == 1 for unit in split) else [word]
    return found


def _less(text: str, folded: str) -> str:
    """The text without a word."""
    if len(folded) == 1 and folded not in [word.casefold() for word in _WORD.findall(text)]:
        return text.replace(folded, "")  # a character of a script without spaces
    return " ".join(_WORD.sub(lambda one: "" if one[0].casefold() == folded else one[0], text).split())
