"""Profiles drawn anew so that their mean features are the ones asked for, near to what was taken otherwise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit

from equipoise.debias.before.augmentation.profiles import Floats, Ints, Profiles, drawn

_FRESH = 0.05  # of what a profile may hold beside its own items, in parts of its length
_STEPS = 30
_SLACK = 1e-3  # per item: price of a squared multiplier, so that targets out of reach are approached only
_LONGEST = 3.0  # step of a multiplier at most
_NEAR = 1e-4
_BLOCK = 256


def redrawn(
    profiles: Profiles, masses: Floats, targets: Floats, lengths: Ints, rng: np.random.Generator
) -> sparse.csr_matrix:
    """Sets of items with these mean features, made of a profile's own items and of what goes along with them.

    Items arrive at the rates `exp(log base + τ + λ·f)`, and the first n are the profile. The multipliers are such that
    the expected number of arrivals by time 1 is n and their mean features are the targets: the tilting of
    entropy balancing (Hainmueller 2012), for sets in place of weights. Without a change of targets and length λ is
    near 0, and most of the own items stay.

    Args:
        profiles: Whose own items come first.
        masses: Features of items, (items, features).
        targets: Mean features asked for, (profiles, features).
        lengths: Items of each new profile.
        rng: Where the draws are from.
    """
    alike = _alike(profiles)
    made = []
    for start in range(0, len(profiles), _BLOCK):
        part = slice(start, min(start + _BLOCK, len(profiles)))
        own = profiles.matrix[part]
        near = np.asarray((own.astype(np.float64) @ alike).todense())
        logits = tilted(own.toarray() > 0, near, masses, targets[part], lengths[part])
        made.append(drawn(logits, lengths[part], rng))
    empty = sparse.csr_matrix((0, profiles.matrix.shape[1]), dtype=np.float32)
    return sparse.vstack([empty, *made]).tocsr()


def tilted(own: NDArray[np.bool_], near: Floats, masses: Floats, targets: Floats, lengths: Ints) -> Floats:
    """Logarithms of the rates at which items arrive, up to a number for each profile: what `drawn` takes.

    Args:
        own: Whether the profile holds the item, (profiles, items).
        near: How much other items go along with what the profile holds, up to a factor, (profiles, items).
        masses: As for `redrawn`.
        targets: As for `redrawn`.
        lengths: As for `redrawn`.
    """
    standard = (masses - masses.mean(axis=0)) / np.maximum(masses.std(axis=0), 1e-9)
    wanted = (targets - masses.mean(axis=0)) / np.maximum(masses.std(axis=0), 1e-9)
    base = np.log(_base(own, near))
    found: Floats = base + multipliers(base, standard, wanted, lengths)[:, 1:] @ standard.T
    return found


def companions(own: NDArray[np.bool_], profiles: Profiles) -> Floats:
    """How much items go along with a set of items, by the cosine of who took them; for `tilted`, (items,).

    What the items of the set have among themselves is not for `tilted` to read.
    """
    matrix = profiles.matrix.astype(np.float64)
    scale = 1 / np.sqrt(np.maximum(profiles.counts, 1))
    found: Floats = scale * (matrix.T @ (matrix @ (scale * own)))
    return found


def multipliers(base: Floats, features: Floats, targets: Floats, lengths: Ints) -> Floats:
    """τ and λ of each profile, (profiles, 1 + features), by steps in the manner of Newton on a convex function.

    Its curvature is taken for larger than it is, by `1 - e^-r` in place of `r e^-r`, since that vanishes where items
    are sure to come.

    Args:
        base: Logarithms of rates, (profiles, items).
        features: Of items, (items, features), standardised.
        targets: Their means over the profile, (profiles, features).
        lengths: Items of each profile.
    """
    known = np.column_stack([np.ones(len(features)), features])
    width = known.shape[1]
    squares = (known[:, :, None] * known[:, None, :]).reshape(len(known), -1)
    asked = lengths[:, None] * np.column_stack([np.ones(len(targets)), targets])
    found: Floats = np.zeros(asked.shape)
    slack = _SLACK * lengths[:, None] * np.array([1e-6, *np.ones(features.shape[1])])
    for _ in range(_STEPS):
        rates = np.exp(np.clip(base + found @ known.T, -30.0, 5.0))
        arrived = -np.expm1(-rates)
        missing = asked - arrived @ known - slack * found
        curvature = (arrived @ squares).reshape(len(base), width, width)
        curvature += np.eye(width) * (slack + 1e-9)[:, None, :]
        step = np.linalg.solve(curvature, missing[:, :, None])[:, :, 0]
        size = np.abs(step).max(axis=1, keepdims=True)
        found += step * np.minimum(1.0, _LONGEST * expit(size) / np.maximum(size, 1e-12))
        if float(size.max()) < _NEAR:
            break
    return found


def _alike(profiles: Profiles) -> sparse.csr_matrix:
    """Cosine similarity of items by who took them, (items, items), without the items themselves."""
    both = (profiles.matrix.T @ profiles.matrix).tocsr().astype(np.float64)
    scale = sparse.diags(1 / np.sqrt(np.maximum(both.diagonal(), 1)))
    both.setdiag(0)
    return (scale @ both @ scale).tocsr()


def _base(own: NDArray[np.bool_], near: Floats) -> Floats:
    """Rates of items before any tilt: 1 for the own, and a few in a hundred of their number over all others."""
    others = np.where(own, 0.0, near + 1e-6)
    others *= _FRESH * own.sum(axis=1, keepdims=True) / np.maximum(others.sum(axis=1, keepdims=True), 1e-12)
    return np.where(own, 1.0, np.maximum(others, 1e-12))
