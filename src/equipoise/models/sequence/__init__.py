"""A causal transformer over histories of items and searches."""

from equipoise.models.sequence.model import FittedSequence, Sequence

__all__ = ["FittedSequence", "Sequence"]
