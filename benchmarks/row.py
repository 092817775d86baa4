"""What a row is: a protocol and parts that are measured one by one and kept, so that a row can be taken up again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.machine import Meter, surroundings

CACHE = Path(__file__).parent / ".cache"


@dataclass(frozen=True)
class Part:
    """One measurement, as a row's function returns it.

    Attributes:
        values: Numbers by name, as they are printed.
        per_user: Frame of `user_id` and metrics, where there is one: intervals are made from it.
        notes: Whatever helps to make the number again.
    """

    values: Mapping[str, float]
    per_user: pl.DataFrame | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """A benchmark.

    Attributes:
        name: As in `make bench ROW=name`.
        protocol: Data, split, candidates: what a number means.
        parts: Setting -> seeds: every pair is one measurement; seeds of a setting are averaged.
        measure: Makes one part from a setting, a seed and a folder to keep unfinished work in.
        target: What is asked for, in words.
        identity: What a setting is measured with that neither its name nor the protocol tells, such as fields of a
            method; a part that was measured with something else, or under another protocol, is measured anew. None
            for what never changes; parts from before a row told are taken as they are.
        against: Setting -> the setting that its values are compared with, user by user, each the mean of its seeds.
    """

    name: str
    protocol: str
    parts: Mapping[str, Sequence[int]]
    measure: Callable[[str, int, Path], Part]
    target: str = ""
    identity: Callable[[str], str] | None = None
    against: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where finished parts lie."""
        return CACHE / self.name

    def finished(self, setting: str) -> dict[int, dict[str, Any]]:
        """Finished parts of a setting by seed."""
        found = {seed: self._kept(setting, seed) for seed in self.parts[setting]}
        return {seed: part for seed, part in found.items() if part is not None}

    def per_user(self, setting: str) -> list[pl.DataFrame]:
        """Values per user of the finished parts of a setting."""
        files = [self._file(setting, seed).with_suffix(".parquet") for seed in self.finished(setting)]
        return [pl.read_parquet(file) for file in files if file.exists()]

    def run(self, setting: str, seed: int) -> None:
        """Measure a part and keep it, unless it is there already."""
        file = self._file(setting, seed)
        if self._kept(setting, seed) is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with Meter() as meter:
            part = self.measure(setting, seed, self.folder)
        if part.per_user is not None:
            part.per_user.write_parquet(file.with_suffix(".parquet"))
        said = {
            "values": dict(part.values),
            "notes": dict(part.notes),
            "seconds": meter.seconds,
            "cpu_seconds": meter.cpu_seconds,
            "peak_mib": meter.peak_mib,
            "identity": self._identity(setting),
            **surroundings(),
        }
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps(said, indent=1), "utf-8")
        draft.replace(file)

    def _kept(self, setting: str, seed: int) -> dict[str, Any] | None:
        """A finished part, unless it was measured with something else than would be now."""
        file = self._file(setting, seed)
        if not file.exists():
            return None
        part: dict[str, Any] = json.loads(file.read_text("utf-8"))
        return part if part.get("identity") in (None, self._identity(setting)) else None

    def _identity(self, setting: str) -> str | None:
        if self.identity is None:
            return None
        return hashlib.sha256(f"{self.protocol}\0{self.identity(setting)}".encode()).hexdigest()[:16]

    def _file(self, setting: str, seed: int) -> Path:
        return self.folder / f"{setting.replace(' ', '_')}-{seed}.json"
