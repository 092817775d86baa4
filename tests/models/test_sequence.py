"""The sequence model: the conformance suite, order, searches, cold items, windows and attention."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.errors import ConfigError
from equipoise.language import Vectors, encode_items
from equipoise.models import models
from equipoise.models.histories import Catalogue, Histories
from equipoise.models.recommender import Saved
from equipoise.models.sequence import FittedSequence, Sequence
from equipoise.models.sequence.attention import attention_weights, causal_attention, causal_bias
from equipoise.models.sequence.network import dropout
from equipoise.models.sequence.windows import Tokens, batches
from equipoise.testing import RecommenderConformance

QUIET = Runtime(seed=1, threads=1, progress=False)
SMALL = {
    "width": 16,
    "blocks": 1,
    "length": 12,
    "epochs": 15,
    "warmup": 5,
    "learning_rate": 1e-2,
    "batch_places": 256,
    "dropout": 0.1,
    "check_every": 15,
    "precision": "float32",
}


class TestConformance(RecommenderConformance):
    recommender = Sequence(**SMALL)
    reads_queries = True
    tolerance = 1e-3
    # A step of weight zero is not learned from, but it is still read as a part of the history.
    test_weight_zero_is_absence = None


RING = 20


@cache
def ring() -> Dataset:
    """Users who walk around a ring of items: the next item is told by the last one alone."""
    rng = np.random.default_rng(0)
    rows = [
        (user, int((start + step) % RING), step)
        for user, (start, size) in enumerate(
            zip(rng.integers(0, RING, 80), rng.integers(4, 18, 80), strict=True)
        )
        for step in range(size)
    ]
    return Dataset(pl.DataFrame(rows, schema=[v.USER, v.ITEM, v.ORDER], orient="row"))


@cache
def walker(loss: str = "softmax", precision: str = "float32") -> FittedSequence:
    places, epochs = (128, 40) if loss == "gbce" else (256, 15)
    fields = {"loss": loss, "negatives": 8, "precision": precision, "batch_places": places, "epochs": epochs}
    config = Sequence(**{**SMALL, "learning_rate": 2e-2, **fields})
    return config.fit(ring(), runtime=QUIET)


@pytest.mark.parametrize(
    ("loss", "precision"),
    [("softmax", "float32"), ("softmax", "bfloat16"), ("sampled_softmax", "float32"), ("gbce", "float32")],
)
def test_learns_what_comes_next(loss: str, precision: str) -> None:
    model = walker(loss, precision)
    first = [model.recommend_from([item, (item + 1) % RING], 1)[v.ITEM][0] for item in range(RING)]
    assert np.mean([found == (item + 2) % RING for item, found in enumerate(first)]) > 0.9


def test_order_of_the_history_matters() -> None:
    model = walker()
    assert model.recommend_from([3, 4], 1)[v.ITEM][0] == 5
    assert model.recommend_from([4, 3], 1, exclude_seen=False)[v.ITEM][0] == 4


def test_only_the_last_steps_are_read() -> None:
    model = walker()
    old, recent = [7, 9, 2], [(item + 5) % RING for item in range(SMALL["length"])]
    whole = model.recommend_from([*old, *recent], RING, exclude_seen=False)
    short = model.recommend_from(recent[-SMALL["length"] :], RING, exclude_seen=False)
    np.testing.assert_allclose(whole[v.SCORE], short[v.SCORE], rtol=1e-5)


def test_scores_are_products_of_vectors() -> None:
    model = walker()
    rows = np.array([0, 5, -1])
    past = model.histories.take(rows)
    product = model.user_vectors(rows, past).astype(float) @ model.item_vectors().T.astype(float)
    np.testing.assert_array_equal(model.score(rows, past), product.astype(np.float32))


def test_same_seed_same_model_other_seed_another() -> None:
    config = Sequence(**{**SMALL, "epochs": 2})
    one, two = (config.fit(ring(), runtime=QUIET).item_vectors() for _ in range(2))
    other = config.fit(ring(), runtime=Runtime(seed=2, threads=1, progress=False)).item_vectors()
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 1e-3


def test_attention_is_causal_and_sums_to_one() -> None:
    config = Sequence(**{**SMALL, "heads": 2, "blocks": 2, "epochs": 1})
    model = config.fit(ring(), runtime=QUIET)
    frame = model.attention([1, 2, 3])
    assert frame.columns == ["layer", "head", "query_position", "key_position", "weight"]
    assert (frame["query_position"] >= frame["key_position"]).all()
    sums = frame.group_by("layer", "head", "query_position").agg(pl.col("weight").sum())
    assert len(sums) == 2 * 2 * 4  # the start and three items
    np.testing.assert_allclose(sums["weight"], 1.0, rtol=1e-5)
    searches = model.attention(pl.DataFrame({v.QUERY: ["drum", "lute"]}))  # not read: no texts
    assert searches["weight"].to_list() == [1.0] * 4


@pytest.mark.parametrize("blocks", [1, 2])
def test_the_last_place_alone_is_what_all_places_give_there(blocks: int) -> None:
    config = Sequence(**{**SMALL, "heads": 2, "blocks": blocks, "epochs": 1})
    network = config.fit(ring(), runtime=QUIET).network
    tokens = torch.tensor([[RING, 3, 4, 5], [RING, 1, -1, -1], [RING, -1, -1, -1]])
    sizes = torch.tensor([4, 2, 1])
    with torch.no_grad():
        inputs = network.inputs(network.item_vectors(), None)
        whole, last = network(tokens, inputs), network.last(tokens, sizes, inputs)
    torch.testing.assert_close(last, whole[torch.arange(3), sizes - 1], rtol=1e-5, atol=1e-6)


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ConfigError, match="3 heads"):
        models.build("sequence", {"width": 16, "heads": 3})


# Texts ----------------------------------------------------------------------------------------------------------


@cache
def shop() -> tuple[Dataset, FittedSequence]:
    """Users of two kinds; items say in their text of which kind they are, the last of each kind is never taken."""
    rng = np.random.default_rng(0)
    words = ("tent rope boot map lantern", "guitar string amplifier drum score")
    items = pl.DataFrame({
        v.ITEM: [f"{kind}{number}" for kind in "ab" for number in range(12)],
        "title": [
            " ".join(rng.permutation(words[kind].split())[:3]) for kind in range(2) for _ in range(12)
        ],
    })  # fmt: skip
    rows = []
    for user in range(60):
        taken = rng.permutation(11)[:8]
        rows += [
            (f"u{user}", f"{'ab'[user % 2]}{item}", step, None, v.CLICK) for step, item in enumerate(taken)
        ]
        # In mid-history the user searches for the other kind, and then takes it.
        other = 1 - user % 2
        rows.append((f"u{user}", None, 8, words[other], v.SEARCH))
        rows += [
            (f"u{user}", f"{'ab'[other]}{item}", 9 + step, None, v.CLICK)
            for step, item in enumerate(rng.permutation(11)[:4])
        ]
    events = pl.DataFrame(rows, schema=[v.USER, v.ITEM, v.ORDER, v.QUERY, v.EVENT], orient="row")
    data = Dataset(events, None, items, text=("title",))
    vectors = encode_items(items, ("title",), "tfidf")
    config = Sequence(**{**SMALL, "length": 20, "id_dropout": 0.3})
    return data, config.fit(data, vectors=vectors, runtime=QUIET)


def share_of_a(table: pl.DataFrame) -> float:
    return float(table[v.ITEM].str.starts_with("a").mean())


def test_a_search_changes_the_ranking() -> None:
    _, model = shop()
    past = pl.DataFrame(
        {v.ITEM: ["a1", "a2", "a3"], v.QUERY: [None] * 3}, schema_overrides={v.QUERY: pl.String}
    )
    search = pl.DataFrame({v.ITEM: [None], v.QUERY: ["guitar drum"]}, schema_overrides={v.ITEM: pl.String})
    before = model.recommend_from(past, 6)
    after = model.recommend_from(pl.concat([past, search]), 6)
    assert share_of_a(before) > 0.8
    assert share_of_a(after) < 0.3


def test_cold_items_are_placed_by_their_text() -> None:
    """Items a11 and b11 were never taken: each ranks higher for users of its kind."""
    _, model = shop()
    ranks = {}
    for kind in "ab":
        lists = model.recommend_from([f"{kind}1", f"{kind}5", f"{kind}2"], 24, exclude_seen=False)
        ranks[kind] = dict(zip(lists[v.ITEM], lists[v.RANK], strict=True))
        assert lists.filter(pl.col(v.ITEM).str.ends_with("11"))[v.COLD].all()
    assert ranks["a"]["a11"] < ranks["b"]["a11"]
    assert ranks["b"]["b11"] < ranks["a"]["b11"]
    assert ranks["a"]["a11"] <= 12


def test_a_new_text_of_one_item_moves_that_item_alone() -> None:
    """The centre of the texts is the one of training: others keep their scores to the last bit."""
    _, model = shop()
    matrix, place = model.text_vectors.matrix.copy(), model.catalogue.items.to_list().index("b11")
    matrix[model.text_vectors.ids.to_list().index("b11")] = matrix[0]
    told = FittedSequence.restore(
        Saved(
            config=model.config,
            catalogue=model.catalogue,
            guests=model.guests,
            histories=model.histories,
            calibration=None,
            arrays=model.arrays(),
            vectors=Vectors(model.text_vectors.ids, matrix, model.text_vectors.encoder),
            parts={},
        )
    )
    users = np.arange(len(model.catalogue.users))
    before, after = (one.score(users, one.histories) for one in (model, told))
    changed = (before != after).any(axis=0)
    assert changed.nonzero()[0].tolist() == [place]


def test_without_text_a_search_is_left_out_and_a_cold_item_comes_last() -> None:
    data, _ = shop()
    model = Sequence(**{**SMALL, "text": "none", "epochs": 3}).fit(data, runtime=QUIET)
    plain = model.recommend_from(["a1", "a2"], 24, exclude_seen=False)
    searched = pl.DataFrame({v.ITEM: ["a1", "a2", None], v.QUERY: [None, None, "drum"]})
    assert plain[v.SCORE].equals(model.recommend_from(searched, 24, exclude_seen=False)[v.SCORE])
    assert set(plain[v.ITEM][-2:]) == {"a11", "b11"} or plain[v.SCORE][-3] == plain[v.SCORE][-1]
    assert not model.scores_cold_items


# Windows --------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=12).filter(any),
    length=st.integers(1, 15),
    budget=st.integers(1, 120),
    seed=st.integers(0, 9),
)
def test_every_event_is_a_target_once_an_epoch(sizes: list[int], length: int, budget: int, seed: int) -> None:
    items = np.concatenate([np.arange(size) for size in sizes])
    histories = _histories(sizes, items)
    tokens = Tokens.of(histories, 50, queries=False)
    found = []
    for batch in batches(tokens, length, budget, np.random.default_rng(seed)):
        assert batch.tokens.shape == batch.targets.shape
        assert batch.tokens.shape[1] <= length
        assert len(batch.tokens) == 1 or batch.tokens.size <= budget
        row, place = np.nonzero(batch.targets >= 0)
        # The input of a target is what came before it: item t - 1, or the start token.
        inputs, targets = batch.tokens[row, place], batch.targets[row, place]
        np.testing.assert_array_equal(inputs, np.where(targets == 0, 50, targets - 1))
        np.testing.assert_array_equal(batch.weights[row, place], targets + 1)
        found += list(zip(batch.users[row], targets, strict=True))
    expected = [(user, item) for user, size in enumerate(sizes) for item in range(size)]
    assert sorted(found) == expected


def test_searches_are_inputs_and_not_targets() -> None:
    histories = Histories(
        np.array([0, 3]), np.array([4, -1, 6]), np.array([-1, 0, -1]), ("drum",), np.ones(3, np.float32),
        np.full(3, np.nan, np.float32), np.full(3, np.nan),
    )  # fmt: skip
    (batch,) = batches(Tokens.of(histories, 10, queries=True), 8, 100, np.random.default_rng(0))
    assert batch.tokens[0, :3].tolist() == [10, 4, 11]
    assert batch.targets[0, :3].tolist() == [4, -1, 6]
    (batch,) = batches(Tokens.of(histories, 10, queries=False), 8, 100, np.random.default_rng(0))
    assert batch.tokens[0, :2].tolist() == [10, 4]
    assert batch.targets[0, :2].tolist() == [4, 6]


def _histories(sizes: list[int], items: np.ndarray) -> Histories:
    starts = np.concatenate([[0], np.cumsum(sizes)])
    weights, nothing = (items + 1).astype(np.float32), np.full(len(items), np.nan, np.float32)
    return Histories(starts, items, np.full(len(items), -1), (), weights, nothing, nothing.astype(float))


def test_catalogue_knows_what_is_cold() -> None:
    data, _ = shop()
    catalogue = Catalogue.of(data)
    assert catalogue.items.filter(pl.Series(catalogue.item_counts == 0)).to_list() == ["a11", "b11"]


# Kernels --------------------------------------------------------------------------------------------------------


def test_half_attention_is_near_the_exact_one() -> None:
    generator = torch.Generator().manual_seed(0)
    tensors = [torch.randn(3, 2, 9, 8, generator=generator, requires_grad=True) for _ in range(3)]
    by_distance = torch.randn(2, 12, generator=generator, requires_grad=True)
    bias = causal_bias(by_distance, 9)
    exact = causal_attention(*tensors, bias, half=False)
    half = causal_attention(*tensors, bias, half=True)
    plain = attention_weights(tensors[0], tensors[1], bias) @ tensors[2]
    torch.testing.assert_close(exact, plain, rtol=1e-4, atol=1e-5)
    assert (half - exact).norm() < 0.02 * exact.norm()
    upstream = torch.randn(exact.shape, generator=generator)
    for ours, theirs in zip(
        torch.autograd.grad(half, tensors, upstream),
        torch.autograd.grad(exact, tensors, upstream),
        strict=True,
    ):
        assert (ours - theirs).norm() < 0.02 * theirs.norm()


def test_bias_is_by_distance_and_closes_the_future() -> None:
    bias = causal_bias(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), 3)
    assert bias[0].tolist() == [[1, -np.inf, -np.inf], [2, 1, -np.inf], [3, 2, 1]]


def test_dropout_keeps_the_mean_and_is_off_without_a_generator() -> None:
    x = torch.ones(200, 500)
    dropped = dropout(x, 0.25, np.random.default_rng(0))
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.01)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert dropout(x, 0.25, None) is x
