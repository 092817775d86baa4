"""Contrastive training on pairs, within a budget of time, stopped by what held-out pairs tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from equipoise.component import Runtime
from equipoise.language.finetuning.course import Course
from equipoise.language.finetuning.loop import Learning
from equipoise.language.finetuning.loss import pair_loss
from equipoise.language.finetuning.network import Network
from equipoise.language.finetuning.pairs import Pairs
from equipoise.language.finetuning.retrieval import Retrieval
from equipoise.language.finetuning.settings import FineTuning


def fine_tune(
    network: Network,
    texts: Sequence[str],
    pairs: Pairs,
    retrieval: Retrieval,
    settings: FineTuning,
    runtime: Runtime,
    *,
    say: Callable[[str], None],
    kept: Path | None = None,
    identity: str = "",
) -> Course:
    """Train a network on pairs, and leave it with the weights that did best on the held-out pairs to stop by.

    Args:
        network: What to train.
        texts: Distinct texts; `pairs` are places among them.
        pairs: Training pairs.
        retrieval: Held-out pairs.
        settings: Budget, step size, temperature.
        runtime: Seed, threads, progress.
        say: Is told, before training begins, what it will cost.
        kept: File to keep the state in at each look at validation, and to go on from where it is there.
        identity: What must be the same to go on from it.

    Raises:
        ConfigError: if the time is too short for one step and the looks at validation.
        ModelError: if the loss is no number any more, or what was kept is of another training.
    """
    return _Contrast(network, texts, pairs, retrieval, settings, runtime).run(say, kept, identity)


class _Contrast(Learning):
    """An encoder that learns which texts go together."""

    unit: ClassVar[str] = "pairs"
    advice: ClassVar[str] = "Give [finetune] more minutes, or fewer checks, held_out pairs and candidates."

    def __init__(
        self,
        network: Network,
        texts: Sequence[str],
        pairs: Pairs,
        retrieval: Retrieval,
        settings: FineTuning,
        runtime: Runtime,
    ) -> None:
        super().__init__(network, settings, runtime)
        self.encoder, self.texts, self.pairs, self.retrieval = network, texts, pairs, retrieval
        self.temperature = settings.temperature
        log_chance = np.zeros(len(texts))
        if settings.popularity:
            log_chance = np.log(np.maximum(pairs.chances(len(texts)), np.finfo(np.float32).tiny))
        self._log_chance = torch.as_tensor(log_chance, dtype=torch.float32)

    @property
    def examples(self) -> int:
        return len(self.pairs)

    def batch(self, rows: Any) -> Pairs:
        return self.pairs.take(rows)

    def gradient(self, batch: Pairs) -> Tensor:
        texts, places = np.unique(np.concatenate([batch.first, batch.second]), return_inverse=True)
        vectors = self.encoder.vectors([self.texts[text] for text in texts])
        first, second = torch.as_tensor(places, device=vectors.device).chunk(2)
        which = torch.as_tensor(texts)
        chance = self._log_chance[which].to(vectors.device)
        loss = pair_loss(vectors, first, second, which.to(vectors.device), chance, self.temperature)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def judged(self) -> Tensor:
        return torch.as_tensor(self.retrieval.found(self.encoder.encode))

    def value(self, judged: Tensor) -> float:
        return float(self.retrieval.recall(judged.numpy(), stopping=True).mean())
