"""What all pages are made with: the templates, the formats of numbers, the words of protocols."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from equipoise.report.languages import Words
from equipoise.report.numbers import brief, count, number, p_value, percent, seconds

_TEMPLATES = Path(__file__).parent / "templates"


@cache
def templates() -> Environment:
    """The templates, with names from the data escaped and missing values refused."""
    surroundings = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,  # names of items, groups and runs are data
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    surroundings.filters |= {
        "number": number,
        "brief": brief,
        "percent": percent,
        "count": count,
        "p": p_value,
        "seconds": seconds,
    }
    return surroundings


def protocol(told: Mapping[str, Any], words: Words) -> list[tuple[str, str]]:
    """A protocol as pairs of words."""
    return [
        (words.known("protocol", name), plain(value, words))
        for name, value in told.items()
        if value is not None
    ]


def plain(value: Any, words: Words) -> str:
    """A plain value in words: lists with commas, numbers with few digits, phrases translated where known."""
    if isinstance(value, list | tuple):
        return ", ".join(plain(one, words) for one in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{words.phrase(name)} {plain(one, words)}" for name, one in value.items())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return words.phrase(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def minute(moment: str) -> str:
    """A moment in ISO 8601, to the minute."""
    return moment[:16].replace("T", " ") + (" UTC" if moment.endswith(("+00:00", "Z")) else "")
