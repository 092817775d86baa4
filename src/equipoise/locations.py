"""Where the paths in a configuration lead: from the file they stand in, or from where a person types them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from equipoise.errors import ConfigError

_PATHS: Final = frozenset({"start", "gazetteer"})
"""Fields of parts that hold a path."""
_NAMES: Final = frozenset({"name", "generator"})
"""Fields of parts that hold a name, with a path behind its colon for some kinds."""
_FOLDERS: Final = frozenset({"vectors", "lora"})
"""Kinds of names behind which always a path stands."""
_PUBLISHED: Final = frozenset({"hf", "vision"})
"""Kinds behind which a path stands, or the name of a published model."""


def located_path(path: str, base: Path) -> str:
    """An absolute path or address; a relative one starts from `base`.

    Raises:
        ConfigError: if an address holds a password.
    """
    if re.search(r"://[^/@]*:(?!\$\{)[^/@]+@", path):
        raise ConfigError(
            "An address holds a password, which would be written into the run's folder",
            where=re.sub(r"://.*@", "://...@", path),
            todo="Keep it in the environment: write ${NAME} in its place, or set PGPASSWORD.",
        )
    if path.startswith("sqlite:///") and not path.startswith("sqlite:////"):
        return f"sqlite:///{base.resolve()}/{path.removeprefix('sqlite:///')}"
    return path if "://" in path else str((base / Path(path).expanduser()).resolve())


def located_field(key: str, value: Any, base: Path) -> Any:
    """The value of a part's field with its paths made absolute, those of parts inside it too.

    Args:
        key: Name of the field, which tells whether it holds a path.
        value: As it stands in the configuration.
        base: Where relative paths start.
    """
    if isinstance(value, dict):
        return {name: located_field(name, inner, base) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [located_field("", inner, base) if isinstance(inner, dict) else inner for inner in value]
    if key in _PATHS and isinstance(value, str | Path):
        return located_path(str(value), base)
    return _located_name(value, base) if key in _NAMES and isinstance(value, str) else value


def _located_name(name: str, base: Path) -> str:
    """A part's name with the path behind its colon made absolute."""
    kind, colon, path = name.partition(":")
    if path and (kind in _FOLDERS or (kind in _PUBLISHED and _is_path(path, base))):
        return f"{kind}{colon}{located_path(path, base)}"
    return name


def _is_path(path: str, base: Path) -> bool:
    """Whether this cannot be the name of a published model, which has one stroke at most, or leads to a folder."""
    return path.startswith((".", "~", "/")) or path.count("/") > 1 or (base / path).is_dir()
