"""Slates: each estimator has no bias under the model of people that it is made for."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import polars as pl
import pytest

from equipoise.causal.off_policy import Support, policy_value
from equipoise.errors import DataError
from tests.causal.off_policy.planted import Floats

ANY = Support(minimum_effective_sample_size=0, largest_share=1)
ITEMS, PLACES = 4, 3
LISTS = np.array(list(permutations(range(ITEMS), PLACES)))


def steps(score: Floats) -> Floats:
    """Probability of each item of each list given those above it, (lists, places): Plackett-Luce."""
    weight = np.exp(score)[LISTS]
    left = np.exp(score).sum() - weight.cumsum(axis=1) + weight
    return weight / left


LOGGER, TARGET = steps(np.array([0.6, 0.2, -0.2, -0.6])), steps(np.array([-0.5, 0.1, 0.4, 0.2]))
BASE = np.array([0.2, 0.5, 0.7, 0.35])


def rewards(cascade: bool) -> Floats:
    """Expected reward of each place of each list."""
    own = BASE[LISTS] * np.array([1.0, 0.8, 0.6])
    if not cascade:
        return own
    above = np.hstack([np.zeros((len(LISTS), 1)), BASE[LISTS][:, :-1].cumsum(axis=1)])
    return own * np.exp(-above)  # who liked what stood above reads on less


def log(n: int, seed: int, *, cascade: bool, marginal: bool) -> tuple[pl.DataFrame, float]:
    rng = np.random.default_rng([seed, 4])
    chance, wanted, mean = LOGGER.prod(axis=1), TARGET.prod(axis=1), rewards(cascade)
    drawn = rng.choice(len(LISTS), n, p=chance)
    p, e = (share_at_place(policy) if marginal else policy for policy in (LOGGER, TARGET))
    frame = pl.DataFrame(
        {
            "slate_id": np.repeat(np.arange(n), PLACES),
            "position": np.tile(np.arange(1, PLACES + 1), n),
            "item_id": LISTS[drawn].ravel(),
            "reward": (rng.random((n, PLACES)) < mean[drawn]).astype(float).ravel(),
            "propensity": p[drawn].ravel(),
            "e": e[drawn].ravel(),
            "q_logged": np.full(n * PLACES, 0.3),
            "q_target": np.full(n * PLACES, 0.3),
        }
    )
    return frame.sample(fraction=1.0, shuffle=True, seed=seed), float(wanted @ mean.sum(axis=1))


def share_at_place(policy: Floats) -> Floats:
    """Probability of each item at its place whatever stands above, (lists, places)."""
    whole = policy.prod(axis=1)
    made = np.empty(LISTS.shape)
    for place in range(PLACES):
        made[:, place] = np.bincount(LISTS[:, place], whole, minlength=ITEMS)[LISTS[:, place]]
    return made


@pytest.mark.parametrize(
    ("estimator", "cascade", "marginal"),
    [("iips", False, True), ("rips", False, False), ("rips", True, False), ("cascade_dr", True, False)],
)
def test_no_bias_and_coverage(estimator: str, cascade: bool, marginal: bool):
    errors, held = [], []
    for seed in range(30):
        frame, truth = log(400, seed, cascade=cascade, marginal=marginal)
        value = policy_value(frame, "e", estimator, ("q_logged", "q_target"))
        assert value.n == 400
        errors.append(value.value - truth)
        held.append(value.low <= truth <= value.high)
    assert abs(np.mean(errors)) < 3 * np.std(errors, ddof=1) / np.sqrt(30)
    assert np.mean(held) >= 0.83


def test_a_wrong_model_of_people_shows_as_bias():
    errors = []
    for seed in range(10):
        frame, truth = log(2000, seed, cascade=True, marginal=True)
        errors.append(policy_value(frame, "e", "iips").value - truth)
    assert abs(np.mean(errors)) > 5 * np.std(errors, ddof=1) / np.sqrt(10)


def test_a_good_model_lowers_the_variance_of_the_cascade():
    frame, _ = log(3000, 1, cascade=True, marginal=False)
    mean = rewards(True)
    at = {tuple(items): place for place, items in enumerate(LISTS)}
    rows = frame.sort("slate_id", "position")
    lists = [at[tuple(items)] for items in rows["item_id"].to_numpy().reshape(-1, PLACES)]
    good = rows.with_columns(q_logged=pl.Series(mean[lists].ravel()))
    rips, dr = (policy_value(good, "e", name, ("q_logged", "q_target")) for name in ("rips", "cascade_dr"))
    assert dr.standard_error < rips.standard_error


def test_by_hand():
    frame = pl.DataFrame(
        {
            "slate_id": ["a", "a", "b", "b"],
            "position": [1, 2, 1, 2],
            "item_id": [1, 2, 2, 3],
            "reward": [1.0, 1.0, 0.0, 2.0],
            "propensity": [0.5, 0.25, 0.5, 0.5],
            "e": [0.25, 0.5, 0.75, 0.25],
            "q_logged": [0.5, 0.5, 0.5, 1.0],
            "q_target": [0.4, 0.6, 0.4, 0.8],
        }
    )
    model = ("q_logged", "q_target")
    # weights .5, 2 and 1.5, .5; their products .5, 1 and 1.5, .75
    assert policy_value(frame, "e", "iips", support=ANY).value == pytest.approx((0.5 + 2 + 0 + 1) / 2)
    rips = policy_value(frame, "e", "rips", support=ANY)
    assert rips.value == pytest.approx((0.5 + 1 + 0 + 1.5) / 2)
    assert rips.max_weight == 1.0
    assert rips.logger_value.value == 2.0
    first = 0.4 + 0.5 * 0.5 + 0.5 * 0.6 + 1 * 0.5
    second = 0.4 + 1.5 * -0.5 + 1.5 * 0.8 + 0.75 * 1.0
    assert policy_value(frame, "e", "cascade_dr", model, support=ANY).value == pytest.approx(
        (first + second) / 2
    )


def test_long_slates_do_not_underflow():
    n, places = 200, 400
    frame = pl.DataFrame(
        {
            "slate_id": np.repeat(np.arange(n), places),
            "position": np.tile(np.arange(1, places + 1), n),
            "item_id": 0,
            "reward": 1.0,
            "propensity": 1e-3,
            "e": 1e-3,
        }
    )
    value = policy_value(frame, "e", "rips")
    assert value.value == pytest.approx(places)
    assert value.max_weight == pytest.approx(1)


def test_whole_distributions_per_place_and_cross_fitting():
    from sklearn.linear_model import LinearRegression

    frame, truth = log(1500, 2, cascade=False, marginal=True)
    wanted = TARGET.prod(axis=1)
    share = np.array([np.bincount(LISTS[:, k], wanted, minlength=ITEMS) for k in range(PLACES)])
    target = pl.DataFrame(
        {
            "position": np.repeat(np.arange(1, PLACES + 1), ITEMS),
            "item_id": np.tile(np.arange(ITEMS), PLACES),
            "probability": share.ravel(),
        }
    )
    value = policy_value(frame, target, "iips")
    assert value.value == pytest.approx(policy_value(frame, "e", "iips").value)
    assert value.value == pytest.approx(truth, abs=4 * value.standard_error)
    fitted = policy_value(frame, target, "cascade_dr", LinearRegression())
    assert not fitted.refused


def test_slates_of_several_lengths_and_uniform_targets():
    frame, _ = log(600, 3, cascade=True, marginal=False)
    ragged = frame.filter((pl.col("position") < 3) | (pl.col("slate_id") % 2 == 0))
    value = policy_value(ragged, "e", "rips")
    assert value.n == 600
    uniform = policy_value(frame, "uniform", "rips")
    assert uniform.mean_weight == pytest.approx(1, abs=0.15)
    listed = frame.with_columns(candidate_set=pl.lit(list(range(ITEMS))))
    assert policy_value(listed, "uniform", "rips").value == pytest.approx(uniform.value)
    fewer = policy_value(frame, "uniform", "rips", items=[0, 1, 2])
    assert fewer.value != uniform.value
    with pytest.raises(DataError, match="more places than there are items"):
        policy_value(frame, "uniform", "rips", items=[0, 1])
    logged = policy_value(frame, "logged", "rips")
    assert logged.value == pytest.approx(logged.logger_value.value)


def test_every_place_is_checked():
    frame, _ = log(3000, 6, cascade=False, marginal=True)
    assert not policy_value(frame, "e", "iips").refused
    third = pl.col("position") == 3
    half = policy_value(
        frame.with_columns(e=pl.when(third).then(pl.col("e") / 2).otherwise("e")), "e", "iips"
    )
    assert half.reasons == ("mean_weight",)
    assert str(half.reason).startswith("Place 3: ")
    some = policy_value(
        frame.with_columns(e=pl.when(third).then(pl.col("e") * 0.9).otherwise("e")), "e", "iips"
    )
    assert not some.refused
    assert str(some.interval_reason).startswith("Place 3: ")
    fourth = frame.filter((pl.col("position") == 1) & (pl.col("slate_id") < 20)).with_columns(
        position=pl.lit(4, pl.Int64), propensity=0.001, e=0.9, reward=1.0
    )
    value = policy_value(pl.concat([frame, fourth]), "e", "iips")
    assert value.max_weight == pytest.approx(900)
    assert "few_effective_rows" in value.reasons
    light = policy_value(pl.concat([frame, fourth.with_columns(propensity=0.9)]), "e", "iips")
    assert light.interval_reliable


def test_places_that_are_no_numbers():
    frame, _ = log(100, 6, cascade=False, marginal=True)
    with pytest.raises(DataError, match="places of slates are no numbers"):
        policy_value(frame.with_columns(pl.col("position").cast(pl.String)), "e", "iips")


@pytest.mark.parametrize("change", ["gap", "twice", "from 0"])
def test_broken_slates(change: str):
    frame, _ = log(300, 4, cascade=True, marginal=False)
    broken = {
        "gap": frame.filter((pl.col("slate_id") != 7) | (pl.col("position") != 2)),
        "twice": pl.concat([frame, frame.filter(pl.col("slate_id") == 7)]),
        "from 0": frame.with_columns(pl.col("position") - 1),
    }[change]
    with pytest.raises(DataError, match="1, 2, 3"):
        policy_value(broken, "e", "rips")


def test_propensities_of_another_kind():
    frame, _ = log(300, 5, cascade=True, marginal=False)
    of_slates = frame.with_columns(propensity_kind=pl.lit("slate"))
    for name in ("iips", "rips", "ips"):
        with pytest.raises(DataError, match="slate"):
            policy_value(of_slates, "e", name)
    with pytest.raises(DataError, match="item_at_position"):
        policy_value(frame.with_columns(propensity_kind=pl.lit("action")), "e", "iips")
