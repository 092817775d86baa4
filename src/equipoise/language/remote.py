"""Embeddings from any server that speaks the OpenAI protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import PositiveInt

from equipoise.component import Runtime
from equipoise.endpoint import Endpoint
from equipoise.language.pretrained import Embed, Pretrained
from equipoise.language.vectors import Floats


class Remote(Pretrained):
    """A model behind the endpoint that the environment names (see `Endpoint.from_environment`).

    Texts leave this machine. Vectors are what the server returns.
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
        endpoint = Endpoint.from_environment()

        def embed(texts: Sequence[str]) -> Floats:
            return endpoint.embeddings(self.model, texts, dimensions=self.dimensions)

        return embed
