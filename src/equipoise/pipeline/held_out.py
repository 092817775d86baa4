"""Which held-out events count: one rule for early stopping, calibration, search and measuring."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from equipoise.config import AuditSection
from equipoise.data import Dataset
from equipoise.data import vocabulary as v

_PAIR = [v.USER, v.ITEM]


def held_out(part: Dataset, earlier: Sequence[Dataset], audit: AuditSection) -> Dataset:
    """The relevant events of a part, each pair of user and item once.

    Relevant are positive events, from `audit.relevant` on where that is set, of items the user did not have
    before where `audit.exclude_seen` says so.

    Args:
        part: Valid or test.
        earlier: The parts that came before it.
        audit: What counts.
    """
    events = part.positives
    if audit.relevant is not None:
        events = events.filter(pl.col(v.VALUE) >= audit.relevant)
    if audit.exclude_seen:
        seen = pl.concat([one.positives.select(_PAIR) for one in earlier]).unique()
        events = events.join(seen, on=_PAIR, how="anti", maintain_order="left")
    return part.with_events(events.unique(_PAIR, keep="first", maintain_order=True))
