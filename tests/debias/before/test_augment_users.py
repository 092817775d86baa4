"""The corrections that add users: made ones, twins, and copies with the attribute changed."""

import json
from functools import cache

import numpy as np
import polars as pl
import pytest

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.debias import Context, corrections
from equipoise.debias.before.augment_counterfactual import _worst
from equipoise.debias.before.augment_gan import _best, _Round
from equipoise.debias.before.augmentation.telling import Verdict
from equipoise.debias.corrected import fit
from equipoise.errors import DataError, ModelError
from equipoise.metrics import ndcg, per_user
from equipoise.models import models
from tests.debias.before.minority import FEW, USERS, minority

QUIET = Runtime(seed=2, threads=1, progress=False)
GRAPH = "; ".join(f"group -> share.c{n}" for n in range(4))
GAN = {"epochs": 4, "rounds": 0}
ALL = {"augment_gan": GAN, "augment_counterfactual": {"graph": GRAPH}, "flip_attribute": {}}
EASE = models.build("ease", {"reg": 50.0})
FACTORS = models.build(
    "mf",
    {
        "epochs": 12,
        "width": 8,
        "batch_events": 512,
        "learning_rate": 0.02,
        "shrinkage": 0.02,
        "precision": "float32",
    },
)


def _transformed(name, data=None, runtime=QUIET, **fields):
    data = data or minority()[0]
    context = Context(data, runtime, valid=minority()[1])
    made = corrections.build(name, {**ALL[name], **fields}).transform(data, context)
    return made, context.diagnostics[name]


@cache
def _default(name):
    return _transformed(name)


def _quality(*chosen):
    """NDCG of held-out events of the many and of the few."""
    train, held_out = minority()
    corrected = fit(
        FACTORS, train, [corrections.build(name, fields) for name, fields in chosen], runtime=QUIET
    )
    lists = corrected.recommend(train.users["user_id"], 10)
    values = pl.DataFrame(per_user(lists, held_out.events.select("user_id", "item_id"), {"ndcg": ndcg(10)}))
    means = values.join(train.users, on="user_id").group_by("group").agg(pl.col("ndcg").mean())
    return dict(means.iter_rows())


@pytest.mark.parametrize("name", ALL)
def test_made_users_are_new_flagged_of_the_group_that_lacks_and_change_no_row(name):
    data, told = _default(name)
    before = minority()[0]
    real = data.events.filter(~pl.col("synthetic"))
    assert real.drop("synthetic").equals(before.events)
    new = data.events.filter("synthetic")
    assert not set(new["user_id"]) & set(before.users["user_id"])
    assert new.schema["user_id"] == before.events.schema["user_id"]
    people = data.users.filter(pl.col("user_id").is_in(new["user_id"].unique().implode()))
    assert set(people["group"]) == {"b"}
    assert data.users.head(USERS).equals(before.users)
    assert data.users["user_id"].n_unique() == len(data.users)
    assert new.select("user_id", "item_id").is_unique().all()
    assert set(new["item_id"]) <= set(before.events["item_id"])
    assert (new.group_by("user_id").agg(pl.col("order").max() + 1 == pl.len()))["order"].all()
    assert told["card"]["assumptions"]
    json.dumps(told, allow_nan=False)


@pytest.mark.parametrize("name", ALL)
def test_what_is_made_follows_the_seed_and_not_the_order_of_rows_or_the_held_out_events(name):
    train, held_out = minority()
    keys = ["user_id", "item_id", "order"]
    data, told = _default(name)
    shuffled = Dataset(
        train.events.sample(fraction=1, shuffle=True, seed=1),
        train.users.sample(fraction=1, shuffle=True, seed=2),
        train.items,
        sensitive=train.sensitive,
    )
    blind = Context(shuffled, QUIET, valid=held_out.with_events(held_out.events.head(0)))
    again, same = corrections.build(name, ALL[name]).transform(shuffled, blind), blind.diagnostics[name]
    assert data.events.sort(keys).equals(again.events.sort(keys))
    assert told == same


@pytest.mark.parametrize("name", ["augment_counterfactual", "flip_attribute"])
def test_another_seed_gives_others(name):
    other, _ = _transformed(name, runtime=Runtime(seed=3, threads=1, progress=False))
    assert not _default(name)[0].events.equals(other.events)


@pytest.mark.parametrize("name", ALL)
def test_groups_that_lack_nothing_get_nobody(name):
    train, _ = minority()
    data, told = _transformed(name, share=0.01)
    assert data.events.equals(train.events)
    assert "No group has fewer" in told["warnings"][0]


@pytest.mark.parametrize("name", ALL)
def test_bad_input_is_told(name):
    train, _ = minority()
    correction = corrections.build(name, {**ALL[name], "attribute": "gruop"})
    assert "the users have no column 'gruop'" in correction.obstacle(train, EASE)
    with pytest.raises(ModelError, match=f"'{name}' cannot act here"):
        fit(EASE, train, [correction])


def test_too_few_profiles_to_learn_from():
    train, _ = minority()
    user = pl.col("user_id")  # 12 of the few, 18 of the many
    small = train.with_events(train.events.filter((user < 20) | (user < 144) & (user % 12 == 0)))
    with pytest.raises(DataError, match="30 profiles are too few"):
        _transformed("augment_gan", small)


def test_the_generator_tells_how_its_profiles_were_judged():
    _, told = _transformed("augment_gan", epochs=20, most=2, rounds=1, steps=5)
    assert told["groups"]["b"] == {"users": FEW + 1, "events": 250, "lacking": 250, "made": 50}
    assert [one["steps"] for one in told["game"]] in ([0], [0, 5])
    assert 0 <= told["two_sample"]["low"] <= told["two_sample"]["auc"] <= told["two_sample"]["high"] <= 1
    assert told["realism"]["pairs_correlation_of_halves"] < told["realism"]["pairs_correlation"] + 0.2
    assert not told["copying"]["identical"]
    said = " ".join(told["warnings"])
    assert "Only 25 real profiles" in said
    assert "not made in full" in said


def test_profiles_that_a_classifier_can_tell_are_told_of_loudly():
    train, _ = minority()
    mixed = train.users.with_columns(
        group=pl.when(pl.col("user_id") % 5 < 2).then(pl.lit("b")).otherwise(pl.lit("a"))
    )
    data = Dataset(train.events, mixed, train.items, sensitive=("group",))
    _, told = _transformed("augment_gan", data, epochs=1, rounds=1, steps=1)
    assert told["two_sample"]["low"] > 0.5
    assert told["card"]["checks"]["cannot_be_told_apart"] is False
    assert "still tells made profiles from real ones" in told["warnings"][0]
    assert len(told["game"]) == 2


def test_a_twin_has_the_consequences_and_a_copy_has_not():
    train, _ = minority()
    late = train.items.with_columns(late=pl.col("category").is_in(["c2", "c3"]).cast(pl.Float64))

    def share(data):
        whole = data.events.join(late, on="item_id")
        return whole.filter("synthetic")["late"].mean()

    few = (
        train.events.join(train.users.filter(group="b"), on="user_id").join(late, on="item_id")["late"].mean()
    )
    twins, told = _default("augment_counterfactual")
    copies, _ = _default("flip_attribute")
    assert share(twins) == pytest.approx(few, abs=0.05)
    assert share(copies) < few - 0.4
    assert told["card"]["checks"]["own_items_kept"] > 0.2
    assert told["card"]["checks"]["share_explained"]["share.c2"] > 0.1


def test_twins_help_the_few_beyond_weights_and_copies():
    weighed = ("balanced_sampling", {"by": "group", "most": 100})
    found = {
        "base": _quality(),
        "weighed": _quality(weighed),
        "copies": _quality(("flip_attribute", {})),
        "twins": _quality(("augment_counterfactual", {"graph": GRAPH})),
    }
    few = {name: values["b"] for name, values in found.items()}
    assert few["twins"] > few["base"] + 0.03
    assert few["twins"] > few["weighed"]
    assert few["twins"] > few["copies"] + 0.03
    assert found["twins"]["a"] > found["base"]["a"] - 0.02


def test_numbers_of_users_below_the_attribute_are_regenerated_too():
    train, _ = minority()
    rng = np.random.default_rng(0)
    income = 10.0 + 5.0 * (train.users["group"] == "b").to_numpy() + rng.normal(size=USERS)
    data = Dataset(
        train.events, train.users.with_columns(income=pl.Series(income)), train.items, sensitive=("group",)
    )
    graph = "group -> income; group -> share.c0; income -> activity"
    twins, told = _transformed("augment_counterfactual", data, graph=graph)
    rows = twins.users.filter(pl.col("user_id") < 0)
    assert rows["income"].mean() == pytest.approx(15.0, abs=0.5)
    assert told["regenerated"] == ["income", "share.c0", "activity"]


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        (None, "`flip_attribute` is what can be done"),
        ("group -> share.c9", "neither a column of the users nor a feature of a profile"),
        ("activity -> popularity", "does not name the attribute 'group'"),
        ("group <-> activity", "hidden common causes"),
        ("activity -> group", "changes no feature of a profile"),
        ("group -> colour; group -> activity", "a category"),
        ("group ->", "no variable at one of its ends"),
    ],
)
def test_graphs_that_do_not_do_are_told(graph, said):
    train, _ = minority()
    data = Dataset(
        train.events, train.users.with_columns(colour=pl.lit("red")), train.items, sensitive=("group",)
    )
    correction = corrections.build("augment_counterfactual", {"graph": graph})
    assert said in correction.obstacle(data, EASE)


def test_a_contradicted_graph_is_told():
    train, _ = minority()
    lengths = train.events.group_by("user_id").len()
    rng = np.random.default_rng(0)
    users = train.users.join(lengths, on="user_id").with_columns(
        age=pl.Series(rng.normal(size=USERS)), height=pl.Series(rng.normal(size=USERS))
    )
    users = users.with_columns(height=pl.col("age") + 0.1 * pl.col("height"))
    data = Dataset(train.events, users, train.items, sensitive=("group",))
    _, told = _transformed("augment_counterfactual", data, graph="group -> share.c0; age; height")
    assert "age" in told["warnings"][0]
    assert "contradict the graph" in told["warnings"][0]


def test_models_of_pairs_and_of_sequences_take_made_users():
    train, _ = minority()
    for name, fields in (
        ("mf", {"epochs": 1, "width": 4}),
        ("sequence", {"epochs": 1, "width": 8, "blocks": 1, "length": 12, "text": "none"}),
    ):
        corrected = fit(
            models.build(name, fields), train, [corrections.build("flip_attribute")], runtime=QUIET
        )
        lists = corrected.recommend(train.users["user_id"], 5)
        assert set(lists["user_id"]) == set(train.users["user_id"])


def _rare(n):
    """The minority with a third group of its first `n` users."""
    train, _ = minority()
    group = pl.when(pl.col("user_id") < n).then(pl.lit("c")).otherwise(pl.col("group"))
    return Dataset(
        train.events, train.users.with_columns(group=group), train.items, sensitive=train.sensitive
    )


def test_a_group_too_small_to_judge_by_is_left_out_and_said():
    data, told = _transformed("augment_gan", _rare(4), epochs=1)
    new = data.users.filter(pl.col("user_id") < 0)
    assert set(new["group"]) == {"b"}
    assert told["groups"]["c"]["made"] == 0
    assert any("c: fewer than 10 people took something" in one for one in told["warnings"])
    assert told["card"]["checks"]["cannot_be_told_apart"] is None  # 24 profiles of "b" tell little


def test_made_users_are_no_models_for_others():
    once, _ = _default("flip_attribute")
    made = once.events.filter("synthetic")["user_id"].n_unique()
    twice, told = _transformed("flip_attribute", once, whom="everyone")
    assert told["copies"] == USERS
    assert len(twice.users) == USERS + made + USERS
    assert set(twice.users["user_id"]) == set(twice.events["user_id"])
    assert "made users already" in told["warnings"][-1]
    _, told = _transformed("augment_gan", once, epochs=1)
    assert told["groups"]["b"]["users"] == FEW + 1


def test_copies_have_impressions_and_propensities_as_their_originals_have():
    train, _ = minority()
    events = pl.concat([
        train.events.with_columns(event=pl.lit("impression"), propensity=None, request_id="user_id"),
        train.events.with_columns(event=pl.lit("click"), propensity=0.25, request_id="user_id"),
    ], how="diagonal_relaxed")  # fmt: skip
    data, _ = _transformed("flip_attribute", train.with_events(events))
    new = data.events.filter("synthetic")
    counts = dict(new["event"].value_counts().iter_rows())
    assert counts["impression"] == counts["click"] > 0
    assert set(new.filter(event="click")["propensity"]) == {0.25}
    assert new["request_id"].null_count() == len(new)


def test_a_group_of_which_nobody_has_what_the_graph_names_is_told_beforehand():
    train, _ = minority()
    age = pl.when(group="a").then(pl.col("user_id") % 50).otherwise(None)
    data = Dataset(train.events, train.users.with_columns(age=age), train.items, sensitive=("group",))
    graph = "group -> share.c0; age -> share.c1"
    correction = corrections.build("augment_counterfactual", {"graph": graph})
    assert "of 1 of the groups a, b" in correction.obstacle(data, EASE)
    rare = _rare(30)
    third = Dataset(
        rare.events,
        rare.users.with_columns(age=pl.when(group="c").then(None).otherwise((pl.col("user_id") * 7) % 50)),
        rare.items,
        sensitive=("group",),
    )
    made, told = _transformed("augment_counterfactual", third, graph=graph)
    assert set(made.users.filter(pl.col("user_id") < 0)["group"]) == {"b"}
    assert any("age: whole numbers" in one for one in told["warnings"])


def test_misses_of_two_groups_do_not_make_up_for_each_other():
    missed, group = np.repeat([0.5, -0.4], 20), np.repeat([0, 1], 20)
    assert _worst(missed, group) == 0.5
    assert _worst(-missed, group) == -0.5
    assert _worst(np.append(missed, 9.0), np.append(group, 2)) == 0.5  # one twin is mostly chance


def test_of_two_rounds_that_one_is_kept_that_copies_less():
    copier = _Round(1, Verdict(0.5, 0.4, 0.6, 200), True, {})
    below, near = (_Round(0, Verdict(area, 0.2, 0.8, 200), False, {}) for area in (0.3, 0.6))
    assert _best([copier, below, near]) is near
    assert _best([copier]) is copier
