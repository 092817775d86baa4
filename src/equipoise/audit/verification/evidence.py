"""The file `evidence.json`, read from a folder that anybody may have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from equipoise.errors import DataError

SCHEMA: Final = "equipoise.audit/1"
_Rows = list[dict[str, Any]]


class _Loose(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _Source(_Loose):
    table: str
    path: str | None = None
    sha256: str | None = None


class _Request(_Loose):
    inputs: dict[str, Any] = Field(default_factory=dict)
    settings: dict[str, Any] = Field(default_factory=dict)


class _Form(_Loose):
    """The form of the sections that verifying and the pages rely on; any of them may be missing."""

    name: str = ""
    created: str = ""
    command: str = ""
    lang: str = "en"
    versions: dict[str, str] = Field(default_factory=dict)
    settings: dict[str, Any] = Field(default_factory=dict)
    definitions: dict[str, dict[str, Any]] = Field(default_factory=dict)
    signature: dict[str, Any] | None = None
    request: _Request | None = None
    data: list[_Source] = Field(default_factory=list)
    systems: _Rows = Field(default_factory=list)
    notes: _Rows = Field(default_factory=list)
    not_testable: _Rows = Field(default_factory=list)
    overall: _Rows = Field(default_factory=list)
    groups: _Rows = Field(default_factory=list)
    gaps: _Rows = Field(default_factory=list)


def read_evidence(folder: Path) -> tuple[dict[str, Any], bytes]:
    """The content of `evidence.json`, and its bytes.

    Raises:
        DataError: if it is not there, broken, or of another form.
    """
    path = folder / "evidence.json"
    try:
        content = path.read_bytes()
        evidence = json.loads(content)
    except FileNotFoundError:
        raise DataError(
            "There is no evidence here", where=str(path), todo="Name the folder that `equipoise audit` wrote."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"The evidence cannot be read: {error}", where=str(path)) from error
    if not isinstance(evidence, dict) or evidence.get("schema") != SCHEMA:
        found = evidence.get("schema") if isinstance(evidence, dict) else type(evidence).__name__
        raise DataError(
            f"The evidence is of another form: {found}", where=str(path), todo=f"This version reads {SCHEMA}."
        )
    try:
        _Form.model_validate(evidence)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise DataError(
            f"The evidence is of another form: {fault['msg']}",
            where=f"{path}, section '{place}'",
            todo="It was changed, or written by another version.",
        ) from None
    return evidence, content
