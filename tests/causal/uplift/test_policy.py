"""Policies: the exact search against brute force, decisions on planted effects, honesty where there are none."""

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import polars as pl
import pytest

from equipoise.causal.effects import estimate_effect
from equipoise.causal.graph import GraphError
from equipoise.causal.uplift import learn_policy, qini
from equipoise.causal.uplift.tree import best_tree
from equipoise.errors import ConfigError, DataError


def brute(x, gains, depth, smallest):
    """The best value of any tree, by trying all of them."""
    best = max(gains.sum(), 0.0) if len(x) >= smallest else -np.inf
    if depth == 0:
        return best
    for j in range(x.shape[1]):
        for cut in np.unique(x[:, j])[:-1]:
            left = x[:, j] <= cut
            best = max(
                best,
                brute(x[left], gains[left], depth - 1, smallest)
                + brute(x[~left], gains[~left], depth - 1, smallest),
            )
    return best


def worth(tree, x, gains):
    leaves = np.zeros(len(x), int) if tree is None else tree.leaves(x)
    return np.maximum(np.bincount(leaves, gains), 0).sum()


@pytest.mark.parametrize(("depth", "seed"), list(product((1, 2), range(12))))
def test_no_tree_is_better(depth, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 5, size=(40, 3)).astype(float)
    gains = rng.normal(size=40) + 0.8 * ((x[:, 0] > 2) ^ (x[:, 1] > 2)) - 0.4
    smallest = int(rng.integers(1, 6))
    tree = best_tree(x, gains, depth, smallest, cuts=63)
    assert worth(tree, x, gains) == pytest.approx(brute(x, gains, depth, smallest))
    if tree is not None:
        assert np.bincount(tree.leaves(x)).min() >= smallest


def test_crossed_effects_need_both_splits():
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(2000, 4))
    gains = np.where((x[:, 1] > 0.5) ^ (x[:, 2] > 0.5), 1.0, -1.0)
    tree = best_tree(x, gains, 2, 20, cuts=63)
    assert tree.feature in (1, 2)
    assert {tree.left.feature, tree.right.feature} == {1, 2} - {tree.feature}
    assert worth(tree, x, gains) > 0.95 * gains[gains > 0].sum()


def test_many_values_are_cut_between_neighbours_and_a_constant_is_not_cut():
    x = np.column_stack([np.arange(1000.0), np.ones(1000)])
    tree = best_tree(x, np.where(x[:, 0] < 500, -1.0, 1.0), 1, 10, cuts=9)
    assert (tree.feature, tree.cut) == (0, 499.5)
    assert best_tree(x[:, 1:], np.ones(1000), 2, 10, cuts=9) is None


def log(n=6000, seed=0, lift=None, users=None):
    """A confounded log; the effect is +1 on phones of people under 40, −0.5 elsewhere unless told."""
    rng = np.random.default_rng(seed)
    user = np.arange(n) if users is None else np.repeat(np.arange(users), n // users)
    people = user.max() + 1
    age, phone = rng.uniform(18, 70, people)[user], rng.random(people)[user] < 0.5
    shown = (rng.random(n) < 0.3 + 0.4 * phone).astype(int)
    effect = np.where(phone & (age < 40), 1.0, -0.5) if lift is None else np.full(n, lift)
    bought = 0.02 * age + phone + shown * effect + rng.normal(size=n)
    device = np.where(phone, "phone", "desk")
    frame = pl.DataFrame(
        {"user_id": user, "age": age, "device": device, "shown": shown, "bought": bought, "fee": 0.2}
    )
    return frame, effect


def effect_of(frame, **options):
    return estimate_effect(frame, "shown", "bought", adjust=["age", "device"], **options)


def test_the_planted_group_is_found_and_worth_what_it_is_worth():
    frame, truth = log()
    policy = learn_policy(effect_of(frame), ["age", "device"])
    decided = policy.decide(frame)
    right = (decided["decision"] == "treat").to_numpy() == (truth > 0)
    assert right.mean() > 0.97
    ideal = np.maximum(truth, 0).mean()
    assert policy.value.low <= ideal * 1.02
    assert policy.value.value == pytest.approx(ideal, abs=0.06)
    assert policy.treat_all.low <= truth.mean() <= policy.treat_all.high
    assert policy.advantage.low > 0
    assert "device is phone" in policy.rules
    assert "age <= 4" in policy.rules or "age <= 39" in policy.rules
    json.dumps(policy.as_dict(), allow_nan=False)


def test_a_cost_makes_leaving_alone_the_better_part():
    frame, _ = log(lift=0.1)
    effect = effect_of(frame)
    assert [leaf.decision for leaf in learn_policy(effect, ["age"], depth=0).leaves] == ["treat"]
    for cost in (0.4, "fee"):
        policy = learn_policy(effect, ["age"], cost=cost, depth=0)
        assert [leaf.decision for leaf in policy.leaves] == ["withhold"]
        assert policy.rules.startswith("always: withhold")
        assert policy.value.value == 0
        assert policy.treat_all.high < 0


@pytest.mark.parametrize("users", [None, 400], ids=["rows", "clusters"])
def test_without_an_effect_leaves_abstain(users):
    worlds, wrong = 40, 0
    for seed in range(worlds):
        frame, _ = log(n=2000, seed=seed, lift=0.0, users=users)
        options = {} if users is None else {"cluster": "user_id"}
        policy = learn_policy(effect_of(frame, **options), ["age", "device"], smallest_leaf=30, cuts=15)
        wrong += any(leaf.decision != "abstain" for leaf in policy.leaves)
    assert wrong / worlds < 0.05 + 3 * np.sqrt(0.05 * 0.95 / worlds)


def test_the_cross_fitted_value_covers_what_the_policy_is_worth():
    worlds, hits = 40, 0
    for seed in range(worlds):
        frame, _ = log(n=1500, seed=seed, lift=0.0)
        value = learn_policy(effect_of(frame), ["age", "device"], cuts=15).value
        hits += value.low is None or value.low <= 0 <= value.high  # any policy is worth 0 here
    assert hits / worlds > 0.95 - 3 * np.sqrt(0.05 * 0.95 / worlds)


def test_decisions_come_back_in_the_callers_kind_of_frame():
    duckdb = pytest.importorskip("duckdb")
    frame, _ = log(n=4000)
    policy = learn_policy(effect_of(frame), ["age", "device"])
    few = frame.head(50)
    wanted = policy.decide(few)["decision"].to_list()
    assert {"treat", "withhold"} <= set(wanted)
    from_pandas = policy.decide(few.to_pandas())
    assert isinstance(from_pandas, pd.DataFrame)
    assert from_pandas["decision"].tolist() == wanted
    assert policy.decide(duckdb.sql("select * from few"))["decision"].to_list() == wanted
    unknown = pl.DataFrame({"age": [None, 30.0], "device": ["phone", "phone"]})
    assert policy.decide(unknown)["decision"].to_list() == ["abstain", "treat"]


def test_effects_give_their_scores_and_clusters_to_ranking_values():
    frame, truth = log(n=3000, users=600)
    found = qini(truth, effect_of(frame, cluster="user_id"))
    assert found.low > 0
    assert len(found.estimate.sums) == 600


@pytest.mark.parametrize(
    ("error", "options", "words"),
    [
        (ConfigError, {"depth": 3}, "depth 3"),
        (ConfigError, {"honest_share": 1.0}, "honest_share"),
        (ConfigError, {"seed": -1}, "seed=-1"),
        (ConfigError, {"folds": 1}, "held out of 1 folds"),
        (DataError, {"features": ["agee"]}, "age"),
        (DataError, {"cost": "price"}, "price"),
    ],
)
def test_settings_that_make_no_policy_are_refused(error, options, words):
    effect = effect_of(log(n=600)[0])
    with pytest.raises(error, match=words):
        learn_policy(effect, **{"features": ["age"], **options})


def test_an_effect_without_scores_of_rows_is_refused():
    effect = effect_of(log(n=600)[0], method="ipw")
    with pytest.raises(DataError, match="AIPW"):
        learn_policy(effect, ["age"])


GRAPHED = "age -> shown; age -> bought; device -> shown; device -> bought; shown -> seen -> bought; fee"


def test_what_the_treatment_changes_decides_nothing():
    frame, _ = log(n=600)
    frame = frame.with_columns(seen=pl.col("shown") * 2)
    effect = effect_of(frame)
    for name, words in (("bought", "is the outcome"), ("shown", "is the treatment")):
        with pytest.raises(DataError, match=words):
            learn_policy(effect, ["age", name])
    assert learn_policy(effect, ["seen"], depth=0).leaves  # without a graph nobody knows
    drawn = estimate_effect(frame, "shown", "bought", graph=GRAPHED)
    assert drawn.method == "aipw"
    with pytest.raises(GraphError, match="'shown' changes 'seen'"):
        learn_policy(drawn, ["seen"])
    with pytest.raises(DataError, match="is the outcome"):
        learn_policy(drawn, "bought")
    assert learn_policy(drawn, ["age", "device"], depth=0).leaves


def test_mediators_decide_nothing():
    frame, _ = log(n=600)
    seen = pl.Series("seen", np.where(np.arange(600) % 3, "yes", "no"))
    effect = effect_of(frame)
    mediated = replace(
        effect, design=replace(effect.design, frame=frame.with_columns(seen), mediator_names=("seen=yes",))
    )
    with pytest.raises(DataError, match="'seen' is a mediator"):
        learn_policy(mediated, ["seen"])


def test_one_feature_is_one_name():
    effect = effect_of(log(n=600)[0])
    assert learn_policy(effect, "age", depth=0).features.columns == ("age",)


def test_a_missing_number_abstains_in_every_kind_of_frame_and_text_is_told():
    policy = learn_policy(effect_of(log()[0]), ["age", "device"])
    rows = {"age": [30.0, float("nan")], "device": ["phone", "phone"]}
    assert policy.decide(pl.DataFrame(rows))["decision"].to_list() == ["treat", "abstain"]
    assert policy.decide(pd.DataFrame(rows))["decision"].tolist() == ["treat", "abstain"]
    with pytest.raises(DataError, match="'age' held numbers, and now holds String"):
        policy.decide(pl.DataFrame({"age": ["young"], "device": ["phone"]}))
    with pytest.raises(DataError, match="costs are no numbers"):
        learn_policy(effect_of(log(n=600)[0]), ["age"], cost="device")
