"""The card: its schema, its verdicts, and what it says of sensitivity."""

import json

import numpy as np
import polars as pl
import pytest

from equipoise.causal.effects import estimate_effect
from equipoise.causal.graph import CausalGraph
from equipoise.causal.refutation import card, negative_controls
from equipoise.causal.refutation.finding import Finding
from equipoise.causal.refutation.sensitivity import effect_e_value, sensitivity
from equipoise.causal.refutation.verdict import verdict
from equipoise.errors import DataError
from equipoise.report import render_card
from tests.causal.refutation.test_checks import effect_of, log

SMALL = {"n_permutations": 20, "n_subsets": 10, "n_draws": 8, "show": False}
FIELDS = {
    "kind": str,
    "schema": int,
    "question": dict,
    "graph": (dict, type(None)),
    "identification": (dict, type(None)),
    "data": dict,
    "estimate": dict,
    "overlap": (dict, type(None)),
    "balance": list,
    "calibration": (dict, type(None)),
    "refutations": list,
    "sensitivity": dict,
    "verdict": dict,
    "caveat": str,
}


def shaped(found):
    """A card of the schema, of plain values without NaN."""
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert set(found) == set(FIELDS)
    assert all(isinstance(found[name], kind) for name, kind in FIELDS.items())
    line = {"name", "status", "value", "low", "high", "p_value", "expected", "details", "says", "meaning"}
    assert all(set(one) == line and one["says"] and one["meaning"] for one in found["refutations"])
    assert set(found["sensitivity"]) == {"e_value", "rosenbaum", "partial_r2"}
    return found


def test_a_clean_estimate_is_supported():
    found = shaped(card(effect_of(log(n=2000)), negative_controls=["before"], **SMALL))
    assert found["verdict"]["code"] == "supported"
    assert "never proves" in found["caveat"]
    assert found["question"]["treatment"] == "shown"
    assert found["data"] | {"treated": 0, "control": 0} == {
        "n": 2000, "clusters": 2000, "cluster": None, "treated": 0, "control": 0, "dropped": 0,
    }  # fmt: skip
    assert found["estimate"]["low"] < 0.5 < found["estimate"]["high"]
    assert found["estimate"]["naive"]["low"] > 0.6
    unnamed = card(effect_of(log(n=2000)), **SMALL)["verdict"]
    assert unnamed["code"] == "supported"
    assert unnamed["codes"][-1] == "no_negative_control"


def test_hidden_confounding_named_by_a_control_is_not_credible():
    found = shaped(card(effect_of(log(n=1500, hidden=1.0)), negative_controls=["before"], **SMALL))
    assert found["verdict"]["code"] == "not credible"
    assert found["verdict"]["codes"] == ["negative_control_outcome"]
    assert "'before'" in found["verdict"]["because"][0]


def test_an_interval_that_holds_zero_is_fragile():
    frame = log().with_columns(pl.col("bought") - 0.5 * pl.col("shown"))
    found = card(effect_of(frame), **SMALL)["verdict"]
    assert found["code"] == "fragile"
    assert "holds_zero" in found["codes"]


def test_what_little_confounding_explains_is_fragile():
    rng = np.random.default_rng(5)
    n = 4000
    x = rng.normal(size=n)
    shown = (rng.random(n) < 1 / (1 + np.exp(-x))).astype(int)
    frame = pl.DataFrame({"x": x, "shown": shown, "bought": 3 * x + 0.2 * shown + rng.normal(size=n)})
    effect = estimate_effect(frame, "shown", "bought", adjust=["x"])
    assert effect.low > 0
    found = card(effect, **SMALL)
    assert found["verdict"]["code"] == "fragile"
    assert {"e_value", "benchmark"} & set(found["verdict"]["codes"])
    benchmark = found["sensitivity"]["partial_r2"]["benchmarks"][0]
    assert benchmark["covariate"] == "x"
    assert benchmark["times"] < 0.5
    assert benchmark["adjusted"] < 0


def test_a_refused_effect_gets_a_card_of_refusal():
    rng = np.random.default_rng(6)
    x = rng.normal(size=800)
    frame = pl.DataFrame(
        {"x": x, "shown": (x > 0).astype(int), "bought": (rng.random(800) < 0.3).astype(int)}
    )
    found = shaped(card(estimate_effect(frame, "shown", "bought", adjust=["x"]), **SMALL))
    assert found["verdict"]["code"] == "refused"
    assert found["refutations"] == []
    assert found["estimate"]["bounds"]["low"] >= -1
    assert found["sensitivity"]["e_value"] is None


def test_graph_and_formula_stand_on_the_card():
    frame = log(n=800)
    graph = CausalGraph.parse("x -> shown; x -> bought; shown -> bought; z -> bought")
    found = shaped(card(estimate_effect(frame, "shown", "bought", graph=graph), **SMALL))
    assert CausalGraph.parse(found["graph"]["text"]) == graph
    assert set(found["graph"]["nodes"]) == {"x", "shown", "bought", "z"}
    assert {"from": "z", "to": "bought", "kind": "->"} in found["graph"]["edges"]
    assert render_card(found).count("<svg") > render_card(found | {"graph": None}).count("<svg")
    assert found["identification"]["strategy"] == "backdoor"
    assert found["identification"]["adjustment_set"] == ["x"]


def test_the_effect_brings_its_card():
    assert effect_of(log(n=300)).card["kind"] == "effect-card"


@pytest.mark.parametrize("method", ["ipw", "overlap", "regression", "matching"])
def test_every_adjusting_method_has_a_card(method):
    found = shaped(card(effect_of(log(n=500), method=method), **SMALL))
    assert found["verdict"]["code"] in ("supported", "fragile")
    assert found["sensitivity"]["partial_r2"]["robustness_value"] > 0


def test_amounts_and_instruments_have_cards_too():
    rng = np.random.default_rng(7)
    frame = log(n=800)
    dose = frame["x"] + pl.Series(rng.normal(size=800))
    frame = frame.with_columns(dose=dose, bought=pl.col("bought") + 0.5 * dose)
    found = shaped(card(estimate_effect(frame, "dose", "bought", adjust=["x"], method="plr"), **SMALL))
    assert found["sensitivity"]["rosenbaum"] is None
    assert found["sensitivity"]["e_value"]["point"] > 1
    letter = rng.integers(0, 2, 800)
    shown = (rng.random(800) < 0.1 + 0.8 * letter).astype(int)
    frame = frame.with_columns(letter=pl.Series(letter), shown=pl.Series(shown))
    effect = estimate_effect(frame, "shown", "bought", adjust=["x"], method="iv", instrument="letter")
    found = shaped(card(effect, **SMALL))
    assert found["sensitivity"] == {"e_value": None, "rosenbaum": None, "partial_r2": None}


def test_the_risk_ratio_is_that_of_the_adjusted_risks():
    rng = np.random.default_rng(8)
    n = 8000
    x = rng.normal(size=n)
    shown = (rng.random(n) < 1 / (1 + np.exp(-x))).astype(int)
    risk = 1 / (1 + np.exp(1 - x)) * np.where(shown == 1, 1.0, 0.5)
    frame = pl.DataFrame({"x": x, "shown": shown, "bought": (rng.random(n) < risk).astype(int)})
    effect = estimate_effect(frame, "shown", "bought", adjust=["x"])
    ratio = effect_e_value(effect)
    assert ratio.risk_ratio == pytest.approx(2.0, abs=0.15)
    assert 1 < ratio.limit < ratio.point
    att = effect_e_value(estimate_effect(frame, "shown", "bought", adjust=["x"], estimand="att"))
    assert att.risk_ratio == pytest.approx(2.0, abs=0.2)


@pytest.mark.parametrize("method", ["aipw", "ipw", "overlap", "regression", "matching"])
@pytest.mark.parametrize("risky", [1, -1])
def test_the_baseline_risk_is_that_of_the_population_asked_about(method, risky):
    """The risky are treated more, or less, often; the true risk ratio is 2 at every x."""
    rng = np.random.default_rng(9)
    n = 12000
    x = rng.normal(size=n)
    shown = (rng.random(n) < 1 / (1 + np.exp(-1.2 * x))).astype(int)
    risk = 0.4 / (1 + np.exp(2 - 1.2 * risky * x)) * np.where(shown == 1, 2, 1)
    frame = pl.DataFrame({"x": x, "shown": shown, "bought": (rng.random(n) < risk).astype(int)})
    found = effect_e_value(estimate_effect(frame, "shown", "bought", adjust=["x"], method=method))
    assert found.risk_ratio == pytest.approx(2.0, abs=0.35)


def test_a_general_formula_is_tried_under_its_own_names():
    """The napkin graph: `before` shares the hidden cause of y, `numbers` has too many values for the formula."""
    rng = np.random.default_rng(3)
    n = 4000
    a, b = rng.random(n) < 0.5, rng.random(n) < 0.5
    w = rng.random(n) < 0.2 + 0.3 * a + 0.3 * b
    z = rng.random(n) < 0.3 + 0.4 * w
    t = rng.random(n) < 0.1 + 0.4 * z + 0.4 * a
    y = rng.random(n) < 0.2 + 0.3 * t + 0.4 * b
    before = rng.random(n) < 0.2 + 0.4 * b
    columns = {"w": w, "z": z, "t": t, "y": y, "before": before}
    frame = pl.DataFrame(columns).cast(pl.Int64).with_columns(numbers=pl.Series(rng.normal(size=n)))
    effect = estimate_effect(frame, "t", "y", graph="w -> z -> t -> y; w <-> t; w <-> y")
    found = shaped(card(effect, negative_controls=["before"], **SMALL))
    lines = {one["name"]: one for one in found["refutations"]}
    assert lines["dummy_outcome"]["status"] == "passed"
    assert lines["negative_control_outcome"]["status"] == "passed"
    assert lines["random_common_cause"]["status"] == "not run"
    assert found["verdict"]["code"] == "supported"
    assert found["verdict"]["codes"] == ["withstood"]
    unasked = card(effect, negative_controls=["numbers"], **SMALL)["verdict"]
    assert unasked["code"] == "fragile"
    assert unasked["codes"] == ["negative_control_outcome"]
    assert "'numbers' allows no estimate" in unasked["because"][0]
    with pytest.raises(DataError, match="part of the question"):
        card(effect, negative_controls=["w"], **SMALL)
    with pytest.raises(DataError, match="another exposure"):
        card(effect, negative_controls={"exposures": ["before"]}, **SMALL)


def test_levels_and_columns_of_one_name_are_benchmarks_apart():
    rng = np.random.default_rng(11)
    level = rng.integers(0, 2, 1000)
    frame = log(n=1000).with_columns(
        pl.Series("g", np.array(["a", "b"])[level]), pl.Series("g=b", rng.normal(size=1000))
    )
    strong = frame.with_columns(bought=pl.col("bought") + 3 * pl.Series(level))
    found = sensitivity(effect_of(strong, adjust=("x", "z", "g", "g=b")))["partial_r2"]["benchmarks"]
    shares = {one["covariate"]: one["outcome"] for one in found}
    assert set(shares) == {"x", "z", "g", "g=b"}
    assert shares["g"] > 0.3
    assert shares["g=b"] < 0.05


@pytest.mark.parametrize("controls", ["before", ["before"], {"outcomes": "before"}])
def test_one_control_needs_no_list(controls):
    lines = negative_controls(effect_of(log()), controls)
    assert [line.details.get("column") for line in lines] == ["before", None]


def test_few_attempts_support_nothing():
    effect = effect_of(log(n=2000))
    names = ("permutation_placebo", "random_common_cause", "subset_stability", "dummy_outcome")

    def said(statuses):
        lines = [Finding(name, status, "-", "-") for name, status in zip(names, statuses, strict=True)]
        return verdict(effect, lines, sensitivity(effect))

    assert said(["passed", "not run", "passed", "passed"])["code"] == "supported"
    few = said(["passed", "not run", "passed", "not run"])
    assert (few["code"], few["codes"]) == ("fragile", ["few_attempts"])
    assert "2 of 4" in few["because"][0]


def test_clusters_take_significance_away_sooner():
    frame = log(n=600, users=60)
    alone = sensitivity(effect_of(frame))["partial_r2"]
    together = sensitivity(effect_of(frame, cluster="user"))["partial_r2"]
    assert together["robustness_value"] == alone["robustness_value"]
    assert together["robustness_value_significance"] <= alone["robustness_value_significance"]
