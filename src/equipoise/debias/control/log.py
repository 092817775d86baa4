"""The log of what a controller changed."""

from __future__ import annotations

from typing import ClassVar

from equipoise.endpoint import SealedLog
from equipoise.errors import DataError


class ChangeLog(SealedLog):
    """A sealed, append-only file with one line per change: `Adjustment.records()`.

    Raises:
        DataError: if an existing log was altered.
    """

    holds: ClassVar[str] = "changes"
    error: ClassVar[type[DataError]] = DataError
