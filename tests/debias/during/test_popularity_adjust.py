"""Popularity as a confounder: the do-value by enumeration, and shops whose logger pushes what is popular."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product

import numpy as np
import polars as pl
import pytest

from equipoise.causal.graph import CausalGraph
from equipoise.causal.identification import identify
from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.debias import Context, corrections
from equipoise.debias.corrected import Corrected, fit
from equipoise.debias.during.popularity_adjust import PopularityAdjust
from equipoise.errors import DataError, ModelError
from equipoise.models import Offset
from equipoise.models.ease import EASE
from equipoise.models.mf import MF
from equipoise.models.sequence import Sequence
from equipoise.worlds import Storefront, World
from equipoise.worlds.bias import planted_bias
from equipoise.worlds.planted import preference_values

QUIET = Runtime(seed=1, threads=1, progress=False)
MODELS = {
    "mf": MF(width=8, epochs=6, batch_events=500),
    "sequence": Sequence(width=16, blocks=1, length=20, epochs=8, batch_places=1200, dropout=0.1),
}

# The do-value ---------------------------------------------------------------------------------------------------

GRAPH = CausalGraph.parse("popularity -> item; popularity -> click; item -> click")
LEVELS, CHANCE = np.array([0.2, 1.0]), np.array([0.7, 0.3])  # popularity z, P(z)
SHOWN = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])  # P(item | z): the third is pushed when it is popular
LIKED = np.array([0.6, 0.5, 0.4])  # f of one user


def enumerated(clicks: np.ndarray) -> pl.DataFrame:
    """The joint distribution of popularity, item and click, given P(click | z, item)."""
    rows = [
        (z, i, c, CHANCE[z] * SHOWN[z, i] * (clicks[z, i] if c else 1 - clicks[z, i]))
        for z, i, c in product(range(2), range(3), range(2))
    ]
    return pl.DataFrame(rows, schema=["popularity", "item", "click", "p"], orient="row")


def conditioned(joint: pl.DataFrame) -> np.ndarray:
    of_item = joint.group_by("item").agg(
        (pl.col("p") * pl.col("click")).sum().alias("clicked"), pl.col("p").sum().alias("shown")
    )
    return of_item.sort("item").select(pl.col("clicked") / pl.col("shown")).to_series().to_numpy()


def intervened(joint: pl.DataFrame) -> np.ndarray:
    estimand = identify(GRAPH, "click", "item")
    return np.array([estimand.evaluate(joint, {"click": 1}, {"item": i}) for i in range(3)])


@pytest.mark.parametrize("gamma", [0.5, 1.0])
def test_the_sum_over_popularity_is_the_do_value_and_ranks_as_f(gamma: float):
    """P(click | do(item)) = f E[z^gamma] where popularity multiplies: ranked as f, unlike P(click | item)."""
    joint = enumerated(LEVELS[:, None] ** gamma * LIKED)
    do = intervened(joint)
    np.testing.assert_allclose(do, LIKED * (CHANCE @ LEVELS**gamma))
    np.testing.assert_array_equal(np.argsort(-do), [0, 1, 2])
    assert np.argmax(conditioned(joint)) == 2


def test_where_popularity_moves_items_unlike_the_ranking_is_not_free_of_it():
    """The limit that the documentation states: with a gamma per item, f ranks as the do-value does not."""
    do = intervened(enumerated(LEVELS[:, None] ** np.array([1.0, 0.5, 0.0]) * LIKED))
    assert np.argmax(do) != np.argmax(LIKED)


# The offset by hand -----------------------------------------------------------------------------------------------


def log(impressions: bool = True, clock: str = "timestamp") -> Dataset:
    """On day 0 item 1 is shown 6 times and item 2 twice, on day 1 the other way round; all shown twice is taken."""
    shown = [(day, item) for day, counts in enumerate(((6, 2), (2, 6))) for item, n in zip((1, 2), counts, strict=True)
             for _ in range(n)]  # fmt: skip
    taken = [(day, item) for day in range(2) for item in (1, 2)] * 2
    rows = [("impression", *row) for row in shown * impressions] + [("click", *row) for row in taken]
    events = pl.DataFrame(rows, schema=["event", "day", "item_id"], orient="row").with_columns(
        user_id=pl.int_range(pl.len()) % 3
    )
    start = datetime(2025, 1, 1, tzinfo=UTC)
    time = pl.Series([start + timedelta(days=day) for day in events["day"]])
    return Dataset(
        events.with_columns((time if clock == "timestamp" else events["day"]).alias(clock)).drop("day")
    )


def given(data: Dataset, **fields: object) -> tuple[Offset, dict]:
    context = Context(data, QUIET)
    offset = PopularityAdjust(**fields).training(data, context).offset
    assert offset is not None
    return offset, json.loads(json.dumps(context.diagnostics["popularity_adjust"]))


def test_offset_by_hand():
    offset, report = given(log(), periods=2, smoothing=0)
    half = np.log(6 / 2) / 2
    np.testing.assert_allclose(offset.values, [[half, -half], [-half, half]], rtol=1e-5)
    assert offset.items.to_list() == [1, 2]
    assert offset.periods(np.array([1735689600.0, 1735776000.0])).tolist() == [0, 1]
    assert report["counted"] == "impressions"
    assert report["gamma_used"] == 1
    assert report["warnings"] == []
    softer, _ = given(log(), periods=2, smoothing=0, gamma=0.5)
    np.testing.assert_allclose(softer.values, offset.values / 2, rtol=1e-5)


def test_smoothing_pulls_to_the_share_of_the_whole_log():
    offset, _ = given(log(), periods=2, smoothing=4)  # 4 events per item, evenly, as 8 and 8 impressions say
    half = np.log((6 + 4) / (2 + 4)) / 2
    np.testing.assert_allclose(offset.values, [[half, -half], [-half, half]], rtol=1e-5)


def test_injected_popularity_is_that_of_the_last_period_or_where_it_goes():
    plain, _ = given(log(), periods=2, smoothing=0)
    last = plain.values[1]
    offset, _ = given(log(), periods=2, smoothing=0, inject=0.5)
    np.testing.assert_allclose(offset.values, plain.values - 0.5 * last, rtol=1e-5)
    ahead, _ = given(log(), periods=2, smoothing=0, inject=1.0, forecast=0.2)
    half = np.log((0.75 + 0.2 * 0.5) / (0.25 - 0.2 * 0.5)) / 2
    np.testing.assert_allclose(ahead.values, plain.values - [[-half, half]], rtol=1e-5)


def test_users_with_clocks_of_their_own_share_one_period():
    offset, report = given(log(impressions=False, clock="order"), gamma=1.0, inject=1.0, forecast=1.0)
    assert offset.values.shape == (1, 2)
    np.testing.assert_allclose(offset.values, 0, atol=1e-6)
    assert report["counted"] == "positives"
    assert len(report["warnings"]) == 2


def test_the_order_of_the_rows_does_not_matter():
    data = log()
    shuffled = data.with_events(data.events.sample(fraction=1, shuffle=True, seed=4))
    for name in ("values", "edges"):
        np.testing.assert_array_equal(getattr(given(shuffled)[0], name), getattr(given(data)[0], name))


def test_what_stands_in_the_way_is_said():
    rated = MF(loss="rating")
    assert "popularity multiplies chances" in str(PopularityAdjust().obstacle(log(), rated))
    assert "cannot add popularity" in str(PopularityAdjust().obstacle(log(), EASE()))
    silent = PopularityAdjust(source="impressions")
    assert silent.obstacle(log(impressions=False), MF()) == "the log has no impressions to count."
    assert PopularityAdjust().obstacle(log(impressions=False), MF()) is None
    with pytest.raises(ModelError, match="cannot act here"):
        fit(EASE(), log(), [PopularityAdjust()], runtime=QUIET)
    with pytest.raises(DataError, match="no impressions to count popularity by"):
        silent.training(log(impressions=False), Context(log(impressions=False)))
    assert corrections.build("popularity_adjust").against == ("popularity",)


# In a shop that pushes what is popular ------------------------------------------------------------------------


@cache
def shop() -> tuple[World, Dataset]:
    """What is shown depends on hidden appeal alone, all places are looked at, and nobody buys unshown."""
    world = Storefront(
        n_users=250, n_items=60, days=16, popularity=1.5, personalisation=0, examination_decay=0, drift=0,
        organic_rate=0, lift=0, search_rate=0, seed=1,
    ).generate()  # fmt: skip
    return world, world.dataset()


@cache
def uncorrected(name: str) -> Corrected:
    return fit(MODELS[name], shop()[1], [], runtime=QUIET)


def truth(model: Corrected) -> tuple[float, float]:
    """True quality of the lists, and by how much they favour popular items."""
    world, _ = shop()
    lists = model.recommend(world.users["user_id"], 10, exclude_seen=False)
    quality = preference_values(world, lists)["ndcg"].mean()
    return float(quality), planted_bias(world, lists)["popularity"]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", MODELS)
def test_lists_come_nearer_to_taste_and_leave_popularity(name: str):
    _, data = shop()
    before, bias_before = truth(uncorrected(name))
    after, bias_after = truth(fit(MODELS[name], data, [PopularityAdjust()], runtime=QUIET))
    assert bias_before > 1
    assert abs(bias_after) < 0.4 * bias_before
    assert after > before + 0.08


def test_clicks_alone_stand_in_for_popularity():
    """Without impressions, scores follow the popularity of what was taken by `gamma` less."""
    _, data = shop()
    clicks = data.with_events(data.positives.drop("position", "propensity", "score", "reward"))

    def slope(*chosen: PopularityAdjust) -> float:
        model = fit(MODELS["mf"], clicks, chosen, runtime=QUIET).model
        taken = model.catalogue.item_counts > 0
        scores = model.score(np.arange(len(model.catalogue.users)), model.histories).mean(axis=0)
        return float(np.polyfit(np.log(model.catalogue.item_counts[taken]), scores[taken], 1)[0])

    assert slope() == pytest.approx(1.0, abs=0.15)
    assert slope(PopularityAdjust(smoothing=0)) == pytest.approx(0.5, abs=0.15)
    assert slope(PopularityAdjust(gamma=1.0, smoothing=0)) == pytest.approx(0.0, abs=0.15)


def test_injecting_what_was_taken_out_brings_popularity_back():
    world, data = shop()
    injected = [
        fit(MODELS["mf"], data, [PopularityAdjust(inject=inject, periods=1)], runtime=QUIET)
        for inject in (0.0, 0.5, 1.0)
    ]
    bias = [truth(model)[1] for model in injected]
    assert bias[0] < bias[1] < bias[2]
    both = [uncorrected("mf").model, injected[2].model]
    scores = [model.score(np.arange(len(world.users)), model.histories) for model in both]
    np.testing.assert_allclose(scores[1], scores[0], atol=1e-3)
