"""Texts, images and numbers of items become vectors, where the configuration asks for an encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from equipoise.component import Runtime
from equipoise.config import Config
from equipoise.data import Dataset
from equipoise.errors import ConfigError
from equipoise.language import Encoder, Vectors, encode_items, encoder
from equipoise.language.cache import cache_folder

_KINDS = {"text": "texts", "images": "images", "numeric": "numbers"}


def chosen_encoder(config: Config) -> Encoder | None:
    """The encoder of a configuration, not yet fitted; None where none is configured."""
    if config.encoder.name == "none":
        return None
    return encoder(config.encoder.name, **config.encoder.fields)


def encode(config: Config, data: Dataset, runtime: Runtime) -> Vectors | None:
    """Vectors of all items, None where no encoder is configured.

    Raises:
        ConfigError: if there is nothing to encode.
    """
    chosen = chosen_encoder(config)
    if chosen is None:
        return None
    lacking = [kind for kind in _KINDS if kind in chosen.needs and not getattr(data, kind)]
    if data.items is None or lacking:
        kind = lacking[0] if lacking else "text"
        raise ConfigError(
            f"The encoder '{config.encoder.name}' has no {_KINDS[kind]} to read",
            where="no items table"
            if data.items is None
            else f"columns of items: {', '.join(data.items.columns)}",
            todo=f'Name their columns under [data] {kind}, or set [encoder] name = "none".',
        )
    return encode_items(
        data.items,
        data.text,
        chosen,
        images=data.images,
        numeric=data.numeric,
        cache=cache_folder(),
        runtime=runtime,
    )


def shortfalls(account: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a reader must know of the items' modalities: what cannot be read, and what is not there.

    Args:
        account: That of `Vectors`.
    """
    said = list[str]()
    filled = next((f" In its place stands: {told['filled']}." for told in account if "filled" in told), "")
    for told in account:
        name, items, lack = told["modality"], told["items"], told["items"] - told["with"]
        if told.get("broken"):
            said.append(
                f"{name}: {told['broken']:,} images cannot be read and count as missing, "
                f"such as {'; '.join(told['examples'])}."
            )
        if told.get("refused"):
            said.append(
                f"{name}: {told['refused']:,} texts were refused by the server and count as missing, "
                f"such as those of {', '.join(told['examples'])}."
            )
        if lack:
            absent = " These are known by who took them alone." if told is account[-1] else filled
            said.append(f"{name}: {lack:,} of {items:,} items have none.{absent}")
    return said
