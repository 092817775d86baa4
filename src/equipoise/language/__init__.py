"""Texts, pictures and quantities become vectors. The noun that leaves is `Vectors`."""

from equipoise.language.encoders import (
    ENCODERS,
    Encoder,
    FittedEncoder,
    SentenceEncoder,
    encode_items,
    encoder,
    load_encoder,
)
from equipoise.language.text import compose
from equipoise.language.vectors import TextEncoder, Vectors

__all__ = [
    "ENCODERS",
    "Encoder",
    "FittedEncoder",
    "SentenceEncoder",
    "TextEncoder",
    "Vectors",
    "compose",
    "encode_items",
    "encoder",
    "load_encoder",
]
