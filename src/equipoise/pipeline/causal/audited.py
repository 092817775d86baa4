"""The audit that the fairness of a candidate is read from, and whether it is an audit of that candidate."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.errors import DataError
from equipoise.pipeline.audit import Audit
from equipoise.pipeline.causal.policies import is_run, last_stage

_LISTS = "recommendations:"


@dataclass(frozen=True)
class Audited:
    """What an audit found of a candidate.

    Attributes:
        evidence: The content of its `evidence.json`.
        systems: The systems of the audit that are the candidate.
        notes: What ties the candidate to the audit only by word.
    """

    evidence: Mapping[str, Any]
    systems: frozenset[str]
    notes: tuple[str, ...] = ()

    @property
    def gaps(self) -> list[Mapping[str, Any]]:
        """The candidate's gaps, of every kind."""
        return [row for row in self.evidence.get("gaps", ()) if row["system"] in self.systems]


def read_audited(folder: Path | str, candidate: str) -> Audited:
    """A finished audit, tied to the candidate by the hash of its lists, else by its name, else by word.

    Args:
        folder: What `equipoise audit` wrote.
        candidate: The folder of a run, a table, a column of the log, or a word.

    Raises:
        DataError: if there is no audit, the candidate is a run with other lists than the audited ones, or it is
            none of several audited systems.
    """
    evidence = Audit.read(folder).evidence
    names = [row["name"] for row in evidence.get("systems", ()) if row.get("role") == "audited"]
    own = _hash(candidate)
    same = {
        str(row["table"]).removeprefix(_LISTS)
        for row in evidence.get("data", ())
        if str(row["table"]).startswith(_LISTS) and own is not None and row.get("sha256") == own
    }
    if is_run(candidate):
        if not same:
            raise DataError(
                "The audit is of other recommendations than the candidate's",
                where=f"{folder} against {candidate}",
                todo="Name the audit of this run, or leave --audit out: a run is audited on the spot.",
            )
        return Audited(evidence, frozenset({last_stage(Path(candidate))}))
    if same:
        return Audited(evidence, frozenset(same))
    called = Path(candidate).stem
    if called in names:
        return Audited(evidence, frozenset({called}))
    if len(names) > 1:
        raise DataError(
            f"The audit is of {len(names)} systems, and none is called '{called}'",
            where=f"{folder}: {', '.join(names)}",
            todo="Give the audit of the candidate alone, or call the candidate as it is called there.",
        )
    note = f"That the audit of '{', '.join(names)}' is an audit of '{called}' is taken on word."
    return Audited(evidence, frozenset(names), (note,))


def _hash(candidate: str) -> str | None:
    """SHA-256 of the lists of a run or of a table; None where there is no such file."""
    path = Path(candidate)
    path = path / "recommendations.parquet" if is_run(candidate) else path
    if "://" in candidate or not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
