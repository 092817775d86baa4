"""Offsets: in the scores while a model is trained, absent from what it recommends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.errors import ModelError
from equipoise.models import Offset, Training, load_model, save_model
from equipoise.models.choice import Chosen
from equipoise.models.ease import EASE
from equipoise.models.mf import MF
from equipoise.models.popular import Popular
from equipoise.models.recommender import Fitted
from equipoise.models.sequence import Sequence
from equipoise.testing import blocks

QUIET = Runtime(seed=3, threads=1, progress=False)
WORLD = blocks()
SMALL = {"epochs": 4, "warmup": 2, "precision": "float32"}
MODELS = [
    MF(width=4, batch_events=128, **SMALL),
    MF(width=4, batch_events=128, loss="sampled_softmax", negatives=64, **SMALL),
    MF(width=4, batch_events=128, loss="gbce", negatives=64, **SMALL),
    Sequence(width=8, blocks=1, length=8, batch_places=128, **SMALL),
    Sequence(width=8, blocks=1, length=8, batch_places=128, loss="gbce", negatives=64, **SMALL),
]
each_model = pytest.mark.parametrize("config", MODELS, ids=lambda config: f"{config.name} {config.loss}")


def offset(values: object, edges: tuple[float, ...] = (), items: pl.Series | None = None) -> Offset:
    names = WORLD.train.events["item_id"].unique().sort() if items is None else items
    table = np.broadcast_to(np.asarray(values, dtype=np.float32), (len(edges) + 1, len(names)))
    return Offset(names, table.copy(), np.array(edges))


def scores(model: Fitted) -> np.ndarray:
    return model.score(np.arange(len(model.catalogue.users)), model.histories)


def fit(config: MF | Sequence, data: Dataset = WORLD.train, given: Offset | None = None) -> Fitted:
    return config.fit(data, training=Training(offset=given), runtime=QUIET)


# The offset itself ----------------------------------------------------------------------------------------------


def test_periods_and_tables_by_hand():
    given = offset([[1, 2], [3, 4]], edges=(10.0,), items=pl.Series([7, 5]))
    np.testing.assert_array_equal(given.periods(np.array([9.9, 10.0, 11.0, np.nan])), [0, 1, 1, 1])
    np.testing.assert_array_equal(given.table(pl.Series([5, 6, 7])), [[2, 0, 1], [4, 0, 3]])


def test_two_offsets_add_up():
    one = offset([[1, 2], [3, 4]], edges=(10.0,), items=pl.Series(["a", "b"]))
    two = offset([[10, 20], [30, 40]], edges=(20.0,), items=pl.Series(["b", "c"]))
    both = Training(offset=one).merged(Training(offset=two)).offset
    assert both is not None
    np.testing.assert_array_equal(both.edges, [10, 20])
    np.testing.assert_array_equal(
        both.table(pl.Series(["a", "b", "c"])), [[1, 12, 20], [3, 14, 20], [3, 34, 40]]
    )
    assert Training(offset=one).merged(Training()).offset is one


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Offset(pl.Series([1, 2]), np.zeros((2, 2), np.float32), np.zeros(0)),
        lambda: Offset(pl.Series([1, 1]), np.zeros((1, 2), np.float32), np.zeros(0)),
        lambda: Offset(pl.Series([1]), np.full((1, 1), np.nan, np.float32), np.zeros(0)),
        lambda: Offset(pl.Series([1]), np.zeros((3, 1), np.float32), np.array([2.0, 1.0])),
    ],
)
def test_malformed_offsets_are_refused(wrong):
    with pytest.raises(ValueError, match="offset"):
        wrong()


def test_shifted_scores_by_hand():
    chosen = Chosen(
        torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [4.0]]), torch.tensor([0, 1]), torch.ones(2)
    )
    shifted = chosen.shifted(torch.tensor([[0.5, 0.0], [0.0, -1.0]]), torch.tensor([0, 1]))
    np.testing.assert_allclose((shifted.representations @ shifted.items.T).numpy(), [[3.5, 4.0], [6.0, 7.0]])


# In training ------------------------------------------------------------------------------------------------------


@each_model
def test_an_offset_of_nothing_changes_nothing(config: MF | Sequence):
    np.testing.assert_allclose(scores(fit(config, given=offset(0.0))), scores(fit(config)), atol=2e-3)


@pytest.mark.parametrize("config", [MODELS[0], MODELS[3]], ids=["mf", "sequence"])
def test_a_number_for_all_items_changes_nothing_under_the_softmax(config: MF | Sequence):
    np.testing.assert_allclose(scores(fit(config, given=offset(1.7))), scores(fit(config)), atol=2e-3)


def popularity_world(users: int = 300, seed: int = 0) -> tuple[Dataset, np.ndarray]:
    """Users take items in proportion to what the day favours, and have no taste of their own; two days."""
    rng = np.random.default_rng(seed)
    log_share = rng.normal(0, 1.2, (2, 12))
    share = np.exp(log_share) / np.exp(log_share).sum(axis=1, keepdims=True)
    taken = np.stack([rng.choice(12, (users, 10), p=day) for day in share])
    events = pl.DataFrame({
        "user_id": np.tile(np.repeat(np.arange(users), 10), 2),
        "item_id": taken.ravel(),
        "timestamp": np.repeat([100.0, 200.0], users * 10) + np.tile(np.arange(10) / 100, 2 * users),
    })  # fmt: skip
    return Dataset(events), np.log(share)


@pytest.mark.parametrize(
    "config",
    [
        MF(width=4, epochs=6, batch_events=500, loss="softmax"),
        MF(width=4, epochs=6, batch_events=500, loss="sampled_softmax", negatives=100),
        Sequence(width=16, blocks=1, length=20, epochs=15, batch_places=800, dropout=0.1),
    ],
    ids=["mf", "mf sampled", "sequence"],
)
def test_what_the_offset_explains_is_not_learned(config: MF | Sequence):
    """Told each day's popularity, the model finds no item better than another; untold, it learns it."""
    data, log_share = popularity_world()
    told = Offset(pl.Series(np.arange(12)), log_share.astype(np.float32), np.array([150.0]))
    learned, plain = (scores(fit(config, data, given)).mean(axis=0) for given in (told, None))
    assert learned.std() < 0.2 * log_share.std(axis=1).mean()
    assert np.corrcoef(plain, np.log(np.exp(log_share).mean(axis=0)))[0, 1] > 0.85


def test_periods_matter():
    """The popularity of the wrong day is not what the events of a day follow."""
    data, log_share = popularity_world()
    config = MF(width=4, epochs=6, batch_events=500)
    swapped = Offset(pl.Series(np.arange(12)), log_share[::-1].astype(np.float32).copy(), np.array([150.0]))
    right = Offset(swapped.items, log_share.astype(np.float32), swapped.edges)
    losses = [fit(config, data, one).log[-1, 0] for one in (right, swapped)]
    entropy = -(np.exp(log_share) * log_share).sum(axis=1).mean()
    assert losses[0] == pytest.approx(entropy, abs=0.05)
    assert losses[1] > losses[0] + 0.2


@pytest.mark.parametrize("config", [MODELS[0], MODELS[3]], ids=["mf", "sequence"])
def test_a_saved_model_has_no_offset(config: MF | Sequence, tmp_path: Path):
    names = WORLD.train.events["item_id"].unique().sort()
    model = fit(config, given=offset(np.arange(len(names)) % 3))
    plain = fit(config)
    assert set(model.arrays()) == set(plain.arrays())
    assert all(array.shape == plain.arrays()[name].shape for name, array in model.arrays().items())
    save_model(model, tmp_path / "model")
    np.testing.assert_array_equal(scores(load_model(tmp_path / "model")), scores(model))
    assert not np.allclose(scores(model), scores(plain), atol=0.1)


# Refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [EASE(), Popular()], ids=["ease", "popular"])
def test_models_without_gradients_refuse(config):
    with pytest.raises(ModelError, match="cannot take offset"):
        config.fit(WORLD.train, training=Training(offset=offset(0.0)), runtime=QUIET)


def test_ratings_have_no_log_odds():
    data = WORLD.train.with_events(WORLD.train.events.with_columns(value=pl.lit(3.0)))
    with pytest.raises(ModelError, match="rating loss cannot take an offset"):
        MF(loss="rating", **SMALL).fit(data, training=Training(offset=offset(0.0)), runtime=QUIET)
