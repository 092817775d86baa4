"""Fitted models on disk: JSON for what is said, safetensors for what is learned, a hash to notice damage."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from equipoise.component import build
from equipoise.data import vocabulary as v
from equipoise.errors import ConfigError, ModelError
from equipoise.language.vectors import Vectors
from equipoise.models.calibration import Calibration
from equipoise.models.histories import Catalogue, Histories
from equipoise.models.recommender import Fitted, Recommender, Saved
from equipoise.models.registry import models

_FORMAT = 1
_HISTORY = ("starts", "items", "queries", "weights", "values", "times")
_INTEGERS = {
    str(kind): kind
    for kind in (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
}
_DAMAGE = (OSError, LookupError, ValueError, TypeError, AttributeError, SafetensorError, ConfigError)


def save_model(model: Fitted, folder: Path | str) -> Path:
    """Write a fitted model; the folder appears whole or not at all, and replaces an older one.

    Layout: `model.json` (component, ids, hash), `arrays.safetensors`, `encoder/` where texts may have to be
    embedded later, `parts/<name>/` for models made of models.
    """
    target, mark = Path(folder), secrets.token_hex(4)
    draft, old = (target.with_name(f".{target.name}-{kind}-{mark}") for kind in ("new", "old"))
    draft.mkdir(parents=True)
    try:
        _write(model, draft)
        if target.exists():
            target.rename(old)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return target


def find_model(place: Path | str) -> Path:
    """Where a saved model lies: in the folder itself, or, where that is of a run, in that of its last stage.

    Raises:
        ModelError: if there is none.
    """
    folder = Path(place).expanduser()
    stages = (folder / "model" / stage for stage in (v.CORRECTED, v.BASELINE))
    found = next((one for one in (folder, *stages) if (one / "model.json").is_file()), None)
    if found is None:
        raise ModelError(
            "There is no saved model",
            where=str(folder),
            todo="Name the folder of a finished run, or of a model.",
        )
    return found


def load_model(folder: Path | str, own: Iterable[type[Recommender]] = ()) -> Fitted:
    """Read what `save_model` wrote.

    Args:
        folder: Where it was saved.
        own: Recommenders of the caller that no entry point offers.

    Raises:
        ModelError: if a file is missing or damaged, or no recommender has the model's name.
    """
    path, offered = Path(folder), {recommender.name: recommender for recommender in own}
    try:
        said: dict[str, Any] = json.loads((path / "model.json").read_text("utf-8"))
        blob = (path / "arrays.safetensors").read_bytes()
        whole = said.pop("sha256") == _digest(said, blob)
        if whole:
            return _read(path, said, load(blob), offered)
    except _DAMAGE as error:
        raise ModelError(
            f"This is no whole model: {error}", where=str(path), todo="Train it again."
        ) from error
    raise ModelError("The model is not the one that was saved", where=str(path), todo="Train it again.")


def _digest(said: dict[str, Any], blob: bytes) -> str:
    text = json.dumps(said, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.sha256(blob + text).hexdigest()


def _write(model: Fitted, folder: Path) -> None:
    arrays = {f"learned.{name}": array for name, array in model.arrays().items()}
    arrays |= {f"history.{name}": getattr(model.histories, name) for name in _HISTORY}
    arrays |= {f"catalogue.{name}": getattr(model.catalogue, name) for name in ("user_counts", "item_counts")}
    if model.calibration is not None:
        arrays |= {
            f"calibration.{name}": getattr(model.calibration, name) for name in ("scores", "probabilities")
        }
    vectors = model.vectors
    if vectors is not None:
        arrays["vectors.matrix"] = vectors.matrix
        if vectors.encoder is not None:
            vectors.encoder.save(folder / "encoder")
    for name, part in model.parts.items():
        save_model(part, folder / "parts" / name)
    blob = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    (folder / "arrays.safetensors").write_bytes(blob)
    said: dict[str, Any] = {
        "format": _FORMAT,
        "component": model.config.describe(),
        "users": _ids(model.catalogue.users),
        "items": _ids(model.catalogue.items),
        "vectors": None if vectors is None else _ids(vectors.ids),
        "guests": _ids(model.guests.cast(model.catalogue.users.dtype)),
        "texts": list(model.histories.texts),
        "clock": model.histories.clock,
        "parts": sorted(model.parts),
    }
    said["sha256"] = _digest(said, blob)
    (folder / "model.json").write_text(json.dumps(said, ensure_ascii=False), "utf-8")


def _read(
    folder: Path,
    said: dict[str, Any],
    arrays: dict[str, NDArray[Any]],
    own: dict[str, type[Recommender]],
) -> Fitted:
    def under(prefix: str) -> dict[str, NDArray[Any]]:
        return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}

    fields = dict(said["component"])
    name = fields.pop("name")
    config = build(own[name] if name in own else models.find(name), fields, where=f"model '{name}'")
    calibration, vectors = under("calibration."), None
    if said["vectors"] is not None:
        vectors = Vectors(_series(v.ITEM, said["vectors"]), arrays["vectors.matrix"], _encoder(folder))
    saved = Saved(
        config=config,
        catalogue=Catalogue(
            _series(v.USER, said["users"]), _series(v.ITEM, said["items"]), **under("catalogue.")
        ),
        guests=_series(v.USER, said["guests"]),
        histories=Histories(texts=tuple(said["texts"]), clock=said["clock"], **under("history.")),
        calibration=Calibration(**calibration) if calibration else None,
        arrays=under("learned."),
        vectors=vectors,
        parts={part: load_model(folder / "parts" / part, own.values()) for part in said["parts"]},
    )
    return config.fitted().restore(saved)


def _encoder(folder: Path) -> Any:
    """The encoder saved beside the model, or None."""
    if not (folder / "encoder").exists():
        return None
    from equipoise.language import load_encoder  # may need torch

    return load_encoder(folder / "encoder")


def _ids(ids: pl.Series) -> dict[str, Any]:
    return {"type": str(ids.dtype), "values": ids.to_list()}


def _series(name: str, ids: dict[str, Any]) -> pl.Series:
    return pl.Series(name, ids["values"], dtype=_INTEGERS.get(ids["type"], pl.String))
