"""Estimators ranked by the truth of a world."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from equipoise.pipeline.twin import _candidates, _Decisions, rank_estimators
from equipoise.worlds import Storefront, World


@pytest.fixture(scope="module")
def shop() -> World:
    return Storefront(n_users=200, n_items=40, slate_length=4, days=15, seed=2).generate()


@pytest.fixture(scope="module")
def once() -> World:
    """A twin that shows nobody the same item twice."""
    rng = np.random.default_rng(0)
    weight = np.exp(-0.06 * np.arange(40))
    picks = [rng.choice(40, 4 + user % 5, replace=False, p=weight / weight.sum()) for user in range(200)]
    events = pl.DataFrame({
        "user_id": np.repeat(np.arange(200), [len(one) for one in picks]), "item_id": np.concatenate(picks),
    })  # fmt: skip
    return World.like(events, taste=1.0)


def of(rows: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in rows if row["kind"] == kind}


@pytest.mark.parametrize("name", ["shop", "once"])
def test_the_truth_of_a_policy_is_what_weighting_finds(name: str, request: pytest.FixtureRequest):
    """The logger's own weights as a target have weight 1 everywhere, and the mean reward as their value."""
    world: World = request.getfixturevalue(name)
    log = _Decisions.of(world)
    table, truth = log.seen_from(world.policy.weights)
    np.testing.assert_allclose(table["target_share"], table["propensity"], rtol=2e-3, atol=1e-6)
    reward = table["reward"].to_numpy()
    assert abs(reward.mean() - truth) < 3.5 * reward.std() / np.sqrt(len(reward))
    for policy in _candidates(world).values():
        table, truth = log.seen_from(policy)
        weight = (table["target_share"] / table["propensity"]).to_numpy()
        errors = weight * reward - truth
        assert abs(errors.mean()) < 4.5 * errors.std() / np.sqrt(len(errors))
        assert weight.mean() == pytest.approx(1, abs=0.1)


def test_weighting_beats_counting_and_logged_propensities_beat_guessed_ones(shop: World):
    rows = rank_estimators(shop, draws=2)
    values, models = of(rows, "policy value"), of(rows, "propensity")
    assert values["snips"]["error"] < values["naive"]["error"] / 3
    assert list(values)[-1] in ("naive", "dm")
    assert values["naive"]["order"] == 0
    assert values["ips"]["order"] >= 0.8
    assert values["snips"]["coverage"] >= 0.5
    assert values["ips"]["refused"] == 0
    assert [row["policy"] for row in values["dr"]["policies"]] == ["uniform", "popular", "personal"]
    assert models["given"]["log_correlation"] > models["popularity"]["log_correlation"]
    assert models["position"]["against"] == "examination"
    assert models["position"]["log_correlation"] > 0.9
    assert all(row["reason"] is None for row in models.values())
