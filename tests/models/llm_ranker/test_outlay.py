"""For how many lists a language model is asked, and what is said of it."""

import itertools
import logging

import numpy as np
import polars as pl
import pytest

from equipoise.component import Runtime
from equipoise.language import encode_items
from equipoise.language.generators import Writer
from equipoise.models.blend import Blend
from equipoise.models.llm_ranker import FittedLLMRanker
from equipoise.models.llm_ranker.outlay import drawn
from equipoise.models.warm import Warm
from tests.models.llm_ranker import fake
from tests.models.llm_ranker.conftest import NAMES, QUIET, TAKEN, world


def listed(fitted, users):
    return dict(
        fitted.recommend(users, 8, runtime=QUIET)
        .group_by("user_id", maintain_order=True)
        .agg("item_id")
        .rows()
    )


def test_no_more_lists_than_allowed_are_asked_for_and_that_is_said(make, caplog):
    fitted, users = make(reach=None, lists=2), list(TAKEN)
    whole, base, limited = (listed(one, users) for one in (make(reach=None), fitted.base, fitted))
    differ = [user for user in users if whole[user] != base[user]]
    assert len(differ) >= 4
    asked = [user for user in users if limited[user] != base[user]]
    assert len(asked) <= 2
    assert all(limited[user] == whole[user] for user in asked)
    told = fitted.diagnostics
    assert (told["lists"], told["left_out"]) == (2, 4)
    assert "asked for 2 of 6 lists; the others keep the base's order" in caplog.text
    caplog.clear()
    assert all(
        listed(fitted, [user]) == {user: whole[user]} for user in users
    )  # who is asked about, is asked for
    assert fitted.diagnostics["left_out"] == 4
    assert not caplog.text


def test_the_same_users_come_first_in_every_call():
    rows = np.arange(50)
    few, many = (drawn(rows, 50, most, QUIET) for most in (5, 20))
    assert (few.sum(), many.sum()) == (5, 20)
    assert many[few].all()
    part = np.flatnonzero(np.arange(50) % 2)
    assert drawn(rows[part], 50, 5, QUIET)[few[part]].all()
    assert drawn(rows, 50, None, QUIET).all()
    assert (drawn(rows, 50, 5, Runtime(seed=1)) != few).any()
    strangers = drawn(np.array([-1, 3, -1, 4]), 50, 2, QUIET)
    assert strangers.tolist() == [False, True, False, True]


def test_blocks_of_any_size_ask_for_the_same(make):
    fitted = make(reach=None, lists=3)
    rows = np.arange(6)
    found = [
        np.concatenate(
            [scores for _, _, scores in fitted.blocks(rows, Runtime(progress=False, batch_size=size))]
        )
        for size in (2, 6)
    ]
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(("seconds", "said"), [(100.0, True), (0.1, False)])
def test_what_takes_long_is_told_after_the_first_lists(make, caplog, monkeypatch, seconds, said):
    clock = itertools.count(0.0, seconds)
    monkeypatch.setattr("equipoise.models.llm_ranker.outlay.time.monotonic", lambda: next(clock) * 3)
    monkeypatch.setattr(fake.WordWriter, "spent", lambda self: {"cost": 0.25 * len(self.asked)})
    fitted = make(shifts=1, calibrated=False)
    fitted.recommend([*TAKEN, "new"], 3, runtime=QUIET)
    expected = "takes 100.0 s a list: about 5 minutes for the 3 that are left, and 0.75 in the currency"
    assert (expected in caplog.text) == said
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * said


def test_the_counts_of_lists_add_up(make):
    """Ann has nothing left that has a name but one; new has no past; the others are judged."""
    names = [NAMES[0], NAMES[1], "", "", NAMES[4], "", "", ""]
    fitted = make(world(names), lists=6)
    fitted.recommend([*TAKEN, "new"], 3, runtime=QUIET)
    told = fitted.diagnostics
    assert told["lists"] + told["left_out"] == 7
    assert told["judged"] + told["no_history"] + told["too_few"] + told["kept_base"] == told["lists"]
    assert told["too_few"] > 0
    assert told["unjudged"] <= 8 * told["judged"]


@pytest.mark.parametrize(
    "around",
    [
        lambda ranker: Blend(models=({"name": "popular"}, ranker)),
        lambda ranker: Warm(model=ranker, half=1.0),
    ],
)
def test_no_more_lists_are_asked_for_where_it_is_a_part_of_another_model(make, around, caplog, tmp_path):
    """When it is fitted, calibrated and asked for lists: six users, but two of them in each call."""
    data, config = world(), make(reach=None, lists=2).config
    valid = data.with_events(
        data.events.filter(pl.col("user_id") != "ann").with_columns(item_id=pl.lit("i7"))
    )
    vectors = encode_items(data.items, ("title",), "tfidf")
    described = config.describe()
    model = around(described).fit(data, valid=valid, vectors=vectors, runtime=QUIET)
    (ranker,) = [part for part in model.parts.values() if isinstance(part, FittedLLMRanker)]
    assert ranker.desk.tally.lists == 2, "to learn weights, or what texts say"
    listed(model, [*TAKEN])
    assert (ranker.desk.tally.lists, ranker.desk.tally.left_out) == (4, 4)
    assert "asked for 2 of 6 lists" in caplog.text
    later = model.observe(valid.events.with_columns(user_id=pl.lit("guest")))
    listed(later, ["guest", *TAKEN])
    assert ranker.desk.tally.lists == 6
    assert ranker.desk.call is None


class Rounding(fake.AnswerWriter):
    """Rates what is read beside other prompts a little lower, as padding does."""

    together = True

    def attempts(self, prompts):
        answers = Writer.attempts(self, prompts)
        return answers if len(prompts) == 1 else [answer.replace("100", "99") for answer in answers]


def test_a_rating_does_not_depend_on_what_is_rated_beside_it(make, monkeypatch):
    monkeypatch.setattr(fake.Answers, "open", lambda self, runtime=None: Rounding(self))
    fitted = make(settings={"manner": "good"}, isolated=True, calibrated=False)
    case = fitted.case(fitted.histories.take([0]), np.array([0, 1, 5]))
    np.testing.assert_allclose(fitted.leanings(case), [1.0, 1.0, -1.0])
