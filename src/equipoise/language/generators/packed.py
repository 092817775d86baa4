"""Weights packed as GGUF, the file format of llama.cpp (version 3), read in one pass."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_PLAIN: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT: Final = 8
_MANY: Final = 9
_FLOATS: Final = 0  # a kind of packing: none


@dataclass(frozen=True)
class Packed:
    """What a file holds.

    Attributes:
        fields: Settings and vocabulary by name, as in `llama.block_count`.
        tensors: Of each array, its shape as torch has it, the number of its kind of packing, and where it begins.
        content: The file.
    """

    fields: dict[str, Any]
    tensors: dict[str, tuple[tuple[int, ...], int, int]]
    content: NDArray[np.uint8]

    def array(self, name: str) -> NDArray[np.float32]:
        """One array, unpacked."""
        shape, number, begin = self.tensors[name]
        if number == _FLOATS:
            size = int(np.prod(shape)) * 4
            return self.content[begin : begin + size].view(np.float32).reshape(shape)
        from gguf.constants import GGMLQuantizationType
        from gguf.quants import dequantize, quant_shape_to_byte_shape

        kind = GGMLQuantizationType(number)
        rows = quant_shape_to_byte_shape(shape, kind)
        packed = self.content[begin : begin + int(np.prod(rows))].reshape(rows)
        unpacked: NDArray[np.float32] = dequantize(packed, kind).reshape(shape)
        return unpacked


class _Reader:
    """Reads values one after another."""

    def __init__(self, content: bytes) -> None:
        self.content, self.place = content, 0

    def plain(self, code: str, count: int = 1) -> tuple[Any, ...]:
        form = struct.Struct(f"<{count}{code}")
        found = form.unpack_from(self.content, self.place)
        self.place += form.size
        return found

    def number(self, code: str) -> Any:
        return self.plain(code)[0]

    def text(self) -> str:
        length = self.number("Q")
        self.place += length
        return self.content[self.place - length : self.place].decode("utf-8")

    def value(self, kind: int) -> Any:
        if kind == _TEXT:
            return self.text()
        if kind != _MANY:
            return self.number(_PLAIN[kind])
        inner, count = self.number("I"), self.number("Q")
        if inner in _PLAIN:
            return list(self.plain(_PLAIN[inner], count))
        return [self.value(inner) for _ in range(count)]


def read_packed(file: Path) -> Packed:
    """What a file holds, its arrays still packed; the file must be a known one, for nothing about it is checked."""
    content = np.fromfile(file, dtype=np.uint8)
    read = _Reader(content.tobytes())
    read.plain("I", 2)  # a mark, and the version
    tensors, fields = read.plain("Q", 2)
    found = {read.text(): read.value(read.number("I")) for _ in range(fields)}
    told = {}
    for _ in range(tensors):
        name, shape = read.text(), read.plain("Q", read.number("I"))[::-1]
        told[name] = (shape, *read.plain("I"), *read.plain("Q"))
    step = found.get("general.alignment", 32)
    start = -(-read.place // step) * step
    return Packed(
        found, {name: (shape, kind, start + at) for name, (shape, kind, at) in told.items()}, content
    )
