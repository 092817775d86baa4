"""The network of a pretrained image encoder, read from a folder of safetensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers import AutoImageProcessor, AutoModel

from equipoise.component import Runtime
from equipoise.errors import ModelError
from equipoise.language.generators.loading import quiet
from equipoise.language.hub import first_line, load_faults
from equipoise.language.modalities.reading import fitted
from equipoise.language.vectors import Floats

Pooling = Literal["model", "first", "mean"]
_SPARE: Final = (
    "pooler.",
    "mask_token",
)  # parts that a checkpoint may lack, since images are read without them
_SLIMMEST: Final = (
    4  # times as long as wide; a model that scales the short side would need any amount of memory
)
_SQUARE: Final = 512  # pixels per side of what slimmer images are laid in


@dataclass(frozen=True)
class Backbone:
    """A model in evaluation mode, and how images are prepared for it.

    Attributes:
        network: The model as transformers holds it.
        processor: Its preparation of images.
        pooling: What is made of the places of an image.
        runtime: Device and threads.
    """

    network: Any
    processor: Any
    pooling: Pooling
    runtime: Runtime

    def prepared(self, picture: Any) -> Floats:
        """An image as the model reads it, shape (3, height, width).

        Args:
            picture: One of Pillow's, in red, green and blue.
        """
        if max(picture.size) > _SLIMMEST * min(picture.size):
            picture = fitted(picture, _SQUARE)
        found = self.processor(picture, return_tensors="np", input_data_format="channels_last")
        return np.asarray(found["pixel_values"][0], dtype=np.float32)

    def vectors(self, images: Sequence[Floats]) -> Floats:
        """Vectors of length one.

        Args:
            images: As `prepared` gives them.

        Raises:
            ModelError: if the model makes nothing of an image, or something that is not finite.
        """
        before = torch.get_num_threads()
        torch.set_num_threads(self.runtime.cores)
        try:
            with torch.inference_mode():
                made = self._made(images)
        finally:
            torch.set_num_threads(before)
        length = np.linalg.norm(made, axis=1, keepdims=True)
        if not np.isfinite(length).all() or not length.all():
            raise ModelError(
                "The image encoder makes vectors that are zero or not finite",
                where=type(self.network).__name__,
                todo="Its weights are damaged; fetch or save them again.",
            )
        return np.asarray(made / length, dtype=np.float32)

    def _made(self, images: Sequence[Floats]) -> Floats:
        """What the network makes of images, those of one shape together: not every model cuts them to a square."""
        found: dict[int, Floats] = {}
        for shape in {image.shape for image in images}:
            places = [place for place, image in enumerate(images) if image.shape == shape]
            pixels = torch.from_numpy(np.stack([images[place] for place in places])).to(self.runtime.device)
            found |= dict(zip(places, self._pooled(pixels).float().cpu().numpy(), strict=True))
        return np.stack([found[place] for place in range(len(images))])

    def _pooled(self, pixels: Tensor) -> Tensor:
        """Shape (n, width)."""
        both = hasattr(self.network, "get_image_features")
        made = (self.network.get_image_features if both else self.network)(pixel_values=pixels)
        pooled: Tensor | None = made.get("pooler_output") if self.pooling == "model" else None
        if pooled is not None:
            return pooled.flatten(1)  # convolutional networks leave places of one by one
        places: Tensor = made.last_hidden_state
        if places.ndim == 4:  # (n, channels, height, width)
            return places.mean((2, 3))
        return places.mean(1) if self.pooling == "mean" else places[:, 0]


def load(folder: Path, pooling: Pooling, runtime: Runtime) -> Backbone:
    """The model in a folder, on `runtime.device`.

    Args:
        folder: With safetensors, the model's configuration, and that of its preparation of images.
        pooling: What is made of the places of an image.
        runtime: Device and threads.

    Raises:
        ModelError: if the folder holds a model that reads no images, is damaged, or would run code of its own.
    """
    safe = {"local_files_only": True, "trust_remote_code": False}
    try:
        with quiet():
            network, report = AutoModel.from_pretrained(
                str(folder), use_safetensors=True, output_loading_info=True, dtype=torch.float32, **safe
            )
            _check(network, sorted(report["missing_keys"]), folder)
            if pooling == "model" and any("pooler." in key for key in report["missing_keys"]):
                pooling = "first"
            processor = AutoImageProcessor.from_pretrained(str(folder), backend="pil", **safe)
            backbone = Backbone(network.eval().to(runtime.device), processor, pooling, runtime)
            backbone.vectors([backbone.prepared(Image.new("RGB", (64, 64), "grey"))])
    except load_faults() as error:
        raise ModelError(
            f"The image encoder cannot be loaded: {first_line(error)}",
            where=str(folder),
            todo="Name a folder of a Hugging Face model of images with safetensors and preprocessor_config.json.",
        ) from error
    return backbone


def _check(network: Any, missing: Sequence[str], folder: Path) -> None:
    """Refuse a model that reads something else than images, or of which weights are missing."""
    of_images = getattr(network, "main_input_name", "") == "pixel_values"
    of_both = hasattr(network, "get_image_features") and hasattr(network, "get_text_features")
    if not of_images and not of_both:
        raise ModelError(
            f"The model reads no images: it is a {type(network).__name__}",
            where=str(folder),
            todo="Name a model of images, such as CLIP, ViT, DINOv2 or ResNet; texts are read by 'hf:<model>'.",
        )
    lacking = [key for key in missing if not any(part in key for part in _SPARE)]
    if lacking:
        raise ModelError(
            f"The image encoder lacks {len(lacking)} of its weights, such as {lacking[0]}",
            where=str(folder),
            todo="The file belongs to another model than its configuration; fetch or save both again.",
        )
