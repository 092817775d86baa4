"""Pooling, the front and the advice, on values worked out by hand."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from equipoise.pipeline.debias.advice import findings, recommendation
from equipoise.pipeline.debias.front import front, less_leaky
from equipoise.pipeline.debias.sample import Sample

USERS = 200
AUDIT = SimpleNamespace(level=0.95, n_bootstrap=300)


def sample(columns, groups=None):
    """A sample of rows from arrays (users,) by measure and row; held-out items have log popularity 2."""
    names = tuple(next(iter(columns.values())))
    group = ["a", "b"] * (USERS // 2)
    users = pl.DataFrame(
        {"user_id": range(USERS), "group": group, "held": [2.0] * USERS, "held_of": [1.0] * USERS}
    )
    ground = SimpleNamespace(
        config=SimpleNamespace(audit=AUDIT, seed=0), held_out={"valid": SimpleNamespace(users=users)},
        groups=groups or [],
    )  # fmt: skip
    stacked = {measure: np.column_stack([rows[name] for name in names]) for measure, rows in columns.items()}
    stacked["popularity_of"] = np.ones((USERS, len(names)))
    return Sample(ground, "valid", names, stacked)


@pytest.fixture
def three():
    """The base; `good`, as accurate and less popular; `bad`, less accurate and less popular."""
    rng = np.random.default_rng(0)
    ndcg, noise = rng.random(USERS) / 2, rng.normal(0, 0.01, (3, USERS))
    popular = rng.normal(3.0, 0.2, USERS)
    return sample(
        {
            "ndcg": {"base": ndcg, "good": ndcg + noise[0], "bad": ndcg - 0.1 + noise[1]},
            "popularity": {
                "base": popular,
                "good": popular - 0.5 + noise[2],
                "bad": popular - 0.8 + noise[1],
            },
        }
    )


def test_values_by_hand():
    half = np.repeat([1.0, 0.0], USERS // 2)
    alternating = np.tile([0.6, 0.2], USERS // 2)
    one = sample(
        {
            "ndcg": {"base": half, "other": alternating},
            "popularity": {"base": half + 1.0, "other": half + 3.0},
        },
        groups=["a", "b"],
    )
    assert one.values["ndcg"] == pytest.approx([0.5, 0.4])
    assert one.values["lift"] == pytest.approx([-0.5, 1.5])  # 1.5 - 2 and 3.5 - 2
    assert one.values["bias"] == pytest.approx([0.0, 1.5])  # below 0 is no better than 0
    assert one.values["gap"] == pytest.approx([0.0, 0.4])  # 0.6 for a, 0.2 for b
    assert one.groups(1) == {
        "a": {"value": pytest.approx(0.6), "users": 100},
        "b": {"value": pytest.approx(0.2), "users": 100},
    }
    change = one.differences(["other"])["other"]
    assert change["bias"]["difference"] == pytest.approx(1.5)
    assert change["ndcg"]["difference"] == pytest.approx(-0.1)
    assert one.intervals()["other"]["gap"].value == pytest.approx(0.4)


def test_findings_say_what_is_better_and_worse(three):
    found = findings(three, "ndcg", {}, ["good", "bad"])
    codes = {name: {one["care"]: one["code"] for one in many} for name, many in found.items()}
    assert codes == {
        "good": {"accuracy": "unclear", "bias": "better"},
        "bad": {"accuracy": "worse", "bias": "better"},
    }
    worse = next(one for one in found["bad"] if one["care"] == "accuracy")
    assert worse["difference"] == pytest.approx(-0.1, abs=0.01)
    assert worse["low"] <= worse["difference"] <= worse["high"] < 0


def test_p_values_are_adjusted_for_the_number_of_corrections(three):
    alone = three.differences(["bad"])["bad"]["ndcg"]
    among = three.differences(["bad", "good"])["bad"]["ndcg"]
    assert among["p_adjusted"] == pytest.approx(min(1.0, 2 * alone["p_adjusted"]))
    assert three.differences([])["bad"]["ndcg"]["p_adjusted"] is None


def test_advice_prefers_what_costs_no_accuracy(three):
    advice = recommendation(findings(three, "ndcg", {}, ["good", "bad"]), ["accuracy", "bias"])
    assert advice["overall"] == {"pick": "good", "code": "pick", "cares": ["bias"]}
    accuracy, bias = advice["by_care"]
    assert (accuracy["pick"], accuracy["code"]) == ("base", "keep")
    assert (bias["pick"], bias["code"]) == ("good", "pick")
    assert [other["name"] for other in bias["others"]] == ["bad"]


def test_harm_is_told_however_many_corrections_are_compared():
    rng = np.random.default_rng(0)
    ndcg = rng.random(USERS) / 2
    noise = rng.normal(0, 0.1, (21, USERS))
    noise -= noise.mean(axis=1, keepdims=True)
    rows = {"base": ndcg, "harm": ndcg - 0.017 + noise[0], "gain": ndcg + 0.017 + noise[0]}
    rows |= {f"m{n}": ndcg + noise[n] for n in range(1, 21)}
    many = sample({"ndcg": rows, "popularity": dict.fromkeys(rows, ndcg + 3)})
    found = findings(many, "ndcg", {}, list(rows)[1:])
    harm, gain = found["harm"][0], found["gain"][0]
    assert harm["p_adjusted"] > 0.05
    assert (harm["code"], gain["code"]) == ("worse", "unclear")


def told(accuracy, bias, before=1.0):
    """Findings of one correction: its codes and sizes of accuracy (of a base of 0.4) and bias."""
    changes = {"accuracy": (*accuracy, 0.4), "bias": (*bias, before)}
    return [
        {"care": care, "code": code, "measure": care, "before": first, "after": first + by, "difference": by,
         "low": by - 0.01, "high": by + 0.01, "share": abs(by) / first, "small": abs(by) / first < 0.05}
        for care, (code, by, first) in changes.items()
    ]  # fmt: skip


def test_the_pick_is_beaten_by_none_and_does_more_than_a_little():
    found = {
        "little": told(("unclear", 0.01), ("better", -0.02)),
        "some": told(("unclear", 0.005), ("better", -0.2)),
        "much": told(("unclear", -0.005), ("better", -0.6)),
    }
    cares = ["accuracy", "bias"]
    assert recommendation(found, cares)["overall"] == {"pick": "much", "code": "pick", "cares": ["bias"]}
    assert recommendation(found, cares, ["much"])["overall"]["pick"] == "some"
    assert recommendation({"little": found["little"]}, cares)["overall"]["code"] == "small"
    assert recommendation(found, cares, list(found))["overall"]["code"] == "mixed"


def test_what_is_also_better_tells_its_price():
    found = {
        "free": told(("unclear", 0.0), ("better", -0.2)),
        "dear": told(("worse", -0.2), ("better", -0.6)),
    }
    bias = recommendation(found, ["bias"])["by_care"][0]
    assert bias["pick"] == "free"
    assert [one["accuracy"]["code"] for one in bias["others"]] == ["worse"]


def test_lists_less_popular_than_what_people_took_are_no_better_for_it():
    ndcg = np.random.default_rng(2).random(USERS)
    popular = np.random.default_rng(3).normal(2.0, 0.2, USERS)
    one = sample({"ndcg": {"base": ndcg, "low": ndcg}, "popularity": {"base": popular, "low": popular - 1}})
    bias = {one["care"]: one for one in findings(one, "ndcg", {}, ["low"])["low"]}["bias"]
    assert bias["code"] != "better"
    assert abs(bias["difference"]) < 0.05


def test_advice_tells_a_price_and_may_keep_the_base(three):
    priced = recommendation(findings(three, "ndcg", {}, ["bad"]), ["bias"])
    assert priced["overall"]["code"] == "mixed"
    assert (priced["by_care"][0]["pick"], priced["by_care"][0]["code"]) == ("bad", "cost")
    same = three.columns["ndcg"][:, 0]
    rows = dict.fromkeys(("base", "same"), same)
    nothing = sample({"ndcg": rows, "popularity": dict.fromkeys(rows, same + 3)})
    kept = recommendation(findings(nothing, "ndcg", {}, ["same"]), ["accuracy", "bias"])
    assert kept["overall"] == {"pick": "base", "code": "keep", "cares": []}


def test_only_a_clearly_better_row_beats_another(three):
    told = front(three, "ndcg", {}, ["base", "good", "bad"])
    assert told["axes"] == ["ndcg", "bias"]
    assert "bad" in told["members"]  # least popular, whatever it costs
    assert "base" in told["beaten"] or "base" in told["members"]
    lower = three.columns["ndcg"][:, 0] - 0.2
    columns = {
        "ndcg": {"base": three.columns["ndcg"][:, 0], "beaten": lower},
        "popularity": {
            "base": three.columns["popularity"][:, 0],
            "beaten": three.columns["popularity"][:, 0],
        },
    }
    assert front(sample(columns), "ndcg", {}, ["base", "beaten"])["beaten"] == {"beaten": ["base"]}


def test_a_difference_within_chance_beats_nobody():
    rng = np.random.default_rng(1)
    ndcg, popular = rng.random(USERS), rng.normal(3, 0.2, USERS)
    noise = rng.normal(0, 0.3, USERS)
    noise += 0.002 - noise.mean()  # better by its value, but not clearly
    one = sample(
        {"ndcg": {"base": ndcg, "other": ndcg + noise}, "popularity": {"base": popular, "other": popular}}
    )
    assert front(one, "ndcg", {}, ["base", "other"])["beaten"] == {}


def test_leakage_counts_only_where_intervals_do_not_meet(three):
    low, middle, high = ({"value": x, "low": x - 0.03, "high": x + 0.03} for x in (0.5, 0.55, 0.7))
    assert less_leaky(low, high)
    assert not less_leaky(low, middle)
    assert not less_leaky(low, None)
    found = findings(three, "ndcg", {"base": high, "good": low, "bad": middle}, ["good", "bad"])
    assert {one["code"] for one in found["good"] if one["care"] == "leakage"} == {"better"}
    equal = {"ndcg": {}, "popularity": {}}
    for measure in equal:
        values = three.columns[measure][:, 0]
        equal[measure] = {"base": values, "tight": values}
    told = front(sample(equal), "ndcg", {"base": high, "tight": low}, ["base", "tight"])
    assert told["beaten"] == {"base": ["tight"]}
    assert told["axes"] == ["ndcg", "bias", "leakage"]
