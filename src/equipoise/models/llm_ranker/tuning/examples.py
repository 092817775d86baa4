"""What a ranker's language model learns from: the last choice of each training history among what the base offers.

The last event of every training history is held back, the base is fitted to the rest, and its pool of candidates is
what was at choice: so the questions are those that are asked later, one event on. Nothing outside the training part is
looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.data.splits import Split, split
from equipoise.errors import DataError
from equipoise.language.finetuning.settings import RankerTuning
from equipoise.language.vectors import Vectors
from equipoise.models.histories import Histories, Ints, locate
from equipoise.models.llm_ranker.questions import Case
from equipoise.models.llm_ranker.ranker import FittedLLMRanker, LLMRanker

_BLOCK = 256  # users whose candidates are looked up at once
_JUDGED = 0.25  # share of the users who are kept apart, to judge by


@dataclass(frozen=True)
class Example:
    """One choice.

    Attributes:
        case: What is asked, candidates in the order in which they are shown.
        chosen: Place of the chosen one among them.
    """

    case: Case
    chosen: int


@dataclass(frozen=True)
class HeldOut:
    """One choice to judge by: the whole pool of the base, which holds the chosen one.

    Attributes:
        case: What is asked, of the candidates that have a name.
        named: Which candidates of the pool have one, shape (pool,).
        chosen: Place of the chosen one in the pool, by the base.
    """

    case: Case
    named: NDArray[np.bool_]
    chosen: int


@dataclass(frozen=True)
class Lessons:
    """What is learned from, and what is judged by; no user is in both.

    Attributes:
        model: The ranker over a base that knows all but the last training event of each user.
        learned: To learn from.
        held_out: To judge by; every other one tells when to stop.
        asked: Users who were looked at to find these.
    """

    model: FittedLLMRanker
    learned: tuple[Example, ...]
    held_out: tuple[HeldOut, ...]
    asked: int


def lessons(
    ranker: LLMRanker, train: Dataset, vectors: Vectors | None, settings: RankerTuning, runtime: Runtime
) -> Lessons:
    """Choices of a training part.

    Args:
        ranker: The model whose questions are asked.
        train: The training part alone.
        vectors: Item vectors, for a base that reads them.
        settings: How many users, and candidates.
        runtime: Seed.

    Raises:
        DataError: if there are too few choices to learn from, or to judge by.
        ModelError: if the items have no texts, or the base cannot be fitted.
    """
    parts = split(train, Split(strategy="leave_last", valid=0.0), runtime.seed)
    model = ranker.fit(parts.train, vectors=vectors, runtime=runtime)
    held_back = parts.test.positives
    users = locate(model.catalogue.users, held_back[v.USER])
    items = locate(model.catalogue.items, held_back[v.ITEM])
    order = runtime.rng("choices").permutation(len(users))
    apart = round(_JUDGED * len(order))
    asked = _Asked(0)
    judged = tuple(
        islice(_held_out(model, _choices(model, users, items, order[:apart], asked)), settings.held_out)
    )
    others = _choices(model, users, items, order[apart:], asked)
    learned = tuple(islice(_examples(model, others, settings, runtime), settings.users))
    if len(judged) < 4 or not learned:
        raise DataError(
            "There are too few choices to teach a ranker by",
            where=f"{len(learned):,} to learn from; {len(judged):,} to judge by, of {apart:,} users, whose last choice "
            "is among the base's candidates",
            todo="Give more users with histories of two events and more, a larger pool, or a better base.",
        )
    return Lessons(model, learned, judged, asked.users)


class _Choice(NamedTuple):
    past: Histories
    pool: Ints
    item: int
    user: int


@dataclass
class _Asked:
    users: int


def _choices(
    model: FittedLLMRanker, users: Ints, items: Ints, rows: Ints, asked: _Asked
) -> Iterator[_Choice]:
    """Last choices with what came before and what the base offered, block by block, as many as are asked for."""
    known = rows[(users[rows] >= 0) & (items[rows] >= 0)]
    for start in range(0, len(known), _BLOCK):
        block = known[start : start + _BLOCK]
        past = model.histories.take(users[block])
        for place, pool in enumerate(model.pools(users[block], past)):
            asked.users += 1
            row = block[place]
            yield _Choice(past.take([place]), pool, int(items[row]), int(users[row]))


def _held_out(model: FittedLLMRanker, choices: Iterator[_Choice]) -> Iterator[HeldOut]:
    for past, pool, item, _ in choices:
        named = _named(model, pool)
        case = model.case(past, pool[named])
        if item in pool[named] and case.history and len(case) > 1:
            yield HeldOut(case, named, int(np.flatnonzero(pool == item)[0]))


def _examples(
    model: FittedLLMRanker, choices: Iterator[_Choice], settings: RankerTuning, runtime: Runtime
) -> Iterator[Example]:
    """The chosen item among some of the base's: in its own place where it is one of them, else in that of another.

    The candidates begin at a place that is drawn, as in the ranker's cyclic shifts.
    """
    for past, pool, item, user in choices:
        rng = runtime.rng("candidates", user)
        if not model.texts.names[item]:
            continue
        offered = pool[_named(model, pool)]
        if item not in offered:
            offered = np.insert(offered, int(rng.integers(len(offered) + 1)), item)
        others = np.flatnonzero(offered != item)
        drawn = rng.choice(others, min(settings.candidates - 1, len(others)), replace=False)
        shown = offered[np.sort(np.append(drawn, np.flatnonzero(offered == item)))]
        shown = np.roll(shown, int(rng.integers(len(shown))))
        case = model.case(past, shown)
        if case.history and len(case) > 1:
            yield Example(case, int(np.flatnonzero(shown == item)[0]))


def _named(model: FittedLLMRanker, pool: Ints) -> NDArray[np.bool_]:
    return np.array([bool(model.texts.names[item]) for item in pool], dtype=bool)
