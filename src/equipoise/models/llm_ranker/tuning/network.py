"""The language model of a ranker with low-rank additions that move."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from equipoise.component import Runtime
from equipoise.language.encoders import optional
from equipoise.language.finetuning.course import Moving
from equipoise.language.generators import Prompt
from equipoise.language.generators.adapted import save_additions
from equipoise.language.generators.continuations import read, totals
from equipoise.language.generators.loading import Loaded, load
from equipoise.language.generators.local import LocalModel
from equipoise.language.generators.local_writer import LocalWriter

_SCALE: Final = 2  # of low-rank additions


class Network(Moving):
    """A causal language model whose weights stay, and low-rank additions to its linear layers (Hu et al. 2022).

    Args:
        base: The generator to begin from.
        rank: Rank of the additions, which begin with changing nothing.
        runtime: Device, and the seed of what is drawn.

    Raises:
        MissingExtraError: if a package is not installed.
        ModelError: if the model is missing or damaged.
    """

    def __init__(self, base: LocalModel, rank: int, runtime: Runtime) -> None:
        peft = optional("peft", package="peft", extra="llm", purpose="Fine-tuning a ranker")
        self.base, self.runtime = base.model_copy(update={"precision": "float32"}), runtime
        loaded = load(self.base, runtime)  # in float32: half precision would swallow small steps
        settings = peft.LoraConfig(
            r=rank, lora_alpha=_SCALE * rank, target_modules="all-linear", task_type="CAUSAL_LM"
        )
        with torch.random.fork_rng(), warnings.catch_warnings():
            torch.manual_seed(int(runtime.rng("additions").integers(2**62)))
            warnings.simplefilter("ignore", FutureWarning)  # of transformers, about what peft asks it
            self._added: Any = peft.get_peft_model(loaded.model, settings)
        self._loaded = Loaded(self._added.get_base_model(), loaded.tokenizer)
        self.parameters = {
            name: weights for name, weights in self._added.named_parameters() if weights.requires_grad
        }

    def likelihoods(self, prompt: Prompt, names: Sequence[str]) -> Tensor:
        """Mean log-probability per token of each name after a prompt, with gradients; shape (names,)."""
        told = [self._loaded.text_tokens(name) for name in names]
        model, device = self._loaded.model, self.runtime.device
        model.train()
        prefix = read(model, self._loaded.prompt_tokens(prompt), device)
        lengths = torch.tensor([len(tokens) for tokens in told], device=device)
        return totals(model, prefix, told, device) / lengths

    def fits(self, prompt: Prompt, names: Sequence[str]) -> bool:
        """Whether the model reads as much as that."""
        longest = max((len(self._loaded.text_tokens(name)) for name in names), default=0)
        most = self._loaded.context
        return most is None or len(self._loaded.prompt_tokens(prompt)) + longest <= most

    def writer(self) -> LocalWriter:
        """The generator at work with the weights as they are now."""
        self._loaded.model.eval()
        return LocalWriter(self.base, replace(self.runtime, progress=False), self._loaded)

    def save(self, folder: Path, base: LocalModel) -> None:
        """Write the additions, and what they stand beside.

        Args:
            folder: A folder that is empty, or not there yet.
            base: The generator to name as their base.
        """
        save_additions(self._added, base, folder)
