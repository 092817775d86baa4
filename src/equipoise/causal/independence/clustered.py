"""Tests of independence where the rows of a cluster (a user) depend on each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from equipoise.causal.independence.conditional import IndependenceTest, independence_test
from equipoise.causal.independence.variables import Values, Variable

_DRAWS = 5  # more add little power, and with more the combined p-value strays from its level
_LARGEST_P = 0.99  # a p of 1 would outweigh every small one

Rows = NDArray[np.int64]


def one_of_each(clusters: NDArray[np.int64], seed: int = 0) -> list[Rows]:
    """Draws of one row of each cluster: row numbers (clusters,) of each draw; one draw where no cluster has
    two rows.

    Args:
        clusters: (n,) codes.
        seed: Root of the draws.
    """
    rng = np.random.default_rng(seed)
    order = np.argsort(clusters, kind="stable")
    _, first, sizes = np.unique(clusters[order], return_index=True, return_counts=True)
    draws = _DRAWS if sizes.max() > 1 else 1
    return [order[first + rng.integers(0, sizes)] for _ in range(draws)]


def clustered_test(
    a: str,
    b: str,
    given: Sequence[str],
    variables: Mapping[str, Variable],
    columns: Mapping[str, Values],
    draws: Sequence[Rows],
) -> IndependenceTest:
    """Test whether `a` is independent of `b` given `given` in rows of which only those of one draw are
    independent of each other.

    Each draw is tested by itself. The p-value combines those of all draws by the Cauchy combination, which
    needs no independence of what it combines: where all rows of a cluster are alike, it is that of one of
    them. Statistic, degrees of freedom and strength are those of the draw in the middle. Source: Liu and Xie
    (2020), "Cauchy combination test", Journal of the American Statistical Association 115.

    Args:
        a: A variable.
        b: Another.
        given: Variables held fixed.
        variables: All variables by name.
        columns: Their values, (n,) each.
        draws: As `one_of_each` gives them.
    """
    names = {a, b, *given}
    found = [
        independence_test(a, b, given, variables, {name: columns[name][rows] for name in names})
        for rows in draws
    ]
    told = sorted((test for test in found if test.degrees), key=lambda test: test.p_value)
    if not told:
        return found[0]
    if len(told) == 1:
        return told[0]
    p = np.clip([test.p_value for test in told], np.finfo(float).tiny, _LARGEST_P)
    combined = 0.5 - np.arctan(np.tan((0.5 - p) * np.pi).mean()) / np.pi
    return replace(told[len(told) // 2], p_value=float(combined))
