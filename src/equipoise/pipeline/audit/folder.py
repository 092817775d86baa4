"""The folder of an audit: it appears whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from equipoise.audit.verification.signing import canonical
from equipoise.errors import EquipoiseError
from equipoise.pipeline.protection import keep

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_OURS = {"evidence.json", "evidence.sig", "report.html", "summary.html", "tables"}


def default_folder(run: str | None, name: str, root: Path = Path("audits")) -> Path:
    """`audit` in the folder of the run; `audits/<time>-<name>` for tables from elsewhere."""
    plain = re.sub(r"[^\w.+-]+", "-", name).strip("-.")
    return Path(run) / "audit" if run is not None else root / f"{datetime.now():%Y%m%d-%H%M%S}-{plain}"


def check_free(folder: Path, *, force: bool) -> None:
    """Refuse a folder that something would be lost from.

    Raises:
        EquipoiseError: if it holds an audit and is not to be written over, or holds anything else.
    """
    keep(folder, _OURS, "an audit", force=force)


def pack(evidence: dict[str, Any]) -> dict[str, bytes]:
    """The files that are made from the evidence alone: the pages and one table per section."""
    from equipoise.report import render_audit, render_summary

    lang = str(evidence.get("lang", "en"))
    pages = {"report.html": render_audit(evidence, lang), "summary.html": render_summary(evidence, lang)}
    files = {name: page.encode() for name, page in pages.items()}
    for section, rows in _sections(evidence).items():
        files[f"tables/{section}.csv"] = _csv(rows)
    return files


def write(folder: Path, evidence: dict[str, Any], signature: Mapping[str, str] | None) -> None:
    """Write the audit into a draft beside the folder, and put it in place when it is whole.

    An audit that is there already is replaced; see `check_free`.

    Raises:
        EquipoiseError: if it cannot be written; what was there before stays.
    """
    files = {"evidence.json": canonical(evidence), **pack(evidence)}
    if signature is not None:
        files["evidence.sig"] = (json.dumps(signature, indent=1) + "\n").encode()
    draft = folder.with_name(f".{folder.name}-{os.getpid()}")
    old = folder.with_name(f".{folder.name}-{os.getpid()}-old")
    try:
        for name, content in files.items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            (draft / name).write_bytes(content)
        if folder.exists():
            folder.rename(old)
        draft.rename(folder)
    except OSError as error:
        raise EquipoiseError(
            f"The audit could not be written: {error.strerror or error}",
            where=str(error.filename or folder),
            todo="Make room, or choose another --out.",
        ) from error
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _sections(evidence: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Sections that are tables and have rows."""
    found = {name: rows for name, rows in evidence.items() if isinstance(rows, list)}
    found["transparency"] = evidence.get("transparency", {}).get("rows", [])
    return {name: rows for name, rows in found.items() if rows and all(isinstance(row, dict) for row in rows)}


def _csv(rows: list[dict[str, Any]]) -> bytes:
    """Rows as CSV: nothing where there is no value, lists and mappings as JSON."""
    text = io.StringIO()
    columns = dict.fromkeys(column for row in rows for column in row)
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula starts with an apostrophe (OWASP, CSV injection)."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value
