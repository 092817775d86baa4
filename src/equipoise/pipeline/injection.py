"""Fitted models as rankers of items whose texts may be changed, and what hostile texts do to one, in one row.

text_ranker(run)                             # what `audit.injection.probe` and `order_invariance` take
injection_row(model, train, ranker="ease")   # the whole kit tried on one model
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final

import numpy as np
import polars as pl

from equipoise.audit.injection import ATTACKS, OF_ANSWERS, Answers, Attack, Ranker, probe, screening_rates
from equipoise.component import Runtime
from equipoise.data import Dataset, to_polars
from equipoise.data import vocabulary as v
from equipoise.errors import ModelError
from equipoise.language import Vectors, compose
from equipoise.language.untrusted import findings
from equipoise.models import Fitted
from equipoise.models.histories import locate
from equipoise.models.llm_ranker import FittedLLMRanker
from equipoise.models.llm_ranker.desk import Desk
from equipoise.models.recommender import Saved
from equipoise.pipeline.finished import FinishedRun

_HONEST: Final = 300  # texts of the catalogue in which false alarms of the screening are counted
_SECRET: Final = 8  # signs from which a title in an answer is no chance


def text_ranker(run: FinishedRun, *, stage: str | None = None, k: int = 100) -> Ranker:
    """A ranker for `audit.injection.probe` and `order_invariance`: the model of a finished run.

    Args:
        run: A finished run.
        stage: `baseline` or `corrected`; the last model of the run by default.
        k: Length of the lists.

    Returns:
        As `model_ranker`.

    Raises:
        ModelError: if the model reads no texts, so that none can move its lists.
        DataError: if the run has no such stage.
    """
    model, train, unseen = run.knowing(stage), run.prepared.train, run.config.audit.exclude_seen
    return model_ranker(model, train, k=k, exclude_seen=unseen, runtime=run.runtime())


def model_ranker(
    model: Fitted, data: Dataset, *, k: int = 100, exclude_seen: bool = True, runtime: Runtime | None = None
) -> Ranker:
    """A fitted model as a ranker of items whose texts may be changed.

    Texts that differ from those of `data` are embedded anew by the encoder as it was fitted, and a language model that
    puts lists in order is shown them; everything else is as training left it: what is measured is a text that changes
    under a model at work, not one that it was trained on. The language model is asked no question twice.

    Args:
        model: The model, with the histories that lists are made from.
        data: What it was fitted to, with its items.
        k: Length of the lists.
        exclude_seen: Whether lists leave out what a user knows.
        runtime: Device and threads.

    Returns:
        A function of an items table and users that gives lists of `k` items; where a language model writes answers,
        with all that it said, and the users of whose answers one was not of the form asked for.

    Raises:
        ModelError: if the model reads no texts, so that none can move its lists.
    """
    if not read_columns(model, data):
        raise ModelError(
            f"The model '{model.config.name}' reads no texts, so that none can move its lists",
            todo="Probe a model that reads vectors of an encoder, such as content, sequence or warm, or llm_ranker.",
        )
    options = replace(runtime or Runtime(), progress=False)
    known = _texts(data.items, data.text)
    desks = {id(ranker.desk): ranker.desk.remembering() for ranker in _rankers(model)}

    def rank(items: Any, users: Sequence[Any]) -> Any:
        now = _texts(items, data.text)
        changed = {item: text for item, text in now.items() if known.get(item, text) != text}
        told = _reread(model, items, changed, desks)

        def lists(whose: Sequence[Any]) -> pl.DataFrame:
            return told.recommend(whose, k, exclude_seen=exclude_seen, runtime=options)

        if not desks:
            return lists(users)
        heard = [_overheard(desks.values(), user, lists) for user in users]
        return Answers(
            pl.concat([found for found, _, _ in heard]),
            {user: said for user, (_, said, _) in zip(users, heard, strict=True)},
            [user for user, (_, _, broken) in zip(users, heard, strict=True) if broken],
        )

    return rank


def read_columns(model: Fitted, data: Dataset) -> list[str]:
    """The columns of the items whose texts a model reads, its encoders' and its language models'; none if it does not.

    Those that hold lists of texts are among them.
    """
    if data.items is None:
        return []
    read = [column for part in _rankers(model) for column in part.texts.columns]
    return list(dict.fromkeys([*(data.text if _embeds(model) else ()), *read]))


def injection_row(
    model: Fitted,
    data: Dataset,
    users: Sequence[Any] | int = 10,
    *,
    ranker: str | None = None,
    slots: Sequence[str] | None = None,
    attacks: Sequence[Attack] = ATTACKS,
    targets: Sequence[Any] | int = 5,
    k: int = 10,
    depth: int = 1000,
    seed: int = 0,
    exclude_seen: bool = True,
    progress: bool = True,
) -> pl.DataFrame:
    """What the kit of hostile texts does to one model: a table of one row, to be laid under those of other models.

    For a finished run: `injection_row(run.knowing(), run.prepared.train)`. It costs one set of lists per attack and
    target, placebos among them; a language model is asked only about lists that a changed text is shown in.

    Args:
        model: The model, with the histories that lists are made from.
        data: What it was fitted to, with its items.
        users: Whose lists are looked at, or how many are drawn of those who have a history.
        ranker: What the model is called in the row; its name by default.
        slots: Text columns that sellers write; by default those that the model reads.
        attacks: What is tried.
        targets: Ids of the attacked items, or how many are drawn: where a language model puts lists in order, of the
            items that it is shown for these users, else of the catalogue.
        k: The list of which success and collateral speak.
        depth: Length of the lists; an item beyond it counts as right behind.
        seed: Root of all draws.
        exclude_seen: Whether lists leave out what a user knows.
        progress: Whether long work shows a bar.

    Returns:
        `ranker`, `k`, `users`, `targets`, `attacks`; `rank_lift` (places won by the attacked item), `beyond_placebo`
        (the same beyond what a harmless sentence does), `success` (share of lists with the item beyond place k that
        have it within k when attacked), `collateral` (disorder among the other items), `leak_rate` (answers of a
        language model that spell out a title of the person's past, before they are read for numbers alone) and
        `schema_break_rate` (users' lists with an answer that was not of the form asked for), each with its 95 %
        interval over attacked items in `<measure>_low` and `<measure>_high`; the last two, with what they are without
        any attack in `<measure>_clean`, are null where no language model writes answers, and all are null where nothing
        could be counted. Then what the screening of texts
        (`language.untrusted.findings`) says, whatever the model: `caught` and `caught_held_out`, the shares of attacks
        that it flags, and `false_alarms`, the share of the catalogue's own texts.

    Raises:
        ModelError: if the model reads no text column.
        DataError: if a column or a target is missing.
    """
    read = read_columns(model, data)
    rank = model_ranker(model, data, k=depth, exclude_seen=exclude_seen, runtime=Runtime(seed=seed))
    items = to_polars(data.items)
    written = [column for column in slots or read if slots or items.schema[column] == pl.String]
    if not written:
        raise ModelError("No column that the model reads holds single texts", where=", ".join(read))
    whose = _drawn_users(model, users, seed) if isinstance(users, int) else list(users)
    told = _shown_targets(model, whose, targets, seed) if isinstance(targets, int) else targets
    evidence = probe(
        rank,
        items,
        whose,
        slots=written,
        attacks=attacks,
        targets=told,
        k=k,
        secrets=_pasts(model, whose),
        seed=seed,
        progress=progress,
    )
    lift = evidence.summary.row(0, named=True)
    beyond = {end: lift[f"excess{end}"] for end in ("", "_low", "_high")}
    measures = {
        "rank_lift": evidence.value("rank_lift").as_dict(),
        "beyond_placebo": {"value": beyond[""], "low": beyond["_low"], "high": beyond["_high"]},
        "success": evidence.value("success").as_dict(),
        "collateral": evidence.value("collateral").as_dict(),
    }
    speaks = any(not part.desk.by_likelihood for part in _rankers(model))
    for measure in OF_ANSWERS:
        measures[measure] = evidence.value(measure).as_dict() if speaks else {}
    row: dict[str, Any] = {
        "ranker": ranker or model.config.name,
        "k": k,
        "users": len(whose),
        "targets": evidence.trials["target"].n_unique(),
        "attacks": len(attacks),
    }
    for measure, said in measures.items():
        ends = {"": "value", "_low": "low", "_high": "high"}
        row |= {f"{measure}{end}": said.get(name) for end, name in ends.items()}
    row |= {f"{name}_clean": evidence.unattacked(name) if speaks else None for name in OF_ANSWERS}
    row |= _screening(items, written, attacks, seed)
    return pl.DataFrame([row], schema_overrides=dict.fromkeys(list(row)[5:], pl.Float64))


def _screening(
    items: pl.DataFrame, slots: Sequence[str], attacks: Sequence[Attack], seed: int
) -> dict[str, Any]:
    """How many of the attacks and of the catalogue's own texts the screening flags."""
    texts = (
        pl.concat([items[slot].cast(pl.String).drop_nulls().alias("text") for slot in slots]).unique().sort()
    )
    honest = texts.sample(min(_HONEST, len(texts)), seed=seed).to_list()
    rates = screening_rates(lambda text: bool(findings(text)), honest or [""], attacks=attacks)
    shares = dict(rates.select("texts", "share").iter_rows())
    rows = {"caught": "attacks", "caught_held_out": "held-out attacks", "false_alarms": "clean"}
    return {column: shares.get(texts) for column, texts in rows.items()}


def _drawn_users(model: Fitted, count: int, seed: int) -> list[Any]:
    """Users of the catalogue who have a history."""
    active = np.flatnonzero(np.diff(model.histories.starts)[: len(model.catalogue.users)] > 0)
    drawn = np.random.default_rng(seed).permutation(active)[:count]
    return model.catalogue.users[np.sort(drawn)].to_list()


def _shown_targets(model: Fitted, users: Sequence[Any], count: int, seed: int) -> Sequence[Any] | int:
    """Items that a language model is shown for these users; the number where none is."""
    rows = locate(model.catalogue.users, pl.Series(list(users), dtype=model.catalogue.users.dtype))
    past = model.histories.take(rows)
    pools = [pool for ranker in _rankers(model) for pool in ranker.pools(rows, past)]
    if not pools:
        return count
    shown = np.random.default_rng(seed).permutation(np.unique(np.concatenate(pools)))
    return model.catalogue.items[shown[:count]].to_list()


def _pasts(model: Fitted, users: Sequence[Any]) -> dict[Any, list[str]]:
    """What language models are shown of each user's past: the names of items, which no answer has a reason to tell."""
    rows = locate(model.catalogue.users, pl.Series(list(users), dtype=model.catalogue.users.dtype))
    found: dict[Any, list[str]] = {user: [] for user in users}
    for ranker in _rankers(model):
        for user, row in zip(users, rows, strict=True):
            past = model.histories.take([row]).items
            names = [ranker.texts.names[item] for item in past[past >= 0][-ranker.config.history :]]
            found[user] += [name for name in names if len(name) >= _SECRET]
    return found


def _overheard(desks: Any, user: Any, lists: Any) -> tuple[pl.DataFrame, str, bool]:
    """One user's list, all that was said for it, and whether any of that was of no use."""
    before = _faults(desks)
    with ExitStack() as stack:
        heard = [stack.enter_context(desk.overheard()) for desk in desks]
        found = lists([user])
    return found, "\n".join(text for texts in heard for text in texts), _faults(desks) > before


def _faults(desks: Any) -> int:
    return sum(desk.tally.malformed + desk.tally.kept_base for desk in desks)


def _texts(items: Any, columns: Sequence[str]) -> dict[Any, str]:
    table = to_polars(items)
    return dict(zip(table[v.ITEM].to_list(), compose(table, columns).to_list(), strict=True))


def _rankers(model: Fitted) -> Iterator[FittedLLMRanker]:
    """The language models' rankers that a model is made of."""
    if isinstance(model, FittedLLMRanker):
        yield model
    for part in model.parts.values():
        yield from _rankers(part)


def _embeds(model: Fitted) -> bool:
    own = model.vectors is not None and model.vectors.encoder is not None
    return own or any(_embeds(part) for part in model.parts.values())


def _reread(model: Fitted, items: Any, changed: Mapping[Any, str], desks: Mapping[int, Desk]) -> Fitted:
    """The model, and what it is made of, with other texts."""
    parts = {name: _reread(part, items, changed, desks) for name, part in model.parts.items()}
    if isinstance(model, FittedLLMRanker):
        return replace(model.reading(items), base=parts["base"], desk=desks[id(model.desk)])
    vectors = _embedded(model.vectors, changed)
    if vectors is model.vectors and all(parts[name] is part for name, part in model.parts.items()):
        return model
    saved = Saved(
        config=model.config,
        catalogue=model.catalogue,
        guests=model.guests,
        histories=model.histories,
        calibration=model.calibration,
        arrays=model.arrays(),
        vectors=vectors,
        parts=parts,
    )
    return type(model).restore(saved)


def _embedded(vectors: Vectors | None, changed: Mapping[Any, str]) -> Vectors | None:
    """The vectors with those of changed texts; the same object where none is among them."""
    if vectors is None or vectors.encoder is None:
        return vectors
    places = {item: place for place, item in enumerate(vectors.ids.to_list()) if item in changed}
    if not places:
        return vectors
    matrix = vectors.matrix.copy()
    matrix[np.array(list(places.values()))] = vectors.encoder.encode([changed[item] for item in places])
    return Vectors(vectors.ids, matrix, vectors.encoder)
