"""Small pictures drawn from attributes, as PNG files in memory; no image library is needed to make them."""

from __future__ import annotations

import struct
import zlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from equipoise.worlds.draws import normal, uniform

Pixels = NDArray[np.uint8]

SHAPES: Final = ("circle", "square", "triangle", "cross", "ring")
COLOURS: Final = {
    "red": (200, 50, 50),
    "green": (60, 150, 70),
    "blue": (50, 80, 190),
    "yellow": (220, 190, 60),
    "violet": (130, 60, 160),
    "brown": (120, 80, 50),
}
_NOISE = 12.0  # levels of 0 to 255


def draw(shape: NDArray[np.int64], colour: NDArray[np.int64], *, seed: int, size: int = 24) -> Pixels:
    """One picture per item: a shape of its colour on a plain ground, its place, size, shade and grain by chance.

    Args:
        shape: Places in `SHAPES`, shape (items,).
        colour: Places in `COLOURS`, shape (items,).
        seed: Root of the draws, which are keyed by the item's place.
        size: Pixels per side.

    Returns:
        Red, green and blue from 0 to 255, shape (items, size, size, 3).
    """
    rows = np.arange(len(shape))

    def between(purpose: str, low: float, high: float) -> NDArray[np.float64]:
        return (low + (high - low) * uniform(seed, purpose, rows))[:, None, None]

    line = (np.arange(size) + 0.5) / size * 2 - 1
    x = line[None, None, :] - between("left", -0.15, 0.15)
    y = line[None, :, None] - between("top", -0.15, 0.15)
    radius = between("radius", 0.5, 0.75)
    far, longest = np.hypot(x, y), np.maximum(abs(x), abs(y))
    masks = np.stack([
        far < radius,
        longest < 0.85 * radius,
        (y < 0.8 * radius) & (y > 2 * abs(x) - radius),
        (np.minimum(abs(x), abs(y)) < 0.3 * radius) & (longest < radius),
        (far < radius) & (far > 0.55 * radius),
    ])  # fmt: skip
    mask = masks[shape, rows][..., None]
    ink = np.array(list(COLOURS.values()), dtype=np.float64)[colour][:, None, None, :]
    ink = ink + 15 * normal(seed, "ink", rows[:, None], np.arange(3))[:, None, None, :]
    ground = between("ground", 170, 250)[..., None]
    cells = np.arange(size * size * 3).reshape(size, size, 3)
    grain = _NOISE * normal(seed, "grain", rows[:, None, None, None], cells[None])
    return np.clip(np.where(mask, ink, ground) + grain, 0, 255).astype(np.uint8)


def png(pixels: Pixels) -> bytes:
    """A PNG file (W3C 2003, sections 5 and 11) of a picture of shape (height, width, 3)."""
    height, width, _ = pixels.shape
    lines = np.zeros((height, 1 + 3 * width), dtype=np.uint8)  # each begins with its filter, 0 for none
    lines[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # eight bits, colours without transparency
    parts: list[tuple[bytes, Any]] = [
        (b"IHDR", header),
        (b"IDAT", zlib.compress(lines.tobytes(), 6)),
        (b"IEND", b""),
    ]
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
