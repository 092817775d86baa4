"""Append-only logs: each line sealed by a hash over all before it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from equipoise.errors import EquipoiseError

_START = "0" * 64


@dataclass(eq=False)
class _End:
    """Where a file ends: the hash of its last line, for all logs of this process that write to it."""

    last: str = _START
    lock: Lock = field(default_factory=Lock)


_ENDS: WeakValueDictionary[Path, _End] = WeakValueDictionary()
_FINDING = Lock()


def canonical(value: Any) -> str:
    """JSON in one spelling, so that equal values have equal hashes."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _seal(previous: str, record: Mapping[str, Any]) -> str:
    return hashlib.sha256(f"{previous}\n{canonical(record)}".encode()).hexdigest()


class SealedLog:
    """A file of records, one JSON object a line.

    The `hash` of a line is the SHA-256 of the line before it and of its own content, so that no line that others
    follow can be changed, left out or put in between unseen. That the last lines were cut off, or that all was written
    anew, cannot be seen, for the hash has no key: where that matters, keep the last `hash` elsewhere. One process
    writes to a file, through as many logs as it likes.

    Args:
        file: Where it is; an existing log is read, checked and continued.

    Raises:
        EquipoiseError: if an existing log was altered, or cannot be read.
    """

    holds: ClassVar[str] = "records"
    """What the log is of, in words."""
    error: ClassVar[type[EquipoiseError]] = EquipoiseError
    """What is raised of an altered log."""

    def __init__(self, file: Path) -> None:
        self.file = Path(file)
        with _FINDING:
            self._end = _ENDS.setdefault(self.file.resolve(), _End())
        with self._end.lock:
            existing = self.read(self.file) if self.file.exists() else []
            self._end.last = existing[-1]["hash"] if existing else _START

    def append(self, *records: Mapping[str, Any]) -> None:
        """Add records of plain JSON values, in one write: all, or none where that fails.

        Raises:
            OSError: if the file cannot be written.
        """
        with self._end.lock:
            last, lines = self._end.last, []
            for record in records:
                last = _seal(last, record)
                lines.append(canonical({**record, "hash": last}) + "\n")
            self.file.parent.mkdir(parents=True, exist_ok=True)
            length = self.file.stat().st_size if self.file.exists() else 0
            try:
                with self.file.open("ab") as file:
                    file.write("".join(lines).encode())
            except OSError:
                with suppress(OSError):  # a part of a line would make the log look altered
                    os.truncate(self.file, length)
                raise
            self._end.last = last

    @classmethod
    def read(cls, file: Path) -> list[dict[str, Any]]:
        """The records of a log, oldest first.

        Raises:
            EquipoiseError: if there is no such file, it cannot be read, or a line does not fit the line before it.
        """
        if not Path(file).exists():
            raise cls.error(f"There is no log of {cls.holds}", where=str(file))
        try:
            lines = Path(file).read_bytes().split(b"\n")
        except OSError as error:
            raise cls.error(
                f"The log of {cls.holds} cannot be read: {error.strerror or error}",
                where=str(file),
                todo="Name a file that may be read and written.",
            ) from error
        previous, records = _START, []
        for number, line in enumerate(lines[:-1] if not lines[-1] else lines, start=1):
            try:
                record = json.loads(line)
                seal = record.pop("hash")
            except (ValueError, KeyError, TypeError, AttributeError):
                seal, record = None, {}
            if seal is None or seal != _seal(previous, record):
                raise cls.error(
                    f"The log of {cls.holds} was altered or is cut off",
                    where=f"{file}, line {number}",
                    todo="Keep it as it is for inspection, and log to another file.",
                )
            records.append({**record, "hash": seal})
            previous = seal
        return records
