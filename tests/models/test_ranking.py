"""Top-k against a full stable sort; the floor; products that do not depend on the batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from equipoise.models.ranking import lowered, products, top_k

# Few distinct values, so that ties at the edge of the list are common.
scores = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.sampled_from([-np.inf, -1.5, 0.0, 0.25, 0.5, 3.0]),
)


@given(scores, st.integers(1, 15))
def test_top_k_is_the_head_of_a_stable_sort(block, k):
    expected = np.argsort(-block, axis=1, kind="stable")[:, :k]
    assert np.array_equal(top_k(block, k), expected)


@given(scores, st.integers(1, 15))
def test_rows_do_not_influence_each_other(block, k):
    assert np.array_equal(
        top_k(block, k), np.concatenate([top_k(block[i : i + 1], k) for i in range(len(block))])
    )


def test_top_k_of_no_columns_is_empty():
    assert top_k(np.empty((3, 0), np.float32), 5).shape == (3, 0)


def test_unknown_columns_get_the_lowest_known_score():
    block = np.array([[3.0, -2.0, 9.0], [1.0, 4.0, -7.0]], dtype=np.float32)
    lowered(block, np.array([False, False, True]))
    assert block.tolist() == [[3.0, -2.0, -2.0], [1.0, 4.0, 1.0]]


@pytest.mark.parametrize("unknown", [[False, False], [True, True]])
def test_all_or_none_unknown_leaves_scores(unknown):
    block = np.array([[1.0, 2.0]], dtype=np.float32)
    assert lowered(block, np.array(unknown)).tolist() == [[1.0, 2.0]]


def test_products_are_the_same_in_every_batch_and_for_equal_items():
    rng = np.random.default_rng(0)
    users = rng.standard_normal((300, 65)).astype(np.float32)
    items = rng.standard_normal((211, 65)).astype(np.float32)
    items[200:] = items[3]
    whole = products(users, items)
    for size in (1, 7, 64):
        parts = [products(users[start : start + size], items) for start in range(0, 300, size)]
        assert np.array_equal(np.concatenate(parts), whole)
    assert (whole[:, 200:] == whole[:, [3]]).all()
    np.testing.assert_allclose(whole, users @ items.T, rtol=1e-4, atol=1e-4)
