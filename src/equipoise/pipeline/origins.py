"""What parts of a run learned before it, elsewhere: said on its page, and held against what is held out here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from equipoise.config import Config
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.errors import ModelError
from equipoise.language import Vectors
from equipoise.models import Fitted
from equipoise.models.histories import locate
from equipoise.models.storage import find_model, load_model
from equipoise.pipeline.finetuned import MANIFEST
from equipoise.pipeline.folder import content_hash
from equipoise.pipeline.prepare import Prepared

_TUNED = {"hf": "encoder", "lora": "language model"}


def origins(
    config: Config, model: Fitted, prepared: Prepared, vectors: Vectors | None
) -> list[dict[str, Any]]:
    """Where networks, encoders and language models of a run learned before it.

    Args:
        config: The run's settings.
        model: What was fitted under them.
        prepared: Its parts.
        vectors: Of its items.

    Returns:
        Of each network that training began from: `what`, `from`, the `users`, `items` and `events` that it learned
        from, how many of the `held_out` events here were among them (`seen`), the `epochs` it was trained for here, and
        what `validation` said before and after (None where nothing did). Of each fine-tuned encoder or language model,
        and of descriptions of items that are read as texts: `what`, `from`, and whether it learned from this run's
        training part and nothing else (`same`). Plain values.
    """
    found = dict[str, dict[str, Any]]()
    said = [config.encoder.model_dump(), config.model.model_dump()]
    for key, value in _settings(said):
        kind, _, path = value.partition(":")
        if key == "start":
            found[value] = _network(Path(value), prepared.test, vectors) | _course(model, value)
        elif kind in _TUNED and (file := Path(path).parent / MANIFEST).is_file():
            found[value] = {
                "what": _TUNED[kind],
                "from": str(file.parent),
                "same": _trained_on(file) == content_hash(prepared.train.positives),
            }
    if (about := _descriptions(config)) is not None and "profile" in prepared.train.text:
        written = _read(about).get("train_sha256")
        same = written == content_hash(prepared.train.events)
        found["profile"] = {"what": "descriptions", "from": str(about.parent), "same": same}
    return list(found.values())


def told(known: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a reader must know of them, in sentences."""
    lines = list[str]()
    for one in known:
        if one["what"] == "network":
            lines.append(
                f"The network began from {one['from']}, where it learned from {one['events']:,} events of "
                f"{one['users']:,} users with {one['items']:,} items. Epochs of training here: {one['epochs']}."
            )
            if one["validation"] is not None:
                before, after = one["validation"]
                lines.append(
                    f"Validation NDCG@10 before training here: {before:.4f}, with what was kept: {after:.4f}."
                )
            if one["seen"]:
                lines.append(
                    f"{one['seen']:,} of {one['held_out']:,} held-out events were among those that the network learned "
                    "from before: measures flatter it."
                )
        elif not one["same"] and one["what"] == "descriptions":
            lines.append(
                f"The descriptions of items in {one['from']} were written from another training part than this one. If "
                "both are of one log, they may tell of what is held out here: describe the items of a run with this "
                "split and seed."
            )
        elif not one["same"]:
            lines.append(
                f"The {one['what']} was fine-tuned in {one['from']} on another training part than this one. If both "
                "are of one log, it may have learned from what is held out here: fine-tune it with this data, split "
                "and seed."
            )
    return lines


def _settings(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """All texts among settings, with their keys."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _settings(inner, name)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _settings(inner, key)
    elif isinstance(value, str | Path):
        yield key, str(value)


def _network(place: Path, test: Dataset, vectors: Vectors | None) -> dict[str, Any]:
    start = load_model(find_model(place))
    counts = start.catalogue.item_counts
    return {
        "what": "network",
        "from": str(place),
        "users": len(start.catalogue.users),
        "items": len(start.catalogue.items),
        "events": int(counts.sum()),
        "held_out": len(test.positives),
        "seen": _seen(start, test, vectors),
    }


def _seen(start: Fitted, test: Dataset, vectors: Vectors | None) -> int:
    """How many held-out events a model has in its histories: the same user and item, and the item with the same text.

    Ids alone say little, for many catalogues number their items from 1.
    """
    events = test.positives
    users, items = (
        locate(ids, events[column])
        for ids, column in ((start.catalogue.users, v.USER), (start.catalogue.items, v.ITEM))
    )
    known = (users >= 0) & (items >= 0)
    if start.vectors is None or vectors is None or not known.any():
        return 0
    past = start.histories
    had = pl.DataFrame({"user": past.owners, "item": past.items}).unique()
    same = _same_texts(start.vectors, vectors, start.catalogue.items)
    pairs = pl.DataFrame({"user": users[known], "item": items[known], "same": same[items[known]]})
    return len(pairs.filter("same").join(had, on=["user", "item"], how="semi"))


def _same_texts(own: Vectors, other: Vectors, items: pl.Series) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which items have the same vector in both, shape (items,)."""
    (first, here), (second, there) = (vectors.aligned(items) for vectors in (own, other))
    if first.shape != second.shape:
        return np.zeros(len(items), dtype=np.bool_)
    return np.asarray(here & there & np.isclose(first, second, atol=1e-5).all(axis=1))


def _course(model: Fitted, start: str) -> dict[str, Any]:
    """How training went on from there."""
    for part in _all(model):
        if str(getattr(part.config, "start", None)) == start:
            log = getattr(part, "log", np.zeros((0, 3)))
            looks = log[:, 2][np.isfinite(log[:, 2])]
            begun = len(log) > 0 and np.isnan(log[0, 0])
            return {
                "epochs": int(np.isfinite(log[:, 0]).sum()),
                "validation": [float(looks[0]), float(looks.max())] if begun and len(looks) else None,
            }
    return {"epochs": 0, "validation": None}


def _all(model: Fitted) -> Iterator[Fitted]:
    yield model
    for part in model.parts.values():
        yield from _all(part)


def _descriptions(config: Config) -> Path | None:
    """What was written beside the descriptions of items, where these are the table of items."""
    said = config.data.items
    path = said if isinstance(said, str) else getattr(said, "path", None)
    about = None if path is None else Path(path).with_suffix(".json")
    return about if about is not None and about.parent.name == "profiles" and about.is_file() else None


def _trained_on(file: Path) -> str | None:
    """SHA-256 of the training part of a fine-tuning; None where its manifest does not say."""
    data = _read(file).get("data")
    hashes = data.get("sha256") if isinstance(data, dict) else None
    return str(hashes["train"]) if isinstance(hashes, dict) and "train" in hashes else None


def _read(file: Path) -> dict[str, Any]:
    """What a fine-tuning or a description says of itself.

    Raises:
        ModelError: if the file is damaged.
    """
    try:
        content = json.loads(file.read_text("utf-8"))
        if isinstance(content, dict):
            return content
    except (OSError, ValueError):
        pass
    raise ModelError(
        "What was written of an earlier training cannot be read",
        where=str(file),
        todo="Make it again, or move what was made away from this file.",
    )
