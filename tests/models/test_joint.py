"""A recommender trained with its towers: the suite, and pictures whose colour is what people like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

pytest.importorskip("torch")

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.errors import ModelError
from equipoise.models.joint import FittedJoint, Joint
from equipoise.testing import RecommenderConformance
from equipoise.worlds.drawings import draw, png

QUIET = Runtime(threads=1, progress=False)
SMALL = Joint(width=4, epochs=15, warmup=5, batch_events=64, learning_rate=2e-2, channels=4, size=12)


class TestJoint(RecommenderConformance):
    recommender = Joint(width=6, epochs=25, warmup=5, batch_events=32, learning_rate=2e-2, id_dropout=0.3)
    folds_in = False  # a user trained on has factors of their own
    tolerance = 1e-3
    # Rows are met in the order of the histories, so batches differ where rows are missing.
    test_weight_zero_is_absence = None


def shop(*, shuffled: bool = False) -> tuple[Dataset, np.ndarray]:
    """Even users take red prints and odd ones blue; the last 20 of 60 prints are new, and the last has no picture."""
    rng = np.random.default_rng(0)
    colour = np.arange(60) % 2
    pictures = [png(one) for one in draw(rng.integers(0, 5, 60), 2 * colour, seed=0)]
    if shuffled:
        pictures = [pictures[place] for place in rng.permutation(60)]
    items = pl.DataFrame(
        {"item_id": np.arange(60), "picture": pl.Series([*pictures[:-1], None], dtype=pl.Binary)}
    )
    liked = [
        (user, item)
        for user in range(60)
        for item in rng.choice(np.arange(user % 2, 40, 2), 6, replace=False)
    ]
    events = pl.DataFrame(liked, schema=["user_id", "item_id"], orient="row")
    return Dataset(events, items=items, images=("picture",)), colour


def auc(model: FittedJoint, colour: np.ndarray) -> float:
    """Share of pairs of new pictures that an average user orders by colour."""
    users = np.arange(60)
    scores = model.score(users, model.histories)[:, 40:59]
    mine = colour[40:59] == (users % 2)[:, None]
    return float(np.mean([
        (row[own][:, None] > row[~own][None]).mean() for row, own in zip(scores, mine, strict=True)
    ]))  # fmt: skip


def test_pictures_of_new_items_are_ranked_by_what_people_like_of_others():
    data, colour = shop()
    model = SMALL.fit(data, runtime=QUIET)
    assert isinstance(model, FittedJoint)
    assert auc(model, colour) > 0.9
    few = SMALL.model_copy(update={"images_per_step": 16}).fit(data, runtime=QUIET)
    assert isinstance(few, FittedJoint)
    assert auc(few, colour) > 0.9
    false = SMALL.fit(shop(shuffled=True)[0], runtime=QUIET)
    assert isinstance(false, FittedJoint)
    assert abs(auc(false, colour) - 0.5) < 0.25
    assert model.judged.tolist() == [True] * 59 + [False]
    scores = model.score(np.arange(60), model.histories)
    assert (scores[:, 59] == scores[:, :59].min(axis=1)).all()  # of it nothing is known


def test_what_is_missing_is_borne_and_told():
    data, _ = shop()
    assert data.items is not None
    broken = data.items.with_columns(
        picture=pl.when(pl.col("item_id") % 3 > 0).then("picture").otherwise(pl.lit(b"no image"))
    )
    one_epoch = SMALL.model_copy(update={"epochs": 1})
    model = one_epoch.fit(replace(data, items=broken), runtime=QUIET)
    pictures, together = model.account
    assert (pictures["with"], pictures["broken"]) == (39, 20)
    assert pictures["examples"][0] == "item 0 (row 1): no image of a known kind"
    assert (together["modality"], together["with"]) == ("joint", 39)
    assert np.isfinite(model.score(np.arange(60), model.histories)).all()
    with pytest.raises(ModelError, match="reads images, numbers or vectors of items, and there are none"):
        one_epoch.fit(replace(data, images=()), runtime=QUIET)
