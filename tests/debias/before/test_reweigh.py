import json

import numpy as np
import polars as pl
import pytest

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.debias import Context, corrections
from equipoise.debias.before.disparities import QualityRates
from equipoise.debias.before.inverse_balance import RULES
from equipoise.debias.before.measured import Measured, Rates
from equipoise.debias.before.search import seek
from equipoise.debias.corrected import fit
from equipoise.errors import ModelError
from equipoise.models import models
from tests.debias.before.planted import LISTED, SIZE, everyone_takes_their_side, ninety_against_fifty, shop

QUIET = Runtime(progress=False)
QUALITY = {"disparity": "quality", "k": LISTED, "exclude_seen": False}
AS_SHOWN = {"k": LISTED, "exclude_seen": False, "discounted": False, "group": "side"}


def _fit(model, data, fields, **more):
    fields, settings = (model, {}) if isinstance(model, str) else model, fields
    found = fit(models.build(*fields), data, [corrections.build("reweigh", settings)], runtime=QUIET, **more)
    return found, found.diagnostics["reweigh"]


def exactly(values):
    """Rates without an error, the same for all users."""
    rates = Rates(np.array(values), np.zeros(len(values)))
    return Measured(rates, rates)


def _shares_listed(model, data):
    lists = model.recommend(data.users["user_id"][:3], LISTED, exclude_seen=False)
    counts = lists.join(data.items, on="item_id")["side"].value_counts().sort("side")["count"]
    return counts.to_numpy() / 3 / SIZE


@pytest.mark.parametrize("rule", sorted(RULES))
def test_exposure_of_nine_tenths_against_a_half_is_brought_to_a_tenth_by_every_rule(rule):
    train, _ = ninety_against_fifty()
    plain = models.build("popular").fit(train)
    assert _shares_listed(plain, train) == pytest.approx([0.9, 0.5])
    corrected, told = _fit("popular", train, {**AS_SHOWN, "rule": rule, "users": 20})
    assert told["disparity_before"] == pytest.approx(0.8)
    assert told["reached"]
    high, low = _shares_listed(corrected.model, train)  # on the model that leaves, not on a declared weight
    assert max(high, low) / min(high, low) - 1 <= 0.1
    assert told["disparity_after"] == pytest.approx(max(high, low) / min(high, low) - 1)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_recall_of_nine_tenths_against_a_half_is_brought_to_a_tenth_by_every_rule(rule):
    train, _ = ninety_against_fifty()
    valid = everyone_takes_their_side(train)  # all of a side have one recall, so that halves are alike
    corrected, told = _fit("popular", train, {**QUALITY, "metric": "recall", "rule": rule}, valid=valid)
    before = [told["groups"][side]["rate_before"] for side in "ab"]
    after = [told["groups"][side]["rate_after"] for side in "ab"]
    assert before == pytest.approx([0.9, 0.5])
    assert told["reached"]
    assert max(after) / min(after) - 1 <= 0.1
    assert sorted(after) == pytest.approx(sorted(_shares_listed(corrected.model, train)))
    assert told["measured_on"] == "held-out events"
    assert told["judged_on"] == "users whom the weights were not searched on"
    assert told["disparity_after"] == pytest.approx(told["disparity_searched"]["after"])
    assert not any("chance" in sentence for sentence in told["warnings"])


@pytest.mark.parametrize("rule", sorted(RULES))
def test_hit_rates_are_judged_on_users_that_were_not_searched_on(rule):
    train, valid = ninety_against_fifty()
    corrected, told = _fit("popular", train, {**QUALITY, "metric": "hit_rate", "rule": rule}, valid=valid)
    everybody = _shares_listed(corrected.model, train)  # of both halves, that is
    searched = next(one["rates"] for one in told["rounds_tried"] if one["disparity"] ==
                    told["disparity_searched"]["after"])  # fmt: skip
    judged = [told["groups"][side]["rate_after"] for side in "ab"]
    assert (np.array(searched) + judged) / 2 == pytest.approx(everybody)
    assert told["disparity_searched"]["after"] <= 0.1 < told["disparity_searched"]["before"]
    assert told["disparity_after"] == pytest.approx(max(judged) / min(judged) - 1)
    assert told["disparity_after"] != told["disparity_searched"]["after"]
    assert told["reached"] == (told["disparity_after"] <= 0.1)
    assert 0.1 < told["disparity_by_chance"] < 0.4  # 1.96 sqrt(2 x .3 / (.7 x 50)) = .26 in logarithms
    assert told["disparity_at_most"] > 0.1


def _two_groups(users):
    """Held-out users of two groups and a search that is handed these hit rates per half."""
    people = pl.DataFrame({"user_id": range(2 * users), "side": ["a", "b"] * users})
    events = pl.DataFrame({"user_id": range(2 * users), "item_id": [0, 1] * users})
    return Dataset(events, people, sensitive=("side",))


def _handed(monkeypatch, steps):
    """What is measured round by round: hit rates of searched and judged users, in halves of 50."""
    rounds = iter(steps)

    def rates(values):
        values = np.array(values)
        return Rates(values, np.sqrt(values * (1 - values) / 50))

    def measure(self, model):
        searched, judged = next(rounds)
        return Measured(rates(searched), rates(judged))

    monkeypatch.setattr(QualityRates, "measure", measure)
    data = _two_groups(100)
    settings = {"disparity": "quality", "metric": "hit_rate", "exclude_seen": False, "rounds": len(steps) - 1}
    context = Context(data, QUIET, valid=data, fit=lambda candidate: None)
    result = corrections.build("reweigh", settings).transform(data, context)
    return result is data, context.diagnostics["reweigh"]


def test_a_target_that_only_the_searched_users_reach_is_not_reached(monkeypatch):
    unchanged, told = _handed(monkeypatch, [([0.9, 0.5], [0.9, 0.5]), ([0.7, 0.7], [0.75, 0.6])])
    assert not unchanged
    assert told["reached"] is False
    assert told["disparity_after"] == pytest.approx(0.25)
    assert told["disparity_searched"] == pytest.approx({"before": 0.8, "after": 0.0})
    assert "was not brought to 0.1: it is 0.25" in told["warnings"][0]


def test_reached_within_the_noise_is_said(monkeypatch):
    _, told = _handed(monkeypatch, [([0.9, 0.5], [0.9, 0.5]), ([0.7, 0.7], [0.7, 0.68])])
    assert told["reached"] is True
    assert told["disparity_at_most"] == pytest.approx(
        0.7 / 0.68 * np.exp(1.96 * np.sqrt(0.3 / 35 + 0.32 / 34)) - 1
    )
    assert "below the target, but of so few users chance may make" in told["warnings"][0]


def test_weights_that_serve_other_users_no_more_equally_are_not_set(monkeypatch):
    unchanged, told = _handed(monkeypatch, [([0.9, 0.5], [0.7, 0.6]), ([0.7, 0.7], [0.6, 0.8])])
    assert unchanged
    assert told["reached"] is False
    assert told["disparity_after"] == told["disparity_before"] == pytest.approx(1 / 6)
    assert {group["weight"] for group in told["groups"].values()} == {1.0}
    assert any("not served more equally under them" in sentence for sentence in told["warnings"])


def test_no_weights_are_set_where_a_group_gets_nothing_all_the_same(monkeypatch):
    nothing = [([0.9, 0.0], [0.9, 0.0]), ([0.5, 0.0], [0.5, 0.0]), ([0.3, 0.0], [0.3, 0.0])]
    unchanged, told = _handed(monkeypatch, nothing)
    assert unchanged
    assert told["reached"] is False
    assert told["disparity_after"] is told["disparity_at_most"] is None
    assert any("none are set" in sentence for sentence in told["warnings"])
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_too_few_users_to_judge_on_others_is_said():
    data = _two_groups(3)
    settings = {"disparity": "quality", "k": 2, "exclude_seen": False, "rounds": 1}
    _, told = _fit("popular", data, settings, valid=data)
    assert told["judged_on"] == "the same users"
    assert "too few users to judge" in told["warnings"][0]


def test_trajectory_is_reported_and_plain():
    train, _ = ninety_against_fifty()
    _, told = _fit("popular", train, {**AS_SHOWN, "users": 20})
    trajectory = [one["disparity"] for one in told["rounds_tried"]]
    assert trajectory[0] == told["disparity_before"]
    assert min(trajectory) == told["disparity_after"]
    assert told["models_trained"] == len(trajectory)
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_weights_multiply_those_that_were_there_and_keep_their_mean():
    train, _ = ninety_against_fifty()
    data = {}

    def remember(candidate):
        data["last"] = candidate
        return models.build("popular").fit(candidate)

    context = Context(train, QUIET, fit=remember)
    result = corrections.build("reweigh", {**AS_SHOWN, "users": 20}).transform(train, context)
    factor = (result.events["sample_weight"] / train.events["sample_weight"]).to_numpy()
    assert factor.mean() == pytest.approx(1.0)
    assert len(np.unique(factor.round(9))) == 2
    assert factor[0] < 1 < factor[-1]
    assert result.events.drop("sample_weight").equals(train.events.drop("sample_weight"))


@pytest.mark.parametrize(
    ("model", "fields"), [("ease", {"reg": 50.0}), ("mf", {"epochs": 4, "width": 8, "learning_rate": 0.05})]
)
def test_exposure_of_popularity_bands_is_evened_out_in_a_shop(model, fields):
    data = shop(users=150, items=40).dataset()
    corrected, told = _fit((model, fields), data, {"target": 0.25, "k": 5})
    assert told["disparity_before"] > 1
    assert told["reached"], told["rounds_tried"]
    known = corrected.recommend(data.users["user_id"], 5)
    assert len(known) == 5 * len(data.users)


def test_cells_of_users_and_items_are_weighed_apart():
    _, told = _fit(("ease", {"reg": 50.0}), shop().dataset(), {"per": "gender", "k": 5, "target": 0.5})
    assert set(told["groups"]) == {f"{g} x {b}" for g in ("man", "woman") for b in ("head", "middle", "tail")}
    assert told["disparity_after"] <= 0.5 < told["disparity_before"]


def test_weights_reach_a_sequence_model():
    data = shop(users=60, items=30).dataset()
    settings = {"epochs": 1, "width": 8, "blocks": 1, "length": 20, "text": "none"}
    _, told = _fit(("sequence", settings), data, {"rounds": 1, "k": 5, "users": 100})
    assert told["models_trained"] == 2
    assert told["disparity_after"] <= told["disparity_before"]


def test_target_out_of_reach_is_said_or_refused():
    train, _ = ninety_against_fifty()
    _, told = _fit("popular", train, {**AS_SHOWN, "users": 20, "limit": 1.01, "rounds": 2})
    assert told["reached"] is False
    assert "was not brought to 0.1" in told["warnings"][0]
    assert any("explode" in sentence for sentence in told["warnings"])
    with pytest.raises(ModelError, match=r"do not bring the disparity of exposure to 0\.1"):
        _fit("popular", train, {**AS_SHOWN, "users": 20, "limit": 1.01, "rounds": 2, "on_failure": "error"})


def test_without_a_model_one_step_is_declared_and_said_not_to_be_measured():
    train, _ = ninety_against_fifty()
    train = train.with_events(train.events.drop("sample_weight").filter(pl.col("item_id") < SIZE + 50))
    context = Context(train, QUIET)
    result = corrections.build("reweigh", AS_SHOWN).transform(train, context)
    told = context.diagnostics["reweigh"]
    assert told["reached"] is None
    assert told["disparity_of_events"] == pytest.approx(1.0)
    assert "was not measured" in told["warnings"][0]
    weight = result.events["sample_weight"].to_numpy()
    assert 100 * weight[0] / (50 * weight[-1]) == pytest.approx(1.1)


def test_quality_without_held_out_events_is_measured_on_an_inner_part_never_trained_on():
    data = shop().dataset()
    trained = []

    def remember(candidate):
        trained.append(candidate.events)
        return models.build("ease", {"reg": 50.0}).fit(candidate)

    context = Context(data, QUIET, fit=remember)
    corrections.build("reweigh", {"disparity": "quality", "rounds": 1, "target": 1e-6}).transform(
        data, context
    )
    told = context.diagnostics["reweigh"]
    assert told["measured_on"] == "an inner held-out part of training"
    assert sum(told["users_by_group"].values()) == told["users"]
    assert all(len(events) < len(data.events) for events in trained)
    assert "chance" in " ".join(told["warnings"])


def test_attributes_that_cannot_be_balanced_are_refused():
    train, _ = ninety_against_fifty()
    alone = Dataset(
        train.events, train.users, train.items.with_columns(side=pl.lit("a")), sensitive=("side",)
    )
    with pytest.raises(ModelError, match="all items have one value of 'side'"):
        _fit("popular", alone, {"group": "side"})
    with pytest.raises(ModelError, match=r"no column 'sid'.*Did you mean 'side'"):
        _fit("popular", train, {"group": "sid"})
    strangers = Dataset(train.events, train.users, train.items.vstack(
        pl.DataFrame({"item_id": [999], "side": ["c"]})), sensitive=("side",))  # fmt: skip
    with pytest.raises(ModelError, match=r"a group of 'side' has no event in training.*: c"):
        _fit("popular", strangers, {"group": "side"})
    nobody = Dataset(train.events, train.users, train.items)
    with pytest.raises(ModelError, match="no sensitive column"):
        _fit("popular", nobody, {"disparity": "quality"})


def test_search_meets_responses_of_any_strength():
    true = np.log([1.0, 0.4, 0.7])
    for response in (0.3, 1.0, 3.0):

        def measure(weights, response=response):
            rates = np.exp(true + response * np.log(weights))
            return exactly(rates / rates.mean())

        found = seek(measure, 0.1, rule="keep_mean", shares=np.full(3, 1 / 3), rounds=8, limit=1e6)
        assert found[0].measured.searched.disparity == pytest.approx(1.5)
        assert found[-1].measured.searched.disparity <= 0.1
        assert len(found) <= 6


def test_search_keeps_within_the_limit_where_nothing_answers():
    found = seek(
        lambda weights: exactly([1.0, 0.5]), 0.1, rule="raise_low", shares=np.full(2, 0.5),
        rounds=6, limit=9.0,
    )  # fmt: skip
    assert len(found) == 7
    assert all(one.weights.max() / one.weights.min() <= 9.0 + 1e-9 for one in found)


def test_the_order_of_rows_plays_no_part():
    train, _ = ninety_against_fifty()
    _, told = _fit("popular", train, {**AS_SHOWN, "users": 20})
    _, again = _fit("popular", train.with_events(train.events.sample(fraction=1, shuffle=True, seed=4)),
                    {**AS_SHOWN, "users": 20})  # fmt: skip
    assert [one["weights"] for one in told["rounds_tried"]] == [
        one["weights"] for one in again["rounds_tried"]
    ]


def test_nobody_served_is_an_error():
    fields = {"rule": "keep_mean", "shares": np.full(2, 0.5), "rounds": 3, "limit": 50.0}
    with pytest.raises(ModelError, match="No group is served"):
        seek(lambda weights: exactly([0.0, 0.0]), 0.1, **fields)
