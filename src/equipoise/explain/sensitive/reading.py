"""What models read of users beside their history, and how they answer when that is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch

import numpy as np
import polars as pl

from equipoise.data import Dataset
from equipoise.models.attributes import Choice, attributes
from equipoise.models.histories import Histories
from equipoise.models.recommender import Fitted
from equipoise.models.sequence.fitted import FittedSequence
from equipoise.models.vae.causal_vae import FittedCausalVAE
from equipoise.models.vae.context import told


def read_of_users(model: Fitted, data: Dataset) -> frozenset[str]:
    """Columns of the users that a model, or a part of it, reads as attributes."""
    choice: Choice
    own: Sequence[str] = ()
    if isinstance(model, FittedCausalVAE):
        choice = model.config.context
        own = () if choice == "none" else told(data, model.catalogue, choice).columns
    elif (choice := getattr(model.config, "attributes", "none")) != "none":
        own = attributes(data, model.catalogue, choice)[0].columns
    return frozenset(own).union(*(read_of_users(part, data) for part in model.parts.values()))


def reads_exposure(model: Fitted) -> bool:
    """Whether a model, or a part of it, reads what was shown to the user."""
    if isinstance(model, FittedCausalVAE) and model.context.shown is not None:
        return True
    return any(reads_exposure(part) for part in model.parts.values())


def keeps_something(model: Fitted, user: int, pasts: Histories) -> bool:
    """Whether a model answers a user of training otherwise than somebody new with the same history.

    Args:
        model: Any model.
        user: Catalogue row.
        pasts: Histories to ask with, among them one that training has not seen: what a model keeps may be just what it
            would make of the history that it was trained on.
    """
    own, new = (model.score(np.full(len(pasts), whom), pasts) for whom in (user, -1))
    return bool((own != new).any())


def filters_by_group(model: Fitted) -> bool:
    """Whether the answer goes through a map that depends on the group of the user."""
    if isinstance(model, FittedSequence) and model.network.filtered is not None:
        return len(model.network.filtered.matrices) > 1
    return any(filters_by_group(part) for part in model.parts.values())


@singledispatch
def told_otherwise(model: Fitted, user: int, column: str, value: str, data: Dataset) -> Fitted | None:
    """The same model, to which a user has another value of an attribute that it reads.

    Args:
        model: A model that reads the attribute.
        user: Catalogue row.
        column: Of the users.
        value: As text.
        data: What the model was fitted to.

    Returns:
        None where the attribute cannot be taken out of what the model learned.
    """
    return None


@told_otherwise.register
def _(model: FittedCausalVAE, user: int, column: str, value: str, data: Dataset) -> Fitted | None:
    """The columns of the two values change places."""
    known = told(data, model.catalogue, model.config.context)
    features = model.context.features
    if column not in known.columns or features.shape[1] != known.size - 1 or data.users is None:
        return None
    place = known.columns.index(column)
    of_value = data.users.filter(pl.col(column).cast(pl.String) == value)[model.catalogue.users.name]
    rows = np.flatnonzero(model.catalogue.users.is_in(of_value.cast(model.catalogue.users.dtype).implode()))
    own = known.codes[user, place]
    if not len(rows) or own == 0:
        return None
    changed = features.copy()
    changed[user, own - 1] -= 1
    changed[user, known.codes[rows[0], place] - 1] += 1
    return replace(model, context=replace(model.context, features=changed))
