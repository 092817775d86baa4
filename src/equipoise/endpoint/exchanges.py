"""The log of what was asked and answered, and answers read back from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, NamedTuple

from equipoise.endpoint.errors import EndpointError
from equipoise.endpoint.refusals import OF_ONE_REQUEST
from equipoise.endpoint.sealed import SealedLog, canonical


class ExchangeLog(SealedLog):
    """A sealed file of exchanges: `address`, `path`, `request`, `status` (null where no answer came), `response`, and
    `cut` where the answer was too long to be read to its end.

    Texts and answers are kept in full: the file is as confidential as they are.

    Args:
        file: Where it is; an existing log is read, checked and continued.

    Raises:
        EndpointError: if an existing log was altered.
    """

    holds: ClassVar[str] = "exchanges"
    error: ClassVar[type[EndpointError]] = EndpointError


def read_exchanges(file: Path) -> list[dict[str, Any]]:
    """The exchanges of a log, oldest first.

    Raises:
        EndpointError: if there is no such file, or a line does not fit the line before it.
    """
    return ExchangeLog.read(file)


class Recorded(NamedTuple):
    """An answer out of a log."""

    status: int
    response: Any
    cut: bool


class Replay:
    """Answers from a log instead of a server: the same results again, without a network or a key.

    Args:
        file: A log made by `ExchangeLog`.

    Raises:
        EndpointError: if there is no such log or it was altered.
    """

    def __init__(self, file: Path) -> None:
        self.file, self._lock = Path(file), Lock()
        self._answers: dict[str, list[Recorded]] = defaultdict(list)
        final = {200, *OF_ONE_REQUEST}  # others were asked again, or ended it
        exchanges = [exchange for exchange in read_exchanges(file) if exchange["status"] in final]
        self.address = str(exchanges[0]["address"]) if exchanges else ""
        for exchange in exchanges:
            known = Recorded(exchange["status"], exchange["response"], bool(exchange.get("cut")))
            self._answers[canonical([exchange["path"], exchange["request"]])].append(known)

    def answer(self, path: str, request: Mapping[str, Any]) -> Recorded:
        """What the server answered to this request; where it was asked repeatedly, its answers in turn.

        Raises:
            EndpointError: if the log holds no answer to it.
        """
        with self._lock:
            answers = self._answers.get(canonical([path, request]))
            if answers:
                return answers.pop(0) if len(answers) > 1 else answers[0]
        raise EndpointError(
            f"The log of exchanges holds no answer to this request to {path}",
            where=str(self.file),
            todo="Record it once with a server.",
        )
