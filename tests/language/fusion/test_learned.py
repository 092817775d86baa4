"""Alignment and generation on modalities that are known to go together, and on some that do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

pytest.importorskip("torch")

from equipoise.component import Runtime
from equipoise.errors import DataError
from equipoise.language import Vectors, encode_items, encoder, load_encoder
from equipoise.language.fusion.align import Align, Aligned
from equipoise.language.fusion.blocks import Block
from equipoise.language.fusion.concat import Concat
from equipoise.language.fusion.contrast import contrast
from equipoise.language.fusion.filling import Side
from equipoise.language.fusion.gan import Gan
from equipoise.worlds import Gallery

QUIET = Runtime(threads=1, progress=False)
TWO = ({"name": "tfidf", "width": 8}, {"name": "image"})


def related(n: int, noise: float, seed: int = 0, *, bent: bool = False) -> list[Block]:
    """Two modalities of one hidden cause, rotated, with noise; the second may be a bent function of it."""
    rng = np.random.default_rng(seed)
    cause = rng.normal(size=(n, 4))
    second = np.abs(cause) - 0.8 if bent else cause
    found = []
    for place, hidden in enumerate((cause, second)):
        matrix = hidden @ rng.normal(size=(4, 10)) + noise * rng.normal(size=(n, 10))
        found.append(
            Block.of(
                f"{place}",
                Vectors(pl.Series(np.arange(n)), matrix.astype(np.float32)),
                pl.Series(np.arange(n)),
            )
        )
    return found


def retrieved(joined: Aligned, blocks: list[Block]) -> float:
    """Share of items whose second modality is the nearest to their first."""
    one, other = (joined.placed([block.matrix for block in blocks], place) for place in (0, 1))
    return float(((one @ other.T).argmax(axis=1) == np.arange(len(one))).mean())


def halves(blocks: list[Block], rows: slice) -> list[Block]:
    return [Block(b.name, b.matrix[rows], b.present[rows], b.scale, None) for b in blocks]


def test_contrast_by_hand():
    import torch

    eye = torch.eye(2)
    assert float(contrast(eye, eye, 1.0)) == pytest.approx(np.log(1 + np.exp(-1)))
    assert float(contrast(eye, eye.flip(0), 1.0)) == pytest.approx(np.log(1 + np.exp(1)))
    assert float(contrast(torch.ones(5, 3), torch.ones(5, 3), 0.1)) == pytest.approx(np.log(5))


def test_what_belongs_together_is_found_among_items_never_seen():
    blocks = related(300, noise=0.3)
    learned = Align(modalities=TWO, width=8).join(halves(blocks, slice(0, 200)), QUIET)[0]
    assert isinstance(learned, Aligned)
    new = halves(blocks, slice(200, 300))
    assert retrieved(learned, new) > 0.5  # by chance it were 1 of 100
    mixed = [
        blocks[0],
        Block(
            "1",
            blocks[1].matrix[np.random.default_rng(1).permutation(300)],
            blocks[1].present,
            blocks[1].scale,
            None,
        ),
    ]
    nothing = Align(modalities=TWO, width=8).join(halves(mixed, slice(0, 200)), QUIET)[0]
    assert isinstance(nothing, Aligned)
    assert retrieved(nothing, halves(mixed, slice(200, 300))) < 0.1


def test_an_item_lies_where_it_would_with_all_modalities():
    blocks = related(200, noise=0.2)
    learned, told = Align(modalities=TWO, width=8).join(blocks, QUIET)
    matrices, everything = [block.matrix for block in blocks], np.ones((200, 2), dtype=bool)
    whole = learned.vectors(matrices, everything)
    half = learned.vectors([matrices[0], np.zeros_like(matrices[1])], everything & [True, False])
    np.testing.assert_allclose(np.linalg.norm(half, axis=1), 1, rtol=1e-5)
    likeness = half @ whole.T
    assert (likeness.argmax(axis=1) == np.arange(200)).mean() > 0.8
    assert told["pairs"] == 200
    with pytest.raises(DataError, match="too few items that have two"):
        Align(modalities=TWO).join(halves(blocks, slice(0, 1)), QUIET)


def test_words_find_pictures_that_have_none(tmp_path: Path):
    """Where colours go with themes, the word of a theme finds pictures of items without a title."""
    world = Gallery(n_users=2, n_items=240, association=1.0, untitled=0.3, unpictured=0.1, seed=1).generate()
    chosen = encoder("align", modalities=[{"name": "tfidf", "width": 16}, {"name": "image"}], width=16)
    vectors = encode_items(world.items, world.text, chosen, images=world.images, runtime=QUIET)
    silent = world.items.filter(pl.col("title").is_null(), pl.col("picture").is_not_null())
    matrix = vectors.aligned(silent["item_id"])[0]
    assert vectors.encoder is not None
    words = {
        "sea": "waves",
        "forest": "moss",
        "city": "neon",
        "music": "violin",
        "garden": "roses",
        "winter": "snow",
    }
    asked = vectors.encoder.encode([*words.values(), ""])
    assert not asked[-1].any()
    found = [silent["theme"][int(row)] for row in (matrix @ asked[:-1].T).argmax(axis=0)]
    assert sum(one == theme for one, theme in zip(found, words, strict=True)) >= 4  # by chance it were 1 of 6
    vectors.encoder.save(tmp_path)
    assert (load_encoder(tmp_path).encode(["waves"]) == asked[:1]).all()


def filled(config: Concat | Gan, blocks: list[Block], hidden: np.ndarray) -> np.ndarray:
    """Squared error per item of what stands for the hidden second modality."""
    known = [
        blocks[0],
        Block("1", np.where(hidden[:, None], 0, blocks[1].matrix), ~hidden, blocks[1].scale, None),
    ]
    joined = config.join(known, QUIET)[0]
    assert isinstance(joined, Side)
    again = config.joined([10, 10], joined.arrays())
    matrices, present = [block.matrix for block in known], np.column_stack([known[0].present, ~hidden])
    assert (again.vectors(matrices, present) == joined.vectors(matrices, present)).all()
    made = joined.filled(matrices, present)[1]
    assert (made[~hidden] == blocks[1].matrix[~hidden]).all()
    return np.square(made[hidden] - blocks[1].matrix[hidden]).sum(axis=1)


def test_generators_beat_the_mean_and_regression_only_where_the_world_is_bent():
    hidden = np.arange(400) % 4 == 0
    gan = Gan(modalities=TWO, epochs=80)
    for bent in (False, True):
        blocks = related(400, noise=0.2, bent=bent)
        mean = filled(Concat(modalities=TWO), blocks, hidden)
        ridge = filled(Concat(modalities=TWO, missing="ridge"), blocks, hidden)
        made = filled(gan, blocks, hidden)
        gain = mean - made
        assert gain.mean() > 3 * gain.std() / 10
        assert (made.mean() < ridge.mean()) == bent
