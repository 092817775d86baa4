"""Images of strangers: read, or counted and named, never a crash and never a silent blank."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from equipoise.errors import DataError, MissingExtraError
from equipoise.language.modalities import reading
from equipoise.language.modalities.reading import read_images

RED = np.full((20, 20, 3), (200, 30, 30), dtype=np.uint8)


def encoded(kind: str = "PNG", pixels: np.ndarray = RED, **options: object) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def table(*values: object) -> pl.DataFrame:
    kind = pl.String if any(isinstance(value, str) for value in values) else pl.Binary
    return pl.DataFrame(
        {"item_id": [f"i{n}" for n in range(len(values))], "photo": pl.Series(values, dtype=kind)}
    )


def reasons(*values: object) -> list[str]:
    return [fault.reason for fault in read_images(table(*values), ["photo"], 8).faults]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_all_known_kinds_are_read(kind: str):
    found = read_images(table(encoded(kind), None), ["photo"], 8)
    assert found.present.tolist() == [True, False]
    assert np.abs(found.pixels[0].astype(int) - (200, 30, 30)).max() < 12
    assert (found.pixels[1] == 0).all()
    assert found.account["with"] == 1
    assert found.faults == ()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "F"])
def test_all_modes_are_read(mode: str):
    kind = "TIFF" if mode in ("CMYK", "F") else "PNG"
    file = io.BytesIO()
    Pillow.new(mode, (9, 9)).save(file, kind)
    outcome = reasons(encoded(), file.getvalue())
    assert outcome == (["no image of a known kind"] if kind == "TIFF" else [])


def test_transparent_is_white_and_long_is_fitted():
    clear = encoded(pixels=np.zeros((4, 4, 4), dtype=np.uint8))
    wide = encoded(pixels=np.full((10, 100, 3), 90, dtype=np.uint8))
    found = read_images(table(clear, wide), ["photo"], 8).pixels
    assert (found[0] == 255).all()
    assert np.abs(found[1].astype(int) - 90).max() < 3


def test_shades_of_sixteen_bits_and_inks_of_print_are_kept_and_animations_begin():
    shades = np.repeat(np.linspace(0, 65_535, 8).astype(np.uint16), 8).reshape(8, 8)
    inks = io.BytesIO()
    Pillow.new("CMYK", (8, 8), (0, 200, 200, 30)).save(inks, "JPEG")
    later = [Pillow.new("RGB", (8, 8), "blue")]
    moving = encoded("GIF", save_all=True, append_images=later)
    found = read_images(table(encoded(pixels=shades), inks.getvalue(), moving), ["photo"], 8).pixels.astype(
        int
    )
    assert np.abs(found[0, :, 0, 0] - np.linspace(0, 255, 8)).max() < 2
    assert np.abs(found[1, 0, 0] - (225, 49, 49)).max() < 12
    assert np.abs(found[2, 0, 0] - (200, 30, 30)).max() < 12


def test_the_first_column_that_can_be_read_counts():
    items = table(b"junk", encoded()).with_columns(back=pl.Series([encoded(), None], dtype=pl.Binary))
    found = read_images(items, ["photo", "back"], 8)
    assert found.present.all()
    assert not found.faults


def test_broken_images_are_counted_with_row_and_item(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    whole = encoded(pixels=np.random.default_rng(0).integers(0, 255, (50, 50, 3)).astype(np.uint8))
    parts = (b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(b""))
    chunks = (struct.pack(">I", len(b)) + a + b + struct.pack(">I", zlib.crc32(a + b)) for a, b in parts)
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
    assert reasons(whole, b"%PDF-1.7 ...", whole[: len(whole) // 2], bomb) == [
        "no image of a known kind",
        "cut off or damaged",
        "over 25 million pixels",
    ]
    found = read_images(table(None, whole, b"x", b""), ["photo"], 8)
    assert found.account["examples"] == [
        "item i2 (row 3): no image of a known kind",
        "item i3 (row 4): empty",
    ]
    assert found.account["reasons"] == {"no image of a known kind": 1, "empty": 1}
    monkeypatch.setattr(reading, "LARGEST_IMAGE", 1000)
    assert reasons(encoded(), whole) == ["over 0 million pixels"]
    monkeypatch.setattr(reading, "LARGEST_FILE", 1000)
    assert reasons(encoded(), whole) == ["over 0 MiB"]


def test_paths_are_read_and_nothing_is_fetched(tmp_path: Path):
    (tmp_path / "red.png").write_bytes(encoded())
    (tmp_path / "note.txt").write_text("no image")
    paths = ["red.png", "none.png", "note.txt", "."]
    said = reasons(
        *(str(tmp_path / path) for path in paths), "https://example.org/a.png", "/dev/zero", "a\0b"
    )
    assert said == [
        "no such file",
        "no image of a known kind",
        "no such file",
        "an address, and nothing is fetched",
        "no such file",
        "no such file",
    ]


def test_no_readable_image_at_all_is_an_error():
    with pytest.raises(DataError, match=r"None of the 2 images can be read.*item i1 \(row 2\)"):
        read_images(table(None, b"x", b"y"), ["photo"], 8)
    assert not read_images(table(None, None), ["photo"], 8).present.any()


@settings(max_examples=40, deadline=None)
@given(junk=st.binary(min_size=1, max_size=80), place=st.integers(0, 200), start=st.booleans())
def test_no_bytes_crash(junk: bytes, place: int, start: bool):
    whole = encoded("PNG")
    damaged = whole[: place % len(whole)] + junk
    found = read_images(table(whole, damaged if start else junk), ["photo"], 8)
    assert found.present[0]
    assert found.present[1] != bool(found.faults)


def test_without_pillow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL.Image", None)
    with pytest.raises(MissingExtraError, match=r"equipoise\[images\]"):
        read_images(table(encoded()), ["photo"], 8)
