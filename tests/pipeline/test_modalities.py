"""A run on texts, images, numbers and vectors made elsewhere, some of them broken or not there."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import tomli_w
from PIL import Image

from equipoise.component import Runtime
from equipoise.config import read_config
from equipoise.errors import ConfigError, DataError
from equipoise.pipeline.encode import shortfalls
from equipoise.pipeline.explain import explain
from equipoise.pipeline.finished import FinishedRun
from equipoise.pipeline.recommend import Asked, recommend
from equipoise.pipeline.run import run
from equipoise.report.languages import Words
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


@pytest.mark.parametrize(
    "filled",
    [
        "mean of the items that have it",
        "ridge regression on the other modalities",
        "what a generator makes of the other modalities",
        "nothing; its vector is that of the other modalities",
        "what the model learned of items that lack it",
    ],
)
def test_shortfalls_are_told_in_chinese_too(filled: str):
    image = {"modality": "image", "items": 9, "with": 6, "broken": 2, "examples": ["item 4 (row 4): empty"]}
    together = {"modality": "concat", "items": 9, "with": 8, "filled": filled}
    told = " ".join(Words("zh").phrase(line) for line in shortfalls([image, together]))
    assert "image：2 张图片无法读取，按缺失处理，例如 item 4 (row 4): empty。" in told
    assert "image：9 个物品中有 3 个没有。" in told
    assert not set(told.split()) & {"stands:", "none.", "known", "cannot"}


def test_new_roles_do_not_change_what_older_configurations_are(shop: Path):
    """Runs that were begun without them can be resumed."""
    plain = read_config({"data": {"events": "a.csv"}})
    content = json.loads(json.dumps(plain.model_dump(mode="json")))
    assert content["data"].pop("images") is None
    assert content["data"].pop("numeric") is None
    with_images = read_config({"data": {"events": "a.csv", "images": ["photo"]}})
    assert plain.digest() != with_images.digest()


def broken() -> dict[int, bytes]:
    """Pictures of six items as strangers send them; the first three cannot be read."""

    def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
        file = io.BytesIO()
        picture.save(file, kind, **options)
        return file.getvalue()

    red = Image.new("RGB", (9, 9), "red")
    huge = bytearray(encoded(red, "PNG"))
    huge[16:33] = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0) + bytes(4)
    huge[29:33] = struct.pack(">I", zlib.crc32(huge[12:29]))
    return {
        1: b"<html>not found</html>",
        2: b"",
        3: bytes(huge),
        4: encoded(red.convert("CMYK"), "JPEG"),
        5: encoded(Image.fromarray(np.full((9, 9), 40_000, dtype=np.uint16)), "PNG"),
        6: encoded(red, "GIF", save_all=True, append_images=[Image.new("RGB", (9, 9), "blue")]),
    }


MEMBERS = [{"name": "tfidf", "width": 8}, {"name": "image"}, {"name": "numeric"}]
JOINT = {"name": "joint", "epochs": 2, "width": 4, "channels": 4, "size": 16}
WAYS = {
    "concat": ({"name": "concat", "modalities": MEMBERS}, JOINT),
    "align": ({"name": "align", "modalities": MEMBERS, "width": 8, "epochs": 5}, {"name": "content"}),
    "gan": (
        {"name": "gan", "modalities": MEMBERS, "epochs": 3, "draws": 2},
        {"name": "warm", "model": {"name": "ease"}},
    ),
}


@pytest.mark.parametrize("way", ["concat", "align", "gan"])
def test_the_whole_way_with_pictures_as_bytes(tmp_path: Path, way: str):
    """A run, its page, a list for somebody new, and reasons; broken pictures are counted wherever they are read."""
    pytest.importorskip("torch")
    world = Gallery(n_users=50, n_items=40, days=10).generate()
    sent = pl.DataFrame({"item_id": list(broken()), "sent": list(broken().values())})
    items = world.items.join(sent, on="item_id", how="left", maintain_order="left").select(
        "item_id", "title", "height", photo=pl.coalesce("sent", "picture")
    )
    items.write_parquet(tmp_path / "items.parquet")
    clicks = world.log.filter(pl.col("event") == "click").select("user_id", "item_id", "timestamp")
    clicks.write_parquet(tmp_path / "clicks.parquet")
    encoding, model = WAYS[way]
    (tmp_path / "shop.toml").write_text(
        tomli_w.dumps({
            "data": {
                "events": "clicks.parquet",
                "items": "items.parquet",
                "text": ["title"],
                "images": ["photo"],
                "numeric": ["height"],
            },
            "split": {"strategy": "cold_items", "test": 0.2},
            "encoder": encoding,
            "model": model,
            "audit": {"n_bootstrap": 100},
        })
    )  # fmt: skip
    done = run(tmp_path / "shop.toml", out=tmp_path / "run", runtime=Runtime(threads=1, progress=False))
    accounts = [told for stage in done.manifest["stages"].values() for told in stage.get("modalities", ())]
    counted = [told for told in accounts if told["modality"] == "image"]
    assert len(counted) == (2 if model is JOINT else 1)
    for told in counted:
        assert told["reasons"] == {"no image of a known kind": 1, "empty": 1, "over 25 million pixels": 1}
        assert told["with"] == items["photo"].is_not_null().sum() - 3
    said = "image: 3 images cannot be read and count as missing, such as item 1 (row 1): no image of a known kind"
    assert done.report.read_text("utf-8").count(said) == 1
    assert done.recommendations["score"].is_finite().all()
    finished = FinishedRun.open(done.path)
    answer = recommend(finished, Asked(history=("7", "8")), k=5)
    assert len(answer.items) == 5
    listed = done.recommendations.filter(pl.col("rank") == 1).row(0, named=True)
    reasons = explain(finished, listed["user_id"], listed["item_id"], counterfactual=False)
    assert np.isfinite(reasons.score)
