"""Where the files of a published model lie: a folder that is named, or what the hub's cache holds or can fetch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from equipoise.errors import ModelError
from equipoise.language.encoders import optional

FILES: Final = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja")
"""What is read of a model: weights without code, settings, tokenizers, and how it takes turns."""


def model_folder(model: str, *, revision: str | None, offline: bool, purpose: str) -> Path:
    """The folder of a model, fetched once where it is not one.

    Args:
        model: A folder, or the name of a model on the hub.
        revision: Commit, branch or tag on the hub.
        offline: Whether only the local cache of the hub is looked at.
        purpose: What needs it, for messages.

    Raises:
        ModelError: if there is no such folder, and no such model in the cache or on the hub; or no safetensors in it.
    """
    folder = Path(model).expanduser()
    if not folder.is_dir():
        folder = _fetched(model, revision, offline, purpose)
    if not any(folder.rglob("*.safetensors")):
        raise ModelError(
            "The folder holds no safetensors, the only weights that are read",
            where=str(folder),
            todo="Save the model with `save_pretrained`, which writes them.",
        )
    return folder


def model_files(folder: Path) -> list[Path]:
    """The files of a model that are read, sorted."""
    return sorted({file for pattern in FILES for file in folder.rglob(pattern)})


def check_modules(folder: Path) -> None:
    """Refuse a sentence-transformers model of which a part would run its own code, or read other weights.

    Raises:
        ModelError: if `modules.json` cannot be read, names a class of the folder's own or a place outside of it, or a
            part has weights that are not in safetensors.
    """
    listed = folder / "modules.json"
    if not listed.is_file():
        return
    try:
        parts = [(str(part["type"]), str(part["path"])) for part in json.loads(listed.read_text("utf-8"))]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            "The list of the encoder's parts cannot be read",
            where=str(listed),
            todo="Save the model again with its `save_pretrained`.",
        ) from error
    for kind, path in parts:
        place = folder / path
        if not kind.startswith("sentence_transformers."):
            raise ModelError(
                f"The encoder has a part '{kind}' with code of its own, and no code of a model's is run",
                where=str(listed),
                todo="Choose a model that is made of the parts of sentence-transformers alone.",
            )
        if not place.resolve().is_relative_to(folder.resolve()):
            raise ModelError(f"The encoder has a part outside of its folder: '{path}'", where=str(listed))
        if any(place.glob("*.bin")) and not any(place.glob("*.safetensors")):
            raise ModelError(
                "A part of the encoder has weights in another form than safetensors, the only ones that are read",
                where=str(place),
                todo="Load the model where you trust it, and save it with `safe_serialization=True`.",
            )


def load_faults() -> tuple[type[Exception], ...]:
    """What transformers and safetensors raise of a folder that is damaged or wants what is not installed."""
    from safetensors import SafetensorError

    known = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError)
    return (*known, SafetensorError)


def first_line(error: Exception) -> str:
    """What an error says first, in at most 300 signs; its kind where it says nothing."""
    said = (line.strip() for line in str(error).splitlines())
    return next((line for line in said if line), type(error).__name__)[:300]


def _fetched(model: str, revision: str | None, offline: bool, purpose: str) -> Path:
    hub = optional("huggingface_hub", package="huggingface_hub", extra="llm", purpose=purpose)
    try:
        return Path(
            hub.snapshot_download(
                model, revision=revision, local_files_only=offline, allow_patterns=list(FILES)
            )
        )
    except Exception as error:  # the hub's client raises its own, httpx's and the system's errors
        raise ModelError(
            f"'{model}' is neither a folder nor a model that the hub or its local cache holds",
            where=type(error).__name__,
            todo="Check the spelling and the network, or name a folder.",
        ) from error
