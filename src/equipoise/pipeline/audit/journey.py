"""The audit, top to bottom: find the tables, read them, measure, sign, write; and check it all again later."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from equipoise.audit.request import Settings, Tables
from equipoise.audit.verification import Verification, read_evidence
from equipoise.audit.verification import verify as verified
from equipoise.audit.verification.signing import canonical, signer
from equipoise.component import config_error
from equipoise.data.databases import shown
from equipoise.errors import DataError, nearest
from equipoise.pipeline.audit.folder import check_free, default_folder, pack, write
from equipoise.pipeline.audit.inputs import Inputs, stem
from equipoise.pipeline.audit.tables import read_tables
from equipoise.pipeline.finished import read_run

Say = Callable[[str], None]

_CONTROLS = ("profile_size", "activity")
"""Controls that are counted from the tables; all others are columns of the users."""

_NAMED = 3
"""Systems that the name of an audit tells, unless it is given one."""


@dataclass(frozen=True)
class Audit:
    """A finished audit.

    Attributes:
        path: Its folder.
        evidence: The content of `evidence.json`.
    """

    path: Path
    evidence: dict[str, Any]

    @property
    def report(self) -> Path:
        """The page to open in a browser."""
        return self.path / "report.html"

    @property
    def summary(self) -> Path:
        """The page to print and sign."""
        return self.path / "summary.html"

    @classmethod
    def read(cls, path: Path | str) -> Audit:
        """An audit that was finished before.

        Raises:
            DataError: if there is none.
        """
        return cls(Path(path), read_evidence(Path(path))[0])


def audit(
    inputs: Inputs | Mapping[str, Any],
    settings: Mapping[str, Any] | None = None,
    *,
    out: Path | str | None = None,
    force: bool = False,
    say: Say = lambda line: None,
) -> Audit:
    """Audit recommendations and write the evidence.

    Args:
        inputs: A finished run, or tables; paths start from the working directory.
        settings: Fields of `Settings`; what is left out comes from the run's configuration, else is the default.
        out: Folder to write into; `audit` in the run's folder, or `audits/<time>-<name>`, by default.
        force: Replace an audit that is in the folder already.
        say: Called with a line for each step.

    Raises:
        EquipoiseError: with what was wrong, where, and what to do. Nothing is written then.
    """
    asked = _inputs(inputs)
    fields = dict(settings or {})
    if asked.run is not None:
        asked, fields = _as_the_run(asked, fields)
    else:
        fields = {"name": _name(asked), **fields}
    folder = Path(out) if out is not None else default_folder(asked.run, fields["name"])
    check_free(folder, force=force)
    signing = signer()  # a key that cannot sign is told before the work

    asked = asked.relative(folder)
    tables = read_tables(asked, folder)
    say(f"read      {_counts(tables)}")
    chosen = _settings(fields, tables)
    say(f"measuring {', '.join(chosen.metric_names)} by {', '.join(chosen.groups)}")
    evidence = _assemble(tables, chosen)
    evidence["request"] = {
        "inputs": asked.model_dump(mode="json"),
        "settings": chosen.model_dump(mode="json"),
    }
    evidence["signature"] = None if signing is None else signing.announcement
    content = canonical(evidence)
    evidence = json.loads(content)  # pages are made from what a reader of the file gets
    write(folder, evidence, None if signing is None else signing.sign(content))
    say(f"wrote     {folder}")
    return Audit(folder, evidence)


def verify(
    folder: Path | str,
    *,
    only: str | None = None,
    public_key: Path | None = None,
    allow_network: bool = False,
) -> Verification:
    """Check a finished audit: signature, inputs, every number computed again, pages.

    Args:
        folder: What `audit` wrote.
        only: The id of one number to compute again instead of all.
        public_key: PEM file of the key that should have signed.
        allow_network: Whether addresses and databases that the evidence names are read. Without it a foreign
            audit reaches nothing but files.

    Raises:
        EquipoiseError: if it cannot be checked.
    """

    def read(inputs: Mapping[str, Any], place: Path) -> Tables:
        named = _inputs(inputs)
        if named.addresses and not allow_network:
            raise DataError(
                "The evidence names addresses, which whoever wrote it chose",
                where=", ".join(shown(address) for address in named.addresses),
                todo="Read them by --allow-network if you trust its author.",
            )
        return read_tables(named, place, trusted=False)

    return verified(Path(folder), read, _assemble, pack, only=only, public_key=public_key)


def _assemble(tables: Tables, settings: Settings) -> dict[str, Any]:
    from equipoise.audit.evidence import assemble  # the statistics load SciPy and scikit-learn

    return assemble(tables, settings)


def _inputs(given: Inputs | Mapping[str, Any]) -> Inputs:
    try:
        return given if isinstance(given, Inputs) else Inputs.model_validate(dict(given))
    except ValidationError as error:
        raise config_error(error, Inputs, "the tables of the audit") from None


def _as_the_run(inputs: Inputs, fields: dict[str, Any]) -> tuple[Inputs, dict[str, Any]]:
    """What the run's configuration says where nothing else was said."""
    folder, config = read_run(Path(str(inputs.run)))
    facts = folder.manifest["stages"]["prepare"]
    said = config.audit
    relevant = said.relevant if inputs.relevant is None else inputs.relevant
    told: dict[str, Any] = {
        "name": config.name,
        "k": said.k,
        "level": said.level,
        "n_bootstrap": said.n_bootstrap,
        "seed": config.seed,
        "lang": config.report.lang,
        "groups": said.groups or tuple(facts["sensitive"]),
        "protocol": {
            **facts["protocol"],
            "relevant": "every positive event" if relevant is None else f"value >= {relevant:g}",
            "seen_items": "filtered" if said.exclude_seen else "kept",
        },
    }
    tried = folder.path / "explanations.parquet"
    located = inputs.model_copy(
        update={
            "relevant": relevant,
            "exclude_seen": said.exclude_seen,
            "explanations": inputs.explanations or (str(tried) if tried.is_file() else None),
        }
    )
    return located, told | fields


def _settings(fields: dict[str, Any], tables: Tables) -> Settings:
    """The settings, with columns that the tables have.

    Raises:
        ConfigError: if a field does not exist, its value is not usable, or a rule of the policy is for nothing that
            is measured.
        DataError: if a column to group by, to adjust for or of the items is not there.
    """
    if not fields.get("groups"):
        raise DataError(
            "No column to compare groups by is named",
            where=_columns(tables.users, "users"),
            todo="Name some: --groups gender,age.",
        )
    try:
        settings = Settings.model_validate(fields)
    except ValidationError as error:
        raise config_error(error, Settings, "the audit") from None
    controls = [name for name in settings.controls if name not in _CONTROLS]
    for names, table, called, option in (
        (settings.groups, tables.users, "users", "--groups"),
        (controls, tables.users, "users", "--controls"),
        (settings.item_groups, tables.items, "items", "--item-groups"),
    ):
        for name in names:
            if table is None or name not in table.columns:
                raise DataError(
                    f"The {called} have no column '{name}'",
                    where=_columns(table, called),
                    todo=f"Name another under {option}. {nearest(name, table.columns) if table is not None else ''}",
                )
    if settings.policy is not None:
        orders = range(1, settings.intersections + 1)
        crossed = [" x ".join(names) for order in orders for names in combinations(settings.groups, order)]
        settings.policy.check(settings.metric_names, crossed)
    return settings


def _columns(table: pl.DataFrame | None, called: str) -> str:
    return (
        f"no {called} table: name one by --{called}"
        if table is None
        else f"columns: {', '.join(table.columns)}"
    )


def _name(inputs: Inputs) -> str:
    """The names of the systems as far as they were told; of many, the first."""
    names = [one.name or stem(one.path) for one in inputs.recommendations]
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")


def _counts(tables: Tables) -> str:
    lists, truth = tables.recommendations, tables.truth
    systems = f"{len(tables.systems)} system{'s' if len(tables.systems) > 1 else ''}"
    return f"{len(lists):,} recommendations of {systems}, {truth['user_id'].n_unique():,} users with held-out items"
