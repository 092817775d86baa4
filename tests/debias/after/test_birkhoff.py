from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.debias.after.birkhoff import decompose


def rebuilt(weights: np.ndarray, rankings: np.ndarray, items: int) -> np.ndarray:
    matrix = np.zeros((items, rankings.shape[1]))
    for weight, ranking in zip(weights, rankings, strict=True):
        matrix[ranking, np.arange(len(ranking))] += weight
    return matrix


def test_a_hand_worked_matrix():
    """The middle row is in every ranking; the first entry is used up first."""
    matrix = np.array([[0.5, 0.0], [0.5, 0.5], [0.0, 0.5]])
    weights, rankings = decompose(matrix)
    assert weights.tolist() == [0.5, 0.5]
    assert sorted(rankings.tolist()) == [[0, 1], [1, 2]]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 100_000), st.integers(1, 7), st.integers(0, 5), st.integers(1, 6))
def test_mixtures_of_rankings_are_rebuilt(seed: int, places: int, more: int, mixed: int):
    rng = np.random.default_rng(seed)
    items, weights = places + more, rng.dirichlet(np.ones(mixed))
    matrix = rebuilt(weights, np.array([rng.permutation(items)[:places] for _ in range(mixed)]), items)
    found, rankings = decompose(matrix)
    assert np.abs(rebuilt(found, rankings, items) - matrix).max() < 1e-6
    assert found.sum() == pytest.approx(1, abs=1e-12)
    assert all(len(set(ranking)) == places for ranking in rankings.tolist())
    assert len(found) <= ((matrix > 1e-9) & (matrix < 1 - 1e-9)).sum() + 1


def test_what_is_no_mixture_of_rankings():
    with pytest.raises(ValueError, match="Columns must be distributions"):
        decompose(np.array([[0.5, 0.5], [0.5, 0.4]]))
    with pytest.raises(ValueError, match="at least as many items"):
        decompose(np.array([[1.0, 1.0]]))
    with pytest.raises(ValueError, match="Rows must not sum"):
        decompose(np.array([[1.0, 1.0], [0.0, 0.0]]))
