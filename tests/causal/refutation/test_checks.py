"""The attempts at refutation, checked themselves: quiet where nothing is wrong, loud where something is."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from equipoise.causal.effects import Effect, estimate_effect
from equipoise.causal.effects.methods import METHODS
from equipoise.causal.refutation import (
    dummy_outcome,
    negative_controls,
    pair_differences,
    permutation_placebo,
    random_common_cause,
    subset_stability,
)
from equipoise.causal.refutation.permutation import permuted
from equipoise.errors import ConfigError, DataError
from equipoise.statistics import Estimate

N = 600


def log(seed=0, n=N, hidden=0.0, curved=0.0, users=None):
    """A log confounded by x, with a hidden cause and a curve where asked; the effect is 0.5."""
    rng = np.random.default_rng(seed)
    user = np.arange(n) if users is None else np.repeat(np.arange(users), n // users)
    x, z, u = rng.normal(size=(3, user.max() + 1))[:, user]
    lift = 0.7 * x + hidden * u + curved * (x**2 - 1)
    shown = (rng.random(n) < 1 / (1 + np.exp(-lift))).astype(int)
    surface = x + 0.5 * z + hidden * u + 2 * curved * x**2
    return pl.DataFrame(
        {
            "user": user,
            "x": x,
            "z": z,
            "shown": shown,
            "bought": surface + 0.5 * shown + rng.normal(size=n),
            "before": surface + rng.normal(size=n),
            "elsewhere": (rng.random(n) < 1 / (1 + np.exp(-hidden * u - 0.5 * x))).astype(int),
        }
    )


def effect_of(frame, adjust=("x", "z"), **options):
    return estimate_effect(frame, "shown", "bought", adjust=list(adjust), **options)


CLEAN = effect_of(log(n=2000))


def broken(monkeypatch, spoil):
    """AIPW with its estimate spoilt."""
    honest = METHODS["aipw"]

    def spoilt(design, settings):
        fitted = honest(design, settings)
        return replace(fitted, estimate=spoil(fitted.estimate))

    monkeypatch.setitem(METHODS, "aipw", spoilt)
    return effect_of(log())


def test_a_permuted_treatment_keeps_its_numbers_and_its_dependence_on_covariates_alone():
    rng = np.random.default_rng(0)
    design = CLEAN.design
    residual = design.outcome - design.covariates @ [1.0, 0.5] - 0.5 * design.treatment
    placebos = [permuted(design, CLEAN.nuisances.propensity, rng).treatment for _ in range(40)]
    assert all(t.sum() == design.treatment.sum() for t in placebos)
    assert all(t.std() > 0.4 for t in placebos)
    with_x = [np.corrcoef(t, design.covariates[:, 0])[0, 1] for t in placebos]
    true = np.corrcoef(design.treatment, design.covariates[:, 0])[0, 1]
    assert np.mean(with_x) == pytest.approx(true, abs=0.03)
    assert np.mean([np.corrcoef(t, residual)[0, 1] for t in placebos]) == pytest.approx(0, abs=0.02)
    moved = np.mean([(t != design.treatment).mean() for t in placebos])
    e = CLEAN.nuisances.propensity
    assert moved == pytest.approx(np.mean(2 * e * (1 - e)), abs=0.03)


def test_a_rare_treatment_is_permuted_through_and_through():
    rng = np.random.default_rng(4)
    x = rng.normal(size=8000)
    e = 1 / (1 + np.exp(8 - 3 * x))
    t = (rng.random(8000) < e).astype(float)
    design = replace(CLEAN.design.take(np.arange(8000) % CLEAN.n), treatment=t, clusters=None)
    placebos = [permuted(design, e, rng).treatment for _ in range(20)]
    assert np.mean([x[p == 1].mean() for p in placebos]) == pytest.approx(np.average(x, weights=e), abs=0.06)
    kept = [((p - e) @ (t - e)) / ((t - e) @ (t - e)) for p in placebos]
    assert np.mean(kept) == pytest.approx(0, abs=0.05)


def test_a_treatment_given_to_whole_clusters_is_permuted_between_clusters():
    frame = log(users=100).with_columns(shown=(pl.col("user") % 3 == 0).cast(pl.Int64))
    design = effect_of(frame, cluster="user").design
    placebo = permuted(design, None, np.random.default_rng(1)).treatment
    share = np.bincount(design.clusters, placebo) / np.bincount(design.clusters)
    assert set(np.unique(share)) == {0.0, 1.0}
    assert placebo.sum() == design.treatment.sum()
    assert (placebo != design.treatment).any()


def test_amounts_and_instruments_are_permuted_with_what_belongs_to_them():
    rng = np.random.default_rng(2)
    frame = log().with_columns(dose=pl.col("x") + pl.Series(rng.normal(size=N)))
    dose = estimate_effect(frame, "dose", "bought", adjust=["x"], method="plr").design
    placebo = permuted(dose, None, rng)
    assert np.corrcoef(placebo.treatment, dose.covariates[:, 0])[0, 1] > 0.5
    assert not np.allclose(placebo.treatment, dose.treatment)
    letter = rng.integers(0, 2, N)
    frame = log().with_columns(
        letter=pl.Series(letter), shown=pl.Series((rng.random(N) < 0.2 + 0.6 * letter).astype(int))
    )
    design = estimate_effect(frame, "shown", "bought", adjust=["x"], method="iv", instrument="letter").design
    placebo = permuted(design, None, rng)
    pairs = sorted(zip(placebo.treatment, placebo.instrument, strict=True))
    assert pairs == sorted(zip(design.treatment, design.instrument, strict=True))


def test_a_placebo_that_does_not_vary_is_no_test():
    design = replace(CLEAN.design, treatment=np.zeros(CLEAN.n))
    with pytest.raises(DataError, match="does not vary"):
        permuted(design, np.full(CLEAN.n, 0.5), np.random.default_rng(0))
    with pytest.raises(ConfigError, match="5 permutations"):
        permutation_placebo(CLEAN, 5)


def test_on_a_clean_world_everything_passes():
    findings = [
        permutation_placebo(CLEAN, 40),
        random_common_cause(CLEAN),
        subset_stability(CLEAN, 20),
        dummy_outcome(CLEAN, 15),
        *negative_controls(CLEAN, {"outcomes": ["before"], "exposures": ["elsewhere"]}),
    ]
    assert {one.name: one.status for one in findings} == dict.fromkeys(
        (
            "permutation_placebo",
            "random_common_cause",
            "subset_stability",
            "dummy_outcome",
            "negative_control_outcome",
            "negative_control_exposure",
        ),
        "passed",
    )
    placebo = findings[0]
    assert placebo.p_value == pytest.approx(1 / 41)  # a true effect of ten standard errors
    assert placebo.low < 0 < placebo.high
    assert placebo.details["share_moved"] > 0.3
    assert findings[2].details["ratio"] == pytest.approx(1, abs=0.4)
    assert findings[2].details["removal_share"] < 0.5


def test_a_biased_estimator_finds_effects_in_placebos(monkeypatch):
    effect = broken(monkeypatch, lambda e: replace(e, value=e.value + 0.3))
    found = permutation_placebo(effect, 20)
    assert found.status == "failed"
    assert found.value == pytest.approx(0.3, abs=0.1)
    assert "where there is nothing" in found.says
    assert dummy_outcome(effect, 10).status == "failed"


def test_an_overconfident_estimator_misses_zero_too_often(monkeypatch):
    effect = broken(monkeypatch, lambda e: Estimate(e.value, e.influence / 3, e.clusters))
    found = permutation_placebo(effect, 30)
    assert found.status == "failed"
    assert "misses 0" in found.says
    assert subset_stability(effect, 20).status == "failed"


def test_without_an_effect_p_values_of_the_placebo_are_even():
    values = []
    for seed in range(12):
        frame = log(seed, n=400).with_columns(pl.col("bought") - 0.5 * pl.col("shown"))
        values.append(permutation_placebo(effect_of(frame), 20).p_value)
    assert 0.3 < np.mean(values) < 0.7
    assert np.mean(np.array(values) <= 0.1) < 0.4


def test_models_too_simple_for_the_covariates_are_found_out():
    found = dummy_outcome(effect_of(log(n=1500, curved=0.5)), 10)
    assert found.status == "failed"
    assert "known function" in found.says
    richer = effect_of(log(n=1500, curved=0.5), outcome_model="quadratic", propensity_model="quadratic")
    assert dummy_outcome(richer, 10).status == "passed"


def test_without_covariates_there_is_noise_alone():
    effect = estimate_effect(log(), "shown", "before", adjust=[])
    found = dummy_outcome(effect, 10)
    assert found.status == "passed"
    assert found.p_value is None


def test_a_model_that_follows_noise_is_unstable():
    from sklearn.tree import DecisionTreeRegressor

    wild = effect_of(log(), outcome_model=DecisionTreeRegressor(random_state=0))
    assert random_common_cause(wild, 5).status == "failed"


def test_hidden_confounding_is_seen_by_negative_controls_alone():
    effect = effect_of(log(n=1500, hidden=1.0))
    outcome, exposure = negative_controls(effect, {"outcomes": ["before"], "exposures": ["elsewhere"]})
    assert (outcome.status, exposure.status) == ("failed", "failed")
    assert outcome.low > 0
    assert exposure.details == {"column": "elsewhere"}
    assert permutation_placebo(effect, 20).status == "passed"  # it cannot see what it was not told


def test_many_controls_are_corrected_for():
    rng = np.random.default_rng(3)
    noise = {f"n{j}": rng.normal(size=N) for j in range(20)}
    effect = effect_of(log().with_columns(**{name: pl.Series(v) for name, v in noise.items()}))
    findings = negative_controls(effect, list(noise))
    raw = [effect.again(effect.design.with_outcome(noise[name])).p_value for name in noise]
    assert [one.p_value for one in findings[:20]] >= raw
    assert min(one.p_value for one in findings[:20]) == pytest.approx(min(1, 20 * min(raw)))
    assert findings[-1].status == "not run"


@pytest.mark.parametrize(
    ("controls", "words"),
    [
        (["shown"], "part of the question"),
        (["x"], "part of the question"),
        (["befor"], "before"),
        ({"outcome": ["before"]}, "no kind"),
        (["name"], "not numbers"),
        (["gap"], "missing in some rows"),
        ({"exposures": ["gap"]}, "missing in some rows"),
    ],
)
def test_controls_that_are_none_are_refused(controls, words):
    gap = pl.Series([None, *([0.0, 1.0] * N)][:N])
    effect = effect_of(log().with_columns(name=pl.lit("a"), gap=gap))
    with pytest.raises(DataError, match=words):
        negative_controls(effect, controls)


def test_pairs_are_near_and_nobody_is_in_two():
    design, e = CLEAN.design, CLEAN.nuisances.propensity
    gaps = pair_differences(design, e)
    assert len(gaps) > 0.5 * min(design.treatment.sum(), (1 - design.treatment).sum())
    assert gaps.mean() == pytest.approx(0.5, abs=0.2)
    own = replace(design, outcome=e)
    assert abs(pair_differences(own, e)).max() < 0.06
    own = np.random.default_rng(0).permutation(2.0 ** np.arange(40))
    once = replace(design.take(np.arange(40)), outcome=own)
    found = pair_differences(once, e[:40])
    bits = [f"{int(abs(gap)):b}" for gap in found]  # 2^a - 2^b tells a and b
    used = [
        at for gap, word in zip(found, bits, strict=True) for at in (len(word), len(word) - word.count("1"))
    ]
    assert len(used) == len(set(used)) == 2 * len(found) > 10


def test_pairs_of_clustered_rows_take_one_row_of_each():
    effect = effect_of(log(users=60, n=600), cluster="user")
    assert len(pair_differences(effect.design, effect.nuisances.propensity)) <= 30
    assert isinstance(effect, Effect)


def test_an_estimator_that_refuses_altered_tables_is_told_of(monkeypatch):
    effect = effect_of(log())
    honest = METHODS["aipw"]

    def refuse(design, settings):
        return replace(honest(design, settings), estimate=None, refusal="no")

    monkeypatch.setitem(METHODS, "aipw", refuse)
    assert permutation_placebo(effect, 20).status == "not run"
    assert random_common_cause(effect, 5).status == "not run"
    assert dummy_outcome(effect, 5).status == "not run"
    found = subset_stability(effect, 5)
    assert found.status == "failed"
    assert "0 of 5" in found.says
