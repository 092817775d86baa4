"""Where answers are written: one folder with the content as JSON and the page made of it."""

from __future__ import annotations

import json
import math
import os
import platform
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.pipeline.protection import keep

Say = Callable[[str], None]

_PACKAGES = ("equipoise", "numpy", "scipy", "scikit-learn", "polars", "narwhals")
REPORT = "report.html"


@dataclass(frozen=True)
class Answer:
    """A finished answer.

    Attributes:
        path: Its folder.
        content: What its JSON file holds.
    """

    path: Path
    content: dict[str, Any]

    @property
    def report(self) -> Path:
        """The page to open in a browser."""
        return self.path / REPORT


def provenance(command: str | None, name: str | None) -> dict[str, Any]:
    """When and by what an answer was made."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    told = {"created": datetime.now(UTC).isoformat(timespec="seconds"), "command": command, "versions": found}
    return told if name is None else {**told, "name": name}


def place(out: Path | str | None, kind: str, name: str, *, force: bool) -> Path:
    """The folder to write into: `out`, or `<kind>s/<time>-<name>`.

    Raises:
        EquipoiseError: if the folder holds an answer that is not to be replaced, or other files.
    """
    if out is None:
        plain = re.sub(r"[^\w.+-]+", "-", name).strip("-.") or kind
        return Path(f"{kind}s") / f"{datetime.now():%Y%m%d-%H%M%S}-{plain}"
    folder = Path(out)
    keep(folder, {f"{kind}.json", REPORT, "audit"}, "an answer", force=force)
    return folder


def write(
    folder: Path,
    kind: str,
    content: Mapping[str, Any],
    render: Callable[[Mapping[str, Any], str], str],
    lang: str,
) -> Answer:
    """Write `<kind>.json` and its page; each file appears whole or not at all.

    Raises:
        EquipoiseError: if it cannot be written, or a number of it is none.
    """
    try:
        text = json.dumps(_spelt(content), indent=1, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise EquipoiseError(
            f"The answer holds a number that is none ({error})",
            todo="Look for values of the data that are too large to be squared, and rescale them.",
        ) from error
    told: dict[str, Any] = json.loads(text)  # pages are made from what a reader of the file gets
    files = {f"{kind}.json": text + "\n", REPORT: render(told, lang)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, file in files.items():
            draft = folder / f".{name}-{os.getpid()}"
            draft.write_text(file, "utf-8")
            draft.replace(folder / name)
    except OSError as error:
        raise EquipoiseError(
            f"The answer could not be written: {error.strerror or error}",
            where=str(error.filename or folder),
            todo="Make room, or choose another --out.",
        ) from error
    return Answer(folder, told)


def _spelt(value: Any, *, setting: bool = False) -> Any:
    """The content with infinite settings, for which JSON has no number, as text."""
    if isinstance(value, Mapping):
        return {name: _spelt(one, setting=setting or name == "options") for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_spelt(one, setting=setting) for one in value]
    return str(value) if setting and isinstance(value, float) and math.isinf(value) else value
