"""Images become vectors by a model that learned from many others: CLIP, ViT, DINOv2, ResNet and their like."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.component import Runtime
from equipoise.data import vocabulary as v
from equipoise.language.cache import VectorCache
from equipoise.language.encoders import Encoder, optional
from equipoise.language.hub import model_files, model_folder
from equipoise.language.modalities.reading import decoded, see_images
from equipoise.language.pretrained import digest
from equipoise.language.vectors import Floats, Vectors

if TYPE_CHECKING:
    from equipoise.language.modalities.backbone import Backbone

_BATCH: Final = 64  # images encoded, and written, at once: what an interruption can lose
_LOOKED_AT: Final = (
    512  # pixels per side; half of what JPEGs of a camera are decoded to, and twice what models see
)


class Vision(Encoder):
    """A pretrained image encoder of Hugging Face transformers, by its folder or its name on the hub.

    Of a model of images and texts (CLIP, SigLIP) the image features are taken, of others the pooled output; where a
    checkpoint holds no weights of the pooling, as that of a ViT classifier does not, the first token. Vectors have
    length one. Only safetensors are read and no code of the model's is run. Texts are not embedded beside images.
    """

    name = "vision"
    argument: ClassVar[str] = "model"
    reads = frozenset({"images"})

    model: str = ""
    """A folder, or the name of a model on the hub, as in `openai/clip-vit-base-patch32`."""
    revision: str | None = None
    """Commit, branch or tag on the hub; a commit is the only one that never moves."""
    offline: bool = False
    """Whether only the local cache of the hub is looked at."""
    pooling: Literal["model", "first", "mean"] = "model"
    """What is made of the places of an image: what the model itself does, its first token, or the mean."""

    def item_vectors(
        self,
        items: pl.DataFrame,
        text: Sequence[str],
        *,
        images: Sequence[str] = (),
        numeric: Sequence[str] = (),
        cache: Path | None = None,
        runtime: Runtime | None = None,
    ) -> Vectors:
        """Vectors of the items whose image can be read; the others are absent, and counted in the account.

        Raises:
            DataError: if none of the images can be read.
            ModelError: if there is no such model, it reads no images, or its files are damaged or no safetensors.
            MissingExtraError: if torch, transformers or Pillow is not installed.
        """
        runtime = runtime or Runtime()
        folder = self.folder()
        source = digest(model_files(folder))
        made = json.dumps({"source": source, "pooling": self.pooling})
        identity = f"{self.name}-{hashlib.sha256(made.encode()).hexdigest()[:20]}"
        gallery = _Gallery(self, folder, None if cache is None else VectorCache(cache, identity), runtime)
        seen = see_images(items, images, gallery.see, progress=runtime.progress)
        account = seen.account | {"modality": self.name, "model": self.model, "sha256": source}
        ids = items[v.ITEM].filter(pl.Series(seen.present, dtype=pl.Boolean))
        return Vectors(ids, gallery.vectors(), account=(account,))

    def folder(self) -> Path:
        """The folder itself, or that of the hub's cache, where the files are fetched once.

        Raises:
            ModelError: if there is no such folder, and no such model in the cache or on the hub; or no safetensors in
                it.
        """
        purpose = f"The encoder '{self.name}'"
        return model_folder(self.model, revision=self.revision, offline=self.offline, purpose=purpose)


class _Gallery:
    """Images on their way to vectors, each distinct one once, a batch at a time."""

    def __init__(self, config: Vision, folder: Path, cache: VectorCache | None, runtime: Runtime) -> None:
        self.config, self.folder, self.cache, self.runtime = config, folder, cache, runtime
        self.known: dict[bytes, NDArray[np.float32]] = {} if cache is None else cache.read()
        self.waiting: dict[bytes, Floats] = {}
        self.keys: list[bytes] = []

    @cached_property
    def backbone(self) -> Backbone:
        """The model, loaded when the first image is not known yet."""
        for module, package in (("torch", "torch"), ("transformers", "transformers")):
            optional(module, package=package, extra="llm", purpose=f"The encoder '{self.config.name}'")
        from equipoise.language.modalities.backbone import load

        return load(self.folder, self.config.pooling, self.runtime)

    def see(self, row: int, content: bytes) -> None:
        """Take the image of the next item.

        Raises:
            UnreadableError: if it cannot be read.
        """
        key = hashlib.sha256(content).digest()
        if key not in self.known and key not in self.waiting:
            picture = decoded(content, _LOOKED_AT)
            self.waiting[key] = self.backbone.prepared(picture)
        self.keys.append(key)
        if len(self.waiting) == _BATCH:
            self._encode()

    def vectors(self) -> Floats:
        """Vectors of all images that were taken, in their order."""
        if self.waiting:
            self._encode()
        width = len(next(iter(self.known.values()))) if self.known else 0
        return np.stack([self.known[key] for key in self.keys]) if self.keys else np.zeros((0, width), "f4")

    def _encode(self) -> None:
        made = self.backbone.vectors(list(self.waiting.values()))
        found: Mapping[bytes, NDArray[np.float32]] = dict(zip(self.waiting, made, strict=True))
        if self.cache is not None:
            self.cache.write(list(found), made)
        self.known |= found
        self.waiting = {}
