"""The folder of a run: every file appears whole or not at all, and a manifest says which stages are finished."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import polars as pl
from polars import selectors

from equipoise.config import Config
from equipoise.errors import EquipoiseError

_PACKAGES = (
    "equipoise", "numpy", "scipy", "scikit-learn", "narwhals", "polars", "pyarrow", "pydantic",
    "torch", "transformers", "sentence-transformers",
)  # fmt: skip


@dataclass
class RunFolder:
    """Where a run writes.

    Attributes:
        path: The folder.
        manifest: What `manifest.json` holds: versions, hashes, counts, timings; written after each stage.
    """

    path: Path
    manifest: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path, config: Config, *, resume: bool) -> RunFolder:
        """A fresh folder, or an unfinished one to go on with.

        Raises:
            EquipoiseError: if the folder holds a run already and is not to be resumed, or holds one with another
                configuration, or cannot be written to.
        """
        known = path / "manifest.json"
        if known.exists():
            manifest = _read_json(known)
            if not resume:
                raise EquipoiseError(
                    "The folder holds a run already",
                    where=str(path),
                    todo="Choose another --out, or go on with it by --resume.",
                )
            if manifest.get("config_sha256") != config.digest():
                raise EquipoiseError(
                    "The run in this folder has another configuration",
                    where=str(path),
                    todo="Resume with the same configuration and seed, or choose another --out.",
                )
            folder = cls(path, manifest)
            folder.write_text("config.toml", config.to_toml())
            return folder
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise EquipoiseError(
                "The folder holds other files",
                where=str(path),
                todo="Choose an empty or a new folder as --out.",
            )
        path.mkdir(parents=True, exist_ok=True)
        folder = cls(path)
        folder.manifest = {
            "name": config.name,
            "status": "running",
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "seed": config.seed,
            "config_sha256": config.digest(),
            "versions": _versions(),
            "machine": {
                "cores": os.cpu_count(),
                "processor": platform.machine(),
                "system": platform.system(),
            },
            "stages": {},
        }
        folder._write_manifest()  # first: it is what makes the folder ours
        folder.write_text("config.toml", config.to_toml())
        return folder

    @contextmanager
    def stage(self, name: str) -> Iterator[StageRecord]:
        """One step of the run; finished only when the block ends without an error.

        Inside, `record.done` tells whether an earlier, interrupted run had finished it.
        """
        record = StageRecord(done=name in self.manifest["stages"], facts={})
        started, processor = time.perf_counter(), time.process_time()
        yield record
        if not record.done:
            self.manifest["stages"][name] = {
                "seconds": round(time.perf_counter() - started, 3),
                "processor_seconds": round(time.process_time() - processor, 3),
                "peak_memory_mib": _peak_memory(),
                **record.facts,
            }
            self.manifest["peak_memory_mib"] = _peak_memory()
            self._write_manifest()

    def finish(self) -> None:
        """Mark the run as complete."""
        self.manifest["status"] = "complete"
        self.manifest["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
        self._write_manifest()

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file whole."""
        return self._whole(name, lambda draft: draft.write_text(text, "utf-8"))

    def write_json(self, name: str, content: Any) -> Path:
        """Write a JSON file whole; numbers that are not finite are an error, not `NaN`."""
        return self.write_text(name, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))

    def write_frame(self, name: str, frame: pl.DataFrame) -> Path:
        """Write a Parquet file whole."""
        return self._whole(name, frame.write_parquet)

    def read_json(self, name: str) -> dict[str, Any]:
        """Read back a JSON file."""
        return _read_json(self.path / name)

    def read_frame(self, name: str) -> pl.DataFrame:
        """Read back a Parquet file."""
        try:
            return pl.read_parquet(self.path / name)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise EquipoiseError(
                f"A table of the run cannot be read: {error}",
                where=str(self.path / name),
                todo="Run it again.",
            ) from error

    def _write_manifest(self) -> None:
        self.write_json("manifest.json", self.manifest)

    def _whole(self, name: str, write: Callable[[Path], Any]) -> Path:
        target = self.path / name
        write_whole(target, write)
        return target


@dataclass
class StageRecord:
    """One stage while it runs.

    Attributes:
        done: Whether it was finished before.
        facts: What the manifest shall say of it, beside time and memory.
    """

    done: bool
    facts: dict[str, Any]


def default_folder(config: Config, *, resume: bool = False, root: Path = Path("runs")) -> Path:
    """`runs/<time>-<name>`; to resume, the newest unfinished run of this configuration there.

    Raises:
        EquipoiseError: if there is no such run to resume.
    """
    if not resume:
        return root / f"{datetime.now():%Y%m%d-%H%M%S}-{config.name}"
    for known in sorted(root.glob("*/manifest.json"), reverse=True):
        manifest = _read_json(known)
        if manifest.get("status") != "complete" and manifest.get("config_sha256") == config.digest():
            return known.parent
    raise EquipoiseError(
        "There is no unfinished run of this configuration", where=str(root), todo="Name its folder by --out."
    )


def content_hash(frame: pl.DataFrame) -> str:
    """SHA-256 of a table's column names and cells, the same for the same rows in the same order."""
    digest = hashlib.sha256(json.dumps([[name, str(kind)] for name, kind in frame.schema.items()]).encode())
    binary = selectors.binary()  # images, say, which JSON has no way to write
    at_once = 500 if frame.select(binary).width else 100_000
    for block in frame.iter_slices(at_once):
        digest.update(block.with_columns(binary.bin.encode("hex")).write_ndjson().encode())
    return digest.hexdigest()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise EquipoiseError(
            f"The file cannot be read: {error}", where=str(path), todo="Run it again."
        ) from error
    return content


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _peak_memory() -> int:
    """Largest resident size of this process so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak // (1024 * 1024 if sys.platform == "darwin" else 1024))


def write_whole(target: Path, write: Callable[[Path], Any]) -> None:
    """Write beside the target and rename, so that a full disk or an interruption leaves nothing half-written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}-{os.getpid()}")
    try:
        write(draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
