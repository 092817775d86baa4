"""Groups of one attribute, with their means, raw and over the same mix of strata, and the tests of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from equipoise.audit.fairness.groups import Attribute
from equipoise.audit.fairness.resampling import Part, Sample
from equipoise.statistics import GroupsTest, Means, studentised_test

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_IN_STRATUM: Final = 5
"""Users that every compared group must have in a stratum: fewer tell too little of the spread within it."""


@dataclass(frozen=True)
class Compared:
    """Groups of an attribute that are large enough, with what is known of them.

    Attributes:
        labels: Names, largest group first.
        smallest: Users of the smallest known group that has any, large enough or not.
        means: Raw means of these groups.
        everybody: Mean of all users.
        adjusted: Means over the same mix of strata; the raw ones without controls.
        raw_test: Test of the raw means.
        test: Test of the adjusted means.
        left_out: Strata, and users in them, in which a group has too few users.
        codes: Place in `labels` of each user of the part, −1 for users of no compared group.
    """

    labels: tuple[str, ...]
    smallest: int
    means: Means
    everybody: Means
    adjusted: Means | None
    raw_test: GroupsTest
    test: GroupsTest | None
    left_out: tuple[int, int]
    codes: Ints


def compare(sample: Sample, part: Part, attribute: Attribute, n_permutations: int) -> Compared | int:
    """Groups of an attribute compared; the number of groups where it is below two."""
    own = attribute.codes[part.users]
    size = np.bincount(own, minlength=len(attribute.labels))[: attribute.known]
    enough = np.flatnonzero(size >= max(sample.settings.min_cell, 1))
    if len(enough) < 2:
        return len(enough)
    chosen = enough[np.argsort(-size[enough], kind="stable")]
    place = np.full(len(attribute.labels), -1)
    place[chosen] = np.arange(len(chosen))
    codes: Ints = place[own]
    inside = np.asarray(codes >= 0)
    seed = sample.settings.seed

    def test(kept: NDArray[np.bool_], strata: Ints | None, weights: Floats | None) -> GroupsTest:
        return studentised_test(
            part.values[kept],
            codes[kept],
            len(chosen),
            strata=strata,
            weights=weights,
            n_permutations=n_permutations,
            seed=seed,
        )

    means = sample.groups(part, attribute).only(chosen)
    raw_test = test(inside, None, None)
    adjusted: Means | None = means
    tested: GroupsTest | None = raw_test
    left_out = (0, 0)
    if sample.n_strata > 1:
        strata = sample.strata[part.users]
        counts = np.zeros((len(chosen), sample.n_strata), dtype=np.int64)
        np.add.at(counts, (codes[inside], strata[inside]), 1)
        full = np.asarray((counts >= LEAST_IN_STRATUM).all(axis=0))
        partly = (counts > 0).any(axis=0) & ~full
        left_out = (int(partly.sum()), int(counts[:, partly].sum()))
        adjusted, tested = None, None
        if full.any():
            weights = np.where(full, counts.sum(axis=0), 0) / counts[:, full].sum()
            cells = sample.cells(part, attribute)
            at = (chosen[:, None] * sample.n_strata + np.arange(sample.n_strata)).ravel()
            member = np.full(len(cells.users), -1)
            member[at] = np.arange(len(at))
            adjusted = cells.merged(member, len(at)).standardised(len(chosen), weights)
            kept = inside & full[strata]
            tested = test(kept, strata[kept], weights)
    return Compared(
        tuple(attribute.labels[g] for g in chosen),
        smallest_group(part, attribute),
        means,
        sample.everybody(part, attribute),
        adjusted,
        raw_test,
        tested,
        left_out,
        codes,
    )


def smallest_group(part: Part, attribute: Attribute) -> int:
    """Users of the smallest known group that has any; 0 where none has."""
    sizes = np.bincount(attribute.codes[part.users], minlength=len(attribute.labels))[: attribute.known]
    return int(sizes[sizes > 0].min()) if sizes.any() else 0
