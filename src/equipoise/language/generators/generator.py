"""The one protocol of generators: text out, and the log-probability of continuations where a model can tell."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from equipoise.component import Component, Registry, Runtime
from equipoise.errors import EquipoiseError, ModelError
from equipoise.language.generators.prompt import Prompt


class Generator(Component, ABC):
    """What writes texts: its settings, and how to make it ready."""

    @abstractmethod
    def open(self, runtime: Runtime | None = None) -> Writer:
        """The generator, ready to write; heavy parts are loaded when the first text is asked for.

        Raises:
            MissingExtraError: if a package it needs is not installed.
            ModelError: if its model is missing or of another architecture.
            ConfigError: if no server is named.
        """


@dataclass(frozen=True)
class LogProbability:
    """How likely a continuation is.

    Attributes:
        total: Sum of the tokens' natural log-probabilities, at most 0.
        tokens: Number of tokens, at least 1.
    """

    total: float
    tokens: int

    @property
    def mean(self) -> float:
        """Per token, so that long continuations are not punished for their length."""
        return self.total / self.tokens


class Writer(ABC):
    """A generator at work.

    Attributes:
        config: The component it was opened from.
    """

    scores: ClassVar[bool] = False
    """Whether `log_probabilities` works."""
    together: ClassVar[bool] = False
    """Whether prompts are read in batches, so that a long one may change how the answers to others are rounded."""

    def __init__(self, config: Generator) -> None:
        self.config = config

    @property
    @abstractmethod
    def identity(self) -> str:
        """What the texts come from: SHA-256 of weights or templates, or server and model; part of every cache key."""

    @abstractmethod
    def write(self, prompts: Sequence[Prompt]) -> list[str]:
        """One text per prompt, in their order.

        Raises:
            EndpointError: if a server refuses, stays away, or answers nothing usable.
            BudgetError: if the budget is used up.
            ModelError: if a prompt's task or language is beyond this generator.
        """

    def attempts(self, prompts: Sequence[Prompt]) -> list[str | EquipoiseError]:
        """One text per prompt, or why there is none: a failure costs only its own prompt."""
        found: list[str | EquipoiseError] = []
        for prompt in prompts:
            try:
                found += self.write([prompt])
            except EquipoiseError as error:
                found.append(error)
        return found

    def spent(self) -> dict[str, float]:
        """What the texts did cost so far: `requests`, `tokens`, `cost`; empty where they cost nothing but time."""
        return {}

    def log_probabilities(self, prompt: Prompt, continuations: Sequence[str]) -> list[LogProbability]:
        """How likely each continuation is after the prompt; what they share is read once.

        Args:
            prompt: What comes before.
            continuations: Texts that are not empty.

        Raises:
            ModelError: if this generator cannot tell, or a continuation is empty.
        """
        raise ModelError(
            f"The generator '{self.config.name}' gives no probabilities",
            todo="Choose smollm2 or hf:<model>, or ask for an answer instead.",
        )


def settled(attempts: Sequence[str | EquipoiseError]) -> list[str]:
    """Texts, where there is one each.

    Raises:
        EquipoiseError: the first reason why there is none.
    """
    texts: list[str] = []
    for found in attempts:
        if isinstance(found, EquipoiseError):
            raise found
        texts.append(found)
    return texts


GENERATORS: Registry[Generator] = Registry(
    "generator",
    "equipoise.generators",
    {
        "template": "equipoise.language.generators.template:Template",
        "smollm2": "equipoise.language.generators.smollm2:SmolLM2",
        "hf": "equipoise.language.generators.causal:CausalLM",
        "lora": "equipoise.language.generators.adapted:Adapted",
        "openai": "equipoise.language.generators.remote:RemoteGenerator",
    },
)


def generator(name: str, **fields: Any) -> Generator:
    """The generator a configuration asks for.

    Args:
        name: `template`, `smollm2`, `hf:<name or folder>`, `lora:<folder>`, `openai:<model>`, or the name under which
            another package offers one in the entry-point group `equipoise.generators`.
        fields: Its settings.

    Raises:
        ConfigError: if there is no such generator or field, or what should follow the colon is missing.
    """
    return GENERATORS.named(name, fields)
