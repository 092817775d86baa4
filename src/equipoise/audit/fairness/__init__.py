"""Groups of users: metrics, gaps, tests and verdicts. `FairnessFrame` is the noun that leaves this folder."""

from equipoise.audit.fairness.frame import FairnessFrame
from equipoise.audit.fairness.inputs import Note

__all__ = ["FairnessFrame", "Note"]
