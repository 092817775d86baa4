"""A causal language model at work on this machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import ClassVar

import torch

from equipoise.component import Runtime
from equipoise.errors import EquipoiseError, ModelError
from equipoise.language.generators.continuations import Prefix, read, totals
from equipoise.language.generators.generator import LogProbability, Writer, settled
from equipoise.language.generators.loading import Loaded, load
from equipoise.language.generators.local import LocalModel
from equipoise.language.generators.prompt import Prompt
from equipoise.language.generators.sentences import whole_sentences
from equipoise.progress import track

_KEPT = 4  # prefixes: of a few people in turn, and the one without a history


class LocalWriter(Writer):
    """Writes with a model in memory, several prompts at once.

    Attributes:
        runtime: Device, threads, and the seed of what is drawn.

    Args:
        config: The generator.
        runtime: See above.
        loaded: The model, where it is in memory already; else it is loaded when it is first needed.
    """

    scores: ClassVar[bool] = True
    together: ClassVar[bool] = True
    config: LocalModel

    def __init__(self, config: LocalModel, runtime: Runtime, loaded: Loaded | None = None) -> None:
        super().__init__(config)
        self.runtime = runtime
        if loaded is not None:
            self._loaded = loaded
        self._prefixes: dict[tuple[int, ...], Prefix] = {}  # the latest last

    @cached_property
    def identity(self) -> str:
        """SHA-256 of the weights and of the settings that a text depends on, the seed where tokens are drawn."""
        drawn = self.runtime.seed if self.config.temperature > 0 else None
        settings = self.config.model_dump(exclude={"batch_size", "model", "revision", "offline"})
        told = json.dumps([self.config.source(), settings, drawn], sort_keys=True)
        return f"{self.config.name}-{hashlib.sha256(told.encode()).hexdigest()}"

    @cached_property
    def _loaded(self) -> Loaded:
        return load(self.config, self.runtime)

    def write(self, prompts: Sequence[Prompt]) -> list[str]:
        """One text per prompt, in their order, each ending with a whole sentence; rankings as they come.

        Raises:
            ModelError: if the model cannot be loaded, a prompt is longer than it reads or in a language it does not
                write, or it writes nothing.
        """
        return settled(self.attempts(prompts))

    def attempts(self, prompts: Sequence[Prompt]) -> list[str | EquipoiseError]:
        """One text per prompt, or why there is none; prompts of like length are read together.

        Raises:
            ModelError: if the model cannot be loaded.
        """
        found: dict[int, str | EquipoiseError] = {}
        asked: dict[int, list[int]] = {}
        for place, prompt in enumerate(prompts):
            try:
                asked[place] = self._tokens(prompt)
            except ModelError as error:
                found[place] = error
        order = sorted(asked, key=lambda place: (prompts[place].max_tokens, len(asked[place]), place))
        size = (
            1 if self.config.temperature > 0 else self.config.batch_size
        )  # a draw depends on nothing beside it
        batches = [order[start : start + size] for start in range(0, len(order), size)]
        with self._threads():
            for batch in track(batches, "writing texts", show=self.runtime.progress):
                texts = self._written([asked[place] for place in batch], [prompts[place] for place in batch])
                found |= dict(zip(batch, texts, strict=True))
        return [found[place] for place in range(len(prompts))]

    def log_probabilities(self, prompt: Prompt, continuations: Sequence[str]) -> list[LogProbability]:
        """How likely each continuation is after the prompt, which is read once for all of them.

        The end of the answer is not part of a continuation: "Alien" is at least as likely as "Aliens".

        Raises:
            ModelError: if the model cannot be loaded, a continuation is empty, or it is too long with the prompt.
        """
        told = [self._loaded.text_tokens(text) for text in continuations]
        if not all(told):
            raise ModelError("A continuation is empty", where=f"number {told.index([]) + 1} of {len(told)}")
        prefix = self._tokens(prompt, room=max(map(len, told), default=0))
        size = self.config.batch_size
        order = sorted(range(len(told)), key=lambda place: len(told[place]))
        found: dict[int, LogProbability] = {}
        with self._threads(), torch.inference_mode():
            before = self._read(prefix)
            for start in range(0, len(order), size):
                batch = order[start : start + size]
                rows = [told[place] for place in batch]
                found_totals = totals(self._loaded.model, before, rows, self.runtime.device)
                for place, total in zip(batch, found_totals.tolist(), strict=True):
                    found[place] = LogProbability(min(total, 0.0), len(told[place]))
        return [found[place] for place in range(len(told))]

    def _tokens(self, prompt: Prompt, room: int | None = None) -> list[int]:
        """A prompt as the model reads it, which leaves room for an answer of so many tokens."""
        if prompt.lang not in self.config.languages:
            raise ModelError(
                f"The generator '{self.config.name}' writes no usable text in the language '{prompt.lang}'",
                todo="Choose the generator template, or a model that knows the language.",
            )
        tokens = self._loaded.prompt_tokens(prompt)
        answer = prompt.max_tokens if room is None else room
        if (most := self._loaded.context) is not None and len(tokens) + answer > most:
            raise ModelError(
                f"The prompt has {len(tokens)} tokens and its answer up to {answer}, but the model reads {most}",
                todo="Give it shorter texts.",
            )
        return tokens

    def _written(self, tokens: list[list[int]], prompts: Sequence[Prompt]) -> list[str | EquipoiseError]:
        """Texts after prompts of like length, padded on the left."""
        loaded, width = self._loaded, max(map(len, tokens))
        padded = torch.tensor([[loaded.padding] * (width - len(row)) + row for row in tokens])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in tokens])
        longest = max(prompt.max_tokens for prompt in prompts)
        with self._drawing(prompts[0]), torch.inference_mode():
            answers = loaded.model.generate(
                input_ids=padded.to(self.runtime.device),
                attention_mask=mask.to(self.runtime.device),
                generation_config=loaded.settings(self.config, longest),
            )
        rows = answers[:, width:].tolist()
        return [self._text(row, prompt) for row, prompt in zip(rows, prompts, strict=True)]

    def _text(self, tokens: list[int], prompt: Prompt) -> str | EquipoiseError:
        """What an answer says, up to its last whole sentence where it was cut off and is to be read by people."""
        end = next((place for place, token in enumerate(tokens) if token in self._loaded.ends), None)
        text = self._loaded.text(tokens[: prompt.max_tokens if end is None else end]).strip()
        if prompt.task != "rank" and (end is None or end > prompt.max_tokens):
            text = whole_sentences(text)
        if not text:
            return ModelError(
                f"The generator '{self.config.name}' wrote no whole sentence", todo="Allow more tokens."
            )
        return text

    def _read(self, prefix: list[int]) -> Prefix:
        """The model after a prefix; those of the last calls are kept, for they are often asked again."""
        key = tuple(prefix)
        known = self._prefixes.pop(key, None) or read(self._loaded.model, prefix, self.runtime.device)
        while len(self._prefixes) >= _KEPT:
            del self._prefixes[next(iter(self._prefixes))]
        self._prefixes[key] = known
        return known

    @contextmanager
    def _threads(self) -> Iterator[None]:
        before = torch.get_num_threads()
        torch.set_num_threads(self.runtime.cores)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    @contextmanager
    def _drawing(self, prompt: Prompt) -> Iterator[None]:
        """Random numbers of the seed and the prompt alone; those of others go on as they were."""
        devices = [self.runtime.device] if self.runtime.device.startswith("cuda") else []
        with torch.random.fork_rng(devices):
            told = f"{self.runtime.seed} {prompt.key()}".encode()
            torch.manual_seed(int.from_bytes(hashlib.sha256(told).digest()[:7], "big"))
            yield
