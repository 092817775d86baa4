"""Words as people write them in tables: kinds of events, and ids that are none."""

from __future__ import annotations

from typing import Final

import polars as pl

from equipoise.data import vocabulary as v

_KINDS: Final = {
    v.IMPRESSION: "impressions show shown exposure expose display displayed imp",
    v.SEARCH: "searches query queries",
    v.CLICK: "clicks clicked",
    v.PURCHASE: "purchases buy bought order orders transaction",
    v.VIEW: "views viewed pageview page_view",
    v.RATING: "ratings rate rated",
}
_SYNONYMS: Final = {word: kind for kind, words in _KINDS.items() for word in words.split()}
_NO_ID: Final = ("", "null", "none", "nan", "n/a", "na")


def kinds(column: pl.Series) -> pl.Series:
    """Kinds of events in the vocabulary's words: ` Shown` is an `impression`; unknown words stay, in lower case.

    A kind that is told wrongly would count as taste, so that being shown an item would mean liking it.
    """
    words = column.cast(pl.String).str.strip_chars().str.to_lowercase()
    return words.set(words == "", None).replace(_SYNONYMS)


def ids(column: pl.Series) -> pl.Series:
    """Ids with null for words that say there is none (`NULL`, `n/a`, nothing), in whatever case."""
    if column.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return column
    text = column.cast(pl.String)
    return text.set(text.str.strip_chars().str.to_lowercase().is_in(_NO_ID), None)
