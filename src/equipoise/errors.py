"""Errors for people: what was wrong, where, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_NAMED = 40  # names that a suggestion lists


class EquipoiseError(Exception):
    """Something a person can put right.

    The command line prints it as one paragraph and exits with code 2.

    Args:
        what: What was wrong, as a sentence.
        where: File, column, row count or config key concerned.
        todo: What to do about it, as a sentence.
    """

    def __init__(self, what: str, *, where: str | None = None, todo: str | None = None) -> None:
        self.what, self.where, self.todo = what, where, todo
        super().__init__(self.paragraph)

    @property
    def paragraph(self) -> str:
        """The whole message as one readable paragraph."""
        place = f" ({self.where})" if self.where else ""
        advice = f" {self.todo}" if self.todo else ""
        return f"{self.what.rstrip('.')}{place}.{advice}"


class DataError(EquipoiseError):
    """A table, a column or a value is not what it should be."""


class ConfigError(EquipoiseError):
    """A configuration cannot be read or names something that does not exist."""


class ModelError(EquipoiseError):
    """A model cannot be fitted, loaded or asked."""


class MissingExtraError(EquipoiseError):
    """An optional dependency is not installed.

    Args:
        package: Its name.
        extra: The extra that brings it.
        purpose: What needs it, as the beginning of a sentence.
        command: How it is installed, where no extra may bring it.
    """

    def __init__(self, package: str, *, extra: str, purpose: str, command: str | None = None) -> None:
        how = command or f"pip install 'equipoise[{extra}]'"
        super().__init__(
            f"{purpose} needs the package '{package}', which is not installed",
            todo=f"Install it with: {how}.",
        )


def nearest(name: object, known: Iterable[object]) -> str:
    """A sentence that suggests the known names nearest to a misspelt one; pandas allows names that are no text."""
    names = sorted(map(str, known))
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    hint = f"Did you mean '{close[0]}'? " if close else ""
    rest = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{hint}Known: {', '.join(names[:_NAMED]) or 'none'}{rest}."
