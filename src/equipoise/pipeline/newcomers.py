"""What a run knows of newcomers: its model with a scorer by texts, and how far few clicks are to be trusted."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
import polars as pl

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.language import Vectors, encode_items
from equipoise.language.text import compose
from equipoise.models import Fitted
from equipoise.models.content import Content
from equipoise.models.histories import locate
from equipoise.models.newcomers.answerer import Answerer, reads, searched, text_vectors
from equipoise.models.newcomers.audience import Audience
from equipoise.models.newcomers.shrinkage import Shrinkage, learned
from equipoise.pipeline.encode import encode
from equipoise.pipeline.finished import FinishedRun
from equipoise.pipeline.held_out import held_out

_FILE = "newcomers-{stage}.json"  # what is learned about newcomers, in the folder of the run


def answerer_of(run: FinishedRun, stage: str, fitted: Fitted, model: Fitted, wish: str | None) -> Answerer:
    """The model with what is learned about newcomers.

    Texts are read only where they can matter: for a wish, or where a scorer by texts has a say, which is learned first.
    An encoder takes longer to load than all else together.

    Args:
        run: A finished run.
        stage: A stage whose model the run holds.
        fitted: That model, as training left it.
        model: The same, knowing the validation events.
        wish: What is wished for, in words; None for nothing.
    """
    train, shrinkage = run.prepared.train, _kept(run, stage)
    read = (
        train.items is not None
        and bool(train.text)
        and (wish is not None or shrinkage is None or shrinkage.text > 0)
    )
    texts = _scorer(run, model) if read else None
    words = None
    if read and wish is not None:
        from equipoise.models.newcomers.words import Words

        words = Words.of(_lines(train, model.catalogue.items))
    return Answerer(model, shrinkage or _learned(run, stage, fitted, texts), texts, words)


def _lines(train: Dataset, items: pl.Series) -> list[str]:
    """The texts of items; empty for those without."""
    assert train.items is not None
    rows = pl.Series(locate(train.items[v.ITEM], items)).replace(-1, None)
    return compose(train.items, train.text).gather(rows).fill_null("").to_list()


def _scorer(run: FinishedRun, model: Fitted) -> Fitted | None:
    """A scorer by texts, for a model that reads none itself."""
    train, items = run.prepared.train, model.catalogue.items
    vectors = text_vectors(model) or encode(run.config, train, run.runtime())
    if vectors is None or vectors.encoder is None:  # vectors from a file: nothing there reads a wish
        vectors = encode_items(train.items, train.text)
    sample = next((line for line in _lines(train, items) if line), "")
    if vectors.encoder is None or reads(model, searched(sample, model.catalogue)):
        return None
    matrix, present = vectors.aligned(items)  # a correction may have changed what the model knows
    content = Content().fit(train, vectors=vectors)
    return replace(
        content,
        catalogue=model.catalogue,
        texts=Vectors(items, matrix, vectors.encoder),
        present=present & matrix.any(axis=1),
    )


def _kept(run: FinishedRun, stage: str) -> Shrinkage | None:
    """What was learned about newcomers before; None where nothing was, or of other settings."""
    name = _FILE.format(stage=stage)
    kept = run.folder.read_json(name) if (run.folder.path / name).is_file() else {}
    same = kept.get("config_sha256") == run.folder.manifest["config_sha256"]
    return Shrinkage.from_dict(kept["shrinkage"]) if same else None


def _learned(run: FinishedRun, stage: str, model: Fitted, texts: Fitted | None) -> Shrinkage:
    """How far few clicks are to be trusted, kept in the folder of the run."""
    train = run.prepared.train
    popular = np.log(Audience.of(train, model.catalogue).share).astype(np.float32)
    valid = held_out(run.prepared.valid, (train,), run.config.audit)
    shrinkage = learned(model, valid, popular, texts, run.runtime())
    kept = {"config_sha256": run.folder.manifest["config_sha256"], "shrinkage": shrinkage.as_dict()}
    with suppress(OSError):  # a folder that may only be read: it is learned again next time
        run.folder.write_json(_FILE.format(stage=stage), kept)
    return shrinkage
