"""What corrections have in common that put a model of their own in the place of matrix factorisation."""

from __future__ import annotations

from typing import Any

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.models.mf import MF
from equipoise.models.recommender import Recommender

_CORRECTING = frozenset({"causal_vae", "dice", "esmm", "invariant", "macr"})


def replaced(recommender: Recommender) -> str | None:
    """That this model is itself a correction, in a sentence; None where it is not."""
    if recommender.name not in _CORRECTING:
        return None
    return (
        f"the model '{recommender.name}' is a correction itself, or has taken the place of yours already; one model "
        "cannot be both."
    )


def in_the_way(recommender: Recommender) -> str | None:
    """Why another model cannot take this one's place, in a sentence; None where it can."""
    if (reason := replaced(recommender)) is not None:
        return reason
    if type(recommender) is not MF:
        return f"it takes the place of matrix factorisation; '{recommender.name}' is no model of that kind."
    if recommender.loss == "rating":
        return "it explains what was taken; a loss of ratings learns values."
    if recommender.attributes != "none":
        return "it has no factors for attributes, and the model reads some."
    return None


def carried(recommender: Recommender, kind: type[Recommender], *but: str) -> dict[str, Any]:
    """The settings of matrix factorisation that its replacement goes on with.

    Args:
        recommender: The model that is replaced.
        kind: What replaces it.
        but: Settings that are the replacement's own.
    """
    shared = set(type(recommender).model_fields) & set(kind.model_fields) - {"loss", "attributes", *but}
    return {name: getattr(recommender, name) for name in sorted(shared)}


def counted(data: Dataset) -> str:
    """What these models count popularity by in this log."""
    events = data.events
    shown = v.EVENT in events.columns and bool((events[v.EVENT] == v.IMPRESSION).any())
    return "impressions" if shown else "positives"


BY_EVENTS = (
    "The log has no impressions, so that popularity is counted by events: what all users like is taken away with what "
    "all were shown."
)
