"""What is observed after training: merged by time, and users whom training never saw."""

import numpy as np
import polars as pl
import pytest

from equipoise.component import Runtime
from equipoise.models import load_model, save_model
from equipoise.models.blend import Blend
from equipoise.models.ease import EASE
from equipoise.models.ials import IALS
from equipoise.models.popular import Popular
from equipoise.testing import blocks

QUIET = Runtime(seed=1, threads=1, progress=False)
MODELS = [
    Popular(),
    EASE(reg=5.0),
    IALS(factors=4, iterations=4),
    Blend(models=({"name": "ease", "reg": 5.0}, {"name": "popular"})),
]


@pytest.fixture(scope="module")
def world():
    return blocks()


@pytest.fixture(params=MODELS, ids=lambda model: model.name)
def fitted(request, world):
    return request.param.fit(world.train, runtime=QUIET)


@pytest.fixture
def ease(world):
    return EASE(reg=5.0).fit(world.train, runtime=QUIET)


def past(user, *items):
    return pl.DataFrame({"user_id": [user] * len(items), "item_id": list(items)})


@pytest.mark.parametrize("exclude_seen", [True, False])
def test_a_user_training_never_saw_is_answered_from_what_was_observed(fitted, exclude_seen):
    knowing = fitted.observe(past("who?", "i001", "i004"))
    lists = knowing.recommend(["who?", "u001", "nobody"], 9, exclude_seen)
    guest = lists.filter(user_id="who?")
    expected = fitted.recommend_from(["i001", "i004"], 9, exclude_seen)
    assert guest["item_id"].equals(expected["item_id"])
    np.testing.assert_allclose(guest["score"], expected["score"], rtol=1e-5)
    assert guest["cold"].all()
    for user in ("u001", "nobody"):
        mine = lists.filter(user_id=user)
        assert mine.equals(fitted.recommend([user], 9, exclude_seen))


def test_guests_come_one_after_another_and_keep_their_pasts(ease):
    knowing = ease.observe(past("who?", "i001")).observe(past("a guest", "i002"))
    knowing = knowing.observe(pl.concat([past("who?", "i004"), past("u001", "i005"), past("last", "what?")]))
    assert knowing.guests.to_list() == ["who?", "a guest", "last"]
    for user, items in {"who?": ["i001", "i004"], "a guest": ["i002"], "last": []}.items():
        lists, expected = knowing.recommend([user], 9), ease.recommend_from(items, 9)
        assert lists.drop("user_id").equals(expected.drop("user_id"))
    assert not len(ease.guests)


def test_scores_of_guests_are_asked_for_as_of_nobody(ease, monkeypatch):
    asked = []
    score = type(ease).score

    def spy(self, users, histories):
        asked.extend(users)
        return score(self, users, histories)

    monkeypatch.setattr(type(ease), "score", spy)
    ease.observe(past("who?", "i001")).recommend(["who?", "u002"], 3, runtime=QUIET)
    assert asked == [-1, ease.catalogue.users.to_list().index("u002")]


def test_ids_that_cannot_be_of_a_user_are_no_guests(world):
    numbered = world.train.with_events(
        world.train.events.with_columns(pl.col("user_id").str.slice(1).cast(pl.Int64))
    )
    model = EASE(reg=5.0).fit(numbered, runtime=QUIET)
    news = pl.DataFrame({"user_id": ["900", "who?", None], "item_id": ["i001", "i002", "i003"]})
    knowing = model.observe(news)
    assert knowing.guests.to_list() == [900]
    assert "i001" not in knowing.recommend([900], 31)["item_id"]


def test_observed_events_stand_where_their_time_says(ease, world):
    mine = world.train.events.filter(user_id="u001").sort("timestamp")
    item = ease.recommend(["u001"], 1)["item_id"][0]
    row = ease.catalogue.users.to_list().index("u001")
    place = ease.catalogue.items.to_list().index(item)

    def steps(timestamp):
        news = past("u001", item).with_columns(timestamp)
        histories = ease.observe(news).histories
        return histories.items[histories.starts[row] : histories.starts[row + 1]].tolist()

    first, last = mine["timestamp"][0], mine["timestamp"][-1]
    assert steps(pl.lit(first - 1).alias("timestamp"))[0] == place
    assert steps(pl.lit(first).alias("timestamp"))[1] == place
    assert steps(pl.lit(last + 1).alias("timestamp"))[-1] == place


def test_what_was_observed_is_saved(fitted, tmp_path, world):
    time = int(world.train.events["timestamp"].min()) - 1
    news = pl.concat([past("who?", "i001", "i004"), past("u001", "i002")])
    knowing = fitted.observe(news.with_columns(timestamp=time))
    again = load_model(save_model(knowing, tmp_path / "model"))
    assert again.guests.to_list() == ["who?"]
    users = ["who?", "u001", "u002"]
    assert again.recommend(users, 9).equals(knowing.recommend(users, 9))
    later = past("who?", "i007").with_columns(timestamp=time - 1)
    one, two = (model.observe(later).histories for model in (again, knowing))
    np.testing.assert_array_equal(one.items, two.items)
    assert one.items[one.starts[-2]] == knowing.catalogue.items.to_list().index("i007")
