import json

import numpy as np
import polars as pl
import pytest

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.debias import Context, corrections
from equipoise.debias.corrected import fit
from equipoise.errors import DataError, ModelError
from equipoise.models import models
from equipoise.worlds import Storefront, planted
from tests.debias.before.planted import shop

QUIET = Runtime(progress=False)


def _log(counts, groups=("a", "b")):
    """One group of users per entry, each with so many users who each took every item so many times."""
    rows, people = [], []
    for group, (users, events) in zip(groups, counts, strict=True):
        for _ in range(users):
            people.append((len(people), group))
            rows += [(len(people) - 1, item, item) for item in range(events)]
    return Dataset(
        pl.DataFrame(rows, schema=["user_id", "item_id", "order"], orient="row"),
        pl.DataFrame(people, schema=["user_id", "group"], orient="row"),
        sensitive=("group",),
    )


def _sampled(data, **fields):
    context = Context(data, QUIET)
    return corrections.build("balanced_sampling", fields).transform(data, context), context.diagnostics[
        "balanced_sampling"
    ]


def _weight_of(data, side):
    weight = data.events.join(data.users, on="user_id").group_by("group").agg(pl.col("sample_weight").sum())
    return dict(weight.iter_rows())[side]


@pytest.mark.parametrize(("how", "times"), [("over", (1, 3)), ("under", (1 / 3, 1)), ("both", (2 / 3, 2))])
def test_groups_of_users_come_to_equal_totals(how, times):
    data = _log([(60, 10), (20, 10)])
    sampled, told = _sampled(data, by="group", how=how, strength=1.0, draw=True)
    assert told["events"] == 800
    assert told["events_left"] == pytest.approx(
        sum(min(t, 1) * n for t, n in zip(times, (600, 200), strict=True)), abs=50
    )
    if how == "over":  # whole multiples: exact
        assert _weight_of(sampled, "a") == pytest.approx(_weight_of(sampled, "b"))
    assert _weight_of(sampled, "a") == pytest.approx(_weight_of(sampled, "b"), rel=0.15)
    shares = {cell["users"]: cell["share_before"] for cell in told["cells"]}
    assert shares == pytest.approx({"a": 0.75, "b": 0.25})


def test_no_row_comes_or_goes_and_weights_are_whole_multiples_of_mean_one():
    data = shop().dataset()
    sampled, _ = _sampled(data, draw=True)
    assert sampled.events.drop("sample_weight").equals(data.events)
    taste = ~pl.col("event").is_in(["impression", "search"])
    weights = sampled.events.filter(taste)["sample_weight"].to_numpy()
    assert weights.mean() == pytest.approx(1.0)
    multiples = weights / weights[weights > 0].min()
    assert np.abs(multiples - multiples.round()).max() < 1e-9
    assert set(sampled.events.filter(~taste)["sample_weight"]) == {1.0}


@pytest.mark.parametrize("strength", [0.0, 0.25, 0.5, 1.0])
def test_items_are_weighed_by_a_power_of_their_inverse_count(strength):
    counts = np.array([1600, 800, 400, 200])
    item = np.repeat(np.arange(4), counts)
    data = Dataset(pl.DataFrame({"user_id": np.arange(3000), "item_id": item, "order": 0}))
    sampled, told = _sampled(data, strength=strength, most=100, draw=strength == 0.25)
    per_item = sampled.events.group_by("item_id").agg(pl.col("sample_weight").sum()).sort("item_id")
    wanted = counts ** (1 - strength)
    found = per_item["sample_weight"].to_numpy()
    assert found / found.sum() == pytest.approx(wanted / wanted.sum(), rel=0.12)
    assert found.sum() == pytest.approx(3000)
    if strength == 0:
        assert told["effective_sample_size"] == pytest.approx(3000)


def test_bands_get_what_is_due_to_their_items():
    counts = np.array([300, 100, 100, 100, *[30] * 10])  # head of 1 item, middle of 3, tail of 10
    item = np.repeat(np.arange(14), counts)
    data = Dataset(pl.DataFrame({"user_id": np.arange(900), "item_id": item, "order": 0}))
    _, told = _sampled(data, popularity="bands", strength=1.0, most=100)
    after = {cell["items"]: cell["share_after"] for cell in told["cells"]}
    assert after == pytest.approx({"head": 1 / 14, "middle": 3 / 14, "tail": 10 / 14}, abs=0.04)


def test_cells_of_both_are_balanced_within_each_group():
    _, told = _sampled(shop().dataset(), by="both", popularity="bands", source="events", most=100)
    after = {(cell["users"], cell["items"]): cell["share_after"] for cell in told["cells"]}
    for band in ("head", "middle", "tail"):
        assert after["man", band] == pytest.approx(after["woman", band], abs=0.04)
    assert after["man", "tail"] > 4 * after["man", "head"]


def test_popular_items_take_less_of_the_lists_and_rare_ones_more():
    data = shop().dataset()
    counts = data.positives["item_id"].value_counts()
    mean_count = {}
    for name, chosen in (("plain", []), ("balanced", [corrections.build("balanced_sampling")])):
        lists = fit(models.build("ease", {"reg": 50.0}), data, chosen, runtime=QUIET).recommend(
            data.users["user_id"], 5
        )
        mean_count[name] = lists.join(counts, on="item_id")["count"].mean()
    assert mean_count["balanced"] < 0.9 * mean_count["plain"]


def test_what_is_shown_often_counts_less_and_what_is_chosen_often_where_it_is_shown_does_not():
    rows = [(item, "impression", shown) for item, shown in enumerate([400, 100, 100])]
    rows += [(item, "click", chosen) for item, chosen in enumerate([80, 20, 60])]
    table = pl.DataFrame(rows, schema=["item_id", "event", "n"], orient="row")
    events = table.select(pl.exclude("n").repeat_by("n").explode()).with_row_index("user_id")
    sampled, _ = _sampled(Dataset(events), strength=1.0)
    clicks = sampled.events.filter(pl.col("event") == "click").group_by("item_id")
    found = clicks.agg(pl.col("sample_weight").sum()).sort("item_id")["sample_weight"].to_numpy()
    assert found / found.sum() == pytest.approx([0.2, 0.2, 0.6])  # as the click rates, .2 .2 .6
    by_events, _ = _sampled(Dataset(events), strength=1.0, source="events")
    clicks = by_events.events.filter(pl.col("event") == "click").group_by("item_id")
    assert clicks.agg(pl.col("sample_weight").sum())["sample_weight"].to_numpy() == pytest.approx(
        [160 / 3] * 3
    )


def test_lists_come_nearer_to_the_truth_where_the_logger_shows_what_is_popular():
    world = Storefront(n_users=200, n_items=60, days=12, popularity=2.5, personalisation=0.0).generate()
    data, users = world.dataset(), world.users["user_id"]
    found = {}
    for name, chosen in (("plain", []), ("balanced", [corrections.build("balanced_sampling")])):
        corrected = fit(models.build("ease", {"reg": 50.0}), data, chosen, runtime=QUIET)
        found[name] = planted(world, corrected.recommend(users, 10, exclude_seen=False))["preference_ndcg@10"]
    assert found["balanced"] > found["plain"] + 0.05, found


def test_what_was_seen_is_not_recommended_again_even_where_it_is_no_longer_trained_on():
    data = shop().dataset()
    chosen = [corrections.build("balanced_sampling", {"how": "under", "strength": 1.0, "draw": True})]
    lists = fit(models.build("popular"), data, chosen, runtime=QUIET).recommend(data.users["user_id"], 10)
    again = lists.join(data.positives, on=["user_id", "item_id"], how="semi")
    assert len(lists) == 10 * len(data.users)
    assert again.is_empty()


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("mf", {"epochs": 1, "width": 4}),
        ("sequence", {"epochs": 1, "width": 8, "blocks": 1, "length": 20, "text": "none"}),
    ],
)
def test_trained_models_take_the_sample(model, fields):
    data = shop(users=60, items=30).dataset()
    chosen = [corrections.build("balanced_sampling", {"by": "both"})]
    plain, sampled = (fit(models.build(model, fields), data, c, runtime=QUIET) for c in ([], chosen))
    users = data.users["user_id"]
    assert not sampled.recommend(users, 5).equals(plain.recommend(users, 5))


def test_the_order_of_rows_plays_no_part():
    data = shop().dataset()
    keys = ["user_id", "item_id", "timestamp", "event", "position"]
    sampled, told = _sampled(data, by="both", draw=True)
    shuffled, again = _sampled(
        data.with_events(data.events.sample(fraction=1, shuffle=True, seed=3)), by="both", draw=True
    )
    assert sampled.events.sort(keys).equals(shuffled.events.sort(keys))
    shares, others = ([cell.pop("share_after") for cell in one["cells"]] for one in (told, again))
    assert shares == pytest.approx(others)
    assert told == again
    other = corrections.build("balanced_sampling", {"by": "both", "draw": True}).transform(
        data, Context(data, Runtime(seed=1))
    )
    assert not sampled.events.equals(other.events)


def test_weights_that_were_there_are_multiplied():
    data = _log([(60, 10), (20, 10)])
    doubled = data.with_events(data.events.with_columns(sample_weight=pl.lit(2.0)))
    plain, _ = _sampled(data, by="group")
    weighed, _ = _sampled(doubled, by="group")
    assert (weighed.events["sample_weight"] == 2 * plain.events["sample_weight"]).all()


@pytest.mark.parametrize("how", ["over", "under", "both"])
def test_users_of_unknown_group_keep_their_events_as_they_are(how):
    data = _log([(30, 10), (10, 10), (5, 10)], ("a", "b", None))
    sampled, told = _sampled(data, by="group", how=how)
    weights = sampled.events.join(data.users, on="user_id").group_by("group").agg(
        pl.col("sample_weight").unique().first()
    )  # fmt: skip
    assert dict(weights.iter_rows()) == pytest.approx({"a": 2 / 3, "b": 2.0, None: 1.0})
    assert told["events_in_no_group"] == 50
    assert "50 of 450 events are of users whose group is unknown" in told["warnings"][0]


def test_report_is_plain_and_loud():
    _, told = _sampled(shop().dataset(), how="under", source="events", draw=True)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert "lower the strength" in told["warnings"][0]
    assert "trained on no event" in told["warnings"][1]
    _, told = _sampled(_log([(90, 10), (2, 10)]), by="group", how="over", strength=1.0)
    assert "more than 10 times" in told["warnings"][-1]


def test_bad_input_is_refused_in_words():
    data = _log([(20, 5)], ("a",))
    with pytest.raises(ModelError, match=r"all users have one value of 'group' \(a\)"):
        fit(models.build("popular"), data, [corrections.build("balanced_sampling", {"by": "group"})])
    absent = Dataset(
        data.events, data.users.vstack(pl.DataFrame({"user_id": [99], "group": ["b"]})), sensitive=("group",)
    )
    with pytest.raises(DataError, match=r"a group of 'group' has no event in training.*: b"):
        _sampled(absent, by="group")
    with pytest.raises(ModelError, match="by impressions, and the log has none"):
        fit(
            models.build("popular"), data, [corrections.build("balanced_sampling", {"source": "impressions"})]
        )
    with pytest.raises(DataError, match="no column 'grup'"):
        _sampled(data, by="group", attribute="grup")
