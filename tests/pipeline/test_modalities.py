"""A run on texts, images, numbers and vectors made elsewhere, some of them broken or not there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from equipoise.component import Runtime
from equipoise.config import read_config
from equipoise.errors import ConfigError, DataError
from equipoise.pipeline.run import run
from equipoise.worlds import Gallery

CONFIG = """
[data]
events = "clicks.csv"
items = "items.csv"
text = ["title"]
images = ["photo"]
numeric = ["height"]

[split]
strategy = "cold_items"
test = 0.2

[encoder]
name = "concat"
missing = "ridge"
modalities = [
  { name = "tfidf", width = 16 },
  { name = "image" },
  { name = "numeric" },
  { name = "vectors:audio.parquet", missing = "absent" },
]

[model]
name = "warm"
model = { name = "ease" }

[audit]
n_bootstrap = 100
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    world = Gallery(n_users=60, n_items=50, days=10).generate()
    places = []
    for item, picture in world.items.select("item_id", "picture").iter_rows():
        places.append(None if picture is None else f"{item}.png")
        if picture is not None:
            (tmp_path / f"{item}.png").write_bytes(picture[:100] if item == 2 else picture)
    items = world.items.select("item_id", "title", "height").with_columns(photo=pl.Series(places))
    items.write_csv(tmp_path / "items.csv")
    clicks = world.log.filter(pl.col("event") == "click")
    clicks.select("user_id", "item_id", "timestamp").write_csv(tmp_path / "clicks.csv")
    audio = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    pl.DataFrame({"item_id": items["item_id"][:30], "vector": audio}).write_parquet(
        tmp_path / "audio.parquet"
    )
    (tmp_path / "shop.toml").write_text(CONFIG)
    return tmp_path


def test_a_run_on_many_modalities_tells_what_is_missing(shop: Path):
    done = run(shop / "shop.toml", out=shop / "run", runtime=Runtime(threads=1, progress=False))
    account = {told["modality"]: told for told in done.manifest["stages"]["encode"]["modalities"]}
    assert account["image"]["broken"] == 1
    assert account["image"]["examples"] == ["item 2 (row 2): cut off or damaged"]
    assert account["vectors"]["with"] == 30
    page = done.report.read_text("utf-8")
    assert "1 images cannot be read and count as missing, such as item 2 (row 2): cut off or damaged." in page
    assert "vectors: 20 of 50 items have none. In its place stands: ridge regression" in page
    cold = done.recommendations.filter("cold")
    assert cold.height > 0
    assert cold["score"].is_finite().all()
    assert cold["score"].n_unique() > 0.9 * cold.height
    again = run(shop / "run" / "config.toml", out=shop / "again", runtime=Runtime(threads=1, progress=False))
    assert again.recommendations.equals(done.recommendations)


def test_what_cannot_be_read_at_all_is_refused_in_words(shop: Path):
    def refused(*settings: str) -> str:
        with pytest.raises((ConfigError, DataError)) as caught:
            run(shop / "shop.toml", out=shop / f"run-{hash(settings)}", overrides=settings)
        return str(caught.value)

    assert "has no images to read" in refused("data.images=[]")
    assert "[data] numeric" in refused("data.numeric=[]")
    for photo in shop.glob("*.png"):
        photo.write_bytes(b"no image")
    said = refused()
    assert "None of the" in said
    assert "no image of a known kind" in said


def test_new_roles_do_not_change_what_older_configurations_are(shop: Path):
    """Runs that were begun without them can be resumed."""
    plain = read_config({"data": {"events": "a.csv"}})
    content = json.loads(json.dumps(plain.model_dump(mode="json")))
    assert content["data"].pop("images") is None
    assert content["data"].pop("numeric") is None
    with_images = read_config({"data": {"events": "a.csv", "images": ["photo"]}})
    assert plain.digest() != with_images.digest()
