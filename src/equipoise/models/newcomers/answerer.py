"""A model that answers anybody: by what they did, what they wish for, what they are, or what everybody takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.language.vectors import Vectors
from equipoise.models.histories import Catalogue, Histories, Ints
from equipoise.models.newcomers.audience import Audience
from equipoise.models.newcomers.shrinkage import Shrinkage
from equipoise.models.ranking import standardised, top_k
from equipoise.models.recommender import Fitted, Scores

if TYPE_CHECKING:
    from equipoise.models.newcomers.words import Words

Basis = Literal["history", "wish", "attributes", "popularity"]

NEAREST = 3
"""Items that stand for a wish before a model that does not read it: those whose texts are nearest to it."""


@dataclass(frozen=True)
class Scored:
    """An answer before it is cut to a list.

    Scores are log-odds of being chosen, up to a constant and, where nothing was learned, to scale. An item's score is
    the sum of what is known of this person and what everybody takes, each around the average item.

    Attributes:
        personal: The part that comes from this person's past, wish and attributes, shape (items,).
        crowd: The part that goes with popularity, shape (items,): what is known of this person says the same there as
            what everybody takes, and cannot be told from it.
        seen: Items of the person's history, shape (items,).
        basis: What the answer rests on, the most telling first.
        steps: Steps of the past that were read, the wish among them.
        nearest: Rows of the items that stand for the wish, the nearest first.
    """

    personal: Scores
    crowd: Scores
    seen: NDArray[np.bool_]
    basis: tuple[Basis, ...]
    steps: int
    nearest: tuple[int, ...] = ()

    @property
    def scores(self) -> Scores:
        """Scores of all items, shape (items,)."""
        return self.personal + self.crowd

    def evidence(self, items: Ints) -> float:
        """How far a list is a personal one, in [0, 1].

        Of all by which the listed items stand out from the average item, the share that comes from what is known of
        this person. Shrinkage takes from this part what little evidence cannot carry.
        """
        personal, crowd = (float(part[items].clip(0).sum()) for part in (self.personal, self.crowd))
        return personal / (personal + crowd) if personal else 0.0


@dataclass(frozen=True)
class Answerer:
    """What is needed to answer.

    Attributes:
        model: A fitted model.
        shrinkage: How far it is to be trusted after so many steps.
        texts: A scorer by text vectors over the same catalogue, for models that read none; None for none.
        words: The words of the items' texts; None for none.
    """

    model: Fitted
    shrinkage: Shrinkage
    texts: Fitted | None = None
    words: Words | None = None

    def answer(self, past: Histories, audience: Audience, wish: str | None = None) -> Scored:
        """Scores for one person.

        The model's answer to the past is drawn towards popularity among people with the same attributes, as
        `Shrinkage` says. A wish is one more step of the past. A model that does not read it is shown the items whose
        texts are nearest to it instead, so that its answer is what people take who take those. Who wishes for
        something asks for it: likeness to the wish, by its vector and by its words, has as large a say as all else
        together.

        Args:
            past: The history, one row; may be empty.
            audience: Popularity, leaning to the person's attributes where some are known.
            wish: A text; None, or one that says nothing to the encoder, for none.

        Raises:
            DataError: if there is a wish, and neither the model nor a scorer reads texts.
        """
        query = None if wish is None else self._heard(wish)
        read = query is not None and reads(self.model, query)
        spoken = past if query is None else past.followed_by(query)
        likeness = None if query is None or wish is None else self._likeness(query, wish, read)
        nearest = () if likeness is None or read else self._nearest(likeness)
        shown = past.followed_by(self._taken(nearest)) if nearest else spoken
        steps = steps_of(spoken)
        basis: list[Basis] = ["wish"] if query is not None else []
        basis += ["history"] if steps_of(past) else []

        own, text, popular = self.shrinkage.strengths(steps) if steps else (0.0, 0.0, 1.0)
        leaning, popularity = audience.log_odds
        scale = popular / max(float((leaning + popularity).std()), 1e-12) if steps else 1.0
        personal, crowd = scale * leaning, scale * popularity
        basis += ["attributes"] if personal.any() else []
        for strength, scorer, history in ((own, self.model, shown), (text, self.texts, spoken)):
            if scorer is not None and strength:
                found = strength * _alike(scorer, history)
                common = float(found @ popularity) / max(float(popularity @ popularity), 1e-12) * popularity
                personal, crowd = personal + found - common, crowd + common
        if likeness is not None:
            personal += (own + text + popular) * likeness
        if popular:
            basis.append("popularity")
        seen = past.marked(len(crowd))[0]
        narrow = (personal.astype(np.float32), crowd.astype(np.float32))
        return Scored(narrow[0], narrow[1], seen, tuple(basis), steps, nearest)

    def _likeness(self, query: Histories, wish: str, read: bool) -> Scores:
        """How like each item is to a wish, by whatever reads it and by its words; mean 0 and deviation 1 each."""
        reader = self.model if read else self.texts
        assert reader is not None
        found = [_alike(reader, query)]
        if self.words is not None and (spoken := self.words.likeness(wish)).any():
            found.append(standardised(spoken[None], reader.judged)[0])
        return np.asarray(np.mean(found, axis=0))

    def _heard(self, wish: str) -> Histories | None:
        """The wish as a step of the past; None where it says nothing."""
        reader = text_vectors(self.model) or (None if self.texts is None else self.texts.vectors)
        if reader is None or reader.encoder is None:
            raise DataError(
                "Nothing here reads texts, so that a wish cannot be answered",
                where=f"the model '{self.model.config.name}'",
                todo="Give items with texts ([data] text) and run again, or say it by items: --history.",
            )
        return searched(wish, self.model.catalogue) if reader.encoder.encode([wish]).any() else None

    def _nearest(self, likeness: Scores) -> tuple[int, ...]:
        """The items most like a wish among those that anybody took, the nearest first."""
        taken = self.model.catalogue.item_counts > 0
        best = top_k(np.where(taken, likeness, -np.inf)[None], min(NEAREST, int(taken.sum())))[0]
        return tuple(int(item) for item in best)

    def _taken(self, items: tuple[int, ...]) -> Histories:
        """A history of these items, the first of them the latest."""
        return Histories.of_one(self.model.catalogue.items.gather(list(items[::-1])), self.model.catalogue)


def reads(model: Fitted, query: Histories) -> bool:
    """Whether a model's answer to a search, as the only step of a history, is another than to nothing."""
    nobody = np.array([-1])
    silence = model.score(nobody, query.take([-1]))
    return not np.allclose(model.score(nobody, query), silence, rtol=1e-6, atol=1e-9)


def text_vectors(model: Fitted) -> Vectors | None:
    """The text vectors that a model, or a part of it, holds."""
    found = (model.vectors, *map(text_vectors, model.parts.values()))
    return next((vectors for vectors in found if vectors is not None), None)


def searched(text: str, catalogue: Catalogue) -> Histories:
    """A history of one search."""
    return Histories.of_one(pl.DataFrame({v.QUERY: [text]}), catalogue)


def steps_of(past: Histories) -> int:
    """Steps that say something: items that are known, each once, and searches."""
    return len(np.unique(past.items[past.items >= 0])) + int((past.queries >= 0).sum())


def _alike(model: Fitted, past: Histories) -> Scores:
    """Standardised scores for a stranger with this past, shape (items,)."""
    found: Scores = standardised(model.score(np.array([-1]), past), model.judged)[0]
    return found
