from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from equipoise.causal.propensity import Given, Logistic, Popularity, Position, propensities
from equipoise.errors import ConfigError, DataError
from equipoise.worlds import Storefront, World


@pytest.fixture(scope="module")
def world() -> World:
    """A logger that knows taste well, so that clicks fall with the place faster than examination does."""
    return Storefront(
        n_users=800,
        n_items=60,
        slate_length=6,
        personalisation=1.5,
        knowledge=0.9,
        unfairness=0,
        popularity=0.5,
        floor=0.05,
    ).generate()


# given ---------------------------------------------------------------------------------------------------------


def test_given_reads_the_column_and_knows_what_has_none(world: World):
    fitted = Given().fit(world.log, items=world.items)
    searches = (world.log["event"] == "search").to_numpy()
    assert not fitted.known[searches].any()
    np.testing.assert_array_equal(
        fitted.values[fitted.known], world.log["propensity"].drop_nulls().to_numpy()
    )
    assert fitted.diagnostics.mean_weight == pytest.approx(1, abs=0.02)
    assert fitted.diagnostics.without == (~fitted.known).sum()


def test_propensities_that_are_wrong_on_average_show(world: World):
    doubled = world.log.with_columns(pl.col("propensity") * 0.5)
    assert Given().fit(doubled, items=world.items).diagnostics.mean_weight == pytest.approx(2, abs=0.04)
    assert Given().fit(doubled).diagnostics.mean_weight is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.5, 1.2, None], "1 above 1"),
        ([0.5, float("nan"), 0.0], "1 missing, 1 zero"),
        ([1.0, 1.0, None], "deterministic"),
        ([None, None, None], "No values of 'propensity'"),
    ],
)
def test_given_refuses_what_is_no_propensity(values: list[float | None], message: str):
    events = pl.DataFrame({"user_id": [1, 1, 2], "item_id": [1, 2, 1], "propensity": values}, strict=False)
    with pytest.raises(DataError, match=message):
        Given().fit(events)


def test_columns_that_are_missing_are_named(world: World):
    with pytest.raises(DataError, match="needs the column logged"):
        Given(column="logged").fit(world.log)
    with pytest.raises(DataError, match="needs the column reward"):
        Position().fit(world.log.drop("reward"))
    with pytest.raises(DataError, match="columns of users"):
        Logistic(users=("shoe_size",)).fit(world.log, world.users, world.items)
    with pytest.raises(ConfigError, match="popularity"):
        propensities.find("populariti")


# popularity ----------------------------------------------------------------------------------------------------


def test_popularity_by_hand():
    events = pl.DataFrame({
        "user_id": [1] * 8,
        "item_id": [1, 1, 1, 1, 2, 1, 3, None],
        "event": ["impression"] * 5 + ["click", "click", "search"],
    })  # fmt: skip
    values = Popularity(power=0.5).fit(events).values
    np.testing.assert_allclose(values[:7], [1, 1, 1, 1, 0.5, 1, 0.5])
    assert np.isnan(values[7])
    clicks = events.filter(pl.col("event") == "click")
    np.testing.assert_allclose(Popularity(power=1).fit(clicks).values, [1, 1])


def test_other_frames_give_the_same(world: World):
    part = world.log.filter(pl.col("event") != "search").head(2000)
    mine = Popularity().fit(part).values
    np.testing.assert_array_equal(Popularity().fit(part.to_pandas()).values, mine)
    np.testing.assert_array_equal(Popularity().fit(part.lazy()).values, mine)


# position ------------------------------------------------------------------------------------------------------


def test_regression_em_recovers_the_planted_examination(world: World):
    fitted = Position(sample=60_000).fit(world.log)
    truth = world.examination(np.arange(1, 7))
    shown = world.log.filter(pl.col("event") == "impression")
    rates = shown.group_by("position").agg(pl.col("reward").mean()).sort("position")["reward"].to_numpy()
    error, naive = np.abs(fitted.examination - truth), np.abs(rates / rates[0] - truth)
    assert fitted.converged
    assert error.max() < 0.035
    assert error.mean() < 0.6 * naive.mean()
    at = world.log["position"].fill_null(0).to_numpy()
    np.testing.assert_array_equal(fitted.values[at > 0], fitted.examination[at[at > 0] - 1])
    assert np.isnan(fitted.values[at == 0]).all()


def test_a_sample_of_impressions_does_not_depend_on_the_order_of_rows(world: World):
    events = world.log.filter(pl.col("event") == "impression").head(4000)
    model = Position(sample=1000, iterations=5)
    there, back = (model.fit(table, seed=3).examination for table in (events, events.reverse()))
    np.testing.assert_allclose(there, back, rtol=1e-9)


def test_position_refuses_logs_without_slates(world: World):
    clicks = world.log.filter(pl.col("event") == "click").with_columns(reward=pl.lit(1.0))
    with pytest.raises(DataError, match="No row has the event 'impression'"):
        Position().fit(clicks)
    shown = world.log.filter(pl.col("event") == "impression")
    with pytest.raises(DataError, match="counted from 1"):
        Position().fit(shown.with_columns(pl.col("position") - 1))
    deaf = shown.with_columns(pl.when(pl.col("position") != 3).then("reward").otherwise(0.0).alias("reward"))
    with pytest.raises(DataError, match="positions 3"):
        Position().fit(deaf)


# logistic ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rated() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, np.ndarray]:
    """Who rates what goes by one column of the users and one of the items."""
    rng = np.random.default_rng(0)
    users = pl.DataFrame({"user_id": np.arange(400), "keen": rng.normal(size=400), "town": ["a", "b"] * 200})
    items = pl.DataFrame({"item_id": np.arange(150), "front": rng.choice(["yes", "no"], 150)})
    logit = (
        -2.5 + 0.8 * users["keen"].to_numpy()[:, None] + 1.5 * (items["front"] == "yes").to_numpy()[None, :]
    )
    truth = 1 / (1 + np.exp(-logit))
    row, column = np.nonzero(rng.random(truth.shape) < truth)
    return pl.DataFrame({"user_id": row, "item_id": column}), users, items, truth


@pytest.mark.parametrize("sample", [100_000, 20_000])
def test_logistic_recovers_planted_propensities(rated, sample: int):
    events, users, items, truth = rated
    fitted = Logistic(sample=sample, popularity=False).fit(events, users, items)
    true = truth[events["user_id"].to_numpy(), events["item_id"].to_numpy()]
    assert np.abs(fitted.values - true).mean() < 0.02
    assert fitted.calibration_error < 0.02
    assert (1 / fitted.values).sum() == pytest.approx(truth.size, rel=0.05)
    again = Logistic(sample=sample, popularity=False).fit(events, users, items)
    np.testing.assert_array_equal(again.values, fitted.values)


def test_logistic_needs_covariates_and_contrast(rated):
    events, users, items, _ = rated
    with pytest.raises(DataError, match="no covariate"):
        Logistic(popularity=False).fit(events)
    everything = pl.DataFrame({"user_id": [1, 1, 2, 2], "item_id": [1, 2, 1, 2]})
    with pytest.raises(DataError, match="4 of 4 shown"):
        Logistic().fit(everything)
    one = events.filter(pl.col("user_id") == 7)
    with pytest.raises(DataError, match=r"0 of \d+ shown in all folds but"):
        Logistic().fit(one, users, items)
    assert Logistic(users=("keen",), items=()).fit(events, users, items).known.all()


def test_logistic_leaves_out_pairs_with_unknown_items(rated):
    """An item outside the table is no exposure of another user's item."""
    events, users, items, _ = rated
    strange = pl.DataFrame({"user_id": users["user_id"], "item_id": pl.Series([9999] * len(users))})
    both = pl.concat([events, strange])
    model = Logistic(popularity=False)
    plain, fitted = model.fit(events, users, items), model.fit(both, users, items)
    np.testing.assert_array_equal(fitted.values[: len(events)], plain.values)
    assert fitted.calibration_error == plain.calibration_error
    assert np.isnan(fitted.values[len(events) :]).all()
