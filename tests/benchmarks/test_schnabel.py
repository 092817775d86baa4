"""The replay of a published table: truths by arithmetic, and the estimates' order on a small matrix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.rows import debias_schnabel as replay


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(300, 1)) + rng.normal(size=200) + rng.normal(size=(300, 200))
    return replay.as_ratings(scores).astype(float)


def test_shares_and_propensities_are_those_of_the_paper(truth: np.ndarray) -> None:
    shares = np.bincount(truth.ravel().astype(int))[1:] / truth.size
    np.testing.assert_allclose(shares, [0.526, 0.242, 0.144, 0.062, 0.026], atol=1e-4)
    chance = replay.propensities(truth)
    assert chance.mean() == pytest.approx(0.05)
    by_rating = [chance[truth == rating].mean() for rating in range(1, 6)]
    np.testing.assert_allclose(np.array(by_rating) / by_rating[-1], [4**-3, 4**-2, 4**-1, 1, 1])


def test_true_errors_follow_from_the_shares(truth: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    error = {name: np.abs(model(truth, rng) - truth).mean() for name, model in replay.MODELS.items()}
    assert error["REC_ONES"] == pytest.approx(4 * 0.026, abs=1e-3)
    assert error["REC_FOURS"] == pytest.approx(0.026, abs=1e-3)
    assert error["ROTATE"] == pytest.approx(0.474 + 4 * 0.526, abs=1e-3)
    assert error["SKEWED"] == pytest.approx(1.306, abs=0.02)
    assert error["COARSENED"] == pytest.approx(2 * 0.526 + 0.242 + 0.026, abs=1e-3)


@pytest.mark.parametrize("setting", ["true propensities", "naive Bayes"])
def test_weighted_estimates_rank_the_models_and_the_naive_one_does_not(
    truth: np.ndarray, setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "completed", lambda folder: truth)
    monkeypatch.setattr(replay, "_UNIFORM", 0.2)
    values = replay.ROWS[0].measure(setting, 0, tmp_path).values
    assert values["ROTATE: SNIPS"] == pytest.approx(values["ROTATE: true"], abs=0.05)
    assert values["REC_ONES: naive"] < values["REC_FOURS: naive"]  # the truth is the other way round
    assert values["REC_ONES: SNIPS"] > values["REC_FOURS: SNIPS"]
    assert values["rank correlation of SNIPS"] > 0.9 > values["rank correlation of naive"]
