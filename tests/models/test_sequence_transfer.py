"""A sequence model by text alone: the conformance suite, and its way from one catalogue to another."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.data.splits import Split, split
from equipoise.errors import ConfigError, ModelError
from equipoise.language import Vectors, encode_items
from equipoise.metrics import ndcg, per_user
from equipoise.models import Fitted, load_model, models, save_model
from equipoise.models.sequence import FittedSequence, Sequence
from equipoise.statistics import paired_difference
from equipoise.testing import RecommenderConformance
from tests.models.test_sequence import QUIET, SMALL

ALONE = {**SMALL, "text": "alone", "adaptor": 8, "width": 16, "length": 8}
STYLES, WIDTH = 5, 12
SPREAD = np.random.default_rng(9).normal(size=(STYLES, WIDTH))


class TestConformance(RecommenderConformance):
    recommender = Sequence(**{**ALONE, "length": 12, "epochs": 8})
    reads_queries = True
    tolerance = 1e-3
    # A step of weight zero is not learned from, but it is still read as a part of the history.
    test_weight_zero_is_absence = None


def shop(seed: int, items: int, users: int, *, shuffled: bool = False) -> tuple[Dataset, Vectors]:
    """A catalogue whose texts tell the style of each item, and people who go from each style to the one after it.

    Catalogues share no item, and the styles lie elsewhere by a constant, as in texts of another trade; what they share
    is the direction of each style, and that the next one follows. Shuffled, a text is that of some other item.
    """
    rng = np.random.default_rng(seed)
    style = rng.permutation(items) % STYLES
    matrix = SPREAD[style] + rng.normal(0, 0.3, (items, WIDTH)) + rng.normal(0, 1, WIDTH)
    rows = []
    for user in range(users):
        now = int(rng.integers(STYLES))
        for step in range(7):
            taken = int(rng.choice(np.flatnonzero(style == (now + step) % STYLES)))
            rows.append((user, f"{seed}-{taken:03d}", step))
    events = pl.DataFrame(rows, schema=[v.USER, v.ITEM, v.ORDER], orient="row")
    ids = pl.Series(v.ITEM, [f"{seed}-{item:03d}" for item in range(items)])
    told = matrix[rng.permutation(items)] if shuffled else matrix
    return Dataset(events, None, pl.DataFrame({v.ITEM: ids})), Vectors(ids, told.astype(np.float32))


@cache
def source() -> FittedSequence:
    data, vectors = shop(1, 60, 150)
    return Sequence(**ALONE).fit(data, vectors=vectors, runtime=QUIET)


@cache
def target(*, shuffled: bool = False) -> tuple[Dataset, Dataset, Vectors]:
    data, vectors = shop(2, 40, 120, shuffled=shuffled)
    parts = split(data, Split(strategy="leave_last", valid=0.0))
    return parts.train, parts.test, vectors


def values(model: Fitted, test: Dataset) -> np.ndarray:
    lists = model.recommend(test.positives[v.USER].sort(), 10, runtime=QUIET)
    found = pl.DataFrame(per_user(lists, test.positives, {"ndcg": ndcg(10)})).sort(v.USER)
    return found["ndcg"].to_numpy()[:, None]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(source(), tmp_path_factory.mktemp("source") / "model")


def test_taste_that_texts_carry_is_known_in_another_catalogue() -> None:
    train, test, vectors = target()
    own = values(source().transferred(train, vectors), test)
    untrained = Sequence(**{**ALONE, "epochs": 0}).fit(train, vectors=vectors, runtime=QUIET)
    for other in (untrained, models.build("popular").fit(train, runtime=QUIET)):
        gain = paired_difference(own, values(other, test), seed=0)[0].interval
        assert gain.low > 0.1


def test_nothing_is_gained_where_texts_say_nothing() -> None:
    train, test, vectors = target(shuffled=True)
    own = values(source().transferred(train, vectors), test)
    gain = paired_difference(own, values(models.build("popular").fit(train), test), seed=0)[0].interval
    assert gain.low < 0.02
    assert gain.high < 0.1


def test_without_epochs_the_start_is_used_as_it_is(saved: Path) -> None:
    train, test, vectors = target()
    config = Sequence(**{**ALONE, "start": saved, "epochs": 0})
    for model in (config.fit(train, vectors=vectors, runtime=QUIET),
                  config.fit(train, valid=test, vectors=vectors, runtime=QUIET)):  # fmt: skip
        users = model.catalogue.users
        expected = source().transferred(train, vectors).recommend(users, 10, runtime=QUIET)
        assert model.recommend(users, 10, runtime=QUIET).equals(expected)


def test_training_that_begins_elsewhere_needs_little(saved: Path) -> None:
    train, test, vectors = target()
    short = {**ALONE, "epochs": 2, "check_every": 1}
    begun = Sequence(**short, start=saved).fit(train, vectors=vectors, runtime=QUIET)
    fresh = Sequence(**short).fit(train, vectors=vectors, runtime=QUIET)
    assert paired_difference(values(begun, test), values(fresh, test), seed=0)[0].interval.low > 0.1


def test_a_start_that_training_spoils_is_kept(saved: Path) -> None:
    """The start is validated before the first epoch, and that stands first in the log."""
    train, test, vectors = target()
    spoilt = Sequence(**{**ALONE, "start": saved, "learning_rate": 3.0, "epochs": 1, "check_every": 1})
    model = spoilt.fit(train, valid=test, vectors=vectors, runtime=QUIET)
    assert model.log.shape == (2, 3)
    assert np.isnan(model.log[0, 0])
    assert model.log[0, 2] == pytest.approx(
        values(source().transferred(train, vectors), test).mean(), abs=1e-6
    )
    assert model.log[1, 2] < model.log[0, 2]
    np.testing.assert_allclose(values(model, test).mean(), model.log[0, 2], atol=1e-6)


def test_a_transferred_model_is_saved_observes_and_answers(tmp_path: Path) -> None:
    train, test, vectors = target()
    model = source().transferred(train, vectors)
    read = load_model(save_model(model, tmp_path / "model"))
    users = model.catalogue.users
    assert read.recommend(users, 5, runtime=QUIET).equals(model.recommend(users, 5, runtime=QUIET))
    assert model.calibration is None
    assert model.calibrate(test, QUIET).recommend(users[:1], 5)[v.PROBABILITY].is_not_null().all()
    item = test.positives.filter(pl.col(v.USER) == 0)[v.ITEM][0]
    assert item not in model.observe(test.events).recommend([0], 40)[v.ITEM]


def test_an_item_without_a_text_comes_last() -> None:
    train, _, vectors = target()
    silent = train.events[v.ITEM][0]
    matrix = np.where((vectors.ids == silent).to_numpy()[:, None], np.float32(0), vectors.matrix)
    model = source().transferred(train, Vectors(vectors.ids, matrix))
    scores = model.score(np.array([0, 1, -1]), model.histories.take([0, 1, -1]))
    place = model.catalogue.items.to_list().index(silent)
    assert (scores[:, place] == scores.min(axis=1)).all()


def test_other_texts_of_an_item_are_read_as_in_its_catalogue() -> None:
    model, vectors = source(), source().text_vectors
    rows = model.reading(3, vectors.aligned(model.catalogue.items)[0][3:5])
    np.testing.assert_allclose(rows, model.item_vectors()[3:5], rtol=1e-4, atol=1e-6)


def test_what_does_not_fit_is_refused_in_words(saved: Path, tmp_path: Path) -> None:
    train, _, vectors = target()
    wide = Vectors(vectors.ids, np.hstack([vectors.matrix, vectors.matrix]))
    with pytest.raises(ModelError, match=r"12 numbers, and these have 24.*the same encoder"):
        source().transferred(train, wide)
    titles = train.items.with_columns(title=pl.Series(["word"] * 40))
    tfidf = encode_items(titles, ["title"], "tfidf").encoder
    with pytest.raises(ModelError, match=r"another encoder.*minilm"):
        source().transferred(train, Vectors(vectors.ids, vectors.matrix, tfidf))
    with_ids = Sequence(**{**SMALL, "epochs": 1}).fit(train, vectors=vectors, runtime=QUIET)
    with pytest.raises(ModelError, match=r'for each item.*text = "alone"'):
        with_ids.transferred(train, vectors)
    with pytest.raises(ModelError, match=r"width is 16 there and 32 here.*width = 16"):
        Sequence(**{**ALONE, "width": 32, "start": saved}).fit(train, vectors=vectors)
    with pytest.raises(ModelError, match="no saved model"):
        Sequence(**ALONE, start=tmp_path).fit(train, vectors=vectors)
    popular = save_model(models.build("popular").fit(train), tmp_path / "run" / "model" / "baseline")
    with pytest.raises(ModelError, match="model 'popular'"):
        Sequence(**ALONE, start=popular.parents[1]).fit(train, vectors=vectors)
    with pytest.raises(ModelError, match="needs text vectors"):
        Sequence(**ALONE).fit(train)
    with pytest.raises(ModelError, match="needs text vectors"):
        source().transferred(train, Vectors(vectors.ids, vectors.matrix * 0))
    with pytest.raises(ConfigError, match='text = "alone"'):
        models.build("sequence", {"start": str(saved)})
