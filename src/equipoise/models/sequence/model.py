"""The sequence model as a component. Torch is imported when it is needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, PositiveInt, model_validator

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.errors import MissingExtraError, ModelError
from equipoise.language.vectors import Vectors
from equipoise.models.histories import Catalogue
from equipoise.models.optimised import Optimised, validation
from equipoise.models.sequence.fitted import FittedSequence, network_of
from equipoise.models.sequence.text import TextSpace
from equipoise.models.sequence.transfer import begin_from
from equipoise.models.sequence.windows import Tokens, batches
from equipoise.models.training import Training


class Sequence(Optimised):
    """A causal transformer over the user's history (Kang and McAuley 2018, SASRec) trained on every next
    item.

    With text, an item is its learned vector plus a projection of its text vector, and a search is a step
    made of its query alone. With text alone, nothing belongs to a single item, so that the network can be used on
    another catalogue: as it is, or to begin training from. Defaults are tuned on ML-1M.
    """

    name: ClassVar[str] = "sequence"

    width: PositiveInt = 64
    """Numbers per item vector and per hidden state."""

    blocks: PositiveInt = 2
    """Layers of attention."""

    heads: PositiveInt = 1
    """Attention heads per layer; must divide `width`."""

    inner: PositiveInt = 1
    """Width of the position-wise network, in multiples of `width`."""

    length: PositiveInt = 200
    """Steps of the history that are looked at, the most recent ones."""

    dropout: float = Field(0.2, ge=0, lt=1)
    """Share of numbers zeroed in training, met to 1/256."""

    loss: Literal["softmax", "sampled_softmax", "gbce"] = "softmax"
    """Against all items, or against `negatives` drawn per batch."""

    text: Literal["add", "alone", "none"] = "add"
    """`add`: text vectors are read beside what is learned of each item, where the items have some; `alone`: in place of
    it; `none`: not at all."""

    adaptor: PositiveInt = 128
    """Inner width of the network that reads text vectors beside their projection, where `text = "alone"`."""

    start: Path | None = None
    """Folder of a run, or of a saved model, whose network training begins from: one with `text = "alone"`, of any
    catalogue whose texts the same encoder read. With `epochs = 0` it is used as it is."""

    id_dropout: float = Field(0.1, ge=0, lt=1)
    """Share of items that go without their learned part in a step, so that text alone learns to do."""

    batch_places: PositiveInt = 1600
    """Size of a batch: windows times their length."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"{self.heads} heads do not divide a width of {self.width}")
        if self.start is not None and self.text != "alone":
            raise ValueError(
                '`start` needs text = "alone": what is learned of single items is of no use elsewhere'
            )
        return self

    @property
    def batch_rows(self) -> int:
        """Places per batch."""
        return self.batch_places

    @classmethod
    def fitted(cls) -> type[FittedSequence]:
        """The class of what `fit` returns."""
        return FittedSequence

    def fit(
        self,
        data: Dataset,
        *,
        valid: Dataset | None = None,
        vectors: Vectors | None = None,
        training: Training | None = None,
        runtime: Runtime | None = None,
    ) -> FittedSequence:
        """Fit to `data`; see `Recommender.fit`.

        Raises:
            ModelError: if there is nothing to learn from, a weight is unusable, the loss overflows, or text is all
                there is to read and no item has one; if what `start` names does not fit.
            MissingExtraError: if torch is not installed.
        """
        try:
            from equipoise.models import loop
            from equipoise.models.filtered import Filtered
        except ModuleNotFoundError as error:
            raise MissingExtraError("torch", extra="llm", purpose="The model 'sequence'") from error
        runtime, training = runtime or Runtime(), training or Training()
        catalogue, histories = self.begin(data, training)
        read = None if self.text == "none" else vectors
        space = self.space(read, catalogue)
        queries = None if space is None else space.queries(histories.texts)
        network = network_of(self, catalogue, space, queries, runtime, training.offset)
        begun = None if self.start is None or read is None else begin_from(self.start, self, network, read)
        tokens = Tokens.of(histories, len(catalogue.items), queries is not None, training.offset)
        model = FittedSequence(
            config=self,
            catalogue=catalogue,
            histories=histories,
            network=network,
            text_vectors=read,
            text_centre=None if space is None else space.centre,
        )
        rule = training.filter
        if rule is not None:
            network.filtered = Filtered(rule.groups(catalogue.users), self.width)
        check = None if valid is None else validation(valid, catalogue, self, runtime)
        before = None if check is None or begun is None else check(replace(model))
        log = loop.optimise(
            network,
            self,
            lambda rng: batches(tokens, self.length, self.batch_places, rng),
            training=training,
            runtime=runtime,
            validate=None if check is None else lambda: check(replace(model)),
            refilter=None
            if rule is None
            else lambda: network.refilter(rule, replace(model).unfiltered(histories)),
            origin=(
                catalogue,
                histories,
                None if read is None else (read.ids, read.matrix),
                None if valid is None else valid.positives,
                *([] if begun is None else [begun]),
            ),
        )
        rows = [(one.loss, one.seconds, one.validation) for one in log]
        if begun is not None and before is not None:
            if not any(before < value for *_, value in rows):
                loop.set_parameters(network, begun)
            rows.insert(0, (np.nan, 0.0, before))
        network.eval()
        return replace(model, log=np.array(rows, dtype=np.float64).reshape(-1, 3))

    def space(self, vectors: Vectors | None, catalogue: Catalogue) -> TextSpace | None:
        """The text vectors of a catalogue as the network reads them; None where it reads none.

        Raises:
            ModelError: if text is all there is to read, and no item has one.
        """
        space = None if vectors is None else TextSpace.of(vectors, catalogue.items)
        if self.text == "alone" and (space is None or not space.items.any()):
            raise ModelError(
                "A sequence model with text alone needs text vectors of the items, and there are none",
                where=f"{len(catalogue.items)} items",
                todo="Give an encoder and items with texts, whose ids are those of the events.",
            )
        return space
