"""Plans are kept: logs of the planned size answer as often as promised."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from equipoise.causal.off_policy import Support, plan_exploration, policy_value, users_for_audit
from equipoise.errors import ConfigError

SITUATION: dict[str, Any] = {
    "items": 4, "reward_rate": 0.3, "gain": 0.15, "disagreement": 0.5, "random_rate": 0.1
}  # fmt: skip


def logged(n: int, epsilon: float, seed: int) -> pl.DataFrame:
    """An epsilon-greedy log of the situation: the current policy shows item 0, the new one 0 or 1."""
    rng = np.random.default_rng([seed, 6])
    choice = np.where(rng.random(n) < 0.5, 1, 0)
    item = np.where(rng.random(n) < epsilon, rng.integers(0, 4, n), 0)
    rate = np.select([item == 0, (item == 1) & (choice == 1)], [0.3, 0.6], 0.1)
    return pl.DataFrame(
        {
            "item_id": item,
            "reward": (rng.random(n) < rate).astype(float),
            "propensity": np.where(item == 0, 1 - epsilon + epsilon / 4, epsilon / 4),
            "new": (item == choice).astype(float),
            "now": (item == 0).astype(float),
        }
    )


@pytest.mark.parametrize(("against", "least"), [("current", 0.0), ("logged", 0.0), ("current", 0.08)])
def test_planned_logs_have_the_power_asked_for(against: str, least: float):
    support = Support(minimum_contributions=1)
    plan = plan_exploration(epsilons=[0.4], support=support, against=against, minimum_gain=least, **SITUATION)
    option = plan.options[0]
    assert option.limit == "power"
    other = {"current": "now", "logged": "logged"}[against]
    found = 0
    for seed in range(60):
        log = logged(option.decisions, 0.4, seed)
        value = policy_value(log, "new", "ips", support=Support(minimum_effective_sample_size=0))
        gap = value.minus(policy_value(log, other, "ips"))
        found += gap.low > least
    assert found / 60 == pytest.approx(0.8, abs=3 * np.sqrt(0.16 / 60) + 0.02)


def test_expected_weights():
    option = plan_exploration(epsilons=[0.2], **SITUATION).options[0]
    value = policy_value(logged(50_000, 0.2, 1), "new")
    assert option.max_weight == pytest.approx(value.max_weight) == 20
    assert option.effective_share == pytest.approx(value.effective_share, rel=0.05)
    lost = (
        logged(200_000, 0.0001, 1)["reward"].to_numpy().mean()
        - logged(200_000, 0.2, 2)["reward"].to_numpy().mean()
    )
    # the situation's random item earns .1 on average here only where the new policy agrees
    assert option.lost_per_decision == pytest.approx(0.2 * 0.2)
    assert 0 < lost < option.lost_per_decision


def test_more_exploration_needs_fewer_users_and_clusters_need_more():
    plan = plan_exploration(**SITUATION)
    users = [option.users for option in plan.options]
    assert users == sorted(users, reverse=True)
    many = plan_exploration(decisions_per_user=10, within_user=0.1, **SITUATION)
    assert many.options[0].decisions == pytest.approx(1.9 * plan.options[0].decisions, rel=0.01)
    assert many.options[0].users < plan.options[0].users


def test_the_cheapest_that_answers_with_the_users_at_hand_is_chosen():
    free = plan_exploration(support=Support(), **SITUATION)
    assert free.chosen is not None
    assert free.chosen.lost == min(option.lost for option in free.options)
    least = min(option.users for option in free.options)
    tight = plan_exploration(users=least, support=Support(), **SITUATION)
    assert tight.chosen is not None
    assert tight.chosen.users <= least
    none = plan_exploration(users=least // 2, support=Support(), **SITUATION)
    assert none.chosen is None
    assert str(least) in none.reason
    option = next(o for o in none.options if o.limit == "power")
    assert option.found is not None
    assert option.found > 0.15  # the gain that so few users would show
    json.dumps(tight.as_dict(), allow_nan=False)


def test_a_launch_asks_for_more_contributions_than_an_interval():
    launch, interval = (
        plan_exploration(epsilons=[0.1], support=support, **SITUATION).options[0]
        for support in (None, Support())
    )
    assert launch.limit == "contributions"
    assert launch.decisions > interval.decisions


def test_thresholds_of_support_ask_for_users_too():
    strict = plan_exploration(epsilons=[0.5], support=Support(minimum_effective_sample_size=1e6), **SITUATION)
    assert strict.options[0].limit == "effective_sample_size"
    assert strict.options[0].decisions * strict.options[0].effective_share == pytest.approx(1e6, rel=1e-5)
    rare = plan_exploration(items=1000, reward_rate=0.001, gain=0.5, disagreement=1, epsilons=[0.01])
    assert rare.options[0].limit in ("effective_sample_size", "dominant_row", "contributions")


def test_users_for_an_audit():
    n = users_for_audit(0.1, 0.5, 0.3)
    small, large = round(0.3 * n), n - round(0.3 * n)
    rng = np.random.default_rng(1)
    fair = 0
    for _ in range(400):
        a, b = rng.normal(0, 0.5, small), rng.normal(0, 0.5, large)
        half = 1.96 * np.sqrt(a.var(ddof=1) / small + b.var(ddof=1) / large)
        fair += abs(a.mean() - b.mean()) + half < 0.1
    assert fair / 400 == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"minimum_gain": 0.15}, "no more than the least gain"),
        ({"gain": 1e-200}, "decisions to find"),
        ({"gain": 0.6}, "more than the decisions that differ can bring"),
        ({"items": 1}, "items"),
        ({"epsilons": [0.0]}, "Exploration of"),
        ({"rate": 3}, "not a setting"),
    ],
)
def test_situations_that_cannot_be(change: dict[str, Any], said: str):
    with pytest.raises(ConfigError, match=said):
        plan_exploration(**{**SITUATION, **change})
    with pytest.raises(ConfigError, match="No audit"):
        users_for_audit(0, 1, 0.5)
