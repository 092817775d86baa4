"""Items that nobody took yet, in a world where texts carry taste beside much that is of no matter."""

import logging
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import Ridge

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.errors import ConfigError, ModelError
from equipoise.language import Vectors, encode_items
from equipoise.metrics import ndcg, per_user
from equipoise.models.content import Content
from equipoise.models.ials import IALS
from equipoise.models.popular import Popular
from equipoise.models.recommender import Saved
from equipoise.models.text_prior import Centred, TextPrior
from equipoise.models.warm import Warm

QUIET = Runtime(threads=1, progress=False)
KINDS = ("jazz", "folk", "metal", "opera")
COLOURS = tuple(
    f"{first}{second}" for first in ("amber", "coral", "ivory", "olive") for second in ("", "ish", "ette")
)


@pytest.fixture(scope="module")
def market():
    """300 people like one kind each; a text tells the kind, and three colours that nobody cares for.

    Every fifth item is new: it is taken in `later` alone.
    """
    rng = np.random.default_rng(3)
    users, items = 300, 120
    kind, appeal = rng.integers(4, size=items), rng.normal(0, 0.7, items)
    texts = [
        f"{KINDS[kind[item]]} {' '.join(rng.choice(COLOURS, 3, replace=False))}" for item in range(items)
    ]
    rows = []
    for user in range(users):
        pull = np.exp(appeal + 2.5 * (kind == user % 4))
        rows += [(user, int(item)) for item in rng.choice(items, 12, replace=False, p=pull / pull.sum())]
    events = pl.DataFrame(rows, schema=["user_id", "item_id"], orient="row")
    table = pl.DataFrame({"item_id": range(items), "title": texts})
    new = pl.col("item_id") % 5 == 0
    train = Dataset(events.filter(~new), None, table, text=("title",))
    later = events.filter(new)
    return train, later, encode_items(table, ("title",), "tfidf")


def quality(model, later):
    """NDCG@5 per person among the new items."""
    new = list(range(0, 120, 5))
    lists = model.recommend(later["user_id"].unique().sort(), 5, candidates=new, runtime=QUIET)
    return per_user(lists, later, {"ndcg": ndcg(5)})["ndcg"].to_numpy()


@pytest.mark.parametrize("base", [{"name": "ease", "reg": 20.0}, {"name": "ials", "factors": 8}])
def test_new_items_are_ranked_above_popularity_and_content(market, base):
    train, later, vectors = market
    warm = Warm(model=base).fit(train, vectors=vectors, runtime=QUIET)
    own = quality(warm, later)
    appeal = Warm(model={"name": "popular"}).fit(train, vectors=vectors)  # texts may tell what all like
    for other in (Popular().fit(train), Content().fit(train, vectors=vectors), appeal):
        gain = own - quality(other, later)
        assert gain.mean() > 3 * gain.std() / len(gain) ** 0.5, type(other)
    assert warm.prior.explained > 0.2


def test_scores_predicted_are_those_of_regressed_factors(market):
    """The regression of scores on texts is the regression of the model's item factors on them."""
    train, _, vectors = market
    model = IALS(factors=8).fit(train, runtime=QUIET)
    weights = model.catalogue.item_counts
    past = model.histories.take(np.arange(20))
    scores = model.user_vectors(np.arange(20), past) @ model.items.T
    prior = TextPrior.of(Centred.of(vectors.matrix, weights), scores)
    direction = prior.texts.directions.astype(float)
    used = weights > 0
    unit = (
        np.linalg.eigvalsh((direction[used] * prior.texts.weights[used, None]).T @ direction[used])
        .clip(0)
        .mean()
    )
    ridge = Ridge(alpha=prior.penalty * unit).fit(
        direction[used], model.items[used], sample_weight=prior.texts.weights[used]
    )
    expected = model.user_vectors(np.arange(20), past) @ ridge.predict(direction).T
    assert prior.predicted(scores) == pytest.approx(expected, abs=2e-4)


def test_leaving_an_item_out_needs_no_second_fit():
    """The closed form of the error is that of regressions without each item in turn."""
    rng = np.random.default_rng(0)
    texts = rng.normal(size=(12, 3)).astype(np.float32)
    weights = rng.uniform(0.5, 2.0, 12)
    scores = (texts @ rng.normal(size=(3, 5)) + rng.normal(size=(12, 5))).T.astype(np.float32)
    centred = Centred.of(texts, weights)
    prior = TextPrior.of(centred, scores, penalties=(0.3,))
    share, direction = centred.weights, centred.directions.astype(float)
    unit = np.linalg.eigvalsh((direction * share[:, None]).T @ direction).mean()
    scaled = scores - (scores @ share)[:, None]
    scaled = scaled / np.sqrt(scaled**2 @ share)[:, None]
    errors, nothing = [], []
    for item in range(12):
        rest = np.arange(12) != item
        # the mean of the texts stays that of all items, the penalty is on what is centred there
        design = np.column_stack([np.ones(11), direction[rest]])
        left = (design * share[rest, None]).T @ design + np.diag([0, *[0.3 * unit] * 3])
        found = np.linalg.solve(left, (design * share[rest, None]).T @ scaled[:, rest].T)
        errors.append(scaled[:, item] - np.r_[1, direction[item]] @ found)
        nothing.append(scaled[:, item] - (scaled[:, rest] @ share[rest]) / share[rest].sum())
    loss = (np.square(errors) * share[:, None]).sum(axis=0).mean()
    base = (np.square(nothing) * share[:, None]).sum(axis=0).mean()
    assert prior.explained == pytest.approx(1 - loss / base, rel=1e-4)


def test_texts_that_say_nothing_predict_nothing():
    rng = np.random.default_rng(1)
    texts = rng.normal(size=(80, 20)).astype(np.float32)
    prior = TextPrior.of(Centred.of(texts, np.ones(80)), rng.normal(size=(50, 80)).astype(np.float32))
    assert abs(prior.explained) < 0.05
    assert prior.penalty >= 100


def test_few_events_leave_an_item_to_its_text(market):
    train, _, vectors = market
    warm = Warm(model={"name": "ease", "reg": 20.0}, half=4.0).fit(train, vectors=vectors, runtime=QUIET)
    counts = warm.catalogue.item_counts
    assert warm.own == pytest.approx(counts / (counts + 4.0))
    users = np.arange(5)
    own = warm.member.score(users, warm.histories.take(users))
    mixed, predicted = warm.score(users, warm.histories.take(users)), warm.prior.predicted(own)
    item = int(np.argmin(np.where(counts > 0, counts, 999)))
    weight = counts[item] / (counts[item] + 4)
    assert mixed[:, item] == pytest.approx(
        weight * own[:, item] + (1 - weight) * predicted[:, item], rel=1e-4
    )
    assert mixed[:, 0] == pytest.approx(predicted[:, 0], rel=1e-4)


def test_how_far_texts_count_is_learned(market):
    """Where records are noise and texts tell taste, texts are trusted longer than where texts are noise."""
    train, _, vectors = market
    order = train.events.with_columns(pl.int_range(pl.len()).over("user_id").alias("order"))
    early = train.with_events(order.filter(pl.col("order") < 3))
    held_out = train.with_events(order.filter(pl.col("order") >= 3))
    rng = np.random.default_rng(0)
    noise = Vectors(vectors.ids, rng.normal(size=vectors.matrix.shape).astype(np.float32))
    model = Warm(model={"name": "ease", "reg": 20.0})
    telling = model.fit(early, valid=held_out, vectors=vectors, runtime=QUIET)
    silent = model.fit(early, valid=held_out, vectors=noise, runtime=QUIET)
    assert telling.half > 1 >= silent.half


def test_without_held_out_events_it_says_so(market, caplog):
    train, later, vectors = market
    with caplog.at_level(logging.WARNING):
        warm = Warm(model={"name": "popular"}).fit(train, valid=train.with_events(later), vectors=vectors)
    assert "too few held-out events" in caplog.text
    assert warm.half == 2.0


def test_an_item_without_a_text_keeps_its_record(market):
    train, _, vectors = market
    some = Vectors(vectors.ids.slice(2), vectors.matrix[2:])
    warm = Warm(model={"name": "ease", "reg": 20.0}, half=5.0).fit(train, vectors=some, runtime=QUIET)
    users = np.arange(5)
    own, mixed = (model.score(users, warm.histories.take(users)) for model in (warm.member, warm))
    assert mixed[:, 1] == pytest.approx(own[:, 1])
    assert (mixed[:, 0] == mixed.min(axis=1)).all(), "neither a record nor a text"


@pytest.mark.parametrize("recommender", [Warm(model={"name": "ease", "reg": 20.0}, half=5.0), Content()])
def test_a_new_text_of_one_item_moves_no_other(market, recommender):
    """What was learned of all texts together is kept: opened again with another text of one item, all other scores are
    as they were, also for somebody of whom nothing is known."""
    train, _, vectors = market
    model = recommender.fit(train, vectors=vectors, runtime=QUIET)
    matrix = model.texts.matrix.copy()
    matrix[1] = matrix[2] * 3
    fields = {name: getattr(model, name) for name in ("config", "catalogue", "guests", "histories")}
    other = Vectors(model.catalogue.items, matrix)
    saved = Saved(**fields, calibration=None, arrays=model.arrays(), vectors=other, parts=model.parts)
    users = np.array([0, 1, 2, 3, -1])
    past = model.histories.take(users)
    strange = ~past.marked(120)[:, 1]  # whose past does not hold the item
    before, after = (one.score(users, past)[strange] for one in (model, type(model).restore(saved)))
    rest = np.arange(120) != 1
    assert strange[-1]
    assert np.array_equal(before[:, rest], after[:, rest])
    assert not np.array_equal(before[:, 1], after[:, 1])


def test_what_cannot_be_warmed_is_refused(market):
    train, _, vectors = market
    with pytest.raises(ConfigError, match="has no name"):
        Warm(model={"reg": 3})
    with pytest.raises(ConfigError, match="eas"):
        Warm(model={"name": "eas"})
    with pytest.raises(ModelError, match="reads item vectors"):
        Warm(model={"name": "ease"}).fit(train)
    with pytest.raises(ModelError, match="No item that was taken has a vector"):
        Warm(model={"name": "ease"}).fit(train, vectors=replace(vectors, ids=vectors.ids + 1000))
