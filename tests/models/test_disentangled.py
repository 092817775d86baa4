"""MACR and DICE: the conformance suite, the arithmetic of their scores, and what they separate."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.errors import ConfigError
from equipoise.models import models
from equipoise.models.disentangled import macr
from equipoise.models.disentangled.causes import distance_correlation
from equipoise.models.disentangled.dice import DICE
from equipoise.models.disentangled.exposed import popularity
from equipoise.models.disentangled.macr import MACR, FittedMACR, _gain, held_out
from equipoise.models.factors import examples
from equipoise.models.histories import Catalogue, Histories
from equipoise.testing import RecommenderConformance, blocks

QUIET = Runtime(seed=1, threads=1, progress=False)
SMALL = {
    "width": 8,
    "epochs": 40,
    "batch_events": 128,
    "learning_rate": 3e-2,
    "warmup": 5,
    "check_every": 40,
    "shrinkage": 0.01,
}


class TestMACR(RecommenderConformance):
    recommender = MACR(**SMALL)
    folds_in = False  # a user trained on has factors of their own
    tolerance = 1e-3
    test_weight_zero_is_absence = None  # batches differ where rows are missing


class TestDICE(RecommenderConformance):
    recommender = DICE(**{**SMALL, "width": 16, "negatives": 30, "discrepancy": 0.0, "shrinkage": 0.03})
    folds_in = False
    tolerance = 1e-3
    test_weight_zero_is_absence = None


def test_macr_scores_by_hand():
    """(k - c) σ(i), as one dot product; what the gate says of popularity is its odds."""
    fitted = MACR(**{**SMALL, "epochs": 1, "c": 0.0}).fit(blocks().train, runtime=QUIET)
    assert isinstance(fitted, FittedMACR)
    users, items = fitted.user_factors.astype(np.float64), fitted.item_factors.astype(np.float64)
    gate = items[:, -1]
    match = users[:, :8] @ (items[:, :8] / gate[:, None]).T + users[:, -1:]
    shifted = fitted.referred(2.5)
    rows = np.flatnonzero(fitted.catalogue.user_counts > 0)
    scores, match = shifted.score(rows, shifted.histories.take(rows)), match[rows]
    warm = fitted.catalogue.item_counts > 0
    np.testing.assert_allclose(scores[:, warm], ((match - 2.5) * gate)[:, warm], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(fitted.popularity, gate / (1 - gate), rtol=1e-4)


def test_a_high_reference_turns_to_what_is_rare():
    fitted = MACR(**{**SMALL, "epochs": 2, "c": 0.0}).fit(blocks().train, runtime=QUIET)
    warm = fitted.catalogue.item_counts > 0
    both = (fitted, fitted.referred(50))
    mean = [model.score(np.arange(61), model.histories)[:, warm].mean(0) for model in both]
    popular = fitted.catalogue.item_counts[warm]
    assert np.corrcoef(mean[0], popular)[0, 1] > 0.8
    assert np.corrcoef(mean[1], popular)[0, 1] < -0.8


def test_the_reference_is_chosen_by_held_out_events_alone():
    world = blocks()
    config = MACR(**{**SMALL, "epochs": 2})
    given = config.fit(world.train, runtime=QUIET)
    chosen = config.fit(world.train, valid=world.held_out, runtime=QUIET)
    assert isinstance(given, FittedMACR)
    assert given.average == pytest.approx(0, abs=1e-4)
    np.testing.assert_array_equal(given.item_factors, chosen.item_factors)
    np.testing.assert_allclose(np.ptp(chosen.user_factors[:, -1] - given.user_factors[:, -1]), 0, atol=1e-4)


def test_what_lists_leave_out_does_not_bear_on_the_reference():
    """User 0 took items 0 and 1, both scored above item 2, which is held out: it stands first among the new."""
    fitted = MACR(**{**SMALL, "width": 1, "epochs": 1, "c": 0.0}).fit(
        Dataset(pl.DataFrame({"user_id": [0, 0, 1, 1], "item_id": [0, 1, 2, 3]})), runtime=QUIET
    )
    vectors = np.array([[3, 0, 1], [2, 0, 1], [1, 0, 1], [0, 0, 1]], dtype=np.float32)
    model = fitted.moved(np.array([[1, 0, 0]] * 2, dtype=np.float32), vectors)
    assert isinstance(model, FittedMACR)
    assert _gain(model, np.array([0]), np.array([2]), np.ones(1)) == 1
    assert _gain(model, np.array([0, 0]), np.array([2, 3]), np.ones(2)) == pytest.approx(
        (1 + 1 / np.log2(3)) / 2
    )
    held = pl.DataFrame({"user_id": [0, 0, 7, 1], "item_id": [0, 2, 1, 9]})
    users, items = held_out(Dataset(held), model.catalogue, model.histories)
    assert (users.tolist(), items.tolist()) == ([0], [2])


def test_events_that_choose_the_reference_are_drawn_among_all_users(monkeypatch: pytest.MonkeyPatch):
    world, judged = blocks(), []
    monkeypatch.setattr(macr, "_JUDGED", 12)
    monkeypatch.setattr(macr, "_gain", lambda model, users, items, weights: judged.append(users) or 0.0)
    MACR(**{**SMALL, "epochs": 1}).fit(world.train, valid=world.held_out, runtime=QUIET)
    assert len(judged[0]) == 12
    assert judged[0].max() > 30  # of some sixty users, and not the first twelve


@pytest.mark.parametrize("by", ["interest", "both"])
def test_extra_losses_on_dice_see_the_vectors_that_recommend(by: str):
    config = DICE(**{**SMALL, "recommend_by": by})
    data = blocks().train
    catalogue = Catalogue.of(data)
    rows = examples(Histories.of(data.events, catalogue))
    network = config.network(data, catalogue, rows, None, None, None)
    with torch.no_grad():
        network.liked += torch.linspace(-1, 1, len(network.liked))
    rng = np.random.default_rng(0)
    _, step = network.step(rows.batches(64, rng)[0], rng)
    users, items = network.vectors()
    np.testing.assert_array_equal(step.representations.detach().numpy(), users[step.users.numpy()])
    np.testing.assert_array_equal(step.items.detach().numpy(), items)
    assert network.width == users.shape[1] == items.shape[1]


def test_popularity_is_counted_by_impressions_where_there_are_some():
    rows = [("impression", 1), ("impression", 1), ("impression", 2), ("click", 2), ("click", 2), ("click", 2)]
    events = pl.DataFrame(rows, schema=["event", "item_id"], orient="row").with_columns(user_id=1)
    data = Dataset(events)
    assert popularity(data, Catalogue.of(data)).tolist() == [2, 1]
    clicks = data.with_events(events.filter(pl.col("event") == "click"))
    assert popularity(clicks, Catalogue.of(clicks)).tolist() == [3]


def test_distance_correlation_by_hand_and_at_its_ends():
    x = torch.tensor([[0.0], [1.0], [3.0]])
    y = torch.tensor([[0.0], [2.0], [1.0]])

    def centred(values: list[float]) -> np.ndarray:
        d = np.abs(np.subtract.outer(values, values))
        return d - d.mean(0) - d.mean(1)[:, None] + d.mean()

    a, b = centred([0, 1, 3]), centred([0, 2, 1])
    expected = np.sqrt(max((a * b).mean(), 0) / np.sqrt((a * a).mean() * (b * b).mean()))
    assert float(distance_correlation(x, y)) == pytest.approx(expected, abs=1e-4)
    assert float(distance_correlation(x, -3 * x)) == pytest.approx(1, abs=1e-4)
    torch.manual_seed(0)
    assert float(distance_correlation(torch.randn(300, 1), torch.randn(300, 1))) < 0.15


def test_interest_and_conformity_halve_the_width():
    world = blocks()
    config = DICE(**{**SMALL, "epochs": 1})
    assert config.fit(world.train, runtime=QUIET).width == 4
    assert config.model_copy(update={"recommend_by": "both"}).fit(world.train, runtime=QUIET).width == 8
    with pytest.raises(ConfigError, match="no halves"):
        models.build("dice", {"width": 7})
