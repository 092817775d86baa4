import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.audit.exposure.providers import provider_exposure, provider_metrics
from equipoise.errors import ConfigError, DataError
from equipoise.metrics import DEFINITIONS

# Catalogue: two comedies, one drama, one western nobody is shown. Attention of ranks 1, 2: 1 and 0.6309.
ITEMS = pl.DataFrame({"item_id": list("abcd"), "genre": ["Comedy", "Comedy", "Drama", "Western"]})
SHOWN = pl.DataFrame({"user_id": [1, 1, 2, 2], "item_id": list("acab"), "rank": [1, 2, 1, 2]})
TRUTH = pl.DataFrame({"user_id": [1, 1, 2, 3], "item_id": list("acbc")})
TRAIN = pl.DataFrame({"user_id": [1, 3, 9], "item_id": list("bda")})
SECOND = 1 / np.log2(3)


def values(table):
    return dict(table.select("metric", "value").rows())


def test_exposure_by_hand():
    table = provider_exposure(SHOWN, ITEMS, "genre", k=2)
    total = 2 + 2 * SECOND
    assert table["group"].to_list() == ["Comedy", "Drama", "Western"]
    assert table["share"].to_list() == pytest.approx([(2 + SECOND) / total, SECOND / total, 0.0])
    assert table["target"].to_list() == [0.5, 0.25, 0.25]
    assert table["items"].to_list() == [2, 1, 1]
    assert table["exposure"].to_list() == pytest.approx([(2 + SECOND) / 4, SECOND / 2, 0.0])
    assert table["users"].to_list() == [2, 2, 2]


def test_targets_by_hand():
    def aims(target, **more):
        return provider_exposure(SHOWN, ITEMS, "genre", k=2, target=target, **more)["target"].to_list()

    assert aims("uniform") == pytest.approx([1 / 3] * 3)
    assert aims("merit", truth=TRUTH) == [0.5, 0.5, 0.0]
    assert aims({"Western": 0.1, "Comedy": 0.6, "Drama": 0.3}) == [0.6, 0.3, 0.1]


@pytest.mark.parametrize(
    ("target", "error", "words"),
    [
        ("mertt", ConfigError, "no target 'mertt'"),
        ("merit", DataError, "there is no truth"),
        ({"Comedy": 1.0}, ConfigError, "Drama, Western"),
        ({"Comedy": 0.5, "Drama": 0.5, "Western": 0.5}, ConfigError, "add up to 1.5"),
        ({"Comedy": 1.5, "Drama": -0.5, "Western": 0.0}, ConfigError, "add up to 1"),
    ],
)
def test_targets_that_are_none_are_refused(target, error, words):
    with pytest.raises(error, match=words):
        provider_exposure(SHOWN, ITEMS, "genre", k=2, target=target)


def test_metrics_by_hand():
    found = values(provider_metrics(SHOWN, ITEMS, "genre", k=2, truth=TRUTH, train=TRAIN))
    total = 2 + 2 * SECOND  # three users: 3 has a truth and no list
    exposure = np.array([2 + SECOND, SECOND, 0.0])
    shares = exposure / total
    per_item = exposure / (3 * np.array([2, 1, 1]))
    rates = np.array([3 / (3 * 2 - 1), 1 / 3, 0 / (3 - 1)])  # of pairs not in training; 9 is not measured
    recalls = np.array([2 / 2, 1 / 2])  # comedies a of 1 and b of 2 are hit, drama c of 1 but not of 3
    drama = SECOND / (1 + SECOND)
    first = (abs(1 - drama - 0.5) + abs(drama - 0.25) + 0.25) / 2
    assert found["exposure_distance@2"] == pytest.approx(np.abs(shares - [0.5, 0.25, 0.25]).sum() / 2)
    assert found["exposure_gap@2"] == pytest.approx(per_item[0])
    assert found["rsp@2"] == pytest.approx(rates.std() / rates.mean())
    assert found["reo@2"] == pytest.approx(recalls.std() / recalls.mean())
    assert found["exposure_per_utility@2"] == pytest.approx((SECOND / 2) / ((2 + SECOND) / 2))
    assert found["clicks_per_utility@2"] == pytest.approx((SECOND / 2) / ((1 + SECOND) / 2))
    assert found["provider_gini@2"] == pytest.approx((-2 * 0 + 2 * (2 + SECOND)) / (3 * total))
    assert found["worst_off_share@2"] == 0.0
    assert found["awrf@2"] == pytest.approx((first + 0.5) / 2)  # the second list is all comedy


def test_what_does_not_exist_is_null():
    one = ITEMS.with_columns(genre=pl.lit("Comedy"))
    found = values(provider_metrics(SHOWN, one, "genre", k=2, truth=TRUTH))
    assert found["rsp@2"] is None
    assert found["reo@2"] is None
    assert found["exposure_per_utility@2"] is None
    assert (found["exposure_gap@2"], found["exposure_distance@2"], found["awrf@2"]) == (0.0, 0.0, 0.0)
    elsewhere = TRUTH.with_columns(item_id=pl.lit("d"))  # positives of one group, never hit
    found = values(provider_metrics(SHOWN, ITEMS, "genre", k=2, truth=elsewhere))
    assert found["reo@2"] is None
    assert found["clicks_per_utility@2"] is None
    nowhere = pl.DataFrame({"item_id": list("abcd"), "genre": [None, None, None, "Western"]})
    table = provider_exposure(SHOWN, nowhere, "genre", k=2)
    assert table.select("share", "low", "high").row(0) == (None, None, None)
    assert values(provider_metrics(SHOWN, nowhere, "genre", k=2))["provider_gini@2"] is None
    with pytest.raises(DataError, match="no recommendations"):
        provider_exposure(SHOWN.clear(), ITEMS, "genre", k=2)


def population(users, tastes, seed, k=3):
    """Users shown k of ten items, drawn by `tastes` (ten weights), without replacement."""
    rng = np.random.default_rng(seed)
    keys = rng.gumbel(size=(users, len(tastes))) + np.log(tastes)
    chosen = np.argsort(-keys, axis=1)[:, :k]
    return pl.DataFrame(
        {
            "user_id": np.repeat(np.arange(users), k),
            "item_id": chosen.ravel(),
            "rank": np.tile(np.arange(1, k + 1), users),
        }
    )


CATALOGUE = pl.DataFrame({"item_id": range(10), "genre": list("xxxxyyyzzz"), "maker": list("abcdefghij")})
TASTES = np.array([4.0, 3, 2, 2, 1, 1, 1, 1, 0.5, 0.5])


def test_all_engines_and_orders_give_the_same_numbers():
    shown = population(60, TASTES, 1)
    truth = population(60, TASTES, 2, k=2).drop("rank")
    settings_ = {"k": 3, "target": "merit", "n_bootstrap": 50}
    expected = [
        f(shown, CATALOGUE, "genre", truth=truth, **settings_) for f in (provider_exposure, provider_metrics)
    ]
    there = [
        (shown.to_pandas(), truth.to_pandas()),
        (duckdb.sql("select * from shown"), duckdb.sql("select * from truth")),
        (shown.sample(fraction=1, shuffle=True, seed=1), truth.reverse()),
        (shown.to_arrow(), truth),
    ]
    for lists, taken in there:
        for f, table in zip((provider_exposure, provider_metrics), expected, strict=True):
            found = f(lists, CATALOGUE, "genre", truth=taken, **settings_)
            assert found.select(pl.col(pl.String)).equals(table.select(pl.col(pl.String)))
            numbers = [t.select(pl.col(pl.Float64)).to_numpy() for t in (found, table)]
            np.testing.assert_allclose(*numbers, atol=1e-9)


def test_spark_gives_the_same_numbers(spark):
    shown = population(20, TASTES, 1)
    there = spark.createDataFrame(shown.rows(), shown.columns)
    expected = provider_exposure(shown, CATALOGUE, "genre", k=3, n_bootstrap=20)
    found = provider_exposure(there, CATALOGUE, "genre", k=3, n_bootstrap=20)
    np.testing.assert_allclose(found["share"], expected["share"], atol=1e-9)
    np.testing.assert_allclose(found["low"], expected["low"], atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from("pqr"), min_size=10, max_size=10), st.integers(0, 1000))
def test_values_lie_in_their_ranges_and_names_do_not_matter(groups, seed):
    shown, truth = population(12, TASTES, seed), population(12, TASTES, seed + 1).drop("rank")
    items = pl.DataFrame({"item_id": range(10), "g": groups})
    table = provider_metrics(shown, items, "g", k=3, truth=truth, n_bootstrap=20)
    for metric, value, low, high, *_ in table.rows():
        definition = DEFINITIONS[metric.partition("@")[0]]
        for number in (value, low, high):
            if number is not None:
                assert number >= definition.low - 1e-12
                assert definition.high is None or number <= definition.high + 1e-12
    renamed = items.with_columns(pl.col("g").replace_strict({"p": "z", "q": "y", "r": "x"}))
    other = provider_metrics(shown, renamed, "g", k=3, truth=truth, n_bootstrap=20)
    np.testing.assert_allclose(other["value"].cast(float), table["value"].cast(float), atol=1e-9)
    shares = provider_exposure(shown, items, "g", k=3, n_bootstrap=20)
    assert shares["share"].sum() == pytest.approx(1)
    assert shares["target"].sum() == pytest.approx(1)


def test_many_providers_are_resampled_without_a_full_matrix(monkeypatch):
    shown = population(400, TASTES, 3)
    full = provider_metrics(shown, CATALOGUE, "maker", k=3)
    shares = provider_exposure(shown, CATALOGUE, "maker", k=3)
    monkeypatch.setattr("equipoise.audit.exposure.providers._DENSE", 0)
    monkeypatch.setattr("equipoise.audit.exposure.providers._FEW", 0)
    sparse = provider_metrics(shown, CATALOGUE, "maker", k=3)
    assert sparse["value"].equals(full["value"])
    np.testing.assert_allclose(sparse["low"], full["low"], rtol=0.05, atol=1e-3)
    worked_out = provider_exposure(shown, CATALOGUE, "maker", k=3)
    np.testing.assert_allclose(worked_out["low"], shares["low"], atol=3e-3)
    np.testing.assert_allclose(worked_out["high"], shares["high"], atol=3e-3)


def test_many_users_are_drawn_from_the_limit_of_their_sums(monkeypatch):
    shown, truth = population(2000, TASTES, 3), population(2000, TASTES, 4).drop("rank")
    makers = (provider_metrics, provider_exposure)
    every = [make(shown, CATALOGUE, "genre", k=3, truth=truth) for make in makers]
    monkeypatch.setattr("equipoise.audit.exposure.providers._MANY", 1000)
    limit = [make(shown, CATALOGUE, "genre", k=3, truth=truth) for make in makers]
    for one, other in zip(every, limit, strict=True):
        np.testing.assert_allclose(other[:, 1], one[:, 1], rtol=1e-12)
        np.testing.assert_allclose(other["low"], one["low"], rtol=0.03)
        np.testing.assert_allclose(other["high"], one["high"], rtol=0.03)


@pytest.mark.parametrize("tastes", [TASTES, np.ones(10)], ids=["unequal", "equal"])
def test_intervals_cover_the_truth(tastes):
    many = population(50_000, tastes, 99)
    truth = values(provider_metrics(many, CATALOGUE, "maker", k=3, n_bootstrap=1))
    del truth["awrf@3"]  # three of ten makers are in every list: the same for all
    shares = provider_exposure(many, CATALOGUE, "genre", k=3, n_bootstrap=1)["share"].to_numpy()
    equal = len(set(tastes)) == 1
    fair = {"exposure_gap@3": 0.0, "rsp@3": 0.0, "provider_gini@3": 0.0, "exposure_distance@3": 0.0}
    if equal:
        truth |= fair | {"worst_off_share@3": 0.2}
    worlds, covered, shares_covered = 60, dict.fromkeys(truth, 0), np.zeros(3)
    for seed in range(worlds):
        shown = population(300, tastes, seed)
        for metric, _, low, high, *_ in provider_metrics(
            shown, CATALOGUE, "maker", k=3, n_bootstrap=200
        ).rows():
            if metric in truth:
                covered[metric] += low <= truth[metric] <= high
        table = provider_exposure(shown, CATALOGUE, "genre", k=3, n_bootstrap=200)
        shares_covered += (table["low"].to_numpy() <= shares) & (shares <= table["high"].to_numpy())
    assert min(shares_covered) >= 52
    assert min(covered.values()) >= 50
