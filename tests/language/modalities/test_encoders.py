"""Images and numbers as vectors: they hold what was planted, and what is missing is absent."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from equipoise.errors import DataError
from equipoise.language import encode_items
from equipoise.language.modalities.numeric import Numeric
from equipoise.worlds.drawings import draw, png


def test_pictures_of_one_shape_or_colour_are_alike():
    shape, colour = np.repeat(np.arange(5), 36), np.tile(np.repeat(np.arange(6), 6), 5)
    items = pl.DataFrame(
        {"item_id": np.arange(180), "photo": [png(one) for one in draw(shape, colour, seed=0)]}
    )
    vectors = encode_items(items, (), "image", images=["photo"])
    assert vectors.matrix.shape == (180, 64 + 128)
    np.testing.assert_allclose(np.square(vectors.matrix).sum(axis=1), 2, rtol=1e-4)
    colours, edges = vectors.matrix[:, :64], vectors.matrix[:, 64:]
    odd = np.arange(180) % 2 == 1
    for part, truth in ((colours, colour), (edges, shape)):
        centres = np.stack([part[odd & (truth == kind)].mean(axis=0) for kind in np.unique(truth)])
        found = ((part[~odd][:, None] - centres) ** 2).sum(axis=-1).argmin(axis=1)
        assert (found == truth[~odd]).mean() > 0.85
        other = (
            (part[~odd][:, None] - centres[np.random.default_rng(0).permutation(len(centres))]) ** 2
        ).sum(-1)
        assert (other.argmin(axis=1) == truth[~odd]).mean() < 0.5


def test_items_without_a_readable_image_are_absent_not_zero():
    red = png(np.full((8, 8, 3), 200, dtype=np.uint8))
    items = pl.DataFrame({"item_id": ["a", "b", "c"], "photo": [None, red, b"broken"]})
    vectors = encode_items(items, (), "image", images=["photo"])
    assert vectors.ids.to_list() == ["b"]
    assert np.isfinite(vectors.matrix).all()
    assert vectors.matrix.any(axis=1).all()
    (account,) = vectors.account
    assert (account["items"], account["with"], account["broken"]) == (3, 1, 1)
    with pytest.raises(DataError, match="no column 'foto'"):
        encode_items(items, (), "image", images=["foto"])


def test_numbers_pass_bins_one_by_one():
    """By hand: quartiles of 0, 1, 2, 3, 100 are 0, 1, 2, 3, 100."""
    encoded = Numeric(bins=4).encoded(np.array([0.0, 1.0, 2.0, 3.0, 100.0]))
    assert encoded is not None
    assert encoded[:, :4].tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]
    assert (encoded[:, 4] == 1).all()  # so that the least value is no zero vector
    with_gap = Numeric(bins=1).encoded(np.array([0.0, 4.0, np.nan, 1.0]))
    assert with_gap is not None
    np.testing.assert_allclose(with_gap, [[0, 1], [1, 1], [5 / 12, 0], [0.25, 1]], rtol=1e-6)


def test_another_unit_of_measure_changes_nothing_and_a_taste_for_the_middle_is_linear():
    values = np.exp(np.random.default_rng(1).normal(size=200))
    one, other = Numeric().encoded(values), Numeric().encoded(values * 2.54)
    np.testing.assert_allclose(one, other, atol=1e-5)
    liked = (np.abs(np.log(values)) < 0.5).astype(float)
    assert one is not None
    design = np.column_stack([one, np.ones(200)])
    fit = design @ np.linalg.lstsq(design, liked, rcond=None)[0]
    plain = np.corrcoef(values, liked)[0, 1] ** 2
    assert np.corrcoef(fit, liked)[0, 1] ** 2 > 0.5 > plain + 0.3


def test_items_without_a_number_are_absent():
    items = pl.DataFrame(
        {"item_id": [1, 2, 3], "price": [1.0, None, 3.0], "weight": [None, float("inf"), 2.0]}
    )
    vectors = encode_items(items, (), "numeric", numeric=["price", "weight"])
    assert vectors.ids.to_list() == [1, 3]
    assert np.isfinite(vectors.matrix).all()
    assert vectors.account[0]["missing"] == {"price": 1, "weight": 2}
    flat = items.with_columns(price=pl.lit(2.0), weight=pl.lit(None, dtype=pl.Float64))
    with pytest.raises(DataError, match="tells items apart"):
        encode_items(flat, (), "numeric", numeric=["price", "weight"])
