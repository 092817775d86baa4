"""Every estimator on planted truth, and against formulas worked by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, roots_hermitenorm

from equipoise.causal.effects import Settings, estimate_effect
from equipoise.causal.effects.methods.aipw import combine
from equipoise.causal.effects.methods.instrument import anderson_rubin
from equipoise.causal.effects.nuisances import cross_fit, make_folds
from equipoise.causal.effects.reading import read_design
from equipoise.errors import ConfigError, DataError
from equipoise.statistics import Estimate

from .conftest import confounded

_AT, _WEIGHT = roots_hermitenorm(60)
_E = expit(0.8 * _AT)


def _truth(by: np.ndarray) -> float:
    return float((_WEIGHT * by) @ (1 + _AT) / (_WEIGHT @ by))


TRUE_ATT, TRUE_ATO = _truth(_E), _truth(_E * (1 - _E))


def test_scores_by_hand() -> None:
    frame = pl.DataFrame({"t": [1, 0, 1, 0], "y": [3.0, 1.0, 2.0, 0.0]})
    design = read_design(frame, "t", "y")
    e, mu0, mu1 = (
        np.array([0.5, 0.25, 0.8, 0.5]),
        np.array([1.0, 0.5, 1.0, 0.0]),
        np.array([2.0, 2.0, 2.0, 1.0]),
    )
    scores, influence = combine(design, e, mu0, mu1, "ate")
    # 2-1 + (3-2)/.5;  2-.5 - (1-.5)/.75;  2-1 + 0;  1-0 - 0
    assert scores == pytest.approx([3.0, 1.5 - 0.5 / 0.75, 1.0, 1.0])
    assert influence.mean() == pytest.approx(0.0)
    treated, influence = combine(design, e, mu0, mu1, "att")
    # y - mu0 for the treated, odds times the residual for the others, over the share of treated
    assert treated == pytest.approx([4.0, -2 * 0.5 / 3, 2.0, 0.0])
    assert influence.mean() == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("method", "estimand", "truth"),
    [
        ("aipw", "ate", 1.0), ("ipw", "ate", 1.0), ("regression", "ate", 1.0), ("matching", "ate", 1.0),
        ("aipw", "att", TRUE_ATT), ("ipw", "att", TRUE_ATT), ("regression", "att", TRUE_ATT),
        ("matching", "att", TRUE_ATT), ("overlap", "ate", TRUE_ATO),
    ],
)  # fmt: skip
def test_intervals_cover_and_standard_errors_are_right(method: str, estimand: str, truth: float) -> None:
    made = [
        estimate_effect(confounded(600, seed), "t", "y", adjust=["x"], method=method, estimand=estimand)
        for seed in range(150)
    ]
    values = np.array([effect.value for effect in made])
    errors = np.array([effect.standard_error for effect in made])
    assert abs(values.mean() - truth) < 4 * values.std() / np.sqrt(len(made))
    assert errors.mean() == pytest.approx(values.std(), rel=0.17)  # its own Monte-Carlo error is 6 %
    assert np.mean([effect.low <= truth <= effect.high for effect in made]) > 0.89
    naive = np.array([effect.naive.value for effect in made])
    assert abs(naive.mean() - truth) > 20 * naive.std() / np.sqrt(len(made))


def test_known_propensities_would_be_conservative() -> None:
    """The stacked standard error of IPW is smaller than that of weights taken as known, and right."""
    from sklearn.linear_model import LogisticRegression

    data = confounded(2000, 3)
    stacked = estimate_effect(data, "t", "y", adjust=["x"], method="ipw")
    known = estimate_effect(
        data, "t", "y", adjust=["x"], method="ipw", propensity_model=LogisticRegression(C=1e6)
    )
    assert "stacked" in stacked.details["standard_error"]
    assert "conservative" in known.details["standard_error"]
    assert known.standard_error > 1.1 * stacked.standard_error


def test_double_robustness() -> None:
    """Both nuisances bend in x; a wrong one does not know it. Only both wrong biases."""
    biases: dict[str, list[float]] = {name: [] for name in ("right", "outcome", "propensity", "both")}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=2000)
        bend = x**2 - 1
        t = (rng.random(2000) < expit(0.5 * x + 0.5 * bend)).astype(int)
        frame = pl.DataFrame({"t": t, "y": t + x + bend + rng.normal(size=2000), "x": x, "bend": bend})
        right, wrong = (read_design(frame, "t", "y", names) for names in (["x", "bend"], ["x"]))
        good, bad = (cross_fit(design, Settings()) for design in (right, wrong))
        for name, outcome, propensity in (
            ("right", good, good), ("outcome", bad, good), ("propensity", good, bad), ("both", bad, bad),
        ):  # fmt: skip
            scores, _ = combine(right, propensity.propensity, outcome.mu0, outcome.mu1, "ate")
            biases[name].append(scores.mean() - 1.0)
    z = {name: np.mean(errors) / (np.std(errors) / np.sqrt(60)) for name, errors in biases.items()}
    assert all(abs(z[name]) < 3 for name in ("right", "outcome", "propensity"))
    assert z["both"] > 20


def test_dependent_rows_need_clusters() -> None:
    """Whole users are treated, and each has a level of their own: rows of a user tell little more than one."""
    covered = {"user": 0, None: 0}
    for seed in range(100):
        rng = np.random.default_rng(seed)
        user = np.repeat(np.arange(200), 5)
        x, luck = rng.normal(size=(2, 200))
        t = rng.random(200) < expit(0.3 * x)
        y = (t + x + luck)[user] + rng.normal(size=1000)
        frame = pl.DataFrame({"x": x[user], "t": t[user], "y": y, "user": user})
        for cluster in covered:
            effect = estimate_effect(frame, "t", "y", adjust=["x"], cluster=cluster)
            covered[cluster] += effect.low <= 1 <= effect.high
    assert covered["user"] >= 89
    assert covered[None] < 80


def test_folds_keep_clusters_whole_and_spread_the_treated() -> None:
    design = read_design(confounded(1000, 0), "t", "bought", ["x"], "user")
    folds = make_folds(design, 5, seed=0)
    assert all(len(np.unique(folds[design.clusters == user])) == 1 for user in range(200))
    single = read_design(confounded(1000, 0), "t", "bought", ["x"])
    folds = make_folds(single, 5, seed=0)
    treated = np.bincount(folds, single.treatment)
    assert treated.max() - treated.min() <= 2


def test_the_seed_only_moves_the_folds(sample: pl.DataFrame) -> None:
    first = estimate_effect(sample, "t", "y", adjust=["x"])
    assert first.again(first.design).value == first.value
    other = first.again(first.design, seed=1)
    assert other.value != first.value
    assert abs(other.value - first.value) < 0.2 * first.standard_error


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(0.1, 100), shift=st.floats(-100, 100))
def test_units_of_the_outcome_do_not_matter(scale: float, shift: float) -> None:
    data = confounded(300, 5)
    for method in ("aipw", "ipw", "overlap", "regression", "matching"):
        plain = estimate_effect(data, "t", "y", adjust=["x"], method=method)
        moved = estimate_effect(
            data.with_columns(pl.col("y") * scale + shift), "t", "y", adjust=["x"], method=method
        )
        assert moved.value == pytest.approx(plain.value * scale, rel=1e-6, abs=1e-6)
        assert moved.standard_error == pytest.approx(plain.standard_error * scale, rel=1e-6)


def _instrumented(seed: int, strength: float = 0.8, n: int = 1000) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    z, u, x = rng.integers(0, 2, n), rng.normal(size=n), rng.normal(size=n)
    t = strength * z + u + 0.3 * x + rng.normal(size=n) > 0.4
    return pl.DataFrame({"z": z, "x": x, "t": t, "y": 2.0 * t + u + x + rng.normal(size=n)})


def test_two_stage_least_squares_by_hand() -> None:
    data = _instrumented(0)
    effect = estimate_effect(data, "t", "y", method="iv", instrument="z")
    by_arm = data.group_by("z").agg(pl.col("t").cast(float).mean(), pl.col("y").mean()).sort("z")
    wald = (by_arm["y"][1] - by_arm["y"][0]) / (by_arm["t"][1] - by_arm["t"][0])
    assert effect.value == pytest.approx(wald)
    assert effect.estimand == "late"
    assert (effect.p_value < 0.05) == (effect.low > 0)


def test_the_interval_of_an_instrument_inverts_a_test() -> None:
    data = _instrumented(1)
    z = (data["z"] - data["z"].mean()).to_numpy()
    zy, zt = z * data["y"].to_numpy(), z * data["t"].cast(float).to_numpy()
    low, high = anderson_rubin(zy, zt, None, 0.95)

    def p(theta: float) -> float:
        moved = zy - theta * zt
        return Estimate(float(moved.mean()), moved - moved.mean()).p_value()

    assert p(low) == pytest.approx(0.05, abs=1e-6)
    assert p(high) == pytest.approx(0.05, abs=1e-6)
    assert p((low + high) / 2) > 0.05 > p(high + 0.1)


def test_a_weak_instrument_is_refused_and_a_strong_one_covers() -> None:
    weak = estimate_effect(_instrumented(2, strength=0.02), "t", "y", method="iv", instrument="z")
    assert weak.refused
    assert weak.value is None
    assert "Weak instrument" in weak.reason
    made = [
        estimate_effect(_instrumented(seed), "t", "y", adjust=["x"], method="iv", instrument="z")
        for seed in range(150)
    ]
    assert np.mean([effect.low <= 2 <= effect.high for effect in made]) > 0.9
    assert np.median([effect.naive.value for effect in made]) > 2.8


def _exact(counts: dict[tuple[int, ...], float], names: tuple[str, ...], n: int) -> pl.DataFrame:
    """Rows in exact proportion to a joint distribution."""
    rows = [cell for cell, share in counts.items() for _ in range(round(share * n))]
    return pl.DataFrame(rows, schema=list(names), orient="row")


def _front_door_joint() -> dict[tuple[int, ...], float]:
    joint: dict[tuple[int, ...], float] = {}
    for u in (0, 1):
        for t in (0, 1):
            for m in (0, 1):
                for y in (0, 1):
                    treated, through, bought = (0.2, 0.8)[u], (0.1, 0.9)[t], 0.1 + 0.5 * m + 0.3 * u
                    share = 0.5 * (treated if t else 1 - treated) * (through if m else 1 - through)
                    joint[t, m, y] = joint.get((t, m, y), 0.0) + share * (bought if y else 1 - bought)
    return joint


@pytest.mark.parametrize("method", ["frontdoor", "aipw"])
def test_front_door_fixture(method: str) -> None:
    """P(y | do t) is 0.3 and 0.7; the graph turns `aipw` into the front door by itself."""
    data = _exact(_front_door_joint(), ("t", "m", "y"), 10_000)
    effect = estimate_effect(data, "t", "y", graph="t -> m -> y; t <-> y", method=method)
    assert effect.method == "frontdoor"
    assert effect.value == pytest.approx(0.4, abs=0.003)
    assert effect.naive.value == pytest.approx(0.58)


def test_mediation_of_the_three_variable_example() -> None:
    """P(X=1)=.3; P(Y=1|X)=.2/.7; P(Z=1|x,y) 00 .1, 01 .4, 10 .5, 11 .8: 0.55 = 0.40 + 0.15."""
    joint = {}
    for x in (0, 1):
        for y in (0, 1):
            for z in (0, 1):
                py, pz = (0.2, 0.7)[x], 0.1 + 0.4 * x + 0.3 * y
                joint[x, y, z] = (0.3 if x else 0.7) * (py if y else 1 - py) * (pz if z else 1 - pz)
    data = _exact(joint, ("x", "y", "z"), 20_000)
    effect = estimate_effect(data, "x", "z", graph="x -> y -> z; x -> z", method="mediation", mediator="y")
    parts = {name: part.value for name, part in effect.parts.items()}
    assert parts == pytest.approx({"total": 0.55, "direct": 0.40, "indirect": 0.15}, abs=0.003)
    direct = estimate_effect(data, "x", "z", adjust=[], method="mediation", mediator="y", estimand="nde")
    assert direct.value == pytest.approx(0.40, abs=0.003)


def _through(seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    u, x = rng.normal(size=(2, 1500))
    t = rng.normal(size=1500) + u + 0.5 * x > 0
    m = t + 0.5 * x + rng.normal(size=1500)
    return pl.DataFrame({"x": x, "t": t, "m": m, "y": m + u + x + rng.normal(size=1500)})


def _mediated(seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=1500)
    t = rng.random(1500) < expit(0.7 * x)
    m = 0.5 * t + 0.5 * x + rng.normal(size=1500)
    return pl.DataFrame({"x": x, "t": t, "m": m, "y": t + m + 0.5 * t * m + x + rng.normal(size=1500)})


def _amounts(seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=500)
    t = x + rng.normal(size=500)
    return pl.DataFrame({"x": x, "t": t, "y": 0.5 * t + x + rng.normal(size=500)})


@pytest.mark.parametrize(
    ("draw", "truth", "options"),
    [
        (_through, {"value": 1.0}, {"method": "frontdoor", "mediator": "m"}),
        (
            _mediated,
            {"total": 1.75, "direct": 1.0, "indirect": 0.5},
            {"method": "mediation", "mediator": "m"},
        ),
        (_amounts, {"value": 0.5}, {"method": "plr"}),
    ],
)
def test_mediators_and_amounts_that_are_numbers(
    draw: Callable[[int], pl.DataFrame], truth: dict[str, float], options: dict[str, Any]
) -> None:
    made = [estimate_effect(draw(seed), "t", "y", adjust=["x"], **options) for seed in range(80)]
    for name, wanted in truth.items():
        parts = [effect.parts.get(name, effect) for effect in made]
        values = np.array([part.value for part in parts])
        assert abs(values.mean() - wanted) < 4 * values.std() / np.sqrt(len(made))
        assert np.mean([part.low <= wanted <= part.high for part in parts]) > 0.87


@pytest.mark.parametrize(("method", "estimand"), [("aipw", "nde"), ("overlap", "att"), ("plr", "att")])
def test_a_method_says_what_it_does_not_estimate(method: str, estimand: str) -> None:
    with pytest.raises(ConfigError, match=f"'{method}' does not estimate the '{estimand}'"):
        estimate_effect(_amounts(0).with_columns(t=pl.col("t") > 0) if method != "plr" else _amounts(0), "t", "y",
                        adjust=["x"], method=method, estimand=estimand)  # fmt: skip


def test_a_treatment_that_covariates_determine_is_refused() -> None:
    data = _amounts(0).with_columns(t=pl.col("x") * 2 + 0.01 * pl.col("y"))
    effect = estimate_effect(data, "t", "y", adjust=["x"], method="plr")
    assert effect.refused
    assert "variance" in effect.reason
    assert effect.bounds is None


@pytest.mark.parametrize("method", ["frontdoor", "mediation"])
def test_an_arm_in_one_cluster_is_said(method: str) -> None:
    data = _mediated(0).with_columns(user=pl.when(pl.col("t")).then(-1).otherwise(pl.int_range(pl.len())))
    with pytest.raises(DataError, match="leaves no rows of one arm"):
        estimate_effect(data, "t", "y", adjust=["x"], method=method, mediator="m", cluster="user")


@pytest.mark.parametrize("clusters", [1, 4])
def test_few_clusters_of_an_instrument_are_refused(clusters: int) -> None:
    data = _instrumented(0).with_columns(user=pl.int_range(pl.len()) % clusters)
    effect = estimate_effect(data, "t", "y", method="iv", instrument="z", cluster="user")
    assert effect.refused
    assert f"Only {clusters} rows or clusters" in effect.reason
    assert effect.card["verdict"]["code"] == "refused"
    rare = _instrumented(0).with_columns(z=(pl.int_range(pl.len()) < 8).cast(int))
    few = estimate_effect(rare, "t", "y", method="iv", instrument="z")
    assert "Only 8 rows or clusters at one value of the instrument" in few.reason
