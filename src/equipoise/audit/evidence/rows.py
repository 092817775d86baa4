"""Tables as rows of plain JSON values, each with an id that names it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import polars as pl

Row = dict[str, Any]


def rows(frame: pl.DataFrame, kind: str, keys: Sequence[str]) -> list[Row]:
    """One row per row of the frame, with the id `kind/key/key/...`; what is NaN or infinite is None."""
    found = []
    for row in frame.to_dicts():
        said = {name: _plain(value) for name, value in row.items()}
        found.append({"id": identifier(kind, *(said[key] for key in keys)), **said})
    return found


def identifier(kind: str, *parts: object) -> str:
    """The id `kind/part/part/...`; what separates parts is written as in an address (%2F) inside of one."""
    return "/".join([kind, *(str(part).replace("%", "%25").replace("/", "%2F") for part in parts)])


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
