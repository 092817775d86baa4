"""Popularity by attributes, on leanings that are planted."""

import numpy as np
import polars as pl
import pytest
from scipy.special import betaln

from equipoise.data import Dataset
from equipoise.errors import DataError
from equipoise.models.histories import Catalogue
from equipoise.models.newcomers.audience import Audience


def shop(lean, users=1200, items=30, rare=0.02, seed=0):
    """Everybody takes four items; people of group b take odd items `lean` times as often as even ones.

    Few people are of group c, and take what group a takes. Ages are of no matter.
    """
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b", "c"], users, p=[0.6 - rare, 0.4, rare])
    rows = []
    for user in range(users):
        weight = np.where((np.arange(items) % 2 == 1) & (group[user] == "b"), lean, 1.0)
        rows += [(user, int(item)) for item in rng.choice(items, 4, replace=False, p=weight / weight.sum())]
    events = pl.DataFrame(rows, schema=["user_id", "item_id"], orient="row")
    people = pl.DataFrame(
        {
            "user_id": np.arange(users),
            "group": group,
            "age": rng.integers(15, 75, users),
            "nested": [[1]] * users,
        }
    )
    return Dataset(events, people)


def audience(data, **attributes):
    return Audience.of(data, Catalogue.of(data), attributes)


def test_without_attributes_it_is_popularity():
    data = shop(1.0)
    plain = audience(data)
    counts = data.events["item_id"].value_counts().sort("item_id")["count"].to_numpy()
    assert plain.takers.tolist() == counts.tolist()
    assert plain.share.sum() == pytest.approx(1)
    assert (np.argsort(plain.share) == np.argsort(counts + 0.5)).all()
    leaning, popularity = plain.log_odds
    assert (leaning == 0).all()
    assert np.exp(popularity) / np.exp(popularity).sum() == pytest.approx(plain.share)


def test_a_planted_leaning_is_found():
    data = shop(4.0)
    found = audience(data, group="b").leanings[0]
    odd = np.arange(30) % 2 == 1
    b = data.users["group"].to_numpy() == "b"
    rate = np.where(odd, 4, 1) / 75  # per draw in group b; 1 / 30 elsewhere
    truth = rate / (b.mean() * rate + (1 - b.mean()) / 30)
    assert found.people == b.sum()
    assert found.lift[odd].mean() == pytest.approx(truth[1], abs=0.06)
    assert found.lift[~odd].mean() == pytest.approx(
        truth[0], abs=0.12
    )  # no draw is repeated: flatter than this
    assert np.corrcoef(found.lift, truth)[0, 1] > 0.95
    assert found.spread == pytest.approx(truth.std(), rel=0.3)
    assert found.weight.min() > 0.5


def test_no_leaning_is_made_of_noise():
    data = shop(1.0)
    found = audience(data, group="b")
    assert np.abs(found.leanings[0].lift - 1).max() < 0.1
    assert found.leanings[0].spread < 0.1
    assert found.leanings[0].weight.max() < 0.5


def test_few_people_are_drawn_to_everybody():
    """Group c is tiny: the same formula leaves less of what its few people did."""
    data = shop(2.0)
    many, few = (audience(data, group=group).leanings[0] for group in "bc")
    assert few.people < 50
    assert few.weight.max() < 0.5 * many.weight.min()
    assert np.log(few.lift).std() < 0.5 * np.log(many.lift).std()


def test_lifts_are_posterior_means():
    """By hand: Beta prior around the group's share, of the size that the spread implies."""
    data = shop(2.0)
    found = audience(data, group="b").leanings[0]
    pairs = data.events.join(data.users, on="user_id")
    share = (pairs["group"] == "b").mean()
    size = (1 - share) / (share * found.spread**2) - 1
    for item in (0, 7):
        takers = pairs.filter(pl.col("item_id") == item)
        x, n = (takers["group"] == "b").sum(), len(takers)
        assert found.lift[item] == pytest.approx((x + size * share) / (n + size) / share, rel=1e-6)
        assert found.weight[item] == pytest.approx(n / (n + size), rel=1e-6)


def test_the_spread_is_the_likeliest():
    data = shop(2.0)
    found = audience(data, group="b").leanings[0].spread
    pairs = data.events.join(data.users, on="user_id")
    counts = pairs.pivot("group", index="item_id", values="user_id", aggregate_function="len").sort("item_id")
    x = counts.select("a", "b", "c").fill_null(0).to_numpy().astype(float)
    n, share = x.sum(axis=1, keepdims=True), x.sum(axis=0) / x.sum()

    def likelihood(spread):
        size = np.maximum((1 - share) / (share * spread**2) - 1, 1e-3)
        a, b = size * share, size * (1 - share)
        return (betaln(x + a, n - x + b) - betaln(a, b)).sum()

    assert likelihood(found) >= max(likelihood(found * 0.9), likelihood(found * 1.1))


def test_what_two_attributes_share_counts_once():
    data = shop(2.0)
    twice = data.users.with_columns(again=pl.col("group"))
    both = audience(Dataset(data.events, twice), group="b", again="b")
    assert both.leanings[1].lift == pytest.approx(np.ones(30))
    assert both.share == pytest.approx(audience(data, group="b").share)


def test_the_factor_is_that_of_these_people():
    """Two groups of one column lean differently: their common deviation says nothing of either."""
    data = shop(4.0, rare=0.2)
    large, small = (audience(data, group=group).leanings[0] for group in "bc")
    assert large.spread == small.spread
    assert large.factor > small.factor > 1
    assert large.factor == pytest.approx(np.exp(np.sqrt(np.mean([np.log(lift) ** 2 for lift in large.lift]))))
    assert large.factor < max(large.lift.max(), 1 / large.lift.min())


def test_numbers_that_are_none_are_not_known():
    data = shop(1.0)
    holes = pl.when(pl.col("user_id") % 20 == 0).then(float("nan")).otherwise(pl.col("age").cast(pl.Float64))
    people = data.users.with_columns(income=pl.col("age") * 1.0, holes=holes)
    whole = audience(Dataset(data.events, people), income="20").leanings[0]
    some = audience(Dataset(data.events, people), holes="20").leanings[0]
    assert some.value.startswith("up to ")
    assert "nan" not in some.value
    assert some.people == pytest.approx(0.95 * whole.people, rel=0.1)


def test_numbers_are_cut_into_bands():
    data = shop(1.0)
    young = audience(data, age="15").leanings[0]
    assert young.value.startswith("up to ")
    assert audience(data, age="90").leanings[0].value.startswith("above ")
    assert 0.1 * 1200 < young.people < 0.3 * 1200


def test_items_that_nobody_took_keep_their_place_at_the_end():
    data = shop(2.0)
    items = pl.DataFrame({"item_id": range(31)})
    whole = Dataset(data.events, data.users, items)
    found = audience(whole, group="b")
    share = found.share
    assert np.exp(sum(found.log_odds)) / np.exp(sum(found.log_odds)).sum() == pytest.approx(share)
    assert share.argmin() == 30
    assert share[30] > 0


def test_bad_attributes_are_named():
    data = shop(1.0, users=300)
    for wrong, said in (
        ({"grup": "a"}, "Did you mean 'group'"),
        ({"group": "z"}, "No user has 'z' in 'group'"),
        ({"age": "young"}, "'young' is no number"),
        ({"nested": "1"}, "no attribute 'nested'"),
    ):
        with pytest.raises(DataError, match=said):
            audience(data, **wrong)
    with pytest.raises(DataError, match="no users table"):
        audience(Dataset(data.events), group="a")
