"""Does the evidence still hold? Hash, signature, inputs, and every number computed again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from equipoise.audit.request import Settings, Tables
from equipoise.audit.verification.differences import TOLERANCE, Difference, differences, rows_by_id, same
from equipoise.audit.verification.evidence import read_evidence
from equipoise.audit.verification.signing import canonical, check
from equipoise.errors import ConfigError, DataError, EquipoiseError, nearest

Read = Callable[[Mapping[str, Any], Path], Tables]
"""(inputs as recorded, folder of the audit) -> the tables, read again."""
Assemble = Callable[[Tables, Settings], dict[str, Any]]
"""What makes the evidence."""
Pack = Callable[[dict[str, Any]], Mapping[str, bytes]]
"""Evidence -> the files that are made from it alone (pages, tables): name in the folder -> content."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What: "signature", "inputs", "numbers", "pages", "versions".
        holds: Whether it is as recorded; None where that cannot be told.
        words: The finding as a sentence.
    """

    name: str
    holds: bool | None
    words: str


@dataclass(frozen=True)
class Number:
    """One row of the evidence, computed again.

    Attributes:
        id: Its id.
        section: The section it stands in.
        recorded: The row as the evidence has it.
        recomputed: The row as it came out now; None where it does not come out any more.
        definition: Meaning of its metric (title, formula, unit ...); empty where the evidence defines none.
    """

    id: str
    section: str
    recorded: Mapping[str, Any]
    recomputed: Mapping[str, Any] | None
    definition: Mapping[str, Any]


@dataclass(frozen=True)
class Verification:
    """What verifying an audit found.

    Attributes:
        folder: The audit's folder.
        checks: What was looked at, in order.
        differences: Values that are not what the evidence says.
        compared: How many values were compared.
        number: The one number asked for, where one was.
    """

    folder: Path
    checks: list[Check]
    differences: list[Difference] = field(default_factory=list)
    compared: int = 0
    number: Number | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing that could be checked is otherwise than recorded."""
        return all(check.holds is not False for check in self.checks)


def verify(
    folder: Path,
    read: Read,
    assemble: Assemble,
    pack: Pack = lambda evidence: {},
    *,
    only: str | None = None,
    public_key: Path | None = None,
) -> Verification:
    """Check an audit against its signature, its inputs and its own numbers, computed again.

    Args:
        folder: Where `evidence.json` lies.
        read: Reads the recorded inputs again.
        assemble: Makes evidence of tables and settings.
        pack: Makes the pages and tables of the evidence, which must be those in the folder.
        only: The id of one number to compute again instead of all.
        public_key: PEM file of the key that should have signed.

    A signature that does not hold ends the check: nothing that the evidence names is read then.

    Raises:
        DataError: if the evidence or an input is missing or cannot be read.
        ConfigError: if there is no number of that id, or the key cannot be read.
    """
    evidence, content = read_evidence(folder)
    rows = rows_by_id(evidence)
    if only is not None and only not in rows:
        raise ConfigError(f"There is no number '{only}'", where=str(folder), todo=_close(only, rows))
    settings, inputs = _request(evidence, folder)
    if only is not None and rows[only][0] != "attackers":
        settings = settings.model_copy(update={"attackers": False})  # no other number depends on them

    signature = _signature(folder, evidence, content, public_key)
    checks = [signature]
    if signature.holds is False:  # whoever changed the evidence may have chosen what it would make us read
        return Verification(folder, checks)
    tables = read(inputs, folder)
    changed = _inputs(evidence, tables)
    checks.append(changed)
    try:
        fresh = json.loads(canonical(assemble(tables, settings)))
    except EquipoiseError as error:
        if changed.holds:
            raise
        checks.append(Check("numbers", False, f"cannot be computed from the changed tables: {error}"))
        return Verification(folder, checks)

    if only is not None:
        number, found = _one(only, evidence, rows, rows_by_id(fresh))
        checks.append(_numbers(found, len(number.recorded)))
        return Verification(folder, checks, found, len(number.recorded), number)
    found, compared = differences(evidence, fresh)
    checks.append(_numbers(found, compared))
    other = _other_versions(evidence)
    if not found:  # pages of numbers that do not hold tell nothing more
        checks.append(_pages(folder, pack(evidence), other))
    checks.append(_versions(other))
    return Verification(folder, checks, found, compared)


def _request(evidence: Mapping[str, Any], folder: Path) -> tuple[Settings, Mapping[str, Any]]:
    try:
        return Settings.model_validate(evidence["request"]["settings"]), evidence["request"]["inputs"]
    except (KeyError, ValidationError) as error:
        raise DataError(
            "The evidence does not say what was asked, so it cannot be computed again",
            where=f"{folder / 'evidence.json'}, section 'request'",
            todo="It was changed, or written by another version.",
        ) from error


def _signature(folder: Path, evidence: Mapping[str, Any], content: bytes, public_key: Path | None) -> Check:
    path = folder / "evidence.sig"
    announced = evidence.get("signature")
    if not path.exists():
        if announced is not None or public_key is not None:
            return Check("signature", False, "evidence.sig is missing")
        return Check(
            "signature", None, "not signed: only the numbers can tell whether evidence.json was changed"
        )
    try:
        signature = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise DataError(f"The signature cannot be read: {error}", where=str(path)) from error
    found = check(content, signature if isinstance(signature, dict) else {}, public_key)
    if found.holds and (announced or {}).get("fingerprint") != found.fingerprint:
        return Check("signature", False, "signed by another key than evidence.json announces")
    return Check("signature", found.holds, found.words)


def _inputs(evidence: Mapping[str, Any], tables: Tables) -> Check:
    then = {source["table"]: source for source in evidence.get("data", ())}
    now = {source["table"]: source for source in tables.sources}
    changed = [
        name
        for name in dict.fromkeys([*then, *now])
        if then.get(name, {}).get("sha256") != now.get(name, {}).get("sha256")
    ]
    if changed:
        told = "; ".join(f"{name} ({_path(name, then, now)})" for name in changed)
        return Check("inputs", False, f"changed since the audit: {told}")
    return Check("inputs", True, f"{len(now)} tables are those that were audited")


def _path(name: str, *known: Mapping[str, Mapping[str, Any]]) -> str:
    return next((str(sources[name]["path"]) for sources in known if name in sources), "?")


def _numbers(differences: list[Difference], compared: int) -> Check:
    if differences:
        return Check("numbers", False, f"{len(differences):,} of {compared:,} values come out otherwise")
    return Check("numbers", True, f"{compared:,} values come out again, to {TOLERANCE:g}")


def _pages(folder: Path, files: Mapping[str, bytes], other_versions: Mapping[str, str]) -> Check:
    def content(name: str) -> bytes | None:
        path = folder / name
        return path.read_bytes() if path.is_file() else None

    found = {name: content(name) for name in files}
    tables = (path for path in sorted((folder / "tables").rglob("*")) if path.is_file())
    foreign = [name for path in tables if (name := path.relative_to(folder).as_posix()) not in files]
    missing = [name for name, there in found.items() if there is None]
    other = [name for name, there in found.items() if there is not None and there != files[name]]
    told = [f"{name} is missing" for name in missing]
    told += [f"{name} is not made from the evidence" for name in foreign]
    changed = {name: {*other_versions} & _makers(name) for name in other}
    told += [f"{name} is not what the evidence gives" for name, makers in changed.items() if not makers]
    if told:
        return Check("pages", False, "; ".join(told))
    if other:
        makers = ", ".join(sorted(set().union(*changed.values())))
        return Check("pages", None, f"{', '.join(other)}: made with another version of {makers}")
    return Check("pages", True, f"{len(files)} pages and tables are made from this evidence")


def _makers(name: str) -> set[str]:
    """Packages on whose versions the bytes of a page or a table depend."""
    return {"equipoise", "plotly", "jinja2"} if name.endswith(".html") else {"equipoise"}


def _other_versions(evidence: Mapping[str, Any]) -> dict[str, str]:
    """Packages that are not the ones of the audit, each with both versions in words."""
    other = {}
    for package, then in evidence.get("versions", {}).items():
        try:
            now = version(package)
        except PackageNotFoundError:
            continue
        if now != then:
            other[package] = f"{package} {then} then, {now} now"
    return other


def _versions(other: Mapping[str, str]) -> Check:
    """A hint where numbers differ, no fault in itself."""
    told = "; ".join(other.values())
    return Check("versions", None if other else True, told or "the packages are those of the audit")


def _one(
    wanted: str,
    evidence: Mapping[str, Any],
    then: Mapping[str, tuple[str, Mapping[str, Any]]],
    now: Mapping[str, tuple[str, Mapping[str, Any]]],
) -> tuple[Number, list[Difference]]:
    section, row = then[wanted]
    again = now[wanted][1] if wanted in now else None
    found = [
        Difference(f"{wanted} {key}", row.get(key), None if again is None else again.get(key))
        for key in dict.fromkeys([*row, *(again or {})])
        if again is None or key not in row or key not in again or not same(row[key], again[key])
    ]
    metric = str(row.get("metric", "")).partition("@")[0]
    return Number(wanted, section, row, again, evidence.get("definitions", {}).get(metric, {})), found


def _close(wanted: str, rows: Mapping[str, Any]) -> str:
    """The nearest ids; all of them would be a page."""
    suggested = nearest(wanted, rows).partition("Known:")[0].strip()
    return suggested or f"Ids stand in evidence.json, such as '{next(iter(rows), 'none')}'."
