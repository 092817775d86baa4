"""Items and people of a finished run described in words, from its training part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.component import Runtime
from equipoise.copywriting.lexicon import lexicon
from equipoise.copywriting.tokens import normal, tokens
from equipoise.data import vocabulary as v
from equipoise.errors import DataError, EquipoiseError
from equipoise.language.cache import cache_folder
from equipoise.language.generators import Writer
from equipoise.language.generators.prompt import Language, Prompt, delimited
from equipoise.language.profiles import Profiles, Who, describe_items, describe_users
from equipoise.pipeline.finished import FinishedRun
from equipoise.pipeline.folder import content_hash, write_whole


def describe(
    run: FinishedRun,
    who: Who,
    writer: Writer,
    *,
    lang: Language = "en",
    limit: int | None = None,
    force: bool = False,
    runtime: Runtime | None = None,
) -> tuple[Profiles, dict[str, Any]]:
    """Describe items or people, and write `profiles/<who>.parquet` and `profiles/<who>.json` into the run's folder.

    `profiles/items.parquet` is the items table with the column `profile` added, so that a run whose `[data] items`
    names it can name `profile` among its text columns. `profiles/users.parquet` holds `user_id` and `profile`: it is
    as confidential as the histories; a text that names a trait of the person (age, gender, origin, health, belief)
    which nothing in their history names is left out, and counted. What was written once is not asked for again: texts
    about items are kept in the cache folder of this machine, those about people in the run's folder alone.

    Args:
        run: A finished run; only its training part is looked at.
        who: `items` or `users`.
        writer: Who writes.
        lang: Language to write in.
        limit: How many, the most taken or most active in training first; None for all.
        force: Whether to replace descriptions that were made by other settings.
        runtime: Whether progress is shown.

    Returns:
        The descriptions, and what the JSON file says of them.

    Raises:
        DataError: if the run has no items table or nothing that names an item, or files cannot be written.
        EquipoiseError: if other settings made what is there, if not one text could be written, or the generator stopped
            early (a server stays away, the budget is used up); what was written until then is kept.
        ModelError: if the generator's model cannot be loaded.
    """
    train, title, runtime = run.prepared.train, run.title_column, runtime or run.runtime()
    if train.items is None or title is None:
        raise DataError(
            "Nothing names the items of this run, so nothing can be described",
            where="no items table" if train.items is None else f"columns: {', '.join(train.items.columns)}",
            todo="Name the text columns under [data] text.",
        )
    folder = run.folder.path / "profiles"
    if not force:
        _protect(folder, who, writer, lang, limit)
    if who == "items":
        kept = cache_folder() / "profiles"
        found = describe_items(train, title, writer, cache=kept, lang=lang, limit=limit, runtime=runtime)
        described = found.table.select(v.ITEM, "profile")
        base = train.items.drop("profile", strict=False)
        table = base.join(described, on=v.ITEM, how="left", maintain_order="left")
    else:
        found = describe_users(
            train, title, writer,
            cache=folder / "kept", lang=lang, limit=limit, review=_who_they_are, runtime=runtime,
        )  # fmt: skip
        table = found.table.select(v.USER, "profile")
    account = _account(found, writer, lang, limit, content_hash(train.events))
    _write(folder, who, table, account)
    if found.stopped is not None:
        raise EquipoiseError(
            f"{found.stopped.what.rstrip('.')}; {account['described']:,} of {account['wanted']:,} {who} are described",
            where=str(folder / f"{who}.parquet"),
            todo="Run the same command again to go on from there.",
        ) from found.stopped
    if not account["described"] and found.faults:
        fault, count = next(iter(found.faults.items()))
        raise EquipoiseError(
            f"Not one of {len(found.table):,} {who} could be described: {fault} ({count:,} times)"
        )
    return found, account


def _account(found: Profiles, writer: Writer, lang: str, limit: int | None, train: str) -> dict[str, Any]:
    """What is to be known of descriptions."""
    return {
        "who": found.who,
        "generator": _generator(writer),
        "lang": lang,
        "limit": limit,
        "train_sha256": train,
        "wanted": len(found.table),
        "described": int(found.table["profile"].is_not_null().sum()),
        "questions": {"answered_now": found.written, "answered_before": found.kept},
        "faults": found.faults,
        "withheld_texts": found.withheld,
        "withheld_items": [item if isinstance(item, int) else str(item) for item in found.withheld_items],
        "spent": writer.spent(),
        "complete": found.stopped is None,
    }


def _generator(writer: Writer) -> dict[str, Any]:
    return {**writer.config.describe(), "identity": writer.identity}


def _protect(folder: Path, who: Who, writer: Writer, lang: str, limit: int | None) -> None:
    """Refuse to replace what another generator, another language or a larger limit made.

    Raises:
        EquipoiseError: if that would be lost, or nothing says how it was made.
    """
    if not (folder / f"{who}.parquet").exists():
        return
    try:
        made = json.loads((folder / f"{who}.json").read_text("utf-8"))
        before = {"generator": made["generator"], "lang": made["lang"]}
        fewer = limit is not None and (made["limit"] is None or limit < made["limit"])
    except (OSError, ValueError, KeyError, TypeError):
        before, fewer = {}, False
    now = {"generator": json.loads(json.dumps(_generator(writer))), "lang": lang}
    if before == now and not fewer:
        return
    other = [name for name in now if before.get(name) != now[name]] + ["limit"] * fewer
    raise EquipoiseError(
        f"The folder holds descriptions of {who} made by other settings: {', '.join(other)}",
        where=str(folder / f"{who}.parquet"),
        todo="Move them away, or replace them by --force.",
    )


def _who_they_are(prompt: Prompt, text: str) -> str | None:
    """What is wrong with a text about a person's taste: that it says who the person is."""
    traits = lexicon(prompt.lang).traits
    sizes = set(map(len, traits))

    def named(said: str) -> frozenset[tuple[str, ...]]:
        norms = [token.norm for token in tokens(normal(said))]
        spans = (norms[start : start + size] for size in sizes for start in range(len(norms)))
        return traits & frozenset(map(tuple, spans))

    return "the text says who the person is" if named(text) - named(delimited(prompt.data)) else None


def _write(folder: Path, who: Who, table: pl.DataFrame, account: dict[str, Any]) -> None:
    """Both files, each whole or not at all."""
    text = json.dumps(account, indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(folder / f"{who}.parquet", table.write_parquet)
    write_whole(folder / f"{who}.json", lambda draft: draft.write_text(text, "utf-8"))
