"""Texts from any server that speaks the OpenAI protocol."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Lock
from typing import ClassVar, Final

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from equipoise.component import Runtime
from equipoise.endpoint import AnswerError, Budget, CutOffError, Endpoint, EndpointError, RefusedError
from equipoise.errors import EquipoiseError
from equipoise.language.generators.generator import Generator, Writer, settled
from equipoise.language.generators.prompt import Prompt
from equipoise.language.generators.sentences import whole_sentences
from equipoise.progress import track

_HARMLESS: Final = Prompt("copy", "Answer with the one word: yes.")
"""What is asked once where a first prompt is refused: a server that answers it refused what strangers' texts say."""


class RemoteGenerator(Generator):
    """A model behind the endpoint that the environment names (see `Endpoint.from_environment`).

    Texts leave this machine. Prices and the limit may stand in the environment instead: `EQUIPOISE_PRICE_IN`,
    `EQUIPOISE_PRICE_OUT`, `EQUIPOISE_MAX_COST`.
    """

    name = "openai"
    argument: ClassVar[str] = "model"

    model: str = ""
    """Name of the model on the server."""
    temperature: float = Field(0.0, ge=0.0, le=2.0)
    """How far answers may differ, from 0; servers need not answer alike at 0 either."""
    repeats: NonNegativeInt = 1
    """How often an answer that cannot be used is asked for again."""
    parallel: PositiveInt = 4
    """Requests under way at once."""
    timeout: PositiveFloat = 60.0
    """Seconds to wait for an answer."""
    price_in: NonNegativeFloat | None = None
    """Price of a million tokens sent; None as the environment says."""
    price_out: NonNegativeFloat | None = None
    """Price of a million tokens answered; None as the environment says."""
    max_cost: NonNegativeFloat | None = None
    """Most money to spend, in the currency of the prices; None as the environment says."""

    def open(self, runtime: Runtime | None = None) -> RemoteWriter:
        """The endpoint; nothing is sent yet.

        Raises:
            ConfigError: if no server is named, or money is limited and there are no prices.
        """
        budget = Budget.from_environment(
            max_cost=self.max_cost, price_in=self.price_in, price_out=self.price_out
        )
        endpoint = Endpoint.from_environment(budget=budget, timeout=self.timeout)
        return RemoteWriter(self, endpoint, runtime or Runtime())


class RemoteWriter(Writer):
    """Writes by asking a server, several prompts at once.

    Attributes:
        endpoint: The server, with what may be spent and what was.
        runtime: Whether progress is shown.
    """

    config: RemoteGenerator

    def __init__(self, config: RemoteGenerator, endpoint: Endpoint, runtime: Runtime) -> None:
        super().__init__(config)
        self.endpoint, self.runtime = endpoint, runtime
        self._answering: bool | None = None
        self._asking = Lock()

    @property
    def identity(self) -> str:
        """Server, model and temperature; that the server keeps its model under its name is up to the server."""
        told = [self.endpoint.address, self.config.model, self.config.temperature]
        return f"{self.config.name}-{hashlib.sha256(json.dumps(told).encode()).hexdigest()}"

    def write(self, prompts: Sequence[Prompt]) -> list[str]:
        """One text per prompt, in their order; one that was cut off ends with its last whole sentence.

        Raises:
            AnswerError: if an answer cannot be used, asked again either.
            EndpointError: if the server refuses or stays away.
            BudgetError: if the budget is used up.
        """
        return settled(self.attempts(prompts))

    def attempts(self, prompts: Sequence[Prompt]) -> list[str | EquipoiseError]:
        """One text per prompt, or why there is none.

        After a fault that the next prompt would meet, too (the server is away or refuses whatever it is asked, the
        budget is used up), nothing more is asked: the other prompts share the fault. A server that answers anything at
        all refuses a prompt for what it says, such as a text that is too long or that a filter stops.
        """
        lasting: list[EquipoiseError] = []

        def ask(prompt: Prompt) -> str | EquipoiseError:
            if lasting:
                return lasting[0]
            try:
                text = self._text(prompt)
                self._answering = True
                return text
            except RefusedError as error:
                if self._answers(prompt.max_tokens):
                    return error
                lasting.append(EndpointError(error.what, where=error.where, todo=error.todo))
            except AnswerError as error:
                return error
            except EquipoiseError as error:
                lasting.append(error)
            return lasting[0]

        with ThreadPoolExecutor(self.config.parallel) as pool:
            answers = pool.map(ask, prompts)
            return list(track(answers, "asking for texts", total=len(prompts), show=self.runtime.progress))

    def spent(self) -> dict[str, float]:
        """Requests, tokens as the server counts them, and money in the currency of the prices."""
        budget = self.endpoint.budget
        return {"requests": budget.requests, "tokens": budget.tokens, "cost": budget.cost}

    def _answers(self, max_tokens: int) -> bool:
        """Whether the server answers anything that is asked in this way."""
        with self._asking:
            if self._answering is None:
                try:
                    self._text(replace(_HARMLESS, max_tokens=max_tokens))
                except EquipoiseError as error:
                    self._answering = isinstance(error, AnswerError) and not isinstance(error, RefusedError)
                else:
                    self._answering = True
            return self._answering

    def _text(self, prompt: Prompt) -> str:
        for left in range(self.config.repeats, -1, -1):
            try:
                return self.endpoint.chat(
                    self.config.model,
                    prompt.messages(),
                    temperature=self.config.temperature,
                    max_tokens=prompt.max_tokens,
                ).strip()
            except CutOffError as error:
                if text := whole_sentences(error.text):
                    return text
                raise  # asked again, it would be no shorter
            except AnswerError as error:
                refused = isinstance(error, RefusedError) and error.status != 200
                if refused or not left:
                    raise
        raise AssertionError("the last try returns or raises")
