"""Fitted models on disk: JSON for what is said, safetensors for what is learned, a hash to notice damage."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from equipoise.errors import ModelError
from equipoise.language import Vectors, load_encoder
from equipoise.models.calibration import Calibration
from equipoise.models.histories import Catalogue, Histories
from equipoise.models.recommender import Fitted, Saved
from equipoise.models.registry import models

_FORMAT = 1
_HISTORY = ("starts", "items", "queries", "weights", "values")


def save_model(model: Fitted, folder: Path | str) -> Path:
    """Write a fitted model; the folder appears whole or not at all, and replaces an older one.

    Layout: `model.json` (component, ids, hash), `arrays.safetensors`, `encoder/` where texts may have to be embedded
    later, `parts/<name>/` for models made of models.
    """
    target = Path(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        _write(model, draft)
        if target.exists():
            shutil.rmtree(target)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def load_model(folder: Path | str) -> Fitted:
    """Read what `save_model` wrote.

    Raises:
        ModelError: if a file is missing or damaged.
    """
    path = Path(folder)
    try:
        said: dict[str, Any] = json.loads((path / "model.json").read_text("utf-8"))
        blob = path / "arrays.safetensors"
        if said["sha256"] != hashlib.sha256(blob.read_bytes()).hexdigest():
            raise ModelError(
                "The model's arrays are not those that were saved", where=str(blob), todo="Train it again."
            )
        learned = load_file(blob)
        return _read(path, said, learned)
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise ModelError(
            f"This is no whole model: {error}", where=str(path), todo="Train it again."
        ) from error


def _write(model: Fitted, folder: Path) -> None:
    arrays = {f"learned.{name}": np.ascontiguousarray(array) for name, array in model.arrays().items()}
    for name in _HISTORY:
        arrays[f"history.{name}"] = np.ascontiguousarray(getattr(model.histories, name))
    arrays |= {
        "catalogue.user_counts": model.catalogue.user_counts,
        "catalogue.item_counts": model.catalogue.item_counts,
    }
    if model.calibration is not None:
        arrays |= {
            "calibration.scores": model.calibration.scores,
            "calibration.probabilities": model.calibration.probabilities,
        }
    vectors = model.vectors
    if vectors is not None:
        arrays["vectors.matrix"] = np.ascontiguousarray(vectors.matrix)
        if vectors.encoder is not None:
            vectors.encoder.save(folder / "encoder")
    save_file(arrays, folder / "arrays.safetensors")
    for name, part in model.parts.items():
        save_model(part, folder / "parts" / name)
    said = {
        "format": _FORMAT,
        "component": model.config.describe(),
        "users": _ids(model.catalogue.users),
        "items": _ids(model.catalogue.items),
        "vectors": None if vectors is None else _ids(vectors.ids),
        "texts": list(model.histories.texts),
        "parts": sorted(model.parts),
        "sha256": hashlib.sha256((folder / "arrays.safetensors").read_bytes()).hexdigest(),
    }
    (folder / "model.json").write_text(json.dumps(said, ensure_ascii=False), "utf-8")


def _read(folder: Path, said: dict[str, Any], learned: dict[str, NDArray[Any]]) -> Fitted:
    fields = dict(said["component"])
    config = models.build(fields.pop("name"), fields)
    catalogue = Catalogue(
        _series("user_id", said["users"]),
        _series("item_id", said["items"]),
        learned["catalogue.user_counts"],
        learned["catalogue.item_counts"],
    )
    past = {name: learned[f"history.{name}"] for name in _HISTORY}
    histories = Histories(texts=tuple(said["texts"]), **past)
    calibration = None
    if "calibration.scores" in learned:
        calibration = Calibration(learned["calibration.scores"], learned["calibration.probabilities"])
    vectors = None
    if said["vectors"] is not None:
        encoder = load_encoder(folder / "encoder") if (folder / "encoder").exists() else None
        vectors = Vectors(_series("item_id", said["vectors"]), learned["vectors.matrix"], encoder)
    own = {
        name.removeprefix("learned."): array for name, array in learned.items() if name.startswith("learned.")
    }
    parts = {name: load_model(folder / "parts" / name) for name in said["parts"]}
    return config.fitted().restore(Saved(config, catalogue, histories, calibration, own, vectors, parts))


def _ids(ids: pl.Series) -> dict[str, Any]:
    return {"text": ids.dtype == pl.String, "values": ids.to_list()}


def _series(name: str, ids: dict[str, Any]) -> pl.Series:
    return pl.Series(name, ids["values"], dtype=pl.String if ids["text"] else pl.Int64)
