"""What the gallery plants is found again: in its pictures, titles and measures, and in what people do."""

from __future__ import annotations

import io

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from equipoise.errors import ConfigError
from equipoise.language.modalities.reading import read_images
from equipoise.worlds import Gallery, World, worlds
from equipoise.worlds.drawings import COLOURS, SHAPES, draw, png
from equipoise.worlds.gallery import THEMES


@pytest.fixture(scope="module")
def gallery() -> World:
    return Gallery(n_users=300, n_items=60, days=12, slate_length=5, seed=2).generate()


def z(values: np.ndarray) -> float:
    return float(values.mean() / (values.std(ddof=1) / np.sqrt(len(values))))


def test_it_is_made_again_exactly_and_the_seed_matters(gallery: World):
    again = worlds.build("gallery", gallery.scenario.model_dump()).generate()
    assert_frame_equal(gallery.log, again.log)
    assert_frame_equal(gallery.items, again.items)
    other = gallery.scenario.model_copy(update={"seed": 3}).generate()
    assert (other.items["picture"] != gallery.items["picture"]).any()
    slates = gallery.slates(1)
    events = gallery.respond(slates, 1)
    assert_frame_equal(gallery.respond(slates.sample(fraction=1, shuffle=True, seed=1), 1), events)


def test_clicks_are_preference_and_shows_are_propensities(gallery: World):
    shown = gallery.located(gallery.log.filter(pl.col("event") == "impression"))
    user, item = shown["_user"].to_numpy(), shown["_item"].to_numpy()
    assert abs(z(shown["reward"].to_numpy() - gallery.preference[user, item])) < 3.5
    visits = shown.group_by("_user").agg(pl.col("slate_id").n_unique()).sort("_user")
    users, times = visits["_user"].to_numpy(), visits["slate_id"].to_numpy()
    expected = (gallery.propensity[users] * times[:, None]).sum(axis=0)
    spread = (gallery.propensity[users] * (1 - gallery.propensity[users]) * times[:, None]).sum(axis=0)
    scores = (np.bincount(item, minlength=60) - expected) / np.sqrt(spread)
    assert np.abs(scores).max() < 4.5
    assert gallery.group_gap.difference > 0.002


def test_taste_goes_by_all_that_is_told_shown_and_measured(gallery: World):
    """Without one of the parts, items that differ in it alone are liked alike."""
    attributes = gallery.items.select("theme", "shape", "colour", "tier")
    logit = np.log(gallery.preference / (1 - gallery.preference)).astype(np.float64)

    def explained(columns: list[str]) -> float:
        design = attributes.select(columns).to_dummies().to_numpy().astype(float)
        design = np.column_stack([design, np.ones(len(design))])
        rest = logit.T - design @ np.linalg.lstsq(design, logit.T, rcond=None)[0]
        return float(1 - rest.var() / (logit - logit.mean(axis=1, keepdims=True)).var())

    whole = explained(["theme", "shape", "colour", "tier"])
    assert whole > 0.9  # the rest is quality
    assert whole - explained(["shape", "colour", "tier"]) > 0.1
    assert whole - explained(["theme", "tier"]) > 0.1
    assert whole - explained(["theme", "shape", "colour"]) > 0.05


def test_items_say_what_they_are_and_some_say_nothing(gallery: World):
    data = gallery.dataset()
    assert (data.text, data.images, data.numeric) == (("title",), ("picture",), ("height",))
    for row in data.items.filter(pl.col("title").is_not_null()).to_dicts():
        words = row["title"].lower().split(",")[0].split(" and ")
        assert set(words) <= set(THEMES[row["theme"]])
    lacking = Gallery(n_users=2, n_items=400, untitled=0.2, unpictured=0.3, unmeasured=0.1).generate().items
    shares = lacking.select("title", "picture", "height").null_count().row(0)
    assert np.allclose(np.array(shares) / 400, [0.2, 0.3, 0.1], atol=0.06)
    assert lacking.filter(pl.col("title").is_null(), pl.col("picture").is_null()).height > 0


def test_pictures_show_shape_and_colour():
    """The middle of a picture has the colour that is nearest to the planted one; a ring has none there."""
    shape, colour = np.repeat(np.arange(5), 6), np.tile(np.arange(6), 5)
    pixels = draw(shape, colour, seed=1)
    items = pl.DataFrame({"item_id": np.arange(30), "picture": [png(one) for one in pixels]})
    read = read_images(items, ["picture"], 24)
    assert (read.pixels == pixels).all()
    inks = np.array(list(COLOURS.values()))
    for number, picture in enumerate(pixels.astype(float)):
        ground = np.median(picture[[0, 0, -1, -1], [0, -1, 0, -1]], axis=0)
        inked = np.abs(picture - ground).sum(axis=-1) > 150
        assert np.abs(inks - picture[inked].mean(axis=0)).sum(axis=1).argmin() == colour[number]
        assert 0.04 < inked.mean() < 0.5
    areas = np.array([(np.abs(one.astype(float) - one[0, 0]).sum(axis=-1) > 150).mean() for one in pixels])
    by_shape = dict(zip(SHAPES, areas.reshape(5, 6).mean(axis=1), strict=True))
    assert by_shape["square"] > by_shape["triangle"]
    assert by_shape["circle"] > by_shape["ring"]


def test_png_is_read_by_others():
    from PIL import Image

    pixels = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    assert (np.asarray(Image.open(io.BytesIO(png(pixels)))) == pixels).all()


def test_settings_that_make_no_gallery():
    with pytest.raises(ConfigError, match="slate of 20"):
        worlds.build("gallery", {"n_items": 10, "slate_length": 20})
    with pytest.raises(ConfigError, match="25,000,000"):
        worlds.build("gallery", {"n_users": 100_000, "n_items": 1000})
