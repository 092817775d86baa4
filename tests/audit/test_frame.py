"""FairnessFrame on tables small enough to work out by hand, and on bad ones."""

import math

import numpy as np
import pandas as pd
import polars as pl
import pytest

from equipoise.audit.fairness.columns import suppressed
from equipoise.audit.fairness.frame import FairnessFrame
from equipoise.audit.fairness.groups import Attribute
from equipoise.errors import ConfigError, DataError
from equipoise.metrics import hit_rate, ndcg, novelty

BY_HAND = {"hit": hit_rate(2)}


def tables(hits, gender, **more):
    """Users 1, 2, ...: a list of two items each, whose first is in the truth where `hits` says so."""
    n = len(hits)
    user = np.arange(1, n + 1)
    recommendations = pl.DataFrame(
        {"user_id": np.repeat(user, 2), "item_id": [10, 20] * n, "rank": [1, 2] * n}
    )
    truth = pl.DataFrame({"user_id": user, "item_id": np.where(hits, 10, 30)})
    users = pl.DataFrame({"user_id": user, "gender": gender, **more})
    return {"recommendations": recommendations, "truth": truth, "users": users, "groups": ["gender"]}


def made(given, **settings):
    options = {"metrics": BY_HAND, "min_cell": 1, "n_bootstrap": 200, "n_permutations": 200}
    return FairnessFrame(**(options | given | settings))


def kinds(frame, **where):
    rows = frame.gaps.filter(**where) if where else frame.gaps
    return {row["kind"]: row for row in rows.to_dicts()}


def codes(frame):
    return {note.code for note in frame.notes}


def test_gaps_of_two_groups_by_hand():
    """Men 3 of 4, women 1 of 2: 0.75 and 0.5."""
    frame = made(tables([1, 1, 1, 0, 1, 0], list("MMMMFF")))
    found = kinds(frame)
    assert frame.overall.to_dicts()[0]["value"] == pytest.approx(4 / 6)
    assert [row["value"] for row in frame.by_group.to_dicts()] == pytest.approx([0.5, 0.75])
    assert frame.by_group["users"].to_list() == [2, 4]
    assert found["difference"]["gap"] == pytest.approx(0.25)
    assert found["difference"]["groups"] == "M - F"
    assert found["ratio"]["gap"] == pytest.approx(2 / 3)
    assert found["disparity"]["gap"] == pytest.approx(0.5)
    assert found["worst group"]["gap"] == pytest.approx(0.5)
    assert found["between-group variance"]["gap"] == pytest.approx(0.125**2)
    assert found["kolmogorov-smirnov"]["gap"] == pytest.approx(0.25)
    assert found["wasserstein"]["gap"] == pytest.approx(0.25)
    deviations = math.sqrt(3 / 16), math.sqrt(1 / 4)
    noise = deviations[0] ** 2 / 3 + deviations[1] ** 2 / 1  # s²/n with n − 1 in s²
    assert found["difference"]["minimum_detectable"] == pytest.approx(2.80159 * math.sqrt(noise), rel=1e-4)
    assert found["difference"]["verdict"] == "insufficient evidence"
    assert {row["verdict"] for kind, row in found.items() if kind != "difference"} == {None}


def test_the_range_of_three_groups_by_hand():
    """0.25, 0.5 and 1 of four users each."""
    frame = made(tables([1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1], list("aaaabbbbcccc")))
    found = kinds(frame)
    assert found["difference"]["gap"] == pytest.approx(0.75)
    assert found["difference"]["groups"] == ""
    assert found["difference"]["low"] >= 0
    assert found["difference"]["excess"] == pytest.approx(0.75 - found["difference"]["null_mean"])
    assert found["between-group variance"]["gap"] == pytest.approx(np.var([0.25, 0.5, 1.0]))
    assert found["kolmogorov-smirnov"]["gap"] == pytest.approx(0.75)


def test_a_mean_of_zero_has_no_ratio():
    found = kinds(made(tables([0, 0, 0, 1, 1, 0], list("MMMFFF"))))
    assert found["ratio"]["gap"] is None
    assert found["disparity"]["gap"] is None
    assert found["difference"]["gap"] == pytest.approx(2 / 3)
    assert found["difference"]["groups"] == "F - M"  # of equal sizes, the higher value first


def test_unknown_groups_are_shown_and_never_part_of_a_gap():
    given = tables([1, 1, 0, 0, 1, 1], ["M", "F", "M", "F", None, "  "])
    frame = made(given | {"users": given["users"].head(5)})
    assert frame.by_group.filter(group="unknown")["users"].to_list() == [2]
    assert kinds(frame)["difference"]["gap"] == 0
    assert {"users_missing", "attribute_missing"} <= codes(frame)
    missing = next(note for note in frame.notes if note.code == "users_missing")
    assert missing.values == {"users": 1}


def test_numbers_are_cut_at_quintiles_and_nan_is_unknown():
    n = 100
    age = [float(18 + i // 2) for i in range(n - 1)] + [math.nan]
    given = tables([1] * n, ["x"] * n, age=age) | {"groups": ["age"]}
    frame = made(given)
    assert frame.by_group["group"].to_list() == ["18-26", "27-36", "37-46", "47-56", "57-67", "unknown"]
    assert "banded" in codes(frame)
    few = made(tables([1] * 4, [1.0, 2.0, 1.0, math.nan]))
    assert few.by_group["group"].to_list() == ["1", "2", "unknown"]


def test_small_groups_are_suppressed_and_decide_nothing():
    gender = ["M"] * 40 + ["F"] * 35 + ["X"] * 3
    hits = [1] * 40 + [0] * 34 + [1] + [1] * 3
    frame = made(tables(hits, gender), min_cell=30)
    shown = {row["group"]: row for row in frame.by_group.to_dicts()}
    assert shown["X"]["suppressed"]
    assert shown["F"]["suppressed"]  # the next smallest: its total would give X away
    assert not shown["M"]["suppressed"]
    assert shown["X"]["value"] is None
    assert shown["X"]["users"] == 3
    gap = kinds(frame)["difference"]
    assert gap["gap"] == pytest.approx(1 - 1 / 35)
    assert gap["verdict"] == "insufficient evidence"
    assert gap["users"] == 3
    assert "small_groups" in codes(frame)
    unknown = Attribute("a", ("M", "F", "unknown"), np.zeros(0, dtype=np.int64))
    assert suppressed(np.array([40, 50, 5]), unknown, 30).tolist() == [False, False, True]


def test_one_group_and_empty_groups():
    given = tables([1, 0, 1], list("MMM"))
    users = pl.concat([given["users"], pl.DataFrame({"user_id": [9], "gender": ["F"]})])
    frame = made(given | {"users": users})
    assert frame.by_group.filter(group="F").to_dicts()[0]["users"] == 0
    assert frame.by_group.filter(group="F").to_dicts()[0]["value"] is None
    gap = kinds(frame)["difference"]
    assert gap["gap"] is None
    assert gap["verdict"] == "insufficient evidence"
    assert "single_group" in codes(frame)


def test_verdicts_need_interval_and_p():
    gender = ["M"] * 200 + ["F"] * 200
    unfair = tables([1] * 150 + [0] * 50 + [1] * 60 + [0] * 140, gender)
    even = tables(([1, 0] * 100) * 2, gender)
    assert kinds(made(unfair))["difference"]["verdict"] == "unfair"
    assert kinds(made(unfair, tolerance=0.3))["difference"]["verdict"] == "unfair"
    assert kinds(made(unfair, tolerance=0.45))["difference"]["verdict"] == "insufficient evidence"
    assert (
        kinds(made(even))["difference"]["verdict"] == "insufficient evidence"
    )  # no fair without a tolerance
    assert kinds(made(even, tolerance=0.2))["difference"]["verdict"] == "fair within tolerance"
    by_metric = made(even, tolerance={"hit": {"gender": 0.2}})
    assert kinds(by_metric)["difference"]["tolerance"] == 0.2


def test_groups_that_are_alike_within_and_apart_between_are_unfair():
    """Men all 1, women all 0, 40 each: the interval is the rule of three's."""
    found = kinds(made(tables([1] * 40 + [0] * 40, ["M"] * 40 + ["F"] * 40), min_cell=30))
    half = 1 - 0.025 ** (1 / 40)
    gap = found["difference"]
    assert (gap["gap"], gap["high"]) == (1, 1)
    assert gap["low"] == pytest.approx(1 - 2 * half)
    assert gap["p_value"] == pytest.approx(1 / 201)
    assert gap["verdict"] == "unfair"
    z = 1.959964
    assert gap["minimum_detectable"] == pytest.approx((z + 0.841621) / z * half * math.sqrt(2), rel=1e-4)
    assert (found["worst group"]["low"], found["worst group"]["high"]) == (0, pytest.approx(half))
    three = kinds(made(tables([1] * 40 + [0] * 80, ["M"] * 40 + ["F"] * 40 + ["X"] * 40)))["difference"]
    assert three["low"] == pytest.approx(1 - 2 * (1 - (0.05 / 3) ** (1 / 40)))
    assert three["high"] == 1
    assert three["verdict"] == "unfair"


def test_nobody_who_differs_is_no_evidence():
    found = kinds(made(tables([1] * 80, ["M"] * 40 + ["F"] * 40), min_cell=30, tolerance=0.1))["difference"]
    assert found["gap"] == 0
    assert found["low"] is None
    assert found["minimum_detectable"] is None
    assert found["verdict"] == "insufficient evidence"


@pytest.mark.parametrize(
    ("kind", "tolerance", "verdict"),
    [("ratio", 0.2, "unfair"), ("disparity", 0.3, "unfair"), ("worst group", 0.05, "unfair"),
     ("ratio", 0.9, "fair within tolerance"), ("wasserstein", 0.1, "insufficient evidence")],
)  # fmt: skip
def test_a_policy_names_the_primary_kind(kind, tolerance, verdict):
    class Rules:
        def rule(self, metric, attribute):
            assert (metric, attribute) == ("hit", "gender")
            return type("Rule", (), {"tolerance": tolerance, "kind": kind})()

    found = kinds(
        made(tables([1] * 150 + [0] * 50 + [1] * 60 + [0] * 140, ["M"] * 200 + ["F"] * 200), policy=Rules())
    )
    assert found[kind]["verdict"] == verdict
    assert found[kind]["tolerance"] == tolerance
    assert found["difference"]["verdict"] is None
    assert found["difference"]["p_adjusted"] is None


class Kind:
    """A policy of one kind for all."""

    def __init__(self, kind):
        self.kind, self.tolerance = kind, 0.1

    def rule(self, metric, attribute):
        return self


@pytest.mark.parametrize("kind", ["ratio", "worst group", "wasserstein", "difference"])
def test_an_attribute_that_cannot_be_measured_has_a_verdict_on_the_primary_kind(kind):
    frame = made(tables([1, 0, 1], list("MMM")), policy=Kind(kind))
    said = {row["kind"]: row["verdict"] for row in frame.gaps.to_dicts()}
    assert said.pop(kind) == "insufficient evidence"
    assert set(said.values()) <= {None}


def test_kinds_without_a_test_or_an_adjustment_are_noted():
    given = tables([1, 0] * 20, ["M", "F"] * 20, region=["n"] * 20 + ["s"] * 20)
    for kind, code in (("wasserstein", True), ("between-group variance", True), ("kolmogorov-smirnov", True),
                       ("ratio", False)):  # fmt: skip
        assert ("kind_without_test" in codes(made(given, policy=Kind(kind)))) is code
        assert "kind_unadjusted" not in codes(made(given, policy=Kind(kind)))
    controlled = made(given, policy=Kind("ratio"), controls=["region"])
    note = next(note for note in controlled.notes if note.code == "kind_unadjusted")
    assert note.values == {"attribute": "gender", "kind": "ratio"}
    assert "kind_unadjusted" not in codes(made(given, policy=Kind("difference"), controls=["region"]))


def test_intersections_are_ordinary_attributes():
    given = tables([1, 0, 1, 0], list("MMFF"), region=["n", "s", "n", None]) | {
        "groups": ["gender", "region"]
    }
    frame = made(given, intersections=2)
    crossed = frame.by_group.filter(attribute="gender x region")
    assert crossed["group"].to_list() == ["F x n", "M x n", "M x s", "unknown"]
    assert crossed["value"].to_list() == [1, 1, 0, 0]
    assert frame.per_user["gender x region"].to_list() == ["M x n", "M x s", "F x n", "unknown"]


def planted(seed, by_activity, by_gender, n=1500):
    """Women are less active; hits come from activity, from gender, or from both."""
    rng = np.random.default_rng(seed)
    women = rng.random(n) < 0.4
    active = rng.random(n) < np.where(women, 0.2, 0.8)
    hits = rng.random(n) < 0.3 + by_activity * active - by_gender * women
    sizes = np.where(active, 20, 3)
    train = pl.DataFrame({"user_id": np.repeat(np.arange(1, n + 1), sizes), "item_id": 0})
    return tables(hits, np.where(women, "F", "M").tolist(), active=active.tolist()) | {"train": train}


@pytest.mark.parametrize("control", ["active", "profile_size"])
def test_a_gap_that_is_all_activity_goes_with_the_control(control):
    given = planted(0, by_activity=0.4, by_gender=0.0)
    assert kinds(made(given, min_cell=30))["difference"]["verdict"] == "unfair"
    found = kinds(made(given, min_cell=30, controls=[control]))
    assert found["difference"]["verdict"] == "insufficient evidence"
    assert found["difference"]["low"] < 0 < found["difference"]["high"]
    assert found["raw difference"]["low"] > 0
    assert found["raw difference"]["verdict"] is None


def test_a_gap_that_is_not_activity_stays():
    found = kinds(made(planted(2, by_activity=0.3, by_gender=0.2), min_cell=30, controls=["active"]))
    assert found["difference"]["verdict"] == "unfair"
    assert found["difference"]["low"] < 0.2 < found["difference"]["high"]
    assert found["raw difference"]["gap"] > 0.3


def test_strata_without_one_of_the_groups_are_left_out():
    given = tables([1, 0] * 20, ["M"] * 20 + ["F"] * 20, stage=["a"] * 10 + ["b"] * 30)
    frame = made(given, controls=["stage"])
    found = kinds(frame)
    assert found["difference"]["users"] == 20
    note = next(note for note in frame.notes if note.code == "strata_left_out")
    assert note.values == {"attribute": "gender", "strata": 1, "users": 10}


def test_strata_with_few_users_of_a_group_are_left_out():
    given = tables([1, 0] * 20, ["M"] * 20 + ["F"] * 20, stage=["a"] * 16 + ["b"] * 20 + ["a"] * 4)
    found = made(given, controls=["stage"])
    assert kinds(found)["difference"]["gap"] is None  # 4 women in a, 4 men in b
    note = next(note for note in found.notes if note.code == "strata_left_out")
    assert note.values == {"attribute": "gender", "strata": 2, "users": 40}


def test_ranges_of_systems_are_compared_without_a_test():
    given = tables([1, 0, 0, 1, 1, 0] * 20, list("abcabc") * 20)
    both = pl.concat([given["recommendations"].with_columns(system=pl.lit(name)) for name in ("one", "two")])
    shifted = both.with_columns(
        item_id=pl.when((pl.col("system") == "two") & (pl.col("user_id") % 7 == 0))
        .then(pl.col("item_id") + 20)
        .otherwise(pl.col("item_id"))
    )
    row = made(given | {"recommendations": shifted}).gap_comparisons.to_dicts()[0]
    assert row["low"] <= row["difference"] <= row["high"]
    assert (row["p_value"], row["p_adjusted"]) == (None, None)


def test_systems_are_compared_on_the_same_users():
    given = tables([1] * 60 + [0] * 40, ["M"] * 50 + ["F"] * 50)
    other = given["recommendations"].with_columns(
        item_id=pl.col("item_id") + 20
    )  # finds what the first misses
    both = pl.concat(
        [
            given["recommendations"].with_columns(system=pl.lit("one")),
            other.with_columns(system=pl.lit("two")),
        ]
    )
    frame = made(given | {"recommendations": both}, references=["two"])
    assert frame.overall["system"].to_list() == ["one", "two"]
    assert frame.overall["value"].to_list() == pytest.approx([0.6, 0.4])
    row = frame.comparisons.to_dicts()[0]
    assert (row["first"], row["second"], row["users"]) == ("one", "two", 100)
    assert row["difference"] == pytest.approx(0.2)
    gap = frame.gap_comparisons.to_dicts()[0]
    assert gap["difference"] == pytest.approx(0.8 + 0.8)  # M − F: 1 − 0.2, and 0 − 0.8
    assert gap["low"] < 1.6 < gap["high"]
    assert gap["p_adjusted"] <= 0.05
    assert frame.gaps.filter(system="two", kind="difference")["verdict"].to_list() == [None]
    assert frame.gaps.filter(system="one", kind="difference")["verdict"].to_list() == ["unfair"]


def test_the_worst_slice_is_found():
    rng = np.random.default_rng(0)
    n = 1200
    gender, region = rng.choice(["M", "F"], n), rng.choice(["n", "s", "w"], n)
    bad = (gender == "F") & (region == "w")
    given = tables(rng.random(n) < np.where(bad, 0.1, 0.6), gender.tolist(), region=region.tolist())
    frame = made(given | {"groups": ["gender", "region"]}, intersections=2, n_permutations=1000)
    worst = frame.slices.to_dicts()[0]
    assert worst["slice"] == "F x w"
    assert worst["q_value"] < 0.05
    assert worst["difference"] == pytest.approx(worst["value"] - worst["rest"])
    assert worst["high"] < 0
    assert frame.slices["q_value"].is_sorted()


def test_users_without_truth_or_lists_are_counted():
    given = tables([1, 0, 1, 1], list("MMFF"))
    frame = made(
        given | {"truth": given["truth"].head(3), "recommendations": given["recommendations"].tail(6)}
    )
    assert frame.overall.to_dicts()[0]["users"] == 3
    assert frame.overall.to_dicts()[0]["excluded"] == 1
    assert frame.by_group.filter(group="F")["excluded"].to_list() == [1]
    assert frame.overall["value"].to_list() == pytest.approx(
        [1 / 3]
    )  # the first user has no list and scores 0
    assert {"truth_missing", "recommendations_missing"} <= codes(frame)


def test_metrics_of_lists_leave_users_without_lists_out():
    given = tables([1, 0, 1, 1], list("MMFF"))
    frame = made(
        given | {"recommendations": given["recommendations"].tail(6)},
        metrics={"hit": hit_rate(2), "novelty": novelty(2, given["recommendations"].rename({"rank": "r"}))},
    )
    assert frame.overall["users"].to_list() == [4, 3]
    assert frame.by_group.filter(metric="novelty")["users"].to_list() == [2, 1]


def test_holes_are_noted_and_ties_refused():
    given = tables([1, 0], list("MF"))
    holes = given["recommendations"].with_columns(rank=pl.col("rank") * 2 - 1)
    assert "ranks_with_holes" in codes(made(given | {"recommendations": holes}))
    ties = given["recommendations"].with_columns(rank=pl.lit(1))
    with pytest.raises(DataError, match="decide by a stated rule"):
        made(given | {"recommendations": ties})
    twice = pl.concat(
        [given["recommendations"], given["recommendations"].head(1).with_columns(rank=pl.lit(7).cast(int))]
    )
    with pytest.raises(DataError, match="the same item twice"):
        made(given | {"recommendations": twice.with_columns(system=pl.lit("s"))})
    with pytest.raises(DataError, match="system 's'"):
        made(given | {"recommendations": twice.with_columns(system=pl.lit("s"))})


def test_bad_tables_are_refused_in_words():
    given = tables([1, 0], list("MF"))
    with pytest.raises(DataError, match="Did you mean 'gender'"):
        made(given | {"groups": ["gendre"]})
    with pytest.raises(DataError, match="has a user twice, such as 1"):
        made(given | {"users": pl.concat([given["users"], given["users"].head(1)])})
    with pytest.raises(DataError, match="and text in the other"):
        made(given | {"users": given["users"].with_columns(pl.col("user_id").cast(pl.String))})
    with pytest.raises(DataError, match="truth is empty"):
        made(given | {"truth": given["truth"].clear()})
    with pytest.raises(DataError, match="no name of a system"):
        made(
            given | {"recommendations": given["recommendations"].with_columns(system=pl.lit(None, pl.String))}
        )
    with pytest.raises(DataError, match="no column 'rank'"):
        made(given | {"recommendations": given["recommendations"].drop("rank")})


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"controls": ["profile_size"]}, "training events"), ({"metrics": {}}, "no metric"),
     ({"groups": []}, "different columns"),
     ({"metrics": ["ndgc@10"]}, "Did you mean 'ndcg'"), ({"intersections": 0}, "order of intersections"),
     ({"tolerance": -1}, "tolerance"), ({"tolerance": {"ndcg": 1}}, "not measured"), ({"min_cell": 0}, "smallest cell"),
     ({"references": ["x"]}, "no system"), ({"level": 1.5}, "confidence level"),
     ({"n_bootstrap": 79}, "at least 80"), ({"n_bootstrap": 200, "level": 0.99}, "at least 400")],
)  # fmt: skip
def test_bad_settings_are_refused_in_words(settings, words):
    with pytest.raises(ConfigError, match=words):
        made(tables([1, 0], list("MF")) | settings)


def test_tables_come_back_as_they_came_and_metrics_may_be_names():
    given = tables([1, 0, 1, 0], list("MMFF"))
    theirs = {k: t.to_pandas() if isinstance(t, pl.DataFrame) else t for k, t in given.items()}
    frame = made(theirs, metrics=["hit_rate@2", "ndcg@2"])
    for name in ("overall", "by_group", "gaps", "comparisons", "gap_comparisons", "slices"):
        assert isinstance(getattr(frame, name), pd.DataFrame)
        assert getattr(frame, name) is getattr(frame, name)
    assert isinstance(frame.per_user, pl.DataFrame)
    assert "hit_rate@2, ndcg@2 by gender" in repr(frame)
    assert frame.metrics == ("hit_rate@2", "ndcg@2")


def test_the_order_of_rows_changes_nothing():
    rng = np.random.default_rng(0)
    given = tables(
        rng.random(200) < 0.4, rng.choice(["M", "F", "X"], 200).tolist(), size=rng.random(200).tolist()
    )
    given["metrics"] = {"hit": hit_rate(2), "ndcg": ndcg(2)}
    turned = {
        k: t.sample(fraction=1, shuffle=True, seed=3) if isinstance(t, pl.DataFrame) else t
        for k, t in given.items()
    }
    options = {"min_cell": 20, "n_bootstrap": 200, "n_permutations": 200, "controls": ["size"], "seed": 4}
    first, second = FairnessFrame(**given, **options), FairnessFrame(**turned, **options)
    for name in ("overall", "by_group", "gaps", "slices"):
        assert getattr(first, name).equals(getattr(second, name))


def test_many_tests_get_more_shuffles():
    given = tables([1, 0] * 40, ["M", "F"] * 40) | {"metrics": [f"ndcg@{k}" for k in range(1, 16)]}
    frame = FairnessFrame(**given, n_permutations=200, n_bootstrap=80)
    assert frame.gaps["p_adjusted"].is_not_null().sum() == 15
    assert (
        next(note for note in frame.notes if note.code == "permutations_raised").values["permutations"] == 600
    )
