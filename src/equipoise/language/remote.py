"""Embeddings from any server that speaks the OpenAI protocol."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import polars as pl
from pydantic import PositiveInt

from equipoise.component import Runtime
from equipoise.data import vocabulary as v
from equipoise.endpoint import Endpoint, EndpointError, RefusedError
from equipoise.endpoint.refusals import OF_ONE_REQUEST
from equipoise.language.pretrained import Embed, Pretrained
from equipoise.language.text import compose
from equipoise.language.vectors import Floats, Vectors

_BATCH: Final = 128  # texts in one request
_PROBE: Final = "item"  # a text that no server has a reason to refuse

log = logging.getLogger(__name__)


class Remote(Pretrained):
    """A model behind the endpoint that the environment names (see `Endpoint.from_environment`).

    Texts leave this machine. Vectors are what the server returns. A text that it refuses, being too long or stopped by
    a filter, costs itself alone: an item has no vector then, and is counted; a search says nothing.
    """

    name = "openai"
    argument: ClassVar[str] = "model"

    model: str = ""
    """Name of the model on the server."""
    dimensions: PositiveInt | None = None
    """Width to ask for, where the model has several."""
    max_characters: PositiveInt = 6_000
    """Only the first so many characters of a text are sent: about 8,000 tokens where a character is one or
    more."""

    def source(self) -> str:
        """Address of the server."""
        return Endpoint.from_environment().address

    def load(self, runtime: Runtime) -> Embed:
        """The endpoint; nothing is sent yet."""
        return _Asking(Endpoint.from_environment(), self.model, self.dimensions)

    def item_vectors(
        self,
        items: pl.DataFrame,
        text: Sequence[str],
        *,
        images: Sequence[str] = (),
        numeric: Sequence[str] = (),
        cache: Path | None = None,
        runtime: Runtime | None = None,
    ) -> Vectors:
        """Vectors of the items, see `encode_items`; those whose text is refused are absent, and counted."""
        found = super().item_vectors(
            items, text, images=images, numeric=numeric, cache=cache, runtime=runtime
        )
        spoken = compose(items, text).str.strip_chars().fill_null("") != ""
        heard = pl.Series(found.matrix.any(axis=1), dtype=pl.Boolean)
        refused = spoken & ~heard
        if not refused.any():
            return found
        account = {
            "modality": "text",
            "items": len(items),
            "with": int(heard.sum()),
            "refused": int(refused.sum()),
            "examples": [str(item) for item in items[v.ITEM].filter(refused).head(3)],
        }
        kept = ~refused
        return Vectors(found.ids.filter(kept), found.matrix[kept.to_numpy()], found.encoder, (account,))


@dataclass
class _Asking:
    """Asks for vectors, and where texts are refused together, for those of halves, down to single texts.

    Attributes:
        endpoint: What is asked.
        model: Name of the model.
        dimensions: Width to ask for; None as the model has it.
        width: Of the vectors so far; None before the first.
    """

    endpoint: Endpoint
    model: str
    dimensions: int | None
    width: int | None = field(default=None, init=False)

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Vectors of texts; zeros for those that are refused, of which a warning tells.

        Raises:
            EndpointError: if the server stays away, refuses whatever it is sent, or changes the width of its vectors.
            BudgetError: if the budget is used up.
        """
        found, refused = dict[int, Floats](), list[RefusedError]()
        for start in range(0, len(texts), _BATCH):
            self._ask(texts, range(start, min(start + _BATCH, len(texts))), found, refused)
        if refused:
            log.warning(
                "The server refuses %s of %s texts, which count as missing. Of the last one: %s",
                f"{len(refused):,}",
                f"{len(texts):,}",
                refused[-1].what,
            )
        rows = np.zeros((len(texts), self.width or 0), dtype=np.float32)
        for place, vector in found.items():
            rows[place] = vector
        return rows

    def _ask(
        self, texts: Sequence[str], places: range, found: dict[int, Floats], refused: list[RefusedError]
    ) -> None:
        try:
            vectors = self._vectors([texts[place] for place in places])
        except RefusedError as error:
            if error.status not in OF_ONE_REQUEST:
                raise
            if len(places) > 1:
                half = len(places) // 2
                self._ask(texts, places[:half], found, refused)
                self._ask(texts, places[half:], found, refused)
                return
            if self.width is None:
                self._probe(error)
            refused.append(error)
        else:
            found.update(zip(places, vectors, strict=True))

    def _probe(self, refusal: RefusedError) -> None:
        """Before anything was taken: whether the text is at fault, or how anything is asked.

        Raises:
            RefusedError: if the server refuses a plain word, too.
        """
        try:
            self._vectors([_PROBE])
        except RefusedError:
            raise refusal from None

    def _vectors(self, texts: list[str]) -> Floats:
        vectors = self.endpoint.embeddings(self.model, texts, dimensions=self.dimensions)
        if self.width not in (None, vectors.shape[1]):
            raise EndpointError(
                f"The server returned vectors of width {vectors.shape[1]} after some of width {self.width}",
                where=self.endpoint.address,
                todo="Check that the address leads to one model.",
            )
        self.width = vectors.shape[1]
        return vectors
