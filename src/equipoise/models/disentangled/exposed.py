"""How popular each item of a catalogue is: with the logger where impressions say so, else with users."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.models.histories import Catalogue, locate


def popularity(data: Dataset, catalogue: Catalogue) -> NDArray[np.float64]:
    """Impressions per item, or events of taste in a log without impressions, shape (items,).

    Events hold liking as well as exposure: what corrects by them takes away some of what all users like.
    """
    if v.EVENT in data.events.columns:
        shown = data.events.filter((pl.col(v.EVENT) == v.IMPRESSION) & pl.col(v.ITEM).is_not_null())
        if len(shown):
            rows = locate(catalogue.items, shown[v.ITEM])
            return np.bincount(rows[rows >= 0], minlength=len(catalogue.items)).astype(np.float64)
    return catalogue.item_counts.astype(np.float64)
