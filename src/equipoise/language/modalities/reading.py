"""Image files of strangers become pixels of one size, or a reason why not."""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.language.encoders import optional

FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
"""What is decoded; nothing else is tried, however it is called."""
LARGEST_FILE: Final = 32 * 2**20
"""Bytes of an encoded image."""
LARGEST_IMAGE: Final = 25_000_000
"""Pixels of a decoded image: a file of a few kilobytes may claim to be any size."""
_EXAMPLES = 3


class Fault(NamedTuple):
    """An image that cannot be read.

    Attributes:
        row: Row of the items table, from 1.
        item: The item's id.
        reason: What is wrong with it.
    """

    row: int
    item: Any
    reason: str


@dataclass(frozen=True)
class Images:
    """The images of items, all of one size.

    Attributes:
        pixels: Red, green and blue from 0 to 255, shape (items, size, size, 3); zeros where there is none.
        present: Which items have one, shape (items,).
        faults: What was given and cannot be read.
    """

    pixels: NDArray[np.uint8]
    present: NDArray[np.bool_]
    faults: tuple[Fault, ...]

    @property
    def account(self) -> dict[str, Any]:
        """What became of the images, in plain values."""
        return {
            "modality": "image",
            "items": len(self.present),
            "with": int(self.present.sum()),
            "broken": len(self.faults),
            "reasons": dict(Counter(fault.reason for fault in self.faults)),
            "examples": [f"item {f.item} (row {f.row}): {f.reason}" for f in self.faults[:_EXAMPLES]],
        }


def read_images(items: pl.DataFrame, columns: Sequence[str], size: int) -> Images:
    """The image of each item: the first of its columns that can be read.

    Transparent parts are laid on white; of an animation the first frame counts; what is not square is scaled to fit
    and laid in the middle of a square of its own mean colour.

    Args:
        items: Items table with `item_id`.
        columns: Those with images, as bytes of encoded files or as paths.
        size: Pixels per side to scale to.

    Raises:
        DataError: if there are images and none of them can be read.
        MissingExtraError: if Pillow is not installed.
    """
    pixels = np.zeros((len(items), size, size, 3), dtype=np.uint8)
    present, faults = np.zeros(len(items), dtype=bool), list[Fault]()
    for row, item, values in _given(items, columns):
        reasons = []
        for value in values:
            try:
                pixels[row], present[row] = _pixels(value, size), True
                break
            except _UnreadableError as error:
                reasons.append(str(error))
        else:
            faults.append(Fault(row + 1, item, reasons[0]))
    found = Images(pixels, present, tuple(faults))
    if faults and not present.any():
        raise DataError(
            f"None of the {len(faults):,} images can be read",
            where=f"{'; '.join(found.account['examples'])}",
            todo=f"Give files of {', '.join(FORMATS)}, as bytes or as paths from the folder of the items.",
        )
    return found


class _UnreadableError(Exception):
    """Why an image cannot be read."""


def _given(items: pl.DataFrame, columns: Sequence[str]) -> Iterator[tuple[int, Any, list[bytes | str]]]:
    """Row, id and images of each item that has any; one value at a time is held, not all of them as bytes."""
    given = pl.any_horizontal(pl.col(name).is_not_null() for name in columns)
    for row in items.select(given).to_series().arg_true():
        values = [value for name in columns if (value := items[name][row]) not in (None, "", b"")]
        if values:
            yield row, items[v.ITEM][row], values


def _pixels(value: bytes | str, size: int) -> NDArray[np.uint8]:
    pillow = optional("PIL.Image", package="pillow", extra="images", purpose="Reading images")
    operations = optional("PIL.ImageOps", package="pillow", extra="images", purpose="Reading images")
    content = value if isinstance(value, bytes) else _content(value)
    if len(content) > LARGEST_FILE:
        raise _UnreadableError(f"over {LARGEST_FILE // 2**20} MiB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes, which are looked at here, and of metadata
            image = pillow.open(io.BytesIO(content), formats=FORMATS)
            image.draft("RGB", (2 * size, 2 * size))  # of a JPEG, no more is decoded than is looked at
            if image.width * image.height > LARGEST_IMAGE:
                raise _UnreadableError(f"over {LARGEST_IMAGE // 10**6} million pixels")
            image.load()
            upright = operations.exif_transpose(image).convert("RGBA")
            whole = pillow.new("RGBA", upright.size, "white")
            whole.alpha_composite(upright)
            ground = whole.resize((1, 1), pillow.Resampling.BOX).convert("RGB").getpixel((0, 0))
            return np.asarray(
                operations.pad(whole.convert("RGB"), (size, size), color=ground), dtype=np.uint8
            )
    except _UnreadableError:
        raise
    except pillow.DecompressionBombError as error:
        raise _UnreadableError(f"over {LARGEST_IMAGE // 10**6} million pixels") from error
    except (
        Exception
    ) as error:  # decoders of strangers' bytes raise OSError, ValueError, SyntaxError, struct.error ...
        kind = "cut off or damaged" if _is_image(content) else "no image of a known kind"
        raise _UnreadableError(kind) from error


def _content(path: str) -> bytes:
    if "://" in path:
        raise _UnreadableError("an address, and nothing is fetched")
    file = Path(path).expanduser()
    try:
        if not file.is_file():  # nor a device that never ends
            raise _UnreadableError("no such file")
        with file.open("rb") as content:
            return content.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:  # a null byte in a path is a ValueError
        raise _UnreadableError("a file that cannot be opened") from error


def _is_image(content: bytes) -> bool:
    """Whether the beginning is that of a known kind."""
    starts = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")
    return content.startswith(starts) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")
