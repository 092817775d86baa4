"""Modalities side by side: on one scale, with something honest where one is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from equipoise.errors import ConfigError, DataError
from equipoise.language import Vectors, encode_items, encoder, load_encoder
from equipoise.language.fusion.concat import Concat
from equipoise.worlds import Gallery

GALLERY = Gallery(
    n_users=2, n_items=120, untitled=0.15, unpictured=0.15, unmeasured=0.15, association=0.9, seed=6
).generate()
ITEMS = GALLERY.items
MEMBERS = [{"name": "tfidf", "width": 16}, {"name": "image"}, {"name": "numeric"}]


def fused(name: str = "concat", items: pl.DataFrame = ITEMS, **fields: object) -> Vectors:
    chosen = encoder(name, **{"modalities": MEMBERS, **fields})
    return encode_items(items, ("title",), chosen, images=("picture",), numeric=("height",))


def parts(vectors: Vectors) -> list[np.ndarray]:
    return np.split(vectors.matrix, [16, 16 + 192], axis=1)


def test_blocks_have_one_scale_and_the_mean_where_nothing_is():
    vectors = fused()
    assert vectors.ids.to_list() == ITEMS["item_id"].to_list()
    for column, block in zip(("title", "picture", "height"), parts(vectors), strict=True):
        there = ITEMS[column].is_not_null().to_numpy()
        assert 0 < there.sum() < len(there)
        np.testing.assert_allclose(block[there].mean(axis=0), 0, atol=1e-5)
        assert np.square(block[there]).sum(axis=1).mean() == pytest.approx(1, rel=1e-4)
        assert (block[~there] == 0).all()
    account = {told["modality"]: told for told in vectors.account}
    assert account["image"]["with"] == ITEMS["picture"].is_not_null().sum()
    assert account["concat"]["filled"].startswith("mean")
    assert account["concat"]["all"] == ITEMS.drop_nulls(["title", "picture", "height"]).height


def test_an_item_with_nothing_is_absent_and_one_with_little_is_not():
    bare = ITEMS.with_columns(
        pl.when(pl.col("item_id") > 2).then(column).alias(column) for column in ("title", "picture")
    ).with_columns(pl.when(pl.col("item_id") > 1).then("height").otherwise(None).alias("height"))
    bare = bare.with_columns(pl.when(pl.col("item_id") == 2).then(7.0).otherwise("height").alias("height"))
    vectors = fused(items=bare)
    assert 1 not in vectors.ids.to_list()
    assert 2 in vectors.ids.to_list()
    assert vectors.matrix.any(axis=1).all()
    assert vectors.account[-1]["with"] == len(bare) - 1
    with pytest.raises(DataError, match="'tfidf'"):
        fused(items=ITEMS.with_columns(title=pl.lit(None, dtype=pl.String)))


def test_weights_multiply_and_names_that_repeat_are_numbered():
    plain, weighted = parts(fused()), parts(fused(weights=(1, 0.5, 0)))
    np.testing.assert_allclose(weighted[1], plain[1] / 2, rtol=1e-6)
    assert not weighted[2].any()
    twice = encoder("concat", modalities=[{"name": "tfidf"}, {"name": "tfidf", "words": 1}])
    assert isinstance(twice, Concat)
    assert [name for name, _ in twice.members()] == ["tfidf 1", "tfidf 2"]
    assert twice.needs == {"text"}


def test_regression_foretells_what_is_hidden_better_than_the_mean():
    """Colours go with themes, so that a title says something of a picture that is not there."""
    hidden = ITEMS.with_columns(pl.when(pl.col("item_id") % 3 > 0).then("picture").alias("picture"))
    mean, ridge = (fused(items=hidden, missing=missing) for missing in ("mean", "ridge"))
    whole = encode_items(ITEMS, (), "image", images=("picture",))
    known = encode_items(hidden, (), "image", images=("picture",)).matrix
    length = np.sqrt(np.square(known - known.mean(axis=0)).sum(axis=1).mean())
    foretold = whole.ids.filter(
        whole.ids.is_in(ITEMS.filter(pl.col("item_id") % 3 == 0)["item_id"].implode())
    )
    truth = (whole.aligned(foretold)[0] - known.mean(axis=0)) / length
    errors = [
        np.square(parts(Vectors(foretold, one.aligned(foretold)[0]))[1] - truth).sum(axis=1)
        for one in (mean, ridge)
    ]
    gain = errors[0] - errors[1]
    assert gain.mean() > 2 * gain.std(ddof=1) / np.sqrt(len(gain)) > 0


@pytest.mark.parametrize("missing", ["mean", "ridge"])
def test_searches_stand_beside_items_that_have_only_a_text(tmp_path: Path, missing: str):
    vectors = fused(missing=missing)
    assert vectors.encoder is not None
    asked = vectors.encoder.encode(["Harbour", "", "zzz"])
    assert asked.shape == (3, vectors.width)
    assert not asked[1:].any()
    assert bool(parts(Vectors(pl.Series([0]), asked[:1]))[1].any()) == (missing == "ridge")
    by_likeness = ITEMS["theme"].gather(np.argsort(-(vectors.matrix @ asked[0]))[:3]).to_list()
    assert by_likeness == ["sea"] * 3
    vectors.encoder.save(tmp_path)
    assert (load_encoder(tmp_path).encode(["Harbour", ""]) == asked[:2]).all()


def test_without_a_text_nothing_can_be_searched():
    assert fused(modalities=MEMBERS[1:]).encoder is None


def test_vectors_made_elsewhere_join(tmp_path: Path):
    audio = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    pl.DataFrame({"item_id": ITEMS["item_id"][:100], "vector": audio}).write_parquet(
        tmp_path / "audio.parquet"
    )
    member = {"name": f"vectors:{tmp_path}/audio.parquet", "missing": "absent"}
    vectors = fused(modalities=[*MEMBERS, member])
    assert vectors.account[3] == {"modality": "vectors", "items": 120, "with": 100}
    block = vectors.matrix[:, -3:]
    assert not block[100:].any()
    assert np.corrcoef(block[:100, 0], audio[:, 0])[0, 1] > 0.999
    with pytest.raises(DataError, match="20 items have no vector"):
        fused(modalities=[*MEMBERS, {"name": member["name"]}])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"modalities": MEMBERS[:1]}, "modalities"),
        ({"modalities": [{"width": 3}, *MEMBERS]}, "has no name"),
        ({"modalities": [{"name": "tfdif"}, *MEMBERS]}, "Did you mean 'tfidf'"),
        ({"modalities": [{"name": "concat", "modalities": MEMBERS}, *MEMBERS]}, "cannot be a modality"),
        ({"weights": (1, 2)}, "2 weights do not fit 3"),
        ({"weights": (0, 0, 0)}, "all weights are 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(fields: dict[str, object], message: str):
    with pytest.raises(ConfigError, match=message):
        encoder("concat", **{"modalities": MEMBERS, **fields})
