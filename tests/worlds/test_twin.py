"""A twin keeps a log's shape, and its planted truth is what its users act by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from equipoise.data import Dataset
from equipoise.errors import ConfigError, DataError
from equipoise.worlds import PlackettLuce, Storefront, World, preference_values
from equipoise.worlds.twin import Twin
from equipoise.worlds.twin.continued import Continued


def z(values: np.ndarray) -> float:
    """Standardised distance of a mean from 0."""
    return float(values.mean() / (values.std(ddof=1) / np.sqrt(len(values))))


@pytest.fixture(scope="module")
def source() -> World:
    return Storefront(n_users=400, n_items=60, days=30, slate_length=5, seed=5).generate()


@pytest.fixture(scope="module")
def twin(source: World) -> World:
    return World.like(source.dataset(), seed=1)


@pytest.fixture(scope="module")
def clicks() -> Dataset:
    """Who clicked what and nothing else, nobody the same twice; groups with tastes and habits of their own."""
    rng = np.random.default_rng(2)
    users, items = 200, 50
    group = rng.integers(0, 2, users)
    taste = np.where((np.arange(items) % 2)[None, :] == group[:, None], 1.0, -1.0)
    weight = np.exp(taste - 0.05 * np.arange(items)[None, :])
    rows = [
        (f"u{user:03}", f"i{item:02}", place)
        for user in range(users)
        for place, item in enumerate(
            rng.choice(items, 3 + user % 9, replace=False, p=weight[user] / weight[user].sum())
        )
    ]
    events = pl.DataFrame(rows, schema=["user_id", "item_id", "order"], orient="row")
    people = pl.DataFrame({
        "user_id": [f"u{user:03}" for user in range(users)],
        "group": ["even" if one == 0 else "odd" for one in group],
    })  # fmt: skip
    return Dataset(events, people, sensitive=("group",))


@pytest.fixture(scope="module")
def of_clicks(clicks: Dataset) -> World:
    return World.like(clicks, seed=3)


# The shape of the log ------------------------------------------------------------------------------------------


def by(world: World, log: pl.DataFrame, key: str, event: str = "click") -> np.ndarray:
    rows = world.located(log.filter(pl.col("event") == event))
    return np.bincount(rows[f"_{key}"].to_numpy(), minlength=len(getattr(world, f"{key}s")))


def test_a_twin_keeps_activity_popularity_and_slates(source: World, twin: World):
    assert (twin.days, twin.slate_length) == (30, 5)
    assert_frame_equal(twin.users, source.users, check_row_order=True)
    assert_frame_equal(twin.items, source.items)
    for key, least in (("user", 0.85), ("item", 0.97)):
        assert np.corrcoef(by(twin, twin.log, key), by(source, source.log, key))[0, 1] > least
    shown = [by(world, world.log, "item", "impression") for world in (twin, source)]
    assert np.abs(shown[0] / shown[0].sum() - shown[1] / shown[1].sum()).sum() < 0.08
    for event in ("impression", "click", "purchase", "search"):
        counts = [len(world.log.filter(pl.col("event") == event)) for world in (twin, source)]
        assert counts[0] == pytest.approx(counts[1], rel=0.1)


def test_a_twin_comes_near_the_truth_behind_its_source(source: World, twin: World):
    assert twin.laws.examination_decay == pytest.approx(source.laws.examination_decay, abs=0.1)
    assert twin.group_gap.attribute == "gender"
    assert twin.group_gap.favoured == "man"
    assert twin.group_gap.difference == pytest.approx(source.group_gap.difference, abs=0.02)
    appetite = [world.laws.appetite - world.laws.appetite.mean(axis=0) for world in (twin, source)]
    assert appetite[0].std() == pytest.approx(appetite[1].std(), rel=0.4)
    assert np.corrcoef(appetite[0].ravel(), appetite[1].ravel())[0, 1] > 0.25
    quality = [world.preference.mean(axis=0) for world in (twin, source)]
    assert np.corrcoef(*quality)[0, 1] > 0.85
    logged = [np.log(world.propensity.mean(axis=0)) for world in (twin, source)]
    assert np.corrcoef(*logged)[0, 1] > 0.97


def test_methods_rank_on_the_twin_as_on_the_source(source: World, twin: World):
    def ranking(world: World) -> list[str]:
        rows = world.located(world.log.filter(pl.col("event") == "click"))
        taken = np.zeros((len(world.users), len(world.items)))
        taken[rows["_user"].to_numpy(), rows["_item"].to_numpy()] = 1
        inverse = np.linalg.inv(taken.T @ taken + 50 * np.eye(taken.shape[1]))
        weights = -inverse / np.diag(inverse)
        np.fill_diagonal(weights, 0)
        shown = np.bincount(
            world.located(world.log.filter(pl.col("event") == "impression"))["_item"].to_numpy(),
            minlength=taken.shape[1],
        )
        scores = {
            "random": np.random.default_rng(0).random(taken.shape),
            "popular": np.broadcast_to(taken.sum(axis=0), taken.shape),
            "ease": taken @ weights,
            "rate": np.broadcast_to(taken.sum(axis=0) / np.maximum(shown, 1), taken.shape),
        }
        values = {}
        for name, score in scores.items():
            top = np.argsort(-score, axis=1, kind="stable")[:, :5]
            lists = pl.DataFrame({
                "user_id": world.users["user_id"].gather(np.repeat(np.arange(len(top)), 5)),
                "item_id": world.items["item_id"].gather(top.ravel()),
                "rank": np.tile(np.arange(1, 6), len(top)),
            })  # fmt: skip
            values[name] = float(preference_values(world, lists, 5)["ndcg"].mean())  # type: ignore[arg-type]
        return sorted(values, key=lambda name: values[name])

    assert ranking(twin) == ranking(source)


# The truth -----------------------------------------------------------------------------------------------------


def impressions(world: World) -> pl.DataFrame:
    return world.located(world.log.filter(pl.col("event") == "impression"))


@pytest.mark.parametrize("name", ["twin", "of_clicks"])
def test_clicks_are_examination_times_preference(name: str, request: pytest.FixtureRequest):
    world: World = request.getfixturevalue(name)
    rows = impressions(world)
    by_day = np.stack([world.preference_at(t) for t in range(world.days)])
    day = rows["request_id"].to_numpy() // len(world.users)
    preference = by_day[day, rows["_user"].to_numpy(), rows["_item"].to_numpy()]
    place, clicked = rows["position"].to_numpy(), rows["reward"].to_numpy()
    for liked in (preference > np.median(preference), preference <= np.median(preference)):
        for where in (place == 1, place > 1):
            cell = liked & where
            assert abs(z(clicked[cell] - world.examination(place[cell]) * preference[cell])) < 3.5


@pytest.mark.parametrize("name", ["twin", "of_clicks"])
def test_the_show_rate_of_each_item_is_its_propensity(name: str, request: pytest.FixtureRequest):
    world: World = request.getfixturevalue(name)
    rows = impressions(world)
    np.testing.assert_allclose(world.propensity.sum(axis=1), world.slate_length, rtol=1e-3)
    visits = rows.group_by("_user").agg(pl.col("slate_id").n_unique()).sort("_user")
    times = visits["slate_id"].to_numpy()[:, None]
    chance = world.propensity[visits["_user"].to_numpy()].astype(np.float64)
    spread = np.sqrt((chance * (1 - chance) * times).sum(axis=0))
    shown = np.bincount(rows["_item"].to_numpy(), minlength=len(world.items))
    scores = (shown - (chance * times).sum(axis=0)) / spread
    assert np.abs(scores).max() < 4.5
    assert scores.std() < 1.4


def test_logged_propensities_are_given_all_that_was_shown_before(of_clicks: World):
    """Inverse propensities add up to the number of items that were left, on average."""
    rows = impressions(of_clicks)
    before = rows.select(pl.int_range(pl.len()).over("_user")).to_series().to_numpy()
    errors = 1 / rows["propensity"].to_numpy() - (len(of_clicks.items) - before % len(of_clicks.items))
    by_user = rows.select("_user", pl.Series("error", errors)).group_by("_user").agg(pl.col("error").sum())
    assert abs(z(by_user["error"].to_numpy())) < 3.5


def test_nobody_is_shown_an_item_twice_where_nobody_took_one_twice(of_clicks: World):
    rows = impressions(of_clicks)
    assert rows.select("_user", "_item").n_unique() == len(rows)


def test_a_ranking_read_to_its_end_begins_anew():
    events = pl.DataFrame({"user_id": [1, 1, 2, 2], "item_id": [1, 2, 2, 3]})
    world = World.like(events, taste=1.0, slate_length=1, days=3)
    shown = pl.concat([world.slates(t) for t in range(40)])
    by_item = shown.group_by("user_id", "item_id").len()["len"]
    assert by_item.min() > 1
    assert by_item.max() - by_item.min() <= 1 + 40 % 3


def test_inclusion_of_long_lists_is_right():
    """The normal approximation against rankings drawn at random, and against the exact recursion."""
    rng = np.random.default_rng(0)
    weights = np.exp(1.2 * rng.normal(size=(3, 80))).astype(np.float32)
    weights /= weights.sum(axis=1, keepdims=True)
    laws = replace(Storefront(n_users=3, n_items=80).generate().laws, activity=np.ones(3))
    order = np.argsort(rng.exponential(size=(40_000, 80)) / weights[0], axis=1)
    for days in (2, 4, 9):
        read_on = Continued(weights, laws=laws, seed=0, days=days).inclusion(8) * days
        np.testing.assert_allclose(read_on.sum(axis=1), 8 * days, rtol=1e-4)
        drawn = np.bincount(order[:, : 8 * days].ravel(), minlength=80) / len(order)
        assert np.abs(read_on[0] - drawn).max() < 0.011
    two = Continued(weights, laws=laws, seed=0, days=2).inclusion(8) * 2
    assert np.abs(two - PlackettLuce(weights).inclusion(16)).max() < 1e-3


def test_responses_do_not_depend_on_the_order_of_slates(of_clicks: World):
    slates = of_clicks.slates(3)
    shuffled = slates.sample(fraction=1, shuffle=True, seed=1)
    assert_frame_equal(of_clicks.respond(shuffled, 3), of_clicks.respond(slates, 3))
    assert_frame_equal(of_clicks.log.filter(pl.col("request_id") // 200 == 3), of_clicks.respond(slates, 3))


# What is planted -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [0.0, 0.06])
def test_a_gap_of_the_size_chosen(source: World, wanted: float):
    planted = World.like(source.dataset(), gap=wanted, taste=1.5, seed=1)
    assert planted.group_gap.difference == pytest.approx(wanted, abs=0.01)


def test_a_gap_beyond_reach_is_told(source: World):
    with pytest.raises(ConfigError, match=r"cannot be planted .within reach are"):
        World.like(source.dataset(), gap=0.9, taste=1.0)
    with pytest.raises(ConfigError, match="no user of the group 'men'"):
        World.like(source.dataset(), gap_between=("gender", "men", "woman"))


def test_effects_are_planted_as_asked(clicks: Dataset, of_clicks: World, twin: World):
    assert not of_clicks.effect.any()
    assert (twin.effect < 0).any()
    assert twin.effect.mean() > 0
    bought = World.like(clicks, effect=0.2, organic_rate=0.5, taste=1.0)
    assert bought.effect.max() > 0.05
    purchases = bought.log.filter(pl.col("event") == "purchase")
    assert purchases["slate_id"].null_count() > 0
    assert purchases["value"].null_count() == len(purchases)  # the log has no prices


def test_the_settings_are_told_and_what_was_guessed(of_clicks: World, twin: World):
    said = twin.scenario.describe()
    assert said["name"] == "twin"
    assert said["slate_length"] == 5
    assert not any("guess" in note for note in said["notes"])
    assert any("slates of 10 places are a guess" in note for note in of_clicks.scenario.describe()["notes"])
    assert Twin.model_validate({k: value for k, value in said.items() if k != "name"}) == twin.scenario
    with pytest.raises(ConfigError, match=r"World\.like"):
        Twin().generate()
    with pytest.raises(ConfigError, match="25,000,000"):
        World.like(pl.DataFrame({"user_id": [1], "item_id": [1]}), max_users=10**5, max_items=10**4)
    with pytest.raises(ConfigError, match="'popularty'"):
        World.like(pl.DataFrame({"user_id": [1], "item_id": [1]}), popularty=1)


# What goes in --------------------------------------------------------------------------------------------------


def test_the_same_twin_again_in_any_order_of_rows(clicks: Dataset, of_clicks: World):
    shuffled = clicks.with_events(clicks.events.sample(fraction=1, shuffle=True, seed=4))
    assert_frame_equal(World.like(shuffled, seed=3).log, of_clicks.log)
    other = World.like(clicks, seed=4)
    assert other.log.hash_rows().sum() != of_clicks.log.hash_rows().sum()


def _duckdb(frame: pl.DataFrame) -> Any:
    import duckdb

    return duckdb.connect().from_arrow(frame.to_arrow())


@pytest.mark.parametrize(
    "engine", [pl.DataFrame.to_pandas, pl.DataFrame.to_arrow, pl.DataFrame.lazy, _duckdb],
    ids=["pandas", "pyarrow", "lazy", "duckdb"],
)  # fmt: skip
def test_any_engine(engine: Callable[[pl.DataFrame], Any], clicks: Dataset):
    assert clicks.users is not None
    small = clicks.events.filter(pl.col("user_id") < "u060")
    expected = World.like(small, clicks.users, sensitive="group", taste=1.0)
    found = World.like(engine(small), engine(clicks.users), sensitive="group", taste=1.0)
    assert_frame_equal(found.log, expected.log)
    assert found.sensitive == ("group",)


def test_pairs_alone_are_enough(clicks: Dataset):
    world = World.like(clicks.events.select("user_id", "item_id"), taste=1.0)
    assert world.gap_between == ("activity", "busy", "quiet")
    assert world.sensitive == ()
    assert len(world.dataset().positives) == pytest.approx(
        len(clicks.events), rel=0.2
    )  # some 300 visits, drawn by chance


def test_a_large_log_is_cut_along_its_shape(clicks: Dataset):
    world = World.like(clicks, max_users=50, max_items=20, taste=1.0)
    assert (len(world.users), len(world.items)) == (50, 20)
    notes = " ".join(world.scenario.describe()["notes"])
    assert "20 of 50 items were kept" in notes
    assert "50 of" in notes
    counts = clicks.events.group_by("item_id").len()
    kept = counts.join(world.items, on="item_id", how="semi")["len"]
    assert kept.mean() == pytest.approx(counts["len"].mean(), rel=0.15)
    shares = [(table["group"] == "odd").mean() for table in (world.users, clicks.users) if table is not None]
    assert shares[0] == pytest.approx(shares[1], abs=0.06)


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ({"user_id": [], "item_id": []}, "log is empty"),
        ({"user_id": [1, None, 2], "item_id": [1, 2, 1]}, "Some events have no 'user_id' .1 of 3 rows"),
        ({"user_id": [1, 2], "item_id": [1, None]}, "Some events have no 'item_id'"),
        ({"user_id": [1, 1], "item_id": [1, 2]}, "at least two users"),
        ({"user_id": [1, 2], "item_id": [1, 1]}, "at least two users .* and two items"),
        ({"user_id": [1, 2], "item_id": [1, 2], "event": ["impression"] * 2}, "No event tells of taste"),
    ],
)
def test_logs_that_cannot_have_a_twin(events: dict[str, list[Any]], message: str):
    with pytest.raises(DataError, match=message):
        World.like(pl.DataFrame(events))


def test_tables_that_do_not_fit():
    events = pl.DataFrame({"user_id": [1, 2], "item_id": [1, 2]})
    with pytest.raises(DataError, match="'user_id' of the table of users is missing or stands twice"):
        World.like(events, pl.DataFrame({"user_id": [1, 1, 2]}))
    with pytest.raises(DataError, match="no column 'sex'"):
        World.like(events, pl.DataFrame({"user_id": [1, 2]}), sensitive="sex")
    world = World.like(events, pl.DataFrame({"user_id": ["1"], "sex": ["f"]}), sensitive="sex")
    assert world.users["user_id"].to_list() == ["1", "2"]
    assert world.gap_between[0] == "activity" or world.users["sex"].null_count() == 0
    assert len(world.log) > 0
