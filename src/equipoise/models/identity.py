"""A fingerprint of what a training run depends on, the same in every process. This module does not import torch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from datetime import date
from types import FunctionType, MethodType, NoneType
from typing import Any

import numpy as np
import polars as pl

from equipoise.models.training import Training

_PLAIN = (str, bytes, int, float, complex, NoneType, date, np.generic)


def identity(training: Training, *origin: Any) -> str:
    """Fingerprint of a training run beside its settings and its seed.

    Args:
        training: Weights, offset, filter and heads count with all they hold; losses and the gradient transform may
            hold a state that changes, so that they count by their names, and where they are data classes by the
            fields that are compared; the checkpoint's own path does not count.
        origin: What the run learns from, such as a catalogue, histories and vectors: data classes, arrays, frames
            and collections of these.

    Returns:
        128 bits as hexadecimal digits.
    """
    digest = hashlib.blake2b(digest_size=16)
    named = [*training.losses, training.gradient_transform]
    held = (training.weights, training.offset, training.filter, training.heads)
    for piece in _pieces((origin, held, [(_name(one), _settings(one)) for one in named]), ()):
        digest.update(piece)
        digest.update(b"\0")
    return digest.hexdigest()


def _settings(value: Any) -> list[Any]:
    """What a data class holds that is compared; nothing of anything else."""
    if not is_dataclass(value) or isinstance(value, type):
        return []
    return [getattr(value, one.name) for one in fields(value) if one.compare]


def _pieces(value: Any, within: tuple[int, ...]) -> Iterator[bytes]:
    """What a value is made of; `within` are the ids of what holds it, for whatever holds itself."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    yield _name(value).encode()
    if isinstance(value, np.ndarray) and value.dtype != object:
        yield f"{value.dtype}{value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, _PLAIN):
        yield repr(value).encode()
    elif id(value) not in within:
        for one in _parts(value):
            yield from _pieces(one, (*within, id(value)))


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, pl.Series):
        return [value.hash(0).to_numpy()]
    if isinstance(value, pl.DataFrame):
        return [*value.columns, value.hash_rows(0).to_numpy()]
    if isinstance(value, FunctionType):
        return [cell.cell_contents for cell in value.__closure__ or ()]
    if isinstance(value, MethodType):
        return [value.__func__, value.__self__]
    if is_dataclass(value):
        return [getattr(value, one.name) for one in fields(value)]
    if isinstance(value, Mapping):
        return [part for pair in value.items() for part in pair]
    if isinstance(value, Set):
        return sorted(value, key=repr)
    if isinstance(value, Sequence | np.ndarray):
        return [len(value), *value]
    return vars(value).values() if hasattr(value, "__dict__") and not isinstance(value, type) else ()


def _name(value: Any) -> str:
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{named.__module__}.{named.__qualname__}"
