"""A causal language model with low-rank additions that were trained for a task, kept beside it in a small folder."""

from __future__ import annotations

import hashlib
import json
import warnings
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from equipoise.component import build
from equipoise.errors import ConfigError, ModelError
from equipoise.language.encoders import optional
from equipoise.language.generators.generator import GENERATORS
from equipoise.language.generators.local import LocalModel
from equipoise.language.generators.prompt import Language
from equipoise.language.pretrained import digest

if TYPE_CHECKING:
    from equipoise.language.generators.loading import Loaded

SEAL: Final = "base.json"
WEIGHTS: Final = "adapter_model.safetensors"
_FILES: Final = ("adapter_config.json", WEIGHTS)
_FORMAT: Final = 1


class Adapted(LocalModel):
    """A causal language model and what was trained beside it, by the folder that `equipoise finetune` wrote."""

    name = "lora"
    argument: ClassVar[str] = "model"

    model: str = ""
    """The folder of the additions; it names its base."""

    @property
    def languages(self) -> tuple[Language, ...]:  # type: ignore[override]
        """Those of the base."""
        return self.base.languages

    @cached_property
    def base(self) -> LocalModel:
        """The model that they were trained beside.

        Raises:
            ModelError: if the folder is damaged, or names no model of this machine.
        """
        fields = dict(self._sealed["base"])
        try:
            found = build(
                GENERATORS.find(str(fields.pop("name"))), fields, where=f"the base of '{self.model}'"
            )
        except (ConfigError, KeyError) as error:
            raise ModelError(f"The base cannot be found: {error}", where=self.model) from error
        if not isinstance(found, LocalModel) or isinstance(found, Adapted):
            raise ModelError("The base is no model that additions can stand beside", where=self.model)
        return found

    def folder(self) -> Path:
        """That of the base, whose weights are read first."""
        return self.base.folder()

    def check(self) -> None:
        """Refuse additions that are damaged, or whose base is missing or no causal language model.

        Raises:
            ModelError: if they are.
            MissingExtraError: if a package is not installed.
        """
        self.base.check()
        _peft()
        self._whole()

    def source(self) -> str:
        """SHA-256 of the base and of the additions.

        Raises:
            ModelError: if the base is not the one that they were trained beside.
        """
        base = self.base.source()
        if base != self._sealed["source"]:
            raise ModelError(
                "The additions were trained beside another model than the one there is now",
                where=f"{self.model}: {str(self._sealed['source'])[:12]}... then, {base[:12]}... now",
                todo="Bring back the former, or train them again.",
            )
        return hashlib.sha256(f"{base} {self._whole()}".encode()).hexdigest()

    def completed(self, loaded: Loaded) -> Loaded:
        """The base with its additions merged into the weights."""
        from equipoise.language.generators.loading import Loaded, quiet

        self.source()
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of transformers, about what peft asks it
            model = _peft().PeftModel.from_pretrained(
                loaded.model, Path(self.model).expanduser(), local_files_only=True
            )
        return Loaded(model.merge_and_unload().eval(), loaded.tokenizer)

    @cached_property
    def _sealed(self) -> dict[str, Any]:
        file = Path(self.model).expanduser() / SEAL
        try:
            content = json.loads(file.read_text("utf-8"))
            if isinstance(content, dict) and {"base", "source", "sha256"} <= content.keys():
                return content
        except (OSError, ValueError):
            pass
        raise ModelError(
            "This is no folder of additions to a language model",
            where=str(file),
            todo="Name one that `equipoise finetune` wrote.",
        )

    def _whole(self) -> str:
        """SHA-256 of the additions, which must be those that were saved."""
        folder = Path(self.model).expanduser()
        files = [folder / name for name in _FILES]
        found = digest(files) if all(file.is_file() for file in files) else None
        if found is None or found != self._sealed["sha256"]:
            raise ModelError(
                "The additions to the language model are not those that were saved",
                where=str(folder),
                todo="Train them again.",
            )
        return found


def save_additions(model: Any, base: LocalModel, folder: Path) -> None:
    """Write what was trained beside a model, and what it was trained beside.

    Args:
        model: As peft holds it.
        base: The generator whose model it was.
        folder: A folder that is empty, or not there yet.
    """
    from equipoise.language.generators.loading import quiet

    with quiet():
        model.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
    for file in folder.iterdir():
        if file.name not in _FILES:
            file.unlink()  # a card without content
    seal = {
        "format": _FORMAT,
        "base": base.describe(),
        "source": base.source(),
        "sha256": digest([folder / name for name in _FILES]),
    }
    (folder / SEAL).write_text(json.dumps(seal, indent=1), "utf-8")


def _peft() -> Any:
    return optional("peft", package="peft", extra="llm", purpose="The generator 'lora'")
