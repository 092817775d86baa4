"""How commands read lists of words, and say a line."""

from __future__ import annotations

from rich.console import Console


def listed(text: str | None) -> list[str] | None:
    """Comma-separated words; None where nothing was said."""
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]


def say(console: Console, line: str) -> None:
    """Print a line as it is: no colour, no breaking, nothing taken for markup."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)
