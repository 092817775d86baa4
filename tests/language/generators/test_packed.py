"""A file in the form of llama.cpp's, written by hand."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from equipoise.language.generators.packed import read_packed


def text(word: str) -> bytes:
    coded = word.encode()
    return struct.pack("<Q", len(coded)) + coded


def test_fields_and_arrays_are_read_from_where_they_stand(tmp_path: Path) -> None:
    fields = [
        (text("count") + struct.pack("<II", 4, 30), 30),
        (text("share") + struct.pack("<If", 6, 0.5), 0.5),
        (text("yes") + struct.pack("<I?", 7, True), True),
        (text("name") + struct.pack("<I", 8) + text("绿茶"), "绿茶"),
        (text("words") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("bc"), ["a", "bc"]),
        (text("kinds") + struct.pack("<IIQ3i", 9, 5, 3, 1, -2, 3), [1, -2, 3]),
        (text("general.alignment") + struct.pack("<II", 4, 64), 64),
    ]
    first, second = np.arange(6, dtype=np.float32).reshape(2, 3), np.array([7.5], dtype=np.float32)
    arrays = (
        text("one") + struct.pack("<I2QIQ", 2, 3, 2, 0, 0) + text("two") + struct.pack("<IQIQ", 1, 1, 0, 64)
    )
    head = b"GGUF" + struct.pack("<IQQ", 3, 2, len(fields)) + b"".join(said for said, _ in fields) + arrays
    gap = b"\0" * (-len(head) % 64)
    (tmp_path / "file").write_bytes(head + gap + first.tobytes() + b"\0" * 40 + second.tobytes())
    found = read_packed(tmp_path / "file")
    assert list(found.fields.values()) == [value for _, value in fields]
    assert np.array_equal(found.array("one"), first)
    assert np.array_equal(found.array("two"), second)
