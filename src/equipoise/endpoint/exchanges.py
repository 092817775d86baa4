"""The log of what was asked and answered: append-only, each line sealed by a hash over all before it."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from equipoise.endpoint.errors import EndpointError

_START = "0" * 64


def canonical(value: Any) -> str:
    """JSON in one spelling, so that equal values have equal hashes."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _seal(previous: str, record: Mapping[str, Any]) -> str:
    return hashlib.sha256(f"{previous}\n{canonical(record)}".encode()).hexdigest()


class ExchangeLog:
    """A file of exchanges, one JSON object a line.

    The `hash` of a line is the SHA-256 of the line before it and of its own content, so that no line can be
    changed,
    left out or put in between unseen. Texts and answers are kept in full: the file is as confidential as they
    are. One
    process writes to a log.

    Args:
        file: Where it is; an existing log is read, checked and continued.

    Raises:
        EndpointError: if an existing log was altered.
    """

    def __init__(self, file: Path) -> None:
        self.file, self._lock = Path(file), Lock()
        existing = read_exchanges(self.file) if self.file.exists() else []
        self._last = existing[-1]["hash"] if existing else _START

    def append(self, record: Mapping[str, Any]) -> None:
        """Add an exchange: `address`, `path`, `request`, `status` (null where no answer came), `response`."""
        with self._lock:
            sealed = {**record, "hash": _seal(self._last, record)}
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("a", encoding="utf-8") as file:
                file.write(canonical(sealed) + "\n")
            self._last = sealed["hash"]


def read_exchanges(file: Path) -> list[dict[str, Any]]:
    """The exchanges of a log, oldest first.

    Raises:
        EndpointError: if there is no such file, or a line does not fit the line before it.
    """
    if not Path(file).exists():
        raise EndpointError("There is no log of exchanges", where=str(file))
    previous, exchanges = _START, []
    with Path(file).open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                record = json.loads(line)
                seal = record.pop("hash")
            except (ValueError, KeyError, TypeError, AttributeError):
                seal, record = None, {}
            if seal is None or seal != _seal(previous, record):
                raise EndpointError(
                    "The log of exchanges was altered or is cut off",
                    where=f"{file}, line {number}",
                    todo="Keep it as it is for inspection, and log to another file.",
                )
            exchanges.append({**record, "hash": seal})
            previous = seal
    return exchanges


class Replay:
    """Answers from a log instead of a server: the same results again, without a network or a key.

    Args:
        file: A log made by `ExchangeLog`.

    Raises:
        EndpointError: if there is no such log or it was altered.
    """

    def __init__(self, file: Path) -> None:
        self.file = Path(file)
        self._answers: dict[str, list[Any]] = defaultdict(list)
        exchanges = [exchange for exchange in read_exchanges(file) if exchange["status"] == 200]
        self.address = str(exchanges[0]["address"]) if exchanges else ""
        for exchange in exchanges:
            self._answers[canonical([exchange["path"], exchange["request"]])].append(exchange["response"])

    def answer(self, path: str, request: Mapping[str, Any]) -> Any:
        """What the server answered to this request; where it was asked repeatedly, its answers in turn.

        Raises:
            EndpointError: if the log holds no answer to it.
        """
        answers = self._answers.get(canonical([path, request]))
        if not answers:
            raise EndpointError(
                f"The log of exchanges holds no answer to this request to {path}",
                where=str(self.file),
                todo="Record it once with a server.",
            )
        return answers.pop(0) if len(answers) > 1 else answers[0]
