"""One recommendation to be explained, and the same past with parts of it left out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from equipoise.models.histories import Histories, Ints
from equipoise.models.recommender import Fitted, Scores

BUDGET = 256
"""Histories that a model answers for one explanation, at most."""


@dataclass(frozen=True)
class Units:
    """What a past is made of: each item in it, and each search, with all of its steps.

    Attributes:
        items: Catalogue index of each unit, -1 for a search; in the order of their first steps.
        queries: Index of its text among the texts of the past, -1 for an item.
        of_step: Unit of each step; -1 for an item that the catalogue does not hold.
    """

    items: Ints
    queries: Ints
    of_step: Ints

    @classmethod
    def of(cls, past: Histories) -> Units:
        """The units of a single history."""
        known = (past.items >= 0) | (past.queries >= 0)
        code = np.where(past.items >= 0, past.items, -1 - past.queries)[known]
        _, first, place = np.unique(code, return_index=True, return_inverse=True)
        rank = np.argsort(np.argsort(first))  # in the order of the history
        of_step = np.full(len(past.items), -1)
        of_step[known] = rank[place]
        steps = np.flatnonzero(known)[np.sort(first)]
        return cls(past.items[steps], past.queries[steps], of_step)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True)
class Question:
    """Why does this item stand where it stands?

    Attributes:
        model: The model that is asked.
        user: Catalogue row the model is asked with, -1 for a history without a user.
        past: The history, a single row.
        item: Catalogue index of the item.
        allowed: Items that compete for the list, the item among them; bool of shape (items,). It stays the same
            whatever is left out of the past: an item that is left out does not come back to take a place, so that
            the explained item has to fall by its own score. Whoever lets it come back finds the item no higher.
        k: Length of the list.
    """

    model: Fitted
    user: int
    past: Histories
    item: int
    allowed: NDArray[np.bool_]
    k: int

    @cached_property
    def units(self) -> Units:
        """What may be left out."""
        return Units.of(self.past)

    def event_value(self, unit: int) -> float | None:
        """What a unit's events carried last; None where nothing was."""
        carried = self.past.values[self.units.of_step == unit]
        carried = carried[~np.isnan(carried)]
        return float(carried[-1]) if len(carried) else None

    def without(self, left_out: NDArray[np.bool_]) -> Histories:
        """The past without some of its units.

        Args:
            left_out: One row for each shorter past, shape (pasts, units).
        """
        # the column at the end is that of steps of no unit, which always stay
        gone = np.column_stack([left_out, np.zeros(len(left_out), dtype=bool)])
        row, step = np.nonzero(~gone[:, self.units.of_step])
        past, sizes = self.past, np.bincount(row, minlength=len(left_out))
        return Histories(
            np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            past.items[step],
            past.queries[step],
            past.texts,
            past.weights[step],
            past.values[step],
            past.times[step],
            past.clock,
        )

    def ranks(self, scores: Scores) -> Ints:
        """Rank of the item from 1 in each row of scores; equal scores stand in the order of the catalogue."""
        own = scores[:, [self.item]]
        earlier = np.arange(scores.shape[1]) < self.item
        ahead = (scores > own) | ((scores == own) & earlier)
        ranks: Ints = 1 + (ahead & self.allowed).sum(axis=1)
        return ranks


class Asker:
    """Asks the model, and counts how many histories it answered.

    Attributes:
        question: What is asked.
        forwards: Histories answered so far.
        whole: Scores after the whole past, shape (items,).
    """

    def __init__(self, question: Question, budget: int = BUDGET, forwards: int = 0) -> None:
        self.question, self.budget, self.forwards = question, budget, forwards
        self.whole: Scores = self.scores(np.zeros((1, len(question.units)), dtype=bool))[0]

    @property
    def left(self) -> int:
        """How many more it may ask."""
        return self.budget - self.forwards

    @property
    def rank(self) -> int:
        """Rank of the item after the whole past."""
        return int(self.question.ranks(self.whole[None])[0])

    @cached_property
    def nothing(self) -> Scores:
        """Scores without any of the past, shape (items,)."""
        alone: Scores = self.scores(np.ones((1, len(self.question.units)), dtype=bool))[0]
        return alone

    def scores(self, left_out: NDArray[np.bool_]) -> Scores:
        """Scores after the past without some units, shape (pasts, items); in one batch.

        Args:
            left_out: As for `Question.without`; not more rows than `left`.
        """
        if len(left_out) > self.left:
            raise ValueError(f"{len(left_out)} histories are more than the {self.left} that are left")
        self.forwards += len(left_out)
        users = np.full(len(left_out), self.question.user)
        return self.question.model.score(users, self.question.without(left_out))

    def ranks(self, left_out: NDArray[np.bool_]) -> Ints:
        """Ranks of the item after the past without some units, shape (pasts,)."""
        return self.question.ranks(self.scores(left_out))
