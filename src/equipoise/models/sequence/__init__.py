"""A causal transformer over histories of items and searches."""

from equipoise.models.sequence.fitted import FittedSequence
from equipoise.models.sequence.model import Sequence

__all__ = ["FittedSequence", "Sequence"]
