"""Image files of strangers become pictures, or a reason why not."""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.language.encoders import optional
from equipoise.progress import track

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
class Seen:
    """Which items have an image.

    Attributes:
        present: Which have one that can be read, shape (items,).
        faults: What was given and cannot be read.
    """

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


@dataclass(frozen=True)
class Images(Seen):
    """The images of items, all of one size.

    Attributes:
        pixels: Red, green and blue from 0 to 255, shape (items, size, size, 3); zeros where there is none.
    """

    pixels: NDArray[np.uint8]


class UnreadableError(Exception):
    """Why an image cannot be read."""


def read_images(items: pl.DataFrame, columns: Sequence[str], size: int) -> Images:
    """The image of each item: the first of its columns that can be read, see `decoded` and `fitted`.

    Args:
        items: Items table with `item_id`.
        columns: Those with images, as bytes of encoded files or as paths.
        size: Pixels per side to scale to.

    Raises:
        DataError: if there are images and none of them can be read.
        MissingExtraError: if Pillow is not installed.
    """
    pixels = np.zeros((len(items), size, size, 3), dtype=np.uint8)

    def see(row: int, content: bytes) -> None:
        pixels[row] = np.asarray(fitted(decoded(content, size), size))

    seen = see_images(items, columns, see)
    return Images(seen.present, seen.faults, pixels)


def see_images(
    items: pl.DataFrame, columns: Sequence[str], see: Callable[[int, bytes], None], *, progress: bool = False
) -> Seen:
    """Hand the image of each item on: the first of its columns that `see` takes without an `UnreadableError`.

    One file at a time is held.

    Args:
        items: Items table with `item_id`.
        columns: Those with images, as bytes of encoded files or as paths.
        see: Called with the row, from 0, and the content of the file.
        progress: Whether a bar is shown.

    Raises:
        DataError: if there are images and none of them can be read.
    """
    present, faults = np.zeros(len(items), dtype=bool), list[Fault]()
    given = pl.any_horizontal(pl.col(name).is_not_null() for name in columns)
    rows = items.select(given).to_series().arg_true()
    for row in track(rows, "reading images", total=len(rows), show=progress):
        values = [value for name in columns if (value := items[name][row]) not in (None, "")]
        reasons = []
        for value in values:
            try:
                see(row, value if isinstance(value, bytes) else _content(value))
                present[row] = True
                break
            except UnreadableError as error:
                reasons.append(str(error))
        else:
            if reasons:
                faults.append(Fault(row + 1, items[v.ITEM][row], reasons[0]))
    seen = Seen(present, tuple(faults))
    if faults and not present.any():
        raise DataError(
            f"None of the {len(faults):,} images can be read",
            where=f"{'; '.join(seen.account['examples'])}",
            todo=f"Give files of {', '.join(FORMATS)}, as bytes or as paths from the folder of the items.",
        )
    return seen


def decoded(content: bytes, size: int) -> Any:
    """A picture of Pillow's, upright, in red, green and blue.

    Transparent parts are laid on white; of an animation the first frame counts.

    Args:
        content: Of an encoded file.
        size: Pixels per side that are looked at; a JPEG is decoded no larger than twice that where it can be.

    Raises:
        UnreadableError: if it is too large, damaged, or no image.
        MissingExtraError: if Pillow is not installed.
    """
    pillow = optional("PIL.Image", package="pillow", extra="images", purpose="Reading images")
    operations = optional("PIL.ImageOps", package="pillow", extra="images", purpose="Reading images")
    if not content:
        raise UnreadableError("empty")
    if len(content) > LARGEST_FILE:
        raise UnreadableError(f"over {LARGEST_FILE // 2**20} MiB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes, which are looked at here, and of metadata
            image = pillow.open(io.BytesIO(content), formats=FORMATS)
            image.draft("RGB", (2 * size, 2 * size))
            if image.width * image.height > LARGEST_IMAGE:
                raise UnreadableError(f"over {LARGEST_IMAGE // 10**6} million pixels")
            image.load()
            upright = operations.exif_transpose(_eight_bits(image)).convert("RGBA")
            whole = pillow.new("RGBA", upright.size, "white")
            whole.alpha_composite(upright)
            return whole.convert("RGB")
    except UnreadableError:
        raise
    except pillow.DecompressionBombError as error:
        raise UnreadableError(f"over {LARGEST_IMAGE // 10**6} million pixels") from error
    except (
        Exception
    ) as error:  # decoders of strangers' bytes raise OSError, ValueError, SyntaxError, struct.error ...
        kind = "cut off or damaged" if _is_image(content) else "no image of a known kind"
        raise UnreadableError(kind) from error


def fitted(picture: Any, size: int) -> Any:
    """A picture scaled to fit, and laid in the middle of a square of its own mean colour.

    Args:
        picture: One of Pillow's.
        size: Pixels per side of the square.
    """
    from PIL import Image, ImageOps

    ground = picture.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    return ImageOps.pad(picture, (size, size), color=ground)


def _eight_bits(image: Any) -> Any:
    """The same picture with shades up to 255; Pillow itself would cut off those of sixteen bits."""
    if not image.mode.startswith("I"):
        return image
    from PIL import Image

    return Image.fromarray((np.asarray(image) // 256).astype(np.uint8))


def _content(path: str) -> bytes:
    if "://" in path:
        raise UnreadableError("an address, and nothing is fetched")
    file = Path(path).expanduser()
    try:
        if not file.is_file():  # nor a device that never ends
            raise UnreadableError("no such file")
        with file.open("rb") as content:
            return content.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:  # a null byte in a path is a ValueError
        raise UnreadableError("a file that cannot be opened") from error


def _is_image(content: bytes) -> bool:
    """Whether the beginning is that of a known kind."""
    starts = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")
    return content.startswith(starts) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")
