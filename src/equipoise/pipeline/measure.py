"""From lists and held-out events to numbers with intervals: what `metrics.json` holds."""

from __future__ import annotations
