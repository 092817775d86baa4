"""Over many planted populations: intervals cover, verdicts of `unfair` are rare where nothing is unfair."""

import numpy as np
import pytest

from equipoise.audit.fairness.compared import compare
from equipoise.audit.fairness.gaps import gaps
from equipoise.audit.fairness.groups import Attribute
from equipoise.audit.fairness.resampling import Sample, Settings
from equipoise.statistics import holm, minimum_detectable_difference, verdict

WORLDS = 200
QUICK = Settings(n_bootstrap=400, n_permutations=300)


def ndcg_like(rng, chance, worlds=WORLDS):
    """Skewed values with many zeros, as ranking metrics have: a hit at a place from 1 to 10, or none."""
    users = len(chance)
    gain = 1 / np.log2(rng.integers(1, 11, (users, worlds)) + 1.0)
    return np.where(rng.random((users, worlds)) < chance[:, None], gain, 0.0)


MEAN_GAIN = float(np.mean(1 / np.log2(np.arange(2, 12))))


def found(values, codes, strata=None):
    """The primary gap of every world: a column each, over the same groups."""
    labels = (*"abcdefgh"[: codes.max() + 1], "unknown")
    attribute = Attribute("group", labels, codes)
    none = np.zeros(len(codes), dtype=np.int64)
    sample = Sample(values, [attribute], none if strata is None else strata, QUICK)
    (part,) = sample.parts
    compared = compare(sample, part, attribute, QUICK.n_permutations)
    return [
        gaps(compared, j, values[:, j], "high", strata is not None, 0.95)[0] for j in range(values.shape[1])
    ]


def covered(intervals, truth):
    return np.mean([gap.interval.low <= truth <= gap.interval.high for gap in intervals])


def test_gap_of_two_groups():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1], [300, 120])
    gaps_ = found(ndcg_like(rng, np.array([0.3, 0.18])[codes]), codes)
    assert 0.92 <= covered(gaps_, 0.12 * MEAN_GAIN) <= 0.98


def test_range_of_four_groups():
    rng = np.random.default_rng(1)
    codes = np.repeat([0, 1, 2, 3], [200, 150, 100, 60])
    gaps_ = found(ndcg_like(rng, np.array([0.4, 0.35, 0.3, 0.1])[codes]), codes)
    assert covered(gaps_, 0.3 * MEAN_GAIN) >= 0.93


def test_gap_within_strata():
    rng = np.random.default_rng(2)
    codes = np.repeat([0, 1], [300, 200])
    strata = (rng.random(500) < np.array([0.7, 0.3])[codes]).astype(np.int64)
    gaps_ = found(ndcg_like(rng, 0.15 + 0.25 * strata - 0.1 * codes), codes, strata)
    assert 0.92 <= covered(gaps_, 0.1 * MEAN_GAIN) <= 0.98


@pytest.mark.parametrize("groups", [2, 4])
def test_without_a_gap_a_family_seldom_holds_a_false_verdict(groups):
    """Families of three metrics, Holm over them: at most 7 in 100 hold any `unfair`."""
    rng = np.random.default_rng(3)
    codes = np.sort(rng.integers(0, groups, 400))
    gaps_ = found(ndcg_like(rng, np.full(400, 0.25)), codes)
    families = [gaps_[i : i + 3] for i in range(0, WORLDS, 3)]
    false = 0
    for family in families:
        adjusted = holm([gap.p_value for gap in family])
        said = [verdict(gap.interval, p, None, 90, 30) for gap, p in zip(family, adjusted, strict=True)]
        false += "unfair" in said
    assert false / len(families) <= 0.07 + 2 * np.sqrt(0.07 * 0.93 / len(families))


def test_gap_within_thin_strata():
    """2 users of each group in 20 strata and 5 to 8 in 10: with all of them, intervals cover 87 of 100."""
    rng = np.random.default_rng(5)
    sizes = np.hstack([np.full((2, 20), 2), rng.integers(5, 9, (2, 10))])
    codes = np.repeat([0, 1], sizes.sum(axis=1))
    strata = np.concatenate([np.repeat(np.arange(30), own) for own in sizes])
    level = rng.random(30)[strata] * 0.5
    gaps_ = found(ndcg_like(rng, 0.15 + level - 0.1 * codes), codes, strata)
    larger_first = 1 if gaps_[0].groups == "a - b" else -1
    assert covered(gaps_, larger_first * 0.1 * MEAN_GAIN) >= 0.92


def test_twice_the_detectable_gap_is_found():
    rng = np.random.default_rng(4)
    codes = np.repeat([0, 1], [400, 200])
    values = rng.normal(0, 0.2, (600, 100))
    detectable = minimum_detectable_difference(0.2, 400, 0.2, 200)
    gaps_ = found(values + 2 * detectable * (codes == 0)[:, None], codes)
    said = [verdict(gap.interval, gap.p_value, None, 200, 30) for gap in gaps_]
    assert said.count("unfair") >= 99
    assert np.mean([gap.detectable for gap in gaps_]) == pytest.approx(detectable, rel=0.02)
