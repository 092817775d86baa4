from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.debias import Context
from equipoise.debias.after.dpp import Kernel
from equipoise.debias.after.similarity import Likeness, likeness, resolve
from equipoise.errors import ConfigError, DataError
from equipoise.language.vectors import Vectors
from tests.debias.after.small import data_of, pool_of, rerank


def with_texts(rows: np.ndarray, groups: list[str | None]) -> Context:
    ids = pl.Series("item_id", np.arange(len(rows)))
    return Context(data_of(groups), vectors=Vectors(ids, rows.astype(np.float32)))


def run(
    name: str, pool: pl.DataFrame, context: Context, k: int, **fields: object
) -> tuple[pl.DataFrame, dict]:
    """Lists and what was reported of them alone."""
    return rerank(name, pool, context.data, k, replace(context, diagnostics={}), **fields)


def kernel_of(context: Context, source: str, own: float, n: int) -> np.ndarray:
    """The whole kernel, one column per item."""
    alike = likeness(context, resolve(context, source), pl.Series("item_id", np.arange(n)))
    to = Kernel(alike, own, signed=source in ("text", "model")).within(np.arange(n)[None, :])
    return np.column_stack([to(np.array([place]))[0] for place in range(n)])


def brute_force(scores: np.ndarray, kernel: np.ndarray, strength: float, k: int) -> list[int]:
    """The same greedy search, each determinant from scratch."""
    taken = list[int]()
    for _ in range(k):
        worth = {
            item: (1 - strength) * scores[[*taken, item]].sum()
            + strength * np.linalg.slogdet(kernel[np.ix_([*taken, item], [*taken, item])])[1]
            for item in range(len(scores))
            if item not in taken
        }
        taken.append(max(worth, key=lambda item: round(worth[item], 9)))
    return taken


def test_a_hand_worked_list():
    """Scores 1, .9, .5 (of 0 to 1); cosines to item 0 are 1 and 0, so likenesses at own = .5 are .5 and .25.

    Log-determinants: of 0 and 1 log(1 - 1/4), of 0 and 2 log(1 - 1/16). Item 2 comes second from
    .4 (1 - s) < s (log(15/16) - log(3/4)) = .22314 s, so from s > .64191.
    """
    context = with_texts(np.array([[1, 0], [1, 0], [0, 1], [1, 1]]), ["a", "b", "a", "b"])
    pool = pool_of(np.array([[10.0, 9.0, 5.0, 0.0]]))
    for strength, order in ((0.641, [0, 1]), (0.643, [0, 2])):
        lists, facts = run("dpp", pool, context, 2, strength=strength, own=0.5)
        assert lists["item_id"].to_list() == order
        assert facts["likeness_by"] == "text"
    assert facts["log_determinant_before"] == pytest.approx(np.log(3 / 4))
    assert facts["log_determinant_after"] == pytest.approx(np.log(15 / 16))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.floats(0.05, 0.95), st.sampled_from([1e-3, 0.1, 0.7]))
def test_greedy_by_cholesky_is_greedy_by_determinants(seed: int, strength: float, own: float):
    rng = np.random.default_rng(seed)
    context = with_texts(rng.normal(size=(12, 4)), ["a"] * 12)
    scores = rng.normal(size=(3, 12))
    kernel = kernel_of(context, "text", own, 12)
    lists, _ = run("dpp", pool_of(scores), context, 7, strength=strength, own=own)
    relative = (scores - scores.min(axis=1, keepdims=True)) / np.ptp(scores, axis=1, keepdims=True)
    for user in range(3):
        found = lists.filter(pl.col("user_id") == user)["item_id"].to_list()
        assert found == brute_force(relative[user], kernel, strength, 7)


@pytest.mark.parametrize("source", ["text", "histories", "categories"])
def test_kernels_are_positive_definite_whatever_the_source(source: str):
    """Also with opposite vectors, items that nobody took, and items without a category."""
    rng = np.random.default_rng(1)
    user, item = np.nonzero(rng.random((15, 28)) < 0.2)
    half = rng.normal(size=(15, 5))
    context = with_texts(np.vstack([half, -half]), ["a", "b|a", None] * 10)
    data = data_of(["a", "b|a", None] * 10, events=pl.DataFrame({"user_id": user, "item_id": item}))
    kernel = kernel_of(Context(data, vectors=context.vectors), source, 0.05, 30)
    assert (np.diag(kernel) == 1).all()
    assert (kernel == kernel.T).all()
    assert kernel.min() > -1e-9
    assert np.linalg.eigvalsh(kernel)[0] >= 0.05 - 1e-6


def test_more_items_than_categories_leave_every_list_full():
    """Three kinds of items: a list of six takes two of each, and a determinant without `own` would be 0."""
    kinds = np.repeat(list("abc"), 6).tolist()
    pool = pool_of(np.linspace(1, 0, 18)[None, :].repeat(4, axis=0))
    lists, facts = rerank("dpp", pool, data_of(kinds), 6, similarity="categories", strength=0.9)
    counts = lists.join(data_of(kinds).items, on="item_id").group_by("user_id", "provider").len()
    assert counts["len"].to_list() == [2] * 12
    assert np.isfinite(facts["log_determinant_after"])


def test_it_sees_what_several_items_make_up_together():
    """The fifth item lies in the plane of the first two, no nearer to either than the sixth, which points elsewhere:
    the volume tells them apart where the nearest single item does not.
    """
    rows = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, 1]]) / np.sqrt([[1], [1], [2], [2]])
    context = with_texts(rows, ["a"] * 4)
    pool = pool_of(np.array([[1.0, 1.0, 0.9, 0.9]]))
    by_volume, _ = run("dpp", pool, context, 3, strength=0.5, own=0.01)
    by_nearest, _ = run("mmr", pool, context, 3, strength=0.5)
    assert by_volume["item_id"].to_list() == [0, 1, 3]
    assert by_nearest["item_id"].to_list() == [0, 1, 2]


def test_volume_grows_with_strength_and_score_pays():
    rng = np.random.default_rng(0)
    kinds = np.repeat(list("abcdef"), 10)
    pool = pool_of(rng.normal(size=(50, 60)) + (kinds == "a"))
    facts = [
        rerank("dpp", pool, data_of(kinds.tolist()), strength=s, similarity="categories")[1]
        for s in (0, 0.1, 0.3, 0.9)
    ]
    assert (np.diff([fact["log_determinant_after"] for fact in facts]) > 0).all()
    assert (np.diff([fact["score_given_up"] for fact in facts]) > 0).all()
    assert facts[-1]["likeness_after"] < 0.75 * facts[0]["likeness_after"]


def test_lists_span_more_than_mmr_s_at_the_same_price():
    """Items of many likenesses, made of six topics each in its own proportions."""
    rng = np.random.default_rng(3)
    rows = rng.dirichlet(np.full(6, 0.3), size=80)
    scores = rng.normal(size=(120, 6)) @ rows.T + 0.2 * rng.normal(size=(120, 80))
    pool, context = pool_of(scores), with_texts(rows, ["a"] * 80)
    volume = Kernel(likeness(context, "text", pl.Series("item_id", np.arange(80))), 0.1, signed=True)

    def traced(name: str, strengths: list[float]) -> list[tuple[float, float, float]]:
        """Price, volume and mean likeness of the lists at each strength."""
        found = [run(name, pool, context, 10, strength=strength) for strength in strengths]
        codes = [lists["item_id"].to_numpy().reshape(120, 10) for lists, _ in found]
        return [
            (fact["score_given_up"], volume.log_determinant(one), fact["likeness_after"])
            for one, (_, fact) in zip(codes, found, strict=True)
        ]

    price, volumes, likenesses = zip(*traced("dpp", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), strict=True)
    for paid, of_mmr, alike in traced("mmr", [0.3, 0.4, 0.5]):
        assert np.interp(paid, price, volumes) > of_mmr + 0.1
        assert np.interp(paid, price, likenesses) < alike


def test_lists_do_not_depend_on_who_else_asks_or_on_blocks():
    rng = np.random.default_rng(2)
    pool, data = pool_of(rng.normal(size=(600, 20))), data_of(np.repeat(list("abcd"), 5).tolist())
    together, _ = rerank("dpp", pool, data, 5, similarity="categories", strength=0.4)
    alone, _ = rerank(
        "dpp", pool.filter(pl.col("user_id") == 400), data, 5, similarity="categories", strength=0.4
    )
    assert together.filter(pl.col("user_id") == 400).equals(alone)


def test_what_cannot_be_done_is_said():
    pool, data = pool_of(np.zeros((1, 3))), data_of(["a", "b", "c"])
    with pytest.raises(DataError, match="nothing to tell the likeness of items by from 'text'"):
        rerank("dpp", pool, data, similarity="text")
    for field, value in (("strength", 1.0), ("own", 0.0)):
        with pytest.raises(ConfigError, match=field):
            rerank("dpp", pool, data, **{field: value})
    assert Kernel(Likeness(rows=np.eye(3)), 0.2, signed=False).log_determinant(np.array([[0, -1, -1]])) == 0
