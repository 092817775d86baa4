"""Texts (later images) become vectors. The noun that leaves is `Vectors`."""

from equipoise.language.vectors import TextEncoder, Vectors

__all__ = ["TextEncoder", "Vectors"]
