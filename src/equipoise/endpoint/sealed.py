"""Append-only logs: each line sealed by a hash over all before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

from equipoise.errors import EquipoiseError

_START = "0" * 64


def canonical(value: Any) -> str:
    """JSON in one spelling, so that equal values have equal hashes."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _seal(previous: str, record: Mapping[str, Any]) -> str:
    return hashlib.sha256(f"{previous}\n{canonical(record)}".encode()).hexdigest()


class SealedLog:
    """A file of records, one JSON object a line.

    The `hash` of a line is the SHA-256 of the line before it and of its own content, so that no line can be changed,
    left out or put in between unseen. One process writes to a log.

    Args:
        file: Where it is; an existing log is read, checked and continued.

    Raises:
        EquipoiseError: if an existing log was altered.
    """

    holds: ClassVar[str] = "records"
    """What the log is of, in words."""
    error: ClassVar[type[EquipoiseError]] = EquipoiseError
    """What is raised of an altered log."""

    def __init__(self, file: Path) -> None:
        self.file, self._lock = Path(file), Lock()
        existing = self.read(self.file) if self.file.exists() else []
        self._last = existing[-1]["hash"] if existing else _START

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a record of plain JSON values, in one write."""
        with self._lock:
            sealed = {**record, "hash": _seal(self._last, record)}
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("a", encoding="utf-8") as file:
                file.write(canonical(sealed) + "\n")
            self._last = sealed["hash"]

    @classmethod
    def read(cls, file: Path) -> list[dict[str, Any]]:
        """The records of a log, oldest first.

        Raises:
            EquipoiseError: if there is no such file, or a line does not fit the line before it.
        """
        if not Path(file).exists():
            raise cls.error(f"There is no log of {cls.holds}", where=str(file))
        previous, records = _START, []
        with Path(file).open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
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
