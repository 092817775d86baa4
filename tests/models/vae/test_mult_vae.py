"""Mult-VAE: the conformance suite, its likelihood by hand, and the sockets it takes."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch
from scipy import sparse
from scipy.special import log_softmax

from equipoise.component import Runtime
from equipoise.data import vocabulary as v
from equipoise.errors import ModelError
from equipoise.models import Offset, Training
from equipoise.models.histories import Catalogue, Histories
from equipoise.models.vae.batches import Profiles, rows
from equipoise.models.vae.likelihood import Annealed, Multinomial, divergence, drawn
from equipoise.models.vae.mult_vae import MultVAE
from equipoise.testing import RecommenderConformance, blocks

QUIET = Runtime(seed=1, threads=1, progress=False)
SMALL = MultVAE(width=8, hidden=16, batch_users=30, epochs=30, learning_rate=3e-2, warmup=2, check_every=30)


class TestConformance(RecommenderConformance):
    recommender = SMALL


def test_rows_are_square_roots_of_length_one():
    counts = sparse.csr_matrix(
        np.array([[1.0, 3.0, 0.0], [0.0, 0.0, 0.0], [0.0, 4.0, 5.0]], dtype=np.float32)
    )
    expected = [[0.5, np.sqrt(0.75), 0], [0, 0, 0], [0, 2 / 3, np.sqrt(5) / 3]]
    np.testing.assert_allclose(rows(counts), expected, atol=1e-7)
    rng = np.random.default_rng(0)
    mean = np.mean([rows(counts, 0.5, rng) for _ in range(4000)], axis=0)
    np.testing.assert_allclose(mean, expected, atol=0.06)


def test_likelihood_and_divergence_by_hand():
    """Two users, three items of which the last was never taken; the second period adds log 2 to the first item."""
    world = blocks(users=6)
    histories = Histories.of(world.train.events, Catalogue.of(world.train))
    batch = Profiles.of(histories, 31).batches(2, np.random.default_rng(0))[0]
    batch = type(batch)(
        np.array([0, 1]),
        np.array([0, 0, 1]),
        np.array([0, 1, 1]),
        np.ones(3, np.float32),
        np.array([0, 1, 1]),
    )
    scores = torch.tensor([[0.0, 1.0], [2.0, 0.0]])
    plain = Multinomial(np.array([3, 1, 0]))(scores, batch).numpy()
    expected = log_softmax(np.array([[0.0, 1.0], [0.0, 1.0], [2.0, 0.0]]), axis=1)[range(3), [0, 1, 1]]
    np.testing.assert_allclose(plain, expected, rtol=1e-6)
    offset = np.array([[0, 0, 0], [np.log(2), 0, 0]], dtype=np.float32)
    shifted = Multinomial(np.array([3, 1, 0]), offset)(scores, batch).numpy()
    odds = np.array([[0.0, 1.0], [np.log(2), 1.0], [2 + np.log(2), 0.0]])
    np.testing.assert_allclose(shifted, log_softmax(odds, axis=1)[range(3), [0, 1, 1]], rtol=1e-6)
    mean, log_variance = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, np.log(4.0)]], dtype=torch.float32)
    assert float(divergence(mean, log_variance)) == pytest.approx(0.5 + 0.5 * (4 - 1 - np.log(4)))
    assert float(divergence(mean, log_variance, mean)) == pytest.approx(0.5 * (4 - 1 - np.log(4)))


def test_draws_have_the_moments_and_the_weight_rises():
    draws = drawn(
        torch.full((50_000, 1), 3.0), torch.full((50_000, 1), np.log(4.0)), np.random.default_rng(0)
    )
    assert float(draws.mean()) == pytest.approx(3, abs=0.05)
    assert float(draws.std()) == pytest.approx(2, abs=0.05)
    weight = Annealed(0.2, 4)
    assert [weight() for _ in range(6)] == pytest.approx([0.05, 0.1, 0.15, 0.2, 0.2, 0.2])


def test_every_event_stands_in_one_batch():
    world = blocks()
    catalogue = Catalogue.of(world.train)
    profiles = Profiles.of(Histories.of(world.train.events, catalogue), len(catalogue.items))
    parts = profiles.batches(7, np.random.default_rng(0))
    pairs = np.concatenate([np.column_stack([part.users[part.owners], part.targets]) for part in parts])
    held = profiles.counts.tocoo()
    assert sorted(map(tuple, pairs)) == sorted(zip(held.row, held.col, strict=True))
    assert [len(part.users) for part in parts] == [7] * 8 + [4]


def test_an_offset_is_known_in_training_and_absent_after():
    """Item 3 is taken by everybody; told that it is pushed that much, the model no longer puts it first."""
    world = blocks()
    extra = world.train.events.head(60).with_columns(
        pl.Series(v.USER, world.train.events[v.USER].unique().sort()), pl.lit("i003").alias(v.ITEM)
    )
    data = world.train.with_events(pl.concat([world.train.events, extra]))
    offset = Offset(pl.Series(["i003"]), np.array([[3.0]], dtype=np.float32), np.empty(0))
    plain = SMALL.fit(data, runtime=QUIET).recommend_from([], 31)
    told = SMALL.fit(data, training=Training(offset=offset), runtime=QUIET).recommend_from([], 31)
    score = [
        table.filter(pl.col(v.ITEM) == "i003")[v.SCORE][0] - table[v.SCORE].mean() for table in (plain, told)
    ]
    assert score[0] - score[1] > 1.5


def test_heads_losses_and_resumed_runs(tmp_path):
    world, seen = blocks(), []
    training = Training(losses=(lambda step: seen.append(step) or step.representations.square().mean(),))
    once = SMALL.model_copy(update={"epochs": 1}).fit(world.train, training=training, runtime=QUIET)
    step = seen[0]
    assert step.representations.shape == (len(step.targets), 17)
    assert step.items.shape == (31, 17)
    assert len(step.users) == len(step.weights) == len(step.targets)
    assert np.isfinite(once.item_vectors()).all()
    with pytest.raises(ModelError, match="cannot take filter"):
        SMALL.fit(world.train, training=Training(filter=object()), runtime=QUIET)


def test_nothing_of_the_held_out_events_is_learned():
    """They decide when to stop; with the same number of epochs the model is the same."""
    world = blocks()
    never = SMALL.model_copy(update={"check_every": 100, "epochs": 3})
    other = world.held_out.with_events(world.held_out.events.head(3))
    left, right = (never.fit(world.train, valid=valid, runtime=QUIET) for valid in (world.held_out, other))
    for name, array in left.learned.items():
        np.testing.assert_array_equal(array, right.learned[name])
