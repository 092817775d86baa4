"""Calibration on scores whose true probabilities are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import ModelError
from equipoise.models.calibration import Calibration


def world(users, items, seed, steep=1.0):
    """Scores, truth and outcomes: P(relevant | score) = 0.3 sigmoid(steep * (score - 2))."""
    rng = np.random.default_rng(seed)
    scores = rng.standard_normal((users, items)).astype(np.float32)
    truth = 0.3 / (1 + np.exp(-steep * (scores - 2)))
    return scores, truth, rng.random(scores.shape) < truth


def ece(probability, outcome, bins=20):
    """Expected calibration error over equal-mass bins."""
    order = np.argsort(probability, axis=None)
    parts = zip(
        np.array_split(probability.ravel()[order], bins),
        np.array_split(outcome.ravel()[order], bins),
        strict=True,
    )
    return sum(abs(p.mean() - o.mean()) * len(p) for p, o in parts) / order.size


def test_known_probabilities_are_found():
    scores, _, relevant = world(400, 600, seed=0, steep=3.0)
    calibration = Calibration.fit([(scores, np.ones_like(relevant), relevant)])
    fresh, truth, outcome = world(400, 600, seed=1, steep=3.0)
    probability = calibration(fresh)
    assert ece(probability, outcome) < 0.002
    assert np.abs(probability - truth).mean() < 0.004
    assert np.abs(probability - truth)[fresh > 2].mean() < 0.03  # where lists are made
    raw = 1 / (1 + np.exp(-fresh))
    assert ece(raw, outcome) > 0.3  # what a plain sigmoid would have said


def test_ineligible_items_do_not_count():
    scores, _, relevant = world(100, 300, seed=2)
    eligible = np.random.default_rng(3).random(scores.shape) < 0.5
    spoiled = np.where(eligible, scores, 50.0).astype(np.float32)
    left = Calibration.fit([(np.where(eligible, scores, 0.0), eligible, relevant & eligible)])
    right = Calibration.fit([(spoiled, eligible, relevant)])
    assert np.array_equal(left.scores, right.scores)
    assert np.array_equal(left.probabilities, right.probabilities)


@pytest.mark.parametrize("size", [1, 7, 64])
def test_block_size_does_not_show(size):
    scores, _, relevant = world(100, 500, seed=4)
    everything = np.ones_like(relevant)
    whole = Calibration.fit([(scores, everything, relevant)])
    cut = [slice(start, start + size) for start in range(0, 100, size)]
    parts = Calibration.fit((scores[part], everything[part], relevant[part]) for part in cut)
    assert np.array_equal(whole.scores, parts.scores)
    assert np.array_equal(whole.probabilities, parts.probabilities)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 40), st.sampled_from([1, 3, 1000]))
def test_the_map_is_monotone_in_the_unit_interval_and_keeps_the_total(seed, items, levels):
    rng = np.random.default_rng(seed)
    scores = (rng.integers(0, levels, (30, items)) / levels).astype(np.float32)
    relevant = rng.random(scores.shape) < 0.3 + 0.4 * scores
    relevant[:5, 0] = True
    calibration = Calibration.fit([(scores, np.ones_like(relevant), relevant)])
    assert (np.diff(calibration.scores) > 0).all()
    assert (np.diff(calibration.probabilities) >= 0).all()
    assert calibration(scores).min() >= 0
    assert calibration(scores).max() <= 1
    assert calibration(scores).sum() == pytest.approx(relevant.sum(), rel=1e-6)


def test_one_lucky_item_at_the_top_claims_no_certainty():
    scores = np.linspace(0, 1, 1000, dtype=np.float32)[None, :]
    relevant = np.zeros_like(scores, dtype=bool)
    relevant[0, [999, 900, 500, 400, 300, 200, 100]] = True
    calibration = Calibration.fit([(scores, np.ones_like(relevant), relevant)])
    assert calibration(np.array([1.0]))[0] < 0.05


def test_too_few_events_are_refused():
    scores = np.zeros((2, 10), dtype=np.float32)
    relevant = np.zeros_like(scores, dtype=bool)
    relevant[0, :4] = True
    with pytest.raises(ModelError, match="4 held-out events"):
        Calibration.fit([(scores, np.ones_like(relevant), relevant)])
    with pytest.raises(ModelError, match="0 held-out events"):
        Calibration.fit([])
