"""What generators share whose model runs on this machine: settings, and where the model's files are."""

from __future__ import annotations

import json
from abc import abstractmethod
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, PositiveInt

from equipoise.component import Runtime
from equipoise.errors import MissingExtraError, ModelError
from equipoise.language.generators.generator import Generator
from equipoise.language.generators.prompt import Language

if TYPE_CHECKING:
    from equipoise.language.generators.loading import Loaded
    from equipoise.language.generators.local_writer import LocalWriter

_CAUSAL = ("ForCausalLM", "LMHeadModel")


class LocalModel(Generator):
    """A causal language model of Hugging Face's form, read from safetensors; no code of the model's is run."""

    languages: ClassVar[tuple[Language, ...]] = ("en", "zh")
    """Languages it can be asked to write."""

    temperature: float = Field(0.0, ge=0.0, le=2.0)
    """0 takes the likeliest token each time; above it, tokens are drawn, by the run's seed and the prompt alone."""
    repetition_penalty: float = Field(1.0, ge=1.0, le=2.0)
    """Divides the scores of tokens that stand in the prompt or the text already (Keskar et al. 2019, section 4.1)."""
    batch_size: PositiveInt = 8
    """Prompts, or continuations, that are read at once."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    """Numbers to compute with; the short ones save memory and are slow on most processors."""

    @abstractmethod
    def folder(self) -> Path:
        """Where the model's files are; made or fetched where they are not there yet.

        Raises:
            ModelError: if there are none.
        """

    @abstractmethod
    def source(self) -> str:
        """SHA-256 of what the model is made from."""

    def completed(self, loaded: Loaded) -> Loaded:
        """The model as it is used, where more than its folder belongs to it."""
        return loaded

    def open(self, runtime: Runtime | None = None) -> LocalWriter:
        """The model, loaded when the first text is asked for.

        Raises:
            MissingExtraError: if torch or transformers is not installed.
            ModelError: if the model is missing, or is no causal language model.
        """
        for package in ("torch", "transformers"):
            if find_spec(package) is None:
                raise MissingExtraError(package, extra="llm", purpose=f"The generator '{self.name}'")
        self.check()
        from equipoise.language.generators.local_writer import LocalWriter

        return LocalWriter(self, runtime or Runtime())

    def check(self) -> None:
        """Refuse a model that cannot write, before it is loaded.

        Raises:
            ModelError: if it is missing or no causal language model.
        """
        check_architecture(self.folder())


def check_architecture(folder: Path) -> None:
    """Refuse what is no causal language model.

    Raises:
        ModelError: if `config.json` is missing, cannot be read, or names another architecture.
    """
    file = folder / "config.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        named = [str(name) for name in content.get("architectures") or []]
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ModelError(
            "The folder of the model holds no readable config.json",
            where=str(folder),
            todo="Name the folder that `save_pretrained` wrote.",
        ) from error
    if not any(name.endswith(_CAUSAL) for name in named):
        raise ModelError(
            "The model is no causal language model, so it cannot write",
            where=f"{file}, architecture {', '.join(named) or 'not named'}",
            todo="Name a model whose architecture ends in 'ForCausalLM', such as Llama, Qwen or Gemma.",
        )
