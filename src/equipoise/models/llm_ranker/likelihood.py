"""Candidates judged by how likely a language model finds their names.

Only names that are given are judged, so that an item which does not exist cannot appear. What is said of a candidate
is its leaning: with the probability P of its name per token (the geometric mean over its tokens) and that before an
empty history P0, calibrated (P - P0) / (P + P0), else 2 P - 1. The difference to the context without content takes out
how usual a name is (Zhao et al. 2021, "Calibrate Before Use"; Holtzman et al. 2021, "Surface Form Competition").
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from equipoise.errors import ModelError
from equipoise.language.generators import Prompt
from equipoise.models.llm_ranker.desk import Desk
from equipoise.models.llm_ranker.placing import Floats, shifts
from equipoise.models.llm_ranker.questions import Case, name_next, name_next_of


def of_list(desk: Desk, case: Case, *, wanted: int, calibrated: bool) -> Floats:
    """Leanings where all candidates stand in the question, averaged over cyclic shifts of them.

    Names and not numbers are scored, since small models tie options to numbers badly (Robinson et al. 2023,
    "Leveraging Large Language Models for Multiple Choice Question Answering").

    Raises:
        ModelError: if the question is longer than the model reads.
    """

    def means(history: tuple[str, ...]) -> Floats:
        found = []
        for order in shifts(len(case), wanted):
            prompt = name_next_of(history, [case.texts[place] for place in order])
            found.append(desk.likelihoods(prompt, case.names))
        mean: Floats = np.mean(found, axis=0)
        return mean

    return _leaning(means(case.history), means(()) if calibrated else None)


def alone(desk: Desk, case: Case, *, calibrated: bool) -> Floats:
    """Leanings where each candidate is judged alone: no other one's text is read, and nothing of its own but its name.

    Returns:
        NaN for a candidate whose name the model cannot read.
    """
    faults: list[ModelError] = []

    def means(history: tuple[str, ...], ask: Callable[[Prompt, str], float]) -> Floats:
        prompt, found = name_next(history), np.full(len(case), np.nan)
        for place, name in enumerate(
            case.names
        ):  # one by one: in a batch, a long name changes how others are rounded
            try:
                found[place] = ask(prompt, name)
            except ModelError as error:
                faults.append(error)
        return found

    def known(prompt: Prompt, name: str) -> float:
        return desk.likelihoods(prompt, [name], keep=True)[0]

    own = means(case.history, lambda prompt, name: desk.likelihoods(prompt, [name])[0])
    leaning = _leaning(own, means((), known) if calibrated else None)
    if np.isnan(leaning).all():
        raise faults[-1]
    return leaning


def _leaning(means: Floats, free: Floats | None) -> Floats:
    return 2 * np.exp(means) - 1 if free is None else np.tanh((means - free) / 2)
