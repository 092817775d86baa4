"""From a user and an item to an explanation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.errors import DataError, EquipoiseError
from equipoise.explain.counterfactual import removal, unit_name
from equipoise.explain.explanation import AS, Explanation, Kind, Reason
from equipoise.explain.interactions import Effects, effects
from equipoise.explain.question import Asker, Question
from equipoise.explain.texts import contributions, cuts, lines
from equipoise.models.histories import Histories, locate
from equipoise.models.recommender import Fitted

_MOST = 10  # reasons of each kind that are told
_NOTHING = 1e-3  # of the largest contribution: about what rounding moves
_WORDS = (
    "Contributions of words and columns are what the item's score loses when its text is read without them."
)


@dataclass(frozen=True)
class Explainer:
    """A fitted model and what its items are called.

    Attributes:
        model: The model, knowing of its users what it recommends from.
        data: What it was trained on, with the tables of users and items; None where only ids are known.
        title: Column of the items that names them; None for none.
        exclude_seen: Whether lists leave out what a user's history holds.
    """

    model: Fitted
    data: Dataset | None = None
    title: str | None = None
    exclude_seen: bool = True

    def explain(self, user: Any, item: Any, *, k: int = 10, counterfactual: bool = True) -> Explanation:
        """Why an item stands where it stands in a user's list.

        Args:
            user: Id of a user; one that the model does not know is answered as somebody new.
            item: Id of an item of the catalogue that may be recommended to the user.
            k: Length of the list that the counterfactual is about, at least 1.
            counterfactual: Whether to look for past interactions without which the item leaves the list.

        Raises:
            DataError: if the model knows no such item, the user has the item already, or k is below 1.
        """
        row = int(locate(self.known, pl.Series([user]))[0])
        trained = row if row < len(self.model.catalogue.users) else -1
        name = str(user) if row < 0 else str(self.known[row])
        said = self._explained(name, trained, self.model.histories.take([row]), item, k, counterfactual)
        return said if row >= 0 else replace(said, asked_as="unknown", notes=(AS["unknown"], *said.notes))

    def explain_from(
        self, history: Sequence[Any] | Any, item: Any, *, k: int = 10, counterfactual: bool = True
    ) -> Explanation:
        """Why an item is recommended after a history that belongs to no user of the model.

        Args:
            history: As `Fitted.recommend_from` takes it.
            item: As for `explain`.
            k: As for `explain`.
            counterfactual: As for `explain`.
        """
        past = Histories.of_one(history, self.model.catalogue)
        return self._explained(None, -1, past, item, k, counterfactual)

    @property
    def known(self) -> pl.Series:
        """Users that may be asked about: whose rows the model's histories are."""
        ids = self.model.catalogue.users
        return pl.concat([ids, self.model.guests.cast(ids.dtype)])

    def question(self, row: int, past: Histories, item: int, k: int) -> Question:
        """What is asked of the model about an item, given a user's catalogue row and history."""
        seen = past.marked(len(self.model.catalogue.items))[0]
        allowed = ~seen if self.exclude_seen else np.ones_like(seen)
        return Question(self.model, row, past, item, allowed, k)

    def _explained(
        self, name: str | None, row: int, past: Histories, item: Any, k: int, wanted: bool
    ) -> Explanation:
        if k < 1:
            raise DataError(f"A list of {k} items was asked about", todo="Ask for k of at least 1.")
        index = _located(self.model.catalogue.items, item)
        shown = self.question(row, past, index, k)
        if not shown.allowed[index]:
            raise DataError(
                f"The item '{item}' is part of the history already, so it is not recommended",
                todo="Ask about an item that the lists may hold.",
            )
        first = Asker(shown)
        asker, notes = listening(first), list[str]()
        if asker is not first:
            notes.append(f"{AS['stranger']} For them the item has rank {asker.rank}.")
        found = effects(asker)
        words, said = self._words(shown)
        notes += said
        notes += self._notes(asker, found)
        return Explanation(
            user=name,
            item=str(self.model.catalogue.items[index]),
            title=self.called([index])[0],
            rank=first.rank,
            score=float(first.whole[index]),
            k=k,
            reasons=(*self._interactions(asker, found), *words),
            counterfactual=removal(asker, found).told(asker, self.called) if wanted else None,
            asked_as="user" if asker is first else "stranger",
            notes=tuple(notes),
            unaided=None if wanted else _unaided(asker),
        )

    def called(self, items: Sequence[int]) -> list[str | None]:
        """Titles of items by their catalogue index, None where one has none; -1 is a search, which has none."""
        table = None if self.data is None else self.data.items
        if table is None or self.title is None:
            return [None] * len(items)
        ids = self.model.catalogue.items.gather([max(item, 0) for item in items])
        rows = locate(table[v.ITEM], ids)
        titles = table[self.title].cast(pl.String, strict=False)
        return [
            titles[int(place)] if place >= 0 and item >= 0 else None
            for place, item in zip(rows, items, strict=True)
        ]

    def _interactions(self, asker: Asker, found: Effects) -> list[Reason]:
        question = asker.question
        values = found.of(question.item, question.allowed)
        if not self.model.judged[question.item]:
            values = np.zeros_like(values)
        order = _largest(values)
        units = [int(found.units[place]) for place in order]
        titles = self.called([int(question.units.items[unit]) for unit in units])
        kinds: list[Kind] = ["interaction" if question.units.items[unit] >= 0 else "search" for unit in units]
        shares = _shares(values)
        return [
            Reason(
                kind,
                unit_name(asker, unit),
                title,
                float(values[place]),
                float(shares[place]),
                question.event_value(unit),
            )
            for place, unit, title, kind in zip(order, units, titles, kinds, strict=True)
        ]

    def _words(self, question: Question) -> tuple[list[Reason], list[str]]:
        """Reasons from the words and the columns of the item's text, and what is to be said of them."""
        if self.data is None or self.data.items is None or not self.data.text:
            return [], []
        row = int(locate(self.data.items[v.ITEM], self.model.catalogue.items[[question.item]])[0])
        said = [] if row < 0 else lines(self.data.items, row, self.data.text)
        left_out = cuts(said)
        try:
            values = contributions(question, said, left_out)
        except EquipoiseError as error:
            return [], [f"Words of the text were not looked at: {error.paragraph}"]
        if values is None:
            return [], []
        reasons: list[Reason] = []
        for kind in ("word", "attribute"):
            places = np.array([place for place, cut in enumerate(left_out) if cut.kind == kind], dtype=int)
            shares = _shares(values[places])
            reasons += [
                Reason(cut.kind, cut.name, cut.value, float(values[places[one]]), float(shares[one]))
                for one in _largest(values[places])
                for cut in [left_out[places[one]]]
            ]
        return reasons, [_WORDS] if reasons else []

    def _notes(self, asker: Asker, found: Effects) -> list[str]:
        question, notes = asker.question, []
        if not len(question.units):
            return ["There are no past interactions: the model answers as it does to somebody new."]
        if not self.model.judged[question.item]:
            return ["Nobody took this item in training, and the model has no score of its own for it."]
        if found.how == "parts":
            notes.append(
                "Contributions of past interactions are terms of the sum that the score is; what the model adds for "
                "everybody is not among them."
            )
        else:
            notes.append(
                "Contributions of past interactions are what the item loses, more than items do on average, when the "
                "model answers without the one interaction."
            )
        if (missing := len(question.units) - len(found.units)) > 0:
            notes.append(f"The {missing} oldest interactions were not looked at one by one.")
        if not found.of(question.item, question.allowed).any():
            notes.append("No past interaction changes the score of this item.")
        return notes


def _largest(values: NDArray[np.float64]) -> list[int]:
    """Places of the largest values, the largest first; without those that are nothing beside the largest."""
    least = _NOTHING * float(np.abs(values).max(initial=0.0))
    return [int(place) for place in np.argsort(-values, kind="stable") if abs(values[place]) > least][:_MOST]


def _shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each positive value's part of the sum of them; 0 for others."""
    positive = values.clip(0)
    return np.asarray(positive / max(float(positive.sum()), 1e-300))


def listening(asker: Asker) -> Asker:
    """The same question, put so that the past matters.

    Some models give a user of training the same scores whatever the history says now, since they keep a vector of
    the user. They are asked as by somebody new with this history.
    """
    question = asker.question
    if question.user < 0 or not len(question.units):
        return asker
    if (asker.nothing != asker.whole).any():
        return asker
    stranger = Asker(replace(question, user=-1), forwards=asker.forwards)
    return stranger if (stranger.whole != asker.whole).any() else asker


def _located(items: pl.Series, wanted: Any) -> int:
    row = int(locate(items, pl.Series([wanted]))[0])
    if row < 0:
        raise DataError(
            f"The model knows no item '{wanted}'",
            where=f"{len(items):,} items, such as {', '.join(map(str, items.head(3)))}",
            todo="Give an id as it stands in the data.",
        )
    return row


def _unaided(asker: Asker) -> int | None:
    """Place of the item without any of the past; None where there is none."""
    question = asker.question
    return int(question.ranks(asker.nothing[None])[0]) if len(question.units) else None
