"""Where a language model is asked: opened when the first question comes, and counted what became of each."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

from equipoise.component import Runtime
from equipoise.endpoint import AnswerError, EndpointError
from equipoise.errors import EquipoiseError, ModelError
from equipoise.language.generators import Generator, Prompt, Writer
from equipoise.models.llm_ranker.questions import name_next

if TYPE_CHECKING:
    from equipoise.models.llm_ranker.outlay import Call

Mode = Literal["auto", "likelihood", "answer"]

_PATIENCE: Final = 3  # first lists that may fail before the reason is taken for a lasting one


@dataclass
class Tally:
    """What became of the lists and of the questions.

    Attributes:
        lists: Lists that it was to be asked for: judged, or left in the base's order for one of the next three reasons.
        judged: Lists that a model judged.
        no_history: Lists left in the base's order because nothing is known of what the person chose.
        too_few: Lists left in the base's order because fewer than two candidates have a name (where isolated: none).
        kept_base: Lists left in the base's order because the model gave no usable answer.
        left_out: Further lists, which it was not to be asked for, as there were more than `lists` in one call.
        questions: Questions asked, those asked again included; known answers are not asked for twice.
        malformed: Answers that were not of the form asked for.
        retried: Questions asked again after such an answer.
        unjudged: Candidates of judged lists that weigh nothing for or against: without a text, or without a usable
            answer of their own.
        moved: Candidates of judged lists that changed places.
    """

    lists: int = 0
    judged: int = 0
    no_history: int = 0
    too_few: int = 0
    kept_base: int = 0
    left_out: int = 0
    questions: int = 0
    malformed: int = 0
    retried: int = 0
    unjudged: int = 0
    moved: int = 0


class Desk:
    """A generator with what it was asked so far; shared by all copies of a fitted model.

    Args:
        generator: What to open.
        mode: How it is to judge; `auto` by log-probability where it can.
    """

    def __init__(self, generator: Generator, mode: Mode) -> None:
        self.generator, self.mode = generator, mode
        self.runtime = Runtime()
        self.tally = Tally()
        self.fault = ""  # why the last list kept the base's order
        self.call: Call | None = (
            None  # for many lists, while it is under way; None: all that are scored are asked for
        )
        self._known: dict[tuple[str, tuple[str, ...]], list[float]] = {}
        self._told: dict[str, str] | None = None
        self._heard: list[str] | None = None
        self._ready = False

    def remembering(self) -> Desk:
        """The same generator, asked no question twice: for one that answers alike each time."""
        desk = copy.copy(self)
        desk._known, desk._told = dict(self._known), {}
        return desk

    def open(self) -> None:
        """Make the generator ready, where it is not: what fails here is no matter of single lists.

        Raises:
            MissingExtraError: if a package it needs is not installed.
            ModelError: if its model cannot be loaded, or cannot judge in the way asked for.
            ConfigError: if no server is named.
        """
        if not self._ready and self.by_likelihood:
            self.writer.log_probabilities(name_next([]), ["a"])
        self._ready = True

    @cached_property
    def writer(self) -> Writer:
        """The generator at work; see `open`."""
        return self.generator.open(replace(self.runtime, progress=False))

    @property
    def remembers(self) -> bool:
        """Whether no question is asked twice."""
        return self._told is not None

    @property
    def by_likelihood(self) -> bool:
        """Whether candidates are judged by log-probability, and not by answers."""
        return self.mode == "likelihood" or (self.mode == "auto" and self.writer.scores)

    def likelihoods(self, prompt: Prompt, names: Sequence[str], *, keep: bool = False) -> list[float]:
        """Mean log-probability per token of each name after a prompt.

        Args:
            prompt: What comes before.
            names: What is judged.
            keep: Whether the same will be asked for again, and the answer is kept.

        Raises:
            ModelError: if the prompt is too long for the model.
        """
        place = (prompt.key(), tuple(names))
        found = self._known.get(place)
        if found is None:
            self.tally.questions += 1
            found = [one.mean for one in self.writer.log_probabilities(prompt, names)]
            if keep or self._told is not None:
                self._known[place] = found
        return found

    def answers(self, prompts: Sequence[Prompt], *, apart: bool = False) -> list[str | EquipoiseError]:
        """One answer per prompt, or why there is none of use.

        Args:
            prompts: What is asked.
            apart: Whether no answer may depend on what else is asked, not even in how numbers are rounded.

        Raises:
            EndpointError: if the server is away or refuses, which the next question would meet, too.
            BudgetError: if the budget is used up.
            ModelError: if the model cannot be loaded.
        """
        told = self._told or {}
        asked = [prompt for prompt in prompts if prompt.key() not in told]
        self.tally.questions += len(asked)
        batches = [[prompt] for prompt in asked] if apart and self.writer.together else [asked]
        fresh = iter([answer for batch in batches for answer in self.writer.attempts(batch)])
        found = [told[prompt.key()] if prompt.key() in told else next(fresh) for prompt in prompts]
        for prompt, answer in zip(prompts, found, strict=True):
            if isinstance(answer, EndpointError) and not isinstance(answer, AnswerError):
                raise answer
            if isinstance(answer, str):
                if self._told is not None:
                    self._told[prompt.key()] = answer
                if self._heard is not None:
                    self._heard.append(answer)
        return found

    @contextmanager
    def overheard(self) -> Iterator[list[str]]:
        """The answers inside the block word by word, to be searched for what they should not say.

        Nobody else ever sees them: of an answer, only numbers are taken.
        """
        self._heard = []
        try:
            yield self._heard
        finally:
            self._heard = None

    def failed(self, error: EquipoiseError | None) -> None:
        """A list was not judged; what texts of items bring about goes no further than that.

        Args:
            error: What was raised; None where answers were malformed.

        Raises:
            ModelError: the error, if it is of the generator, and none of the first three lists was judged.
        """
        self.tally.kept_base += 1
        self.fault = "its answers were not of the form asked for" if error is None else error.paragraph
        if isinstance(error, ModelError) and not self.tally.judged and self.tally.kept_base >= _PATIENCE:
            raise error

    def diagnostics(self) -> dict[str, Any]:
        """The counts, and what the answers come from once anything was asked."""
        return {**asdict(self.tally), "generator": self.writer.identity if self._ready else None}
