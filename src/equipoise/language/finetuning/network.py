"""An encoder whose weights move."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from equipoise.component import Runtime
from equipoise.errors import ModelError
from equipoise.language.encoders import optional
from equipoise.language.finetuning.course import Moving
from equipoise.language.finetuning.settings import FineTuning
from equipoise.language.generators.loading import quiet
from equipoise.language.transformer import Transformer
from equipoise.language.vectors import Floats

_BATCH = 64  # texts encoded at once
_ALIKE = 16  # texts of like length that learn together, so that little is padded
_SCALE = 2  # of low-rank additions


class Network(Moving):
    """A transformer with its pooling, of which all weights move, or low-rank additions alone.

    Args:
        base: The encoder to start from.
        settings: What moves, and how much of a text is looked at.
        runtime: Device.

    Raises:
        MissingExtraError: if a package is not installed.
        ModelError: if the folder holds no transformer.
    """

    def __init__(self, base: Transformer, settings: FineTuning, runtime: Runtime) -> None:
        self.prompt, self.device = base.prompt or None, runtime.device
        self._model = base.network(runtime).float()  # half precision would swallow small steps
        self._reads = self._model.max_seq_length
        self._looks = min(settings.tokens, self._reads or settings.tokens)
        transformer = getattr(self._model[0], "auto_model", None)
        if transformer is None:
            raise ModelError(
                "The encoder is no transformer, so it cannot be fine-tuned", where=str(base.folder())
            )
        with torch.random.fork_rng():
            torch.manual_seed(runtime.seed)
            self._added: Any = _low_rank(transformer, settings.rank) if settings.method == "lora" else None
        self.parameters = {
            name: weights for name, weights in self._model.named_parameters() if weights.requires_grad
        }

    def vectors(self, texts: Sequence[str]) -> Tensor:
        """Vectors of length one to learn by, shape (len(texts), width): dropout is on, long texts are cut."""
        self._model.train()
        self._model.max_seq_length = self._looks
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        alike = [order[start : start + _ALIKE] for start in range(0, len(order), _ALIKE)]
        vectors = torch.cat([self._pooled([texts[place] for place in places]) for places in alike])
        back = torch.as_tensor(np.argsort(order), device=vectors.device)
        return functional.normalize(vectors[back], dim=1)

    def _pooled(self, texts: Sequence[str]) -> Tensor:
        """One vector per text, padded to the longest of them."""
        features = self._model.preprocess(list(texts), prompt=self.prompt)
        moved = {
            name: part.to(self.device) if isinstance(part, Tensor) else part
            for name, part in features.items()
        }
        pooled: Tensor = self._model(moved)["sentence_embedding"]
        return pooled

    def encode(self, texts: Sequence[str]) -> Floats:
        """Vectors as they will be used: float32 of length one, shape (len(texts), width)."""
        self._model.eval()
        self._model.max_seq_length = self._reads
        found = self._model.encode(
            list(texts),
            prompt=self.prompt,
            batch_size=_BATCH,
            show_progress_bar=False,
            normalize_embeddings=True,
        )
        return np.asarray(found, dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write the whole model, additions merged, as safetensors that sentence-transformers reads. It ends here.

        Args:
            folder: A folder that is empty, or not there yet.
        """
        if self._added is not None:
            self._added.merge_and_unload()
        self._model.eval()
        self._model.max_seq_length = self._reads
        with quiet():
            self._model.save_pretrained(str(folder), create_model_card=False, safe_serialization=True)


def _low_rank(transformer: Any, rank: int) -> Any:
    """Put additions beside all linear layers; nothing else moves then."""
    peft = optional("peft", package="peft", extra="llm", purpose="Fine-tuning with method 'lora'")
    linear = [layer for layer in transformer.modules() if isinstance(layer, torch.nn.Linear)]
    if not linear:
        raise ModelError(
            "The encoder has no linear layer that low-rank additions could stand beside",
            todo='Set [finetune] method = "full".',
        )
    narrow = min(min(layer.weight.shape) for layer in linear)
    settings = peft.LoraConfig(
        r=min(rank, narrow), lora_alpha=_SCALE * min(rank, narrow), target_modules="all-linear"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of transformers, about what peft asks it
        return peft.get_peft_model(transformer, settings)


def slope(step: int, steps: int, warmup: float) -> float:
    """Share of the highest step size at a step counted from 0: up to 1 in the warm-up, then down to 0."""
    rising = math.ceil(warmup * steps)
    if step < rising:
        return (step + 1) / rising
    return (steps - step) / max(steps - rising, 1)
