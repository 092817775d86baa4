"""Candidates judged by what a language model answers: a JSON object, taken as it was asked for or not at all.

Answers hold nothing but numbers that the question gave, so that an item which does not exist cannot appear. What is
said of a candidate is its leaning in [-1, 1]: calibrated, how much better it is judged than by the same question with
an empty history; else its place or rating, stretched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from equipoise.errors import EquipoiseError
from equipoise.language.generators import Prompt
from equipoise.models.llm_ranker.desk import Desk
from equipoise.models.llm_ranker.placing import Floats, Ints, shifts
from equipoise.models.llm_ranker.questions import Case, order, rate

_Read = TypeVar("_Read")


class MalformedError(ValueError):
    """An answer is not of the form asked for; the message says so to a language model, in words of ours alone."""


def ranking(text: str, count: int) -> list[int]:
    """The ids of an answer, each of 1 to `count` once.

    Raises:
        MalformedError: if it is not exactly `{"ranking": [ids]}`, or ids are missing, repeated or invented.
    """
    found = _only(text, "ranking")
    if not isinstance(found, list) or not all(type(number) is int for number in found):
        raise MalformedError("the value of ranking is no list of ids")
    if strange := sum(not 1 <= number <= count for number in found):
        raise MalformedError(f"{strange} of the ids are of no candidate")
    if len(set(found)) < len(found):
        raise MalformedError("ids stand more than once")
    if len(found) < count:
        raise MalformedError(f"{count - len(found)} of the candidates are missing")
    return found


def rating(text: str) -> int:
    """The number of an answer.

    Raises:
        MalformedError: if it is not exactly `{"rating": number}` with a whole number from 0 to 100.
    """
    found = _only(text, "rating")
    if type(found) is not int or not 0 <= found <= 100:
        raise MalformedError("the value of rating is no whole number from 0 to 100")
    return found


def of_list(desk: Desk, case: Case, *, wanted: int, calibrated: bool, retries: int) -> Floats | None:
    """Leanings by the mean place in answers to the question with cyclic shifts of the candidates.

    Returns:
        None if one of the answers is malformed, asked again either.
    """
    orders = shifts(len(case), wanted)
    histories = [case.history, ()] if calibrated else [case.history]

    def question(history: Sequence[str], places: Ints) -> Callable[[str], Prompt]:
        return lambda fault: order(history, [case.texts[place] for place in places], fault)

    asked = [question(history, places) for history in histories for places in orders]
    read = _asked(desk, asked, lambda text: ranking(text, len(case)), retries)
    ids = [found for found in read if found is not None]
    if len(ids) < len(asked):
        return None
    places = np.empty((len(asked), len(case)))
    for row, found in enumerate(ids):
        places[row, orders[row % len(orders)][np.array(found) - 1]] = np.arange(len(case))
    means = places.reshape(len(histories), len(orders), -1).mean(axis=1) / (len(case) - 1)
    leaning: Floats = means[1] - means[0] if calibrated else 1 - 2 * means[0]
    return leaning


def alone(desk: Desk, case: Case, *, calibrated: bool, retries: int) -> Floats | None:
    """Leanings by a rating of each candidate, which stands in a question of its own.

    Returns:
        NaN for a candidate without a usable rating; None if there is none at all.
    """
    histories = [case.history, ()] if calibrated else [case.history]

    def question(history: Sequence[str], text: str) -> Callable[[str], Prompt]:
        return lambda fault: rate(history, text, fault)

    asked = [question(history, text) for history in histories for text in case.texts]
    read = _asked(desk, asked, rating, retries, apart=True)
    ratings = np.array([np.nan if found is None else found for found in read], dtype=np.float64)
    own, *free = ratings.reshape(len(histories), len(case)) / 100
    leaning: Floats = own - free[0] if calibrated else 2 * own - 1
    return None if np.isnan(leaning).all() else leaning


def _asked(
    desk: Desk,
    questions: Sequence[Callable[[str], Prompt]],
    read: Callable[[str], _Read],
    retries: int,
    *,
    apart: bool = False,
) -> list[_Read | None]:
    """What the answers say; a question whose answer is malformed is asked again, with what was wrong.

    Raises:
        EquipoiseError: if no question is answered, well or badly.
    """
    found: dict[int, _Read] = {}
    faults = dict.fromkeys(range(len(questions)), "")
    failures: list[EquipoiseError] = []
    for attempt in range(retries + 1):
        prompts = [questions[place](fault) for place, fault in faults.items()]
        desk.tally.retried += len(prompts) if attempt else 0
        for place, answer in zip(list(faults), desk.answers(prompts, apart=apart), strict=True):
            if isinstance(answer, EquipoiseError):
                failures.append(answer)
                faults[place] = "there was none"
                continue
            try:
                found[place] = read(answer)
            except MalformedError as error:
                desk.tally.malformed += 1
                faults[place] = str(error)
        faults = {place: fault for place, fault in faults.items() if place not in found}
        if not faults:
            break
    if failures and len(failures) == len(questions) * (retries + 1):
        raise failures[-1]
    return [found.get(place) for place in range(len(questions))]


def _only(text: str, key: str) -> Any:
    """The one value of a JSON object that holds nothing else."""
    try:
        pairs = json.loads(text, object_pairs_hook=lambda pairs: _Pairs(pairs))
    except (ValueError, RecursionError):
        raise MalformedError("it is no JSON object") from None
    if not isinstance(pairs, _Pairs) or [name for name, _ in pairs] != [key]:
        raise MalformedError(f"it is no JSON object with the one key {key}")
    return pairs[0][1]


class _Pairs(list[tuple[str, Any]]):
    """An object's keys and values as they stand, so that a key said twice is noticed."""
