import json

import numpy as np
import polars as pl
import pytest

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.debias import Context, corrections
from equipoise.debias.before.inverse_balance import RULES
from equipoise.debias.before.search import seek
from equipoise.debias.corrected import fit
from equipoise.errors import ModelError
from equipoise.models import models
from tests.debias.before.planted import LISTED, SIZE, ninety_against_fifty, shop

QUIET = Runtime(progress=False)
AS_SHOWN = {"k": LISTED, "exclude_seen": False, "discounted": False, "group": "side"}


def _fit(model, data, fields, **more):
    fields, settings = (model, {}) if isinstance(model, str) else model, fields
    found = fit(models.build(*fields), data, [corrections.build("reweigh", settings)], runtime=QUIET, **more)
    return found, found.diagnostics["reweigh"]


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
def test_hit_rates_of_nine_tenths_against_a_half_are_brought_to_a_tenth_by_every_rule(rule):
    train, valid = ninety_against_fifty()
    settings = {
        "disparity": "quality",
        "metric": "hit_rate",
        "k": LISTED,
        "exclude_seen": False,
        "rule": rule,
    }
    corrected, told = _fit("popular", train, settings, valid=valid)
    before = [told["groups"][side]["rate_before"] for side in "ab"]
    after = [told["groups"][side]["rate_after"] for side in "ab"]
    assert before == pytest.approx([0.9, 0.5])
    assert max(after) / min(after) - 1 <= 0.1
    assert sorted(after) == pytest.approx(sorted(_shares_listed(corrected.model, train)))
    assert told["measured_on"] == "held-out events"


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
    _, told = _fit(("ease", {"reg": 50.0}), shop().dataset(), {"per": "gender", "k": 5, "target": 0.3})
    assert set(told["groups"]) == {f"{g} x {b}" for g in ("man", "woman") for b in ("head", "middle", "tail")}
    assert told["disparity_after"] <= 0.3 < told["disparity_before"]


def test_weights_reach_a_sequence_model():
    data = shop(users=100, items=30).dataset()
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
            return rates / rates.mean(), np.zeros(3)

        found = seek(measure, 0.1, rule="keep_mean", shares=np.full(3, 1 / 3), rounds=8, limit=1e6)
        assert found[0].disparity == pytest.approx(1.5)
        assert found[-1].disparity <= 0.1
        assert len(found) <= 6


def test_search_keeps_within_the_limit_where_nothing_answers():
    found = seek(
        lambda weights: (np.array([1.0, 0.5]), np.zeros(2)), 0.1, rule="raise_low", shares=np.full(2, 0.5),
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


def test_nobody_served_is_an_error_and_rounds_without_a_share_are_told_apart():
    def nobody(weights):
        return np.zeros(2), np.zeros(2)

    fields = {"rule": "keep_mean", "shares": np.full(2, 0.5), "rounds": 3, "limit": 50.0}
    with pytest.raises(ModelError, match="No group is served"):
        seek(nobody, 0.1, **fields)
    steps = iter([[10.0, 0.01, 0.0], [8.0, 2.0, 0.0], [4.0, 3.0, 0.0], [9.0, 0.0, 0.0]])
    found = seek(
        lambda weights: (np.array(next(steps)), np.zeros(3)), 0.1, **{**fields, "shares": np.full(3, 1 / 3)}
    )
    assert all(one.disparity == float("inf") for one in found)
    assert min(found, key=lambda one: (one.disparity, one.missing)) is found[2]
