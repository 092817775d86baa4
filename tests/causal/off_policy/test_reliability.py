"""When an interval is believed: rare heavy items, near-equal policies, clusters, weights that are off."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from equipoise.causal.off_policy import Support, policy_value
from equipoise.causal.off_policy.contributions import Exposure, contributions
from equipoise.errors import DataError
from tests.causal.off_policy.planted import Planted

MODEL = ("q_logged", "q_target")


def two_items(seed: int, n: int, needs: float, shown: float, rare: float) -> pl.DataFrame:
    """A share `needs` of requests wants item 1, shown with a small probability; `old` never shows it."""
    rng = np.random.default_rng([seed, n])
    asked, item = rng.random(n) < needs, (rng.random(n) < shown).astype(int)
    reward = rng.random(n) < np.where(asked & (item == 1), rare, 0.1)
    return pl.DataFrame(
        {
            "request_id": np.arange(n),
            "item_id": item,
            "reward": reward.astype(float),
            "propensity": np.where(item == 1, shown, 1 - shown),
            "new": (item == asked).astype(float),
            "old": (item == 0).astype(float),
            "q_logged": np.full(n, 0.1),
            "q_target": np.full(n, 0.1),
        }
    )


def test_contributions_by_hand():
    assert contributions(np.ones(40)) == pytest.approx(40)
    assert contributions(np.array([0.0] * 1000 + [-2.0] * 7)) == pytest.approx(7)
    assert contributions(np.array([1.0, 1.0, 2.0])) == pytest.approx(6**3 / 10**2)
    assert contributions(np.zeros(5), most=3.0) == 0
    # three more of the largest influence that the weights allow: (10 + 3 * 16)^3 / (10 + 3 * 64)^2
    assert contributions(np.ones(10), most=4.0) == pytest.approx(58**3 / 202**2)
    assert contributions(np.ones(10), most=1.0) == pytest.approx(10)  # more of the same is no worse
    normal = np.random.default_rng(0).normal(size=4000)
    assert contributions(normal) == pytest.approx(4000 * np.pi / 8, rel=0.1)


def test_exposure_of_a_difference_is_where_policies_differ():
    one, two = (Exposure(np.array([1.0, 9.0, w]), 9.0, 2.0) for w in (1.0, 0.0))
    assert one.minus(two).most == 2.0
    assert one.minus(one).most == 0.0
    cut = Exposure(np.ones(4), 1.0, 2.0, cut=np.array([0.0, 0.5, 0.0, 0.0]), lost=np.zeros(4))
    assert cut.bias == pytest.approx(3 * 0.5 * 2.0 / 4)  # nothing lost that was seen, and up to three more
    assert cut.minus(cut).bias == 0
    plain = Exposure(np.ones(4), 1.0, 2.0)
    assert plain.minus(cut).bias == cut.bias


@pytest.mark.parametrize("estimator", ["ips", "snips", "dr", "sndr", "clipped_ips"])
def test_heavy_rows_without_rewards_are_not_overlooked(estimator: str):
    options = {"clip": 90.0} if estimator == "clipped_ips" else {}
    log = two_items(1, 2500, 0.1, 0.01, 0.5)
    heavy = (pl.col("new") == 1) & (pl.col("item_id") == 1)
    log = log.with_columns(reward=pl.when(heavy).then(0.0).otherwise("reward"))
    value = policy_value(log, "new", estimator, MODEL, **options)
    assert value.max_weight == pytest.approx(100)
    assert not value.refused
    assert abs(value.mean_weight_z) < 3
    assert not value.interval_reliable
    assert "contributions" in str(value.interval_reason)
    assert policy_value(log, "old", estimator, MODEL).interval_reliable


def test_near_equal_policies_are_judged_by_what_they_differ_in():
    passed = 0
    for seed in range(15):
        log = two_items(seed, 6000, 0.02, 0.05, 0.1)
        new, old = (policy_value(log, policy, "ips") for policy in ("new", "old"))
        gap = old.minus(new)
        passed += gap.low > 0
        assert not gap.interval_reliable
        assert gap.as_dict()["interval_reason"]
    assert passed >= 3  # the truth is 0: without the flag, far more than 2.5 % would be launched
    wide = two_items(0, 40_000, 0.5, 0.2, 0.1)
    gap = policy_value(wide, "old", "ips").minus(policy_value(wide, "new", "ips"))
    assert gap.interval_reliable
    assert gap.interval_reason is None


def test_a_policy_is_no_better_than_itself():
    log = two_items(3, 2000, 0.3, 0.2, 0.1)
    value = policy_value(log, "new", "dr", MODEL)
    gap = value.minus(policy_value(log, "new", "dr", MODEL))
    assert (gap.value, gap.low, gap.high) == (0, 0, 0)
    assert gap.interval_reliable
    rounded = log.with_columns(new=pl.col("new") * (1 - 1e-15))
    assert not value.minus(
        policy_value(rounded, "new", "dr", MODEL)
    ).interval_reliable  # no launch by rounding
    none = policy_value(log.with_columns(reward=0.0), "new", "ips")
    assert not none.minus(policy_value(log.with_columns(reward=0.0), "old", "ips")).interval_reliable


def test_a_difference_to_the_logger_is_judged_by_itself():
    world = Planted.draw(1)
    log = world.log(1500, 1)
    assert policy_value(log, "e").difference.interval_reliable
    few = two_items(4, 6000, 0.02, 0.05, 0.1)
    assert not policy_value(few, "new", "ips").difference.interval_reliable
    assert policy_value(log, "logged", "ips").difference.interval_reliable


@pytest.mark.parametrize("kind", ["users", "normal rewards", "as logged"])
def test_ordinary_logs_are_never_flagged_by_chance(kind: str):
    share = {"users": [0.1, 0.1, 0.8], "normal rewards": [1 / 3] * 3, "as logged": [1 / 3] * 3}[kind]
    rates = np.array([0.1, 0.2, 0.3])
    for seed in range(15):
        rng = np.random.default_rng([seed, 8])
        n = 300 if kind == "normal rewards" else 1500
        item = rng.integers(0, 3, n)
        reward = rng.normal(rates[item], 0.3) if n == 300 else rng.random(n) < rates[item]
        log = pl.DataFrame(
            {
                "item_id": item,
                "reward": reward.astype(float),
                "propensity": np.full(n, 1 / 3),
                "e": np.array(share)[item],
                "user_id": np.arange(n) if n == 300 else rng.integers(0, 300, n),
            }
        )
        assert policy_value(log, "e").interval_reliable


def test_a_mean_weight_far_off_in_errors_is_enough():
    rng = np.random.default_rng(1)
    n = 4000
    strange = rng.random(n) < 0.04  # there the target wants an item that the logger never shows
    item = np.where(strange, rng.integers(0, 2, n), rng.integers(0, 3, n))
    log = pl.DataFrame(
        {
            "item_id": item,
            "reward": (rng.random(n) < 0.2).astype(float),
            "propensity": np.where(strange, 1 / 2, 1 / 3),
            "e": np.where(strange, 0.0, 1 / 3),
        }
    )
    value = policy_value(log, "e")
    assert 0.95 < value.mean_weight < 1
    assert not value.refused
    assert not value.interval_reliable
    assert "mean weight" in str(value.interval_reason)
    rounded = log.with_columns(propensity=pl.lit(0.3333), e=pl.lit(1 / 3))
    assert policy_value(rounded, "e").interval_reliable  # off for certain, and by nothing that matters


def test_a_choice_among_estimators_is_not_believed():
    log = Planted.draw(1).log(1000, 1)
    assert "choice" in str(policy_value(log, "e", "slope").interval_reason)
    assert policy_value(log, "e", "slope", candidates=[("snips", {})]).interval_reliable


def test_other_rows_cannot_be_subtracted():
    log = Planted.draw(2).log(600, 1).with_columns(reward=1.0, propensity=0.2)
    plain = log.drop("request_id")
    value = policy_value(plain, "e", "ips")
    assert value.minus(policy_value(plain.clone(), "e", "snips")).value is not None
    with pytest.raises(DataError, match="different logs"):
        value.minus(policy_value(plain.sample(fraction=1.0, shuffle=True, seed=1), "e", "ips"))
    users = log.with_columns(user_id=pl.col("request_id") % 100)
    others = users.with_columns(pl.col("user_id") + 1000)
    with pytest.raises(DataError, match="different logs"):
        policy_value(users, "e", "ips").minus(policy_value(others, "e", "ips"))
    with pytest.raises(DataError, match="different logs"):
        policy_value(users, "e", "ips").minus(policy_value(users.with_columns(propensity=0.3), "e", "ips"))


def test_settings_that_are_infinite_and_thresholds_by_name():
    log = Planted.draw(3).log(1000, 1)
    plain = policy_value(log, "e", "dr", MODEL)
    shrunk = policy_value(log, "e", "dros", MODEL, lam=float("inf"))
    assert shrunk.value == pytest.approx(plain.value)
    assert json.loads(json.dumps(shrunk.as_dict(), allow_nan=False))["options"] == {"lam": "inf"}
    json.dumps(policy_value(log, "e", "clipped_ips", clip=float("inf")).as_dict(), allow_nan=False)
    strict = policy_value(log, "e", support={"minimum_effective_sample_size": 5000})
    assert strict.refused
    assert strict.support == Support(minimum_effective_sample_size=5000)
