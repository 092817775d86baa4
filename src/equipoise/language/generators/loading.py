"""Reading a causal language model and its tokenizer out of a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from jinja2 import TemplateError

from equipoise.component import Runtime
from equipoise.errors import ModelError
from equipoise.language.generators.local import LocalModel, check_architecture
from equipoise.language.generators.prompt import Prompt, escaped
from equipoise.language.hub import first_line, load_faults

_WITHOUT_TURNS = "{}\n\n{}\n\n"


@dataclass(frozen=True)
class Loaded:
    """A model with its tokenizer.

    Attributes:
        model: The network, in evaluation mode.
        tokenizer: What turns text into its tokens.
    """

    model: Any
    tokenizer: Any

    @cached_property
    def ends(self) -> frozenset[int]:
        """Tokens that end an answer."""
        named = self.model.generation_config.eos_token_id
        known = named if isinstance(named, list) else [named]
        return frozenset(token for token in (*known, self.tokenizer.eos_token_id) if token is not None)

    @property
    def padding(self) -> int:
        """A token to fill up with; nothing looks at it."""
        found = self.tokenizer.pad_token_id
        return int(found) if found is not None else min(self.ends, default=0)

    @property
    def context(self) -> int | None:
        """Most tokens the model reads; None where it does not say."""
        found = getattr(self.model.config, "max_position_embeddings", None)
        return None if found is None else int(found)

    @cached_property
    def _controls(self) -> list[str]:
        """Texts that the tokenizer takes for tokens of its own, longest first, such as the ends of turns."""
        added = self.tokenizer.added_tokens_decoder.values()
        special = {token.content for token in added if token.special} | set(self.tokenizer.all_special_tokens)
        return sorted((text for text in special if len(text) > 1), key=len, reverse=True)

    @cached_property
    def _spoken_turns(self) -> list[str]:
        """Plain texts by which the model's template tells turns apart, longest first: `[/INST]`, `ASSISTANT:`.

        They are what it writes between contents, as far as that is no token of the model's own; bare words (`user`,
        behind such a token) open no turn by themselves.
        """
        if not self.tokenizer.chat_template:
            return []
        talk = [("user", "\ue001"), ("assistant", "\ue002"), ("user", "\ue003")]
        try:
            written = self._rendered([("system", "\ue000"), *talk], tokenize=False)
        except TemplateError:
            written = self._rendered(talk, tokenize=False)
        for control in self._controls:
            written = written.replace(control, "\n")
        before, *between = re.split("[\ue000-\ue003]", written)
        lines = [line.strip() for part in between for line in part.splitlines()]
        lines += [line.strip() for line in before.splitlines()[-1:]]
        marks = {line for line in lines if re.search(r"\w", line) and re.search(r"[^\w\s]", line)}
        return sorted(marks, key=lambda mark: (-len(mark), mark))

    def prompt_tokens(self, prompt: Prompt) -> list[int]:
        """A prompt as the model has learned to read one: turns where it knows them, else plain text.

        Data cannot end their turn: whatever in them looks like a token of the model's own, or like what its template
        writes between turns, is escaped once more.
        """
        system, user = (message["content"] for message in prompt.messages())
        for control in (*self._controls, *self._spoken_turns):
            user = user.replace(control, escaped(control[0]) + control[1:])
        if not self.tokenizer.chat_template:
            tokens: list[int] = self.tokenizer(_WITHOUT_TURNS.format(system, user))["input_ids"]
            return tokens
        try:
            turns = self._rendered([("system", system), ("user", user)], tokenize=True)
        except TemplateError:  # some models know no system
            turns = self._rendered([("user", f"{system}\n\n{user}")], tokenize=True)
        return list(turns)

    def _rendered(self, turns: Sequence[tuple[str, str]], *, tokenize: bool) -> Any:
        messages = [{"role": role, "content": content} for role, content in turns]
        return self.tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=tokenize, return_dict=False
        )

    def text_tokens(self, text: str) -> list[int]:
        """A plain text, in which nothing is a token of the model's own."""
        tokens: list[int] = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)[
            "input_ids"
        ]
        return tokens

    def text(self, tokens: list[int]) -> str:
        """Tokens as text, without those of the model's own."""
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True))

    def settings(self, config: LocalModel, tokens: int) -> Any:
        """How to write; what the model's folder says of it is not looked at."""
        from transformers import GenerationConfig

        drawn = (
            {"do_sample": True, "temperature": config.temperature, "top_k": 0} if config.temperature else {}
        )
        return GenerationConfig(
            max_new_tokens=tokens,
            pad_token_id=self.padding,
            eos_token_id=sorted(self.ends) or None,
            repetition_penalty=config.repetition_penalty,
            **(drawn or {"do_sample": False}),
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back transformers' bars and remarks inside the block."""
    from transformers.utils import logging

    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def load(config: LocalModel, runtime: Runtime) -> Loaded:
    """The model of a generator, on `runtime.device`.

    Raises:
        ModelError: if the folder is damaged, of another architecture, lacks weights, or would run code of its own.
    """
    folder = config.folder()
    check_architecture(folder)
    read = read_model(folder, precision=getattr(torch, config.precision), device=runtime.device)
    return config.completed(read)


def read_model(folder: Path, *, precision: torch.dtype, device: str = "cpu", **options: Any) -> Loaded:
    """A model and its tokenizer out of a folder.

    Args:
        folder: Where their files are.
        precision: Numbers to keep the weights in.
        device: A torch device name.
        options: Further arguments of transformers' `from_pretrained`.

    Raises:
        ModelError: if the folder is damaged, lacks weights, or would run code of its own.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    options = {"local_files_only": True, "trust_remote_code": False, **options}
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(str(folder), **options)
            model, told = AutoModelForCausalLM.from_pretrained(
                str(folder), dtype=precision, output_loading_info=True, **options
            )
    except load_faults() as error:
        raise ModelError(
            f"The language model cannot be loaded: {first_line(error)}",
            where=str(folder),
            todo="Name a folder of a causal language model with its tokenizer, saved by `save_pretrained`.",
        ) from error
    if lacking := sorted(told["missing_keys"]) + sorted(map(str, told["mismatched_keys"])):
        raise ModelError(
            f"The weights of the language model lack {len(lacking)} of its arrays, or have them in another shape",
            where=f"{folder}, among them {lacking[0]}",
            todo="Save the whole model with `save_pretrained`.",
        )
    return Loaded(model.to(device).eval(), tokenizer)
