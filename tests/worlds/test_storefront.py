"""The planted truth, found again in what the world does."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from equipoise.data import Dataset
from equipoise.errors import ConfigError, DataError
from equipoise.worlds import Storefront, World, worlds


def z(values: np.ndarray) -> float:
    """Standardised distance of a mean from 0."""
    return float(values.mean() / (values.std(ddof=1) / np.sqrt(len(values))))


def located(world: World, event: str) -> pl.DataFrame:
    return world.located(world.log.filter(pl.col("event") == event, pl.col("item_id").is_not_null()))


def preference_of(world: World, rows: pl.DataFrame) -> np.ndarray:
    """True preference of logged rows on their day."""
    day = rows["request_id"].to_numpy() // len(world.users)
    user, item = rows["_user"].to_numpy(), rows["_item"].to_numpy()
    by_day = np.stack([world.preference_at(t) for t in range(world.days)])
    return by_day[day, user, item].astype(np.float64)


# The log -------------------------------------------------------------------------------------------------------


def test_a_world_is_made_again_exactly_and_the_seed_matters(world: World):
    again = world.scenario.generate()
    assert_frame_equal(world.log, again.log)
    assert_frame_equal(world.items, again.items)
    assert world.log.hash_rows().sum() == again.log.hash_rows().sum()
    other = world.scenario.model_copy(update={"seed": 4}).generate()
    assert other.log.hash_rows().sum() != world.log.hash_rows().sum()
    assert (other.preference != world.preference).any()


def test_responses_do_not_depend_on_order_or_on_who_else_is_there(world: World):
    slates = world.slates(2)
    events = world.respond(slates, 2)
    assert_frame_equal(world.respond(slates.sample(fraction=1, shuffle=True, seed=1), 2), events)
    some = slates["user_id"].unique().sort().head(20).implode()
    assert_frame_equal(
        world.respond(slates.filter(pl.col("user_id").is_in(some)), 2),
        events.filter(pl.col("user_id").is_in(some)),
    )
    assert_frame_equal(world.respond(slates.to_pandas(), 2), events)
    assert_frame_equal(events, world.log.filter(pl.col("request_id") // len(world.users) == 2))


def test_the_log_speaks_the_vocabulary(world: World):
    log = world.log
    assert set(log["event"].unique()) == {"impression", "click", "purchase", "search"}
    assert log["timestamp"].is_sorted()
    search = pl.col("event") == "search"
    assert log.select((pl.col("item_id").is_null() == search).all()).item()
    assert log.select((pl.col("query").is_not_null() == search).all()).item()
    shown = log.filter(pl.col("slate_id").is_not_null())
    assert shown.select("position", "propensity", "policy", "score").null_count().sum_horizontal().item() == 0
    assert shown["propensity"].is_between(world.scenario.floor / 60 * 0.999, 1).all()
    outside = log.filter(pl.col("slate_id").is_null())
    assert set(outside["event"].unique()) == {"purchase", "search"}
    assert outside["propensity"].null_count() == len(outside)
    impressions = log.filter(pl.col("event") == "impression")
    assert impressions["reward"].sum() == (log["event"] == "click").sum()
    assert (
        impressions.group_by("slate_id")
        .agg(pl.col("position").sort())
        .select((pl.col("position") == [1, 2, 3, 4, 5]).all())
        .item()
    )


def test_the_dataset_and_the_texts(world: World):
    data = world.dataset()
    assert isinstance(data, Dataset)
    assert data.sensitive == ("gender", "age_band", "region")
    assert set(data.text) <= set(world.items.columns)
    texts = ["title_en", "title_zh", "description_en", "description_zh"]
    for row in world.items.select("style", "kind", "provider", *texts).to_dicts():
        assert row["kind"] in row["title_en"]
        assert row["style"] in row["title_en"].lower()
        assert all(row["provider"] in row[text] for text in texts)
        assert any("\u4e00" <= letter <= "\u9fff" for letter in row["title_zh"])
    assert {"gender", "age_band", "region", "community"} <= set(world.users.columns)
    assert {"category", "price", "provider"} <= set(world.items.columns)


def test_searches_are_for_what_is_liked_in_the_language_of_the_region(world: World):
    searches = world.log.filter(pl.col("event") == "search").join(world.users, on="user_id")
    chinese = searches["query"].str.contains(r"[\u4e00-\u9fff]")
    assert (chinese == (searches["region"] == "east")).all()
    texts = world.laws.queries.with_columns(pl.Series("_item", np.arange(60)))
    english = world.located(searches.filter(~chinese).with_columns(pl.lit(1).alias("item_id"))).drop("_item")
    meant = english.join(texts, left_on="query", right_on="en").unique(["user_id", "timestamp"], keep="first")
    liked = world.preference[meant["_user"].to_numpy(), meant["_item"].to_numpy()]
    assert liked.mean() > world.preference.mean() + 0.05


# The truth -----------------------------------------------------------------------------------------------------


def test_clicks_are_examination_times_preference(world: World):
    rows = located(world, "impression")
    preference = preference_of(world, rows)
    position, clicked = rows["position"].to_numpy(), rows["reward"].to_numpy()
    for place in range(1, 6):
        at = position == place
        assert abs(z(clicked[at] - world.examination(place) * preference[at])) < 3.5
    assert abs(z(clicked - preference)) > 10


def test_logged_propensities_are_right_on_average(world: World):
    impressions = located(world, "impression")
    alternatives = 60 - impressions["position"].to_numpy() + 1
    by_slate = (
        impressions.with_columns(pl.Series("error", 1 / impressions["propensity"].to_numpy() - alternatives))
        .group_by("slate_id")
        .agg(pl.col("error").sum())
    )
    assert abs(z(by_slate["error"].to_numpy())) < 3.5


def test_the_show_rate_of_each_item_is_its_propensity(world: World):
    impressions = located(world, "impression")
    visits = impressions.group_by("_user").agg(pl.col("slate_id").n_unique()).sort("_user")
    users, times = visits["_user"].to_numpy(), visits["slate_id"].to_numpy()
    expected = (world.propensity[users] * times[:, None]).sum(axis=0)
    variance = (world.propensity[users] * (1 - world.propensity[users]) * times[:, None]).sum(axis=0)
    shown = np.bincount(impressions["_item"].to_numpy(), minlength=60)
    scores = (shown - expected) / np.sqrt(variance)
    assert np.abs(scores).max() < 4.5
    assert 0.6 < scores.std() < 1.4


def test_inverse_propensities_recover_preference_and_counting_does_not(world: World):
    """Per item, sum of click / (examination x propensity) minus preference over the places it could stand on."""
    impressions = located(world, "impression").sort("slate_id", "position")
    items = impressions["_item"].to_numpy().reshape(-1, 5)
    users = impressions["_user"].to_numpy()[::5]
    days = impressions["request_id"].to_numpy()[::5] // len(world.users)
    clicked = impressions["reward"].to_numpy().reshape(-1, 5)
    weight = 1 / (impressions["propensity"].to_numpy().reshape(-1, 5) * world.examination(np.arange(1, 6)))
    by_day = np.stack([world.preference_at(t) for t in range(world.days)])
    free, estimate, truth = np.ones((len(items), 60)), np.zeros((len(items), 60)), np.zeros((len(items), 60))
    request = np.arange(len(items))
    preference = by_day[days, users]
    for place in range(5):
        truth += free * preference
        estimate[request, items[:, place]] += clicked[:, place] * weight[:, place]
        free[request, items[:, place]] = 0
    scores = np.array([z(estimate[:, item] - truth[:, item]) for item in range(60)])
    assert np.abs(scores).max() < 4.5
    assert abs(scores.mean()) < 0.6
    quality = world.preference.mean(axis=0)
    counted = np.bincount(items.ravel(), clicked.ravel(), 60)
    assert np.corrcoef(estimate.sum(axis=0), quality)[0, 1] > 0.85
    assert np.corrcoef(counted, quality)[0, 1] < 0.6
    assert np.corrcoef(counted, world.propensity.mean(axis=0))[0, 1] > 0.8


def test_the_effect_is_what_an_experiment_finds(world: World):
    """Show two items to all and two others to the same users on the same days; purchases differ by the effect."""
    users = world.users["user_id"]

    def bought(shown: list[int], item: int) -> np.ndarray:
        slates = pl.DataFrame({"user_id": users}).join(
            pl.DataFrame({"item_id": shown, "position": np.arange(1, len(shown) + 1)}), how="cross"
        )
        found = np.zeros(len(users))
        for t in range(60):
            events = world.respond(slates, t).filter(pl.col("event") == "purchase", pl.col("item_id") == item)
            np.add.at(found, events["user_id"].to_numpy() - 1, 1 / 60)
        return found

    for item, other in [(5, 9), (17, 30)]:
        lift = bought([item, 2], item) - bought([other, 2], item)
        assert abs(z(lift - world.effect[:, item - 1])) < 3.5
        receptive = world.effect[:, item - 1] > np.median(world.effect[:, item - 1])
        assert lift[receptive].mean() > lift[~receptive].mean()


def test_the_effect_differs_per_user_and_is_confounded_in_the_log(world: World):
    assert (world.effect < 0).any()
    assert (world.laws.organic + world.effect >= -1e-9).all()
    assert world.effect.mean(axis=1).std() > 0.3 * world.effect.mean()
    visits = np.outer(world.laws.activity, np.ones(60))
    shown, unshown = world.propensity * visits, (1 - world.propensity) * visits
    naive = np.average(world.laws.organic + world.effect, weights=shown)
    naive -= np.average(world.laws.organic, weights=unshown)
    assert naive > 1.1 * np.average(world.effect, weights=shown)


def test_the_group_gap_is_found_in_the_log(world: World):
    gap = world.group_gap
    assert (gap.attribute, gap.favoured, gap.other) == ("gender", "man", "woman")
    rows = located(world, "impression").join(world.users.select("user_id", "gender"), on="user_id")
    liked = pl.Series("liked", world.preference[rows["_user"].to_numpy(), rows["_item"].to_numpy()])
    by_user = rows.with_columns(liked).group_by("user_id", "gender").agg(pl.col("liked").mean())
    for group, value in gap.values.items():
        sample = by_user.filter(pl.col("gender") == group)["liked"].to_numpy()
        assert abs(z(sample - value)) < 3.5
    assert gap.difference > 0.01
    settings = {"n_users": 1000, "n_items": 200, "slate_length": 5}
    gaps = [Storefront(unfairness=u, **settings).generate().group_gap.difference for u in (0.0, 0.5, 1.0)]
    assert abs(gaps[0]) < 0.2 * gaps[2]
    assert gaps[0] < gaps[1] < gaps[2]
    visits = rows.group_by("gender").agg(pl.col("slate_id").n_unique() / pl.col("user_id").n_unique())
    rates = dict(visits.iter_rows())
    assert rates["woman"] < 0.85 * rates["man"]


def test_preference_drifts_and_comes_back(world: World):
    start, season = world.preference_at(0), int(world.laws.period)
    assert np.abs(world.preference_at(season // 4) - start).mean() > 0.02
    np.testing.assert_allclose(world.preference_at(season), start, atol=1e-5)
    still = world.scenario.model_copy(update={"drift": 0.0}).generate()
    assert (still.preference_at(0) == still.preference_at(40)).all()


# Bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slates", "message"),
    [
        ({"user_id": [1], "item_id": [1]}, "no column 'position'"),
        ({"user_id": [1], "item_id": [999], "position": [1]}, "'item_id' that this world does not have"),
        ({"user_id": [-1], "item_id": [1], "position": [1]}, "'user_id' that this world does not have"),
        ({"user_id": [1, 1], "item_id": [3, 3], "position": [1, 2]}, "the same 'item_id' twice"),
        ({"user_id": [1, 1], "item_id": [3, 4], "position": [2, 2]}, "the same 'position' twice"),
    ],
)
def test_slates_that_cannot_be_shown(world: World, slates: dict[str, list[int]], message: str):
    with pytest.raises(DataError, match=message):
        world.respond(pl.DataFrame(slates), 0)


def test_recommendations_are_slates_too_and_nobody_answers_nothing(world: World):
    lists = pl.DataFrame({"user_id": ["1", "1"], "item_id": ["3", "4"], "rank": [1, 2]})
    events = world.respond(lists, 100)
    assert events.filter(pl.col("event") == "impression")["position"].to_list() == [1, 2]
    nothing = world.respond(lists.clear(), 100)
    assert nothing.is_empty()
    assert nothing.schema == world.log.schema


def test_settings_that_make_no_world():
    with pytest.raises(ConfigError, match="25,000,000"):
        Storefront(n_users=100_000, n_items=1000).generate()
    with pytest.raises(ConfigError, match="slate of 20"):
        Storefront(n_items=10, slate_length=20).generate()
    with pytest.raises(ConfigError, match="'n_users'"):
        worlds.build("storefront", {"n_user": 5})
    assert worlds.build("storefront", {"n_users": 5}) == Storefront(n_users=5)
