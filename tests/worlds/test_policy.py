from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from equipoise.worlds import PlackettLuce

WEIGHTS = np.array([0.5, 0.2, 0.15, 0.1, 0.05])


def slate_probability(slate: tuple[int, ...]) -> float:
    """Plackett-Luce by its definition."""
    left, probability = 1.0, 1.0
    for item in slate:
        probability *= WEIGHTS[item] / left
        left -= WEIGHTS[item]
    return probability


def test_inclusion_equals_the_enumeration_of_all_slates():
    truth = np.zeros(5)
    for slate in permutations(range(5), 3):
        truth[list(slate)] += slate_probability(slate)
    policy = PlackettLuce(WEIGHTS[None].astype(np.float32))
    np.testing.assert_allclose(policy.inclusion(3)[0], truth, atol=2e-4)
    np.testing.assert_allclose(policy.inclusion(3, nodes=96)[0], truth, atol=2e-6)
    np.testing.assert_allclose(policy.inclusion(1)[0], WEIGHTS, atol=2e-4)
    assert (policy.inclusion(5) == 1).all()


def test_inclusion_survives_an_item_that_is_nearly_certain():
    weights = np.array([[0.97] + [0.03 / 19] * 19], dtype=np.float32)
    inclusion = PlackettLuce(weights).inclusion(10, nodes=96)[0]
    assert inclusion[0] == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(inclusion[1:], 9 / 19, atol=2e-3)


def test_slates_have_the_probabilities_they_are_logged_with():
    n = 40_000
    policy = PlackettLuce(np.tile(WEIGHTS, (n, 1)).astype(np.float32))
    slates, propensities = policy.sample(np.arange(n), 3, seed=1, t=0)
    for slate in [(0, 1, 2), (1, 0, 3), (4, 3, 0)]:
        hit = (slates == slate).all(axis=1)
        truth = slate_probability(slate)
        assert abs(hit.mean() - truth) < 4 * np.sqrt(truth * (1 - truth) / n)
        np.testing.assert_allclose(propensities[hit].prod(axis=1), truth, rtol=1e-5)


def test_a_slate_never_repeats_and_does_not_depend_on_who_else_is_there():
    rng = np.random.default_rng(0)
    policy = PlackettLuce(rng.dirichlet(np.ones(30), 50).astype(np.float32))
    slates, propensities = policy.sample(np.arange(50), 10, seed=2, t=5)
    assert all(len(set(slate)) == 10 for slate in slates)
    some, their = policy.sample(np.array([41, 7]), 10, seed=2, t=5)
    assert (some == slates[[41, 7]]).all()
    assert (their == propensities[[41, 7]]).all()
    everything, _ = policy.sample(np.arange(50), 30, seed=2, t=5)
    assert (everything[:, :10] == slates).all()


@pytest.mark.parametrize("length", [5, 16, 32, 60, 72, 79])
def test_inclusion_of_long_slates_agrees_with_slates_that_are_drawn(length):
    rng = np.random.default_rng(length)
    weights = np.exp(1.5 * rng.normal(size=(1, 80))).astype(np.float32)
    policy = PlackettLuce(weights)
    inclusion = policy.inclusion(length, nodes=96)[0]
    assert inclusion.sum() == pytest.approx(length, abs=2e-3)
    draws = 4000
    slates, _ = PlackettLuce(np.repeat(weights, draws, axis=0)).sample(np.arange(draws), length, seed=1, t=0)
    seen = np.bincount(slates.ravel(), minlength=80) / draws
    assert np.abs(seen - inclusion).max() < 5 * np.sqrt(0.25 / draws)
