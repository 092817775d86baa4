"""What every fine-tuning leaves behind: a folder with its manifest, the state of an interrupted one, and versions."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import EquipoiseError
from equipoise.pipeline.folder import write_whole
from equipoise.statistics import Interval, bootstrap_means, paired_difference

MANIFEST: Final = "finetuning.json"
KEPT: Final = "training.safetensors"
"""The state of an interrupted training."""
_PACKAGES: Final = ("equipoise", "torch", "transformers", "sentence-transformers", "peft")


@dataclass(frozen=True)
class Tuned:
    """What came of a fine-tuning.

    Attributes:
        path: The folder with the manifest `finetuning.json`.
        made: What to write into a configuration in place of the base; None where no step was better than the base, so
            that nothing was saved.
        base: What it began from, as configurations name it.
        k: Length of the lists that values are of.
        before: What the base is worth on the held-out examples to judge by, mean over users.
        after: The same of what was trained.
        gain: Their difference, paired by user.
        stopped: Why training ended.
    """

    path: Path
    made: str | None
    base: str
    k: int
    before: Interval
    after: Interval
    gain: Interval
    stopped: str

    @property
    def helps(self) -> bool:
        """Whether the gain's interval is above 0."""
        return self.made is not None and self.gain.low is not None and self.gain.low > 0

    def as_dict(self) -> dict[str, Any]:
        """What a manifest says of its worth, as JSON values."""
        return {
            "before": self.before.as_dict(),
            "after": self.after.as_dict(),
            "gain": self.gain.as_dict(),
            "users": self.gain.n,
            "helps": self.helps,
        }


def worth(
    before: NDArray[np.float64], after: NDArray[np.float64], seed: int
) -> tuple[Interval, Interval, Interval]:
    """Means before and after, and that of the difference, from values of the same users, each of shape (users,)."""
    gain = paired_difference(after, before, seed=seed)[0].interval
    return bootstrap_means(before, seed=seed)[0], bootstrap_means(after, seed=seed)[0], gain


def claim(folder: Path, made: str) -> None:
    """Refuse a folder that holds anything but an interrupted training; what it was writing just then is deleted.

    Args:
        folder: Where a fine-tuning is to write.
        made: Name of the folder within it that holds what was trained.

    Raises:
        EquipoiseError: if it does.
    """
    if (folder / MANIFEST).exists():
        raise EquipoiseError(
            "The folder holds a fine-tuning already", where=str(folder), todo="Choose another --out."
        )
    if folder.exists() and not folder.is_dir():
        raise EquipoiseError("This is no folder", where=str(folder), todo="Choose another --out.")
    found = list(folder.iterdir()) if folder.exists() else []
    drafts = [path for path in found if path.name.startswith((f".{KEPT}-", f".{MANIFEST}-"))]
    left = {KEPT, made, f".{made}", *(path.name for path in drafts)}
    if any(path.name not in left for path in found):
        raise EquipoiseError(
            "The folder holds other files",
            where=str(folder),
            todo="Choose an empty or a new folder as --out.",
        )
    for draft in drafts:
        draft.unlink(missing_ok=True)


@contextmanager
def begun(folder: Path) -> Iterator[None]:
    """Make a folder for the block; where the block fails before anything lies in it, it goes again."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        if not any(folder.iterdir()):
            folder.rmdir()
        raise


def put(folder: Path, made: str, save: Callable[[Path], None] | None) -> None:
    """Put what was trained into its folder in one move.

    Args:
        folder: Of the fine-tuning.
        made: Name of the folder within it.
        save: Writes into a folder that is not there yet; None where nothing is better than the base.
    """
    for leftover in (folder / made, draft := folder / f".{made}"):
        shutil.rmtree(leftover, ignore_errors=True)  # of a training that was interrupted while it was saved
    if save is not None:
        save(draft)
        draft.replace(folder / made)


def seal(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest, with versions and the time, and forget the state of the training."""
    told = {**manifest, "versions": _versions(), "finished": datetime.now(UTC).isoformat(timespec="seconds")}
    said = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(folder / MANIFEST, lambda draft: draft.write_text(said, "utf-8"))
    (folder / KEPT).unlink(missing_ok=True)


def identity(content: Mapping[str, str]) -> str:
    """Tells one training from another."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
