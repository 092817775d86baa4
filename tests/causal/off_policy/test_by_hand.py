"""Values worked out by hand, and each formula written a second time."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from equipoise.causal.off_policy import Support, policy_value
from tests.causal.off_policy.planted import Planted

ANY = Support(minimum_effective_sample_size=0, largest_share=1)

FOUR = pl.DataFrame(
    {
        "request_id": ["a", "b", "c", "d"],
        "item_id": [0, 1, 0, 1],
        "reward": [1, 0, 1, 1],
        "propensity": [0.5, 0.5, 0.25, 0.75],
        "e": [0.8, 0.2, 0.8, 0.2],
        "q_logged": [0.6, 0.5, 0.6, 0.5],
        "q_target": [0.58] * 4,
    }
)
MODEL = pl.DataFrame({"item_id": [0, 1], "value": [0.6, 0.5]})
TARGET = pl.DataFrame({"item_id": [0, 1], "probability": [0.8, 0.2]})

VALUES = [
    ("ips", {}, 1.266667),
    ("snips", {}, 0.926829),
    ("clipped_ips", {"clip": 1}, 0.566667),
    ("dm", {}, 0.58),
    ("dr", {}, 1.043333),
    ("sndr", {}, 0.919024),
    ("switch_dr", {"tau": 2}, 0.723333),
    ("dros", {"lam": 1}, 0.641430),
]


@pytest.mark.parametrize(("estimator", "options", "expected"), VALUES)
@pytest.mark.parametrize("by", ["columns", "frames", "requests"])
def test_four_rows(estimator: str, options: dict[str, float], expected: float, by: str):
    target, model = {
        "columns": ("e", ("q_logged", "q_target")),
        "frames": (TARGET, MODEL),
        "requests": (FOUR.select("request_id").join(TARGET, how="cross"), MODEL),
    }[by]
    value = policy_value(FOUR, target, estimator, model, support=ANY, **options)
    assert value.value == pytest.approx(expected, abs=5e-7)
    assert value.effective_sample_size == pytest.approx(2.293315, abs=5e-7)
    assert value.mean_weight == pytest.approx(1.366667, abs=5e-7)
    assert value.max_weight == pytest.approx(3.2)
    assert value.logger_value.value == 0.75


def test_standard_error_of_snips_by_hand():
    value = policy_value(FOUR, "e", "snips", support=ANY)
    # the delta method's 0.083097, with the factor n / (n - 1) of the variance
    assert value.standard_error == pytest.approx(0.083097 * np.sqrt(4 / 3), abs=1e-6)
    assert not value.interval_reliable


def test_four_rows_are_refused_by_default():
    value = policy_value(FOUR, "e", "ips")
    assert value.refused
    assert (value.value, value.low, value.high, value.estimate) == (None, None, None, None)
    assert value.reasons == ("few_effective_rows", "dominant_row")
    assert value.reason is not None
    assert "2.3" in value.reason
    assert not value.interval_reliable
    assert value.effective_sample_size == pytest.approx(2.293315, abs=5e-7)
    json.dumps(value.as_dict(), allow_nan=False)


def test_influence_values_by_their_formulas():
    world = Planted.draw(3)
    log = world.log(800, 3, model=world.reward * 0.7)
    w, r = (log["e"] / log["propensity"]).to_numpy(), log["reward"].to_numpy()
    q, direct = log["q_logged"].to_numpy(), log["q_target"].to_numpy()
    snips = (w * r).sum() / w.sum()
    c = (w * (r - q)).sum() / w.sum()
    shrunk = 5 * w / (w**2 + 5)
    expected = {
        "ips": (w * r, {}),
        "clipped_ips": (np.minimum(w, 1.5) * r, {"clip": 1.5}),
        "snips": (snips + w * (r - snips) / w.mean(), {}),
        "dm": (direct, {}),
        "dr": (direct + w * (r - q), {}),
        "sndr": (direct + c + w * (r - q - c) / w.mean(), {}),
        "switch_dr": (direct + np.where(w <= 1.5, w, 0) * (r - q), {"tau": 1.5}),
        "dros": (direct + shrunk * (r - q), {"lam": 5.0}),
    }
    for name, (scores, options) in expected.items():
        value = policy_value(log, "e", name, ("q_logged", "q_target"), **options)
        assert value.value == pytest.approx(scores.mean(), abs=1e-12)
        assert value.estimate is not None
        np.testing.assert_allclose(value.estimate.influence, scores - scores.mean(), atol=1e-12)
        assert value.standard_error == pytest.approx(scores.std(ddof=1) / np.sqrt(800))
    clipped = policy_value(log, "e", "clipped_ips", clip=1.5)
    assert clipped.share_clipped == pytest.approx((w > 1.5).mean())
    assert clipped.largest_contribution == pytest.approx(
        (np.minimum(w, 1.5) * r).max() / (np.minimum(w, 1.5) * r).sum()
    )
    assert clipped.largest_share == pytest.approx(w.max() / w.sum())


def test_users_are_the_unit_of_chance():
    world = Planted.draw(4)
    rows = world.log(300, 4)
    copies = pl.concat([rows, rows, rows]).with_columns(user_id=pl.Series(np.tile(np.arange(300), 3)))
    single = policy_value(rows, "e", "snips")
    clustered = policy_value(copies, "e", "snips")
    naive = policy_value(copies.drop("user_id", "request_id"), "e", "snips")
    assert single.standard_error is not None
    assert clustered.clusters == 300
    assert clustered.standard_error == pytest.approx(single.standard_error)
    assert naive.standard_error == pytest.approx(single.standard_error / np.sqrt(3), rel=0.01)
    # a log joined twice by accident keeps its requests together, and so its honest interval
    assert policy_value(copies.drop("user_id"), "e").standard_error == pytest.approx(single.standard_error)


def test_differences_are_paired():
    world = Planted.draw(5)
    log = world.log(2000, 5)
    new, now = policy_value(log, "e", "ips"), policy_value(log, "logged", "ips")
    gap = new.minus(now)
    w, r = (log["e"] / log["propensity"]).to_numpy(), log["reward"].to_numpy()
    scores = w * r - r
    assert gap.value == pytest.approx(scores.mean())
    assert gap.high is not None
    assert gap.high - gap.value == pytest.approx(1.961 * scores.std(ddof=1) / np.sqrt(2000), rel=1e-3)
    assert now.value == now.logger_value.value == pytest.approx(r.mean())
    assert new.difference.value == pytest.approx(gap.value)
    assert new.minus(new).value == 0
    refused = policy_value(log, "e", support=Support(minimum_effective_sample_size=1e9))
    assert refused.minus(now).refused
    assert refused.minus(now).reason == refused.reason
