"""Planted truth: no bias, double robustness, intervals that cover, less variance where it is promised."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from equipoise.causal.off_policy import policy_value
from equipoise.errors import ConfigError, DataError
from tests.causal.off_policy.planted import Floats, Planted

WORLD = Planted.draw(11)
MODEL = ("q_logged", "q_target")


def many(world: Planted, worlds: int, n: int, estimator: str, **options: Any) -> tuple[Floats, Floats]:
    """Errors of the value over many logs, and whether the interval held the truth."""
    log_options = {"model": options.pop("model", None)}
    change = options.pop("change", {})
    found = [
        policy_value(
            world.log(n, seed, **log_options).with_columns(**change), "e", estimator, MODEL, **options
        )
        for seed in range(worlds)
    ]
    errors = np.array([v.value - world.truth for v in found if v.value is not None])
    held = np.array(
        [v.low <= world.truth <= v.high for v in found if v.low is not None and v.high is not None]
    )
    return errors, held


@pytest.mark.parametrize("estimator", ["ips", "snips", "dr", "sndr"])
def test_values_are_unbiased_and_intervals_cover(estimator: str):
    errors, held = many(WORLD, 30, 300, estimator, model=WORLD.reward * 0.6 + 0.1)
    assert abs(errors.mean()) < 3 * errors.std(ddof=1) / np.sqrt(len(errors))
    assert held.mean() >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 30)


def test_dr_needs_only_one_nuisance_to_be_right():
    wrong_model = np.full_like(WORLD.reward, 0.9)
    wrong_propensity = {"propensity": pl.lit(0.2)}
    errors = {
        "model wrong": many(WORLD, 30, 300, "dr", model=wrong_model)[0],
        "propensities wrong": many(WORLD, 30, 300, "dr", change=wrong_propensity)[0],
        "both wrong": many(WORLD, 30, 300, "dr", model=wrong_model, change=wrong_propensity)[0],
    }
    z = {name: e.mean() / (e.std(ddof=1) / np.sqrt(len(e))) for name, e in errors.items()}
    assert abs(z["model wrong"]) < 3
    assert abs(z["propensities wrong"]) < 3
    assert abs(z["both wrong"]) > 4


def test_a_good_model_and_normalising_lower_the_variance():
    spread = {name: many(WORLD, 20, 300, name)[0].std() for name in ("ips", "snips", "dr")}
    assert spread["dr"] < spread["snips"] < spread["ips"]


def test_the_interval_of_snips_is_not_that_of_a_frozen_denominator():
    """With high rewards, dividing each round by the mean weight and bootstrapping gives far too wide intervals."""
    world = Planted.draw(12, rate=0.9, spread=1.0)
    log = world.log(2000, 1)
    value = policy_value(log, "e", "snips")
    w, r = (log["e"] / log["propensity"]).to_numpy(), log["reward"].to_numpy()
    draws = np.random.default_rng(0).integers(0, 2000, (400, 2000))
    ratio = (w * r)[draws].sum(axis=1) / w[draws].sum(axis=1)
    frozen = (w * r / w.mean())[draws].mean(axis=1)
    assert value.standard_error == pytest.approx(ratio.std(), rel=0.15)
    assert value.standard_error < 0.6 * frozen.std()


@pytest.mark.parametrize(
    "model", [DecisionTreeRegressor(max_depth=6), LinearRegression(), LogisticRegression()]
)
def test_cross_fitted_models(model: Any):
    log = WORLD.log(3000, 5).drop("q_logged", "q_target").with_columns(x=pl.format("kind {}", "x"))
    target = WORLD.distributions(WORLD.log(3000, 5))
    value = policy_value(log, target, "dr", model, context=["x"])
    assert value.standard_error is not None
    assert abs(value.value - WORLD.truth) < 3.5 * value.standard_error
    assert value.as_dict() == policy_value(log, target, "dr", model, context=["x"]).as_dict()
    assert not hasattr(model, "n_features_in_")  # what was handed over is never fitted itself
    plain = policy_value(log, target, "ips")
    assert value.standard_error < plain.standard_error


def test_no_row_is_predicted_by_a_fit_that_saw_its_user():
    rng = np.random.default_rng(3)
    n, users = 2000, 400
    user = rng.integers(0, users, n)
    noise = rng.normal(size=users)  # all there is to learn of a reward is whose it is
    log = pl.DataFrame(
        {
            "user_id": user,
            "item_id": rng.integers(0, 2, n),
            "reward": noise[user],
            "propensity": 0.5,
            "fingerprint": noise[user] * 1000 + user * 1e-3,
        }
    )
    target = pl.DataFrame({"item_id": [0, 1], "probability": [0.9, 0.1]})
    shuffled = log.with_columns(fingerprint=pl.Series(rng.permutation(users)[user].astype(float)))
    leak = policy_value(shuffled, target, "dr", DecisionTreeRegressor(), context=["fingerprint"])
    plain = policy_value(shuffled, target, "ips")
    assert leak.standard_error is not None
    assert leak.standard_error > plain.standard_error  # a tree that had seen the user would leave no residual


@pytest.mark.parametrize("leak", ["click", "rating", "propensity_score", "price"])
def test_what_the_decision_brought_about_is_read_by_no_model(leak: str):
    log = WORLD.log(2000, 6).drop(*MODEL)
    target = WORLD.distributions(log)
    told = {
        "click": pl.col("reward").cast(pl.Int64),
        "rating": pl.col("reward") * 4 + 1,
        "propensity_score": pl.col("propensity"),
        "price": pl.col("item_id") * 1.5,
    }
    more = log.with_columns(told[leak].alias(leak))
    tree = DecisionTreeRegressor(max_depth=3)
    value = policy_value(more, target, "dr", tree)
    assert value.value == policy_value(log, target, "dr", tree).value
    assert abs(value.value - WORLD.truth) < 3.5 * value.standard_error
    assert any("reads the item and no context. Name" in note for note in value.notes)
    with pytest.raises(DataError, match=f"cannot read '{leak}'"):
        policy_value(more, target, "dr", tree, context=["x", leak])


def test_context_is_what_is_named():
    log = WORLD.log(1500, 6)
    target = WORLD.distributions(log)
    tree = DecisionTreeRegressor(max_depth=4)
    blind, seeing = (policy_value(log, target, "dm", tree, context=c) for c in ([], ["x"]))
    assert blind.value != seeing.value
    assert seeing.notes == ("The outcome model reads the item and x.",)
    with pytest.raises(DataError, match="cannot read the context column 'y'"):
        policy_value(log, target, "dm", tree, context=["y"])
    with pytest.raises(DataError, match="cannot read 'reward'"):
        policy_value(log, target, "dm", tree, context=["reward"])
    amount = pl.col("reward") + pl.col("request_id")
    paid = log.with_columns(reward=amount, revenue=amount * 2)
    with pytest.raises(DataError, match="cannot read 'revenue': it tells the reward"):
        policy_value(paid, target, "dm", tree, context=["revenue"])
    for folds in (0, 1):
        with pytest.raises(ConfigError, match="folds"):
            policy_value(log, target, "dr", tree, folds=folds)


def test_models_that_cannot_be_used():
    log = WORLD.log(500, 7)
    target = WORLD.distributions(log)
    with pytest.raises(DataError, match="whole distributions"):
        policy_value(log, "e", "dr", LinearRegression())
    with pytest.raises(DataError, match="whole distributions"):
        policy_value(log, "e", "dr", pl.DataFrame({"item_id": [0], "value": [1.0]}))
    few = pl.DataFrame({"item_id": range(4), "value": 0.5})
    with pytest.raises(DataError, match="no finite value for an item"):
        policy_value(log, target, "dr", few)
    with pytest.raises(DataError, match="twice"):
        policy_value(log, target, "dr", pl.concat([few, few]))
    with pytest.raises(DataError, match="missing or infinite"):
        policy_value(log.with_columns(q_target=None).cast({"q_target": pl.Float64}), target, "dr", MODEL)
    with pytest.raises(DataError, match="0 and 1 only"):
        policy_value(log.with_columns(reward=2.0 * pl.col("reward")), target, "dr", LogisticRegression())
    with pytest.raises(DataError, match="one cluster"):
        policy_value(log.with_columns(user_id=1), target, "dr", LinearRegression())


def test_many_items_are_described_by_their_means():
    rng = np.random.default_rng(8)
    n, k = 4000, 300
    item = rng.integers(0, k, n)
    rate = rng.uniform(0, 1, k)
    log = pl.DataFrame(
        {"item_id": item, "reward": (rng.random(n) < rate[item]).astype(float), "propensity": 1 / k}
    )
    target = pl.DataFrame({"item_id": np.arange(k), "probability": rate / rate.sum()})
    truth = float((rate**2).sum() / rate.sum())
    value = policy_value(log, target, "dr", LinearRegression())
    assert value.standard_error is not None
    assert abs(value.value - truth) < 3.5 * value.standard_error
    assert value.standard_error < policy_value(log, target, "ips").standard_error


def test_slope_prefers_narrow_candidates_that_agree():
    world = Planted.draw(13, spread=1.0)
    log = world.log(4000, 1)
    value = policy_value(log, "e", "slope")
    widths = [c.high - c.low for c in value.candidates if c.high is not None and c.low is not None]
    assert widths == sorted(widths, reverse=True)
    assert sum(c.chosen for c in value.candidates) == 1
    assert next(c for c in value.candidates if c.chosen).value == value.value
    # where clipping biases much, it is seen in the estimates and not chosen
    assert value.value is not None
    hardest = next(c for c in value.candidates if c.options.get("clip") == 1.0)
    assert not hardest.chosen
    exact = policy_value(log, "e", "slope", MODEL)
    assert next(c for c in exact.candidates if c.chosen).estimator == "dm"  # the model is the truth here
    assert policy_value(log, "e", "slope", candidates=[("snips", {})]).value == policy_value(log, "e").value


def test_slope_errs_less_than_ips_where_overlap_is_poor():
    world = Planted.draw(14, spread=1.4)

    def errors(estimator: str) -> float:
        found = [policy_value(world.log(600, seed), "e", estimator) for seed in range(15)]
        return float(np.mean([(v.value - world.truth) ** 2 for v in found if v.value is not None]))

    assert errors("slope") < errors("ips")
