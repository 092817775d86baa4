"""Answers are taken as they were asked for, or not at all."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.endpoint import Endpoint, EndpointError
from equipoise.language.generators.remote import RemoteGenerator, RemoteWriter
from equipoise.models.llm_ranker.answers import MalformedError, ranking, rating
from tests.endpoint.local_server import serving
from tests.models.llm_ranker import fake
from tests.models.llm_ranker.conftest import NAMES, QUIET, TAKEN, world


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no JSON object"),
        ("[2, 1, 3]", "one key ranking"),
        ('```json\n{"ranking": [1, 2, 3]}\n```', "no JSON object"),
        ('{"ranking": [1, 2, 3]} I hope this helps', "no JSON object"),
        ('{"ranking": [1, 2, 3], "why": "ignore all"}', "one key ranking"),
        ('{"ranking": [1, 2, 3], "ranking": [3, 2, 1]}', "one key ranking"),
        ('{"order": [1, 2, 3]}', "one key ranking"),
        ('{"ranking": {"1": 2}}', "no list of ids"),
        ('{"ranking": ["1", 2, 3]}', "no list of ids"),
        ('{"ranking": [true, 2, 3]}', "no list of ids"),
        ('{"ranking": [1.0, 2, 3]}', "no list of ids"),
        ('{"ranking": [1, 2, 4]}', "1 of the ids are of no candidate"),
        ('{"ranking": [0, -2, 3]}', "2 of the ids"),
        ('{"ranking": [1, 2, 2, 3]}', "more than once"),
        ('{"ranking": [3, 1]}', "1 of the candidates are missing"),
        ('{"ranking": []}', "3 of the candidates"),
        ('{"ranking": [' + "9" * 5000 + "]}", "no JSON object"),
        ("[" * 100_000, "no JSON object"),
    ],
)
def test_anything_else_is_malformed(text, fault):
    with pytest.raises(MalformedError, match=fault):
        ranking(text, 3)


def test_the_form_asked_for():
    assert ranking(' {"ranking": [2, 3, 1]}\n', 3) == [2, 3, 1]
    assert rating('{"rating": 100}') == 100


@pytest.mark.parametrize("value", ["101", "-1", "50.5", '"50"', "true", "null", "NaN"])
def test_ratings_are_whole_numbers_in_range(value):
    with pytest.raises(MalformedError, match="whole number"):
        rating(f'{{"rating": {value}}}')


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-2, 7)), st.text(), st.integers(1, 6))
def test_only_orders_of_the_candidates_come_out(ids, text, count):
    for answer in (json.dumps({"ranking": ids}), text, f'{{"ranking": {text}}}'):
        with suppress(MalformedError):
            assert sorted(ranking(answer, count)) == list(range(1, count + 1))


def test_faults_are_told_in_words_of_ours():
    """What a model answered is never repeated in the next instructions."""
    with pytest.raises(MalformedError) as caught:
        ranking('{"SECRET": [1], "ranking": "SECRET"}', 3)
    assert "SECRET" not in str(caught.value)


def order(fitted, user="ann"):
    return fitted.recommend([user], 8, runtime=QUIET)["item_id"].to_list()


def test_good_answers_order_the_list(make):
    plain = make(settings={"manner": "good"}, reach=None, calibrated=False)
    assert set(order(plain)[:2]) == {"i4", "i7"}  # the garden items that Ann has not
    assert set(order(plain, "bob")[:2]) == {"i5", "i6"}  # a guitar, and another drum
    told = plain.diagnostics
    assert (told["lists"], told["judged"], told["kept_base"], told["malformed"]) == (2, 2, 0, 0)
    assert told["questions"] == 2 * 4
    assert told["generator"] == "fake_answers-1"


@pytest.mark.parametrize("manner", ["prose", "invented", "missing", "twice"])
def test_malformed_answers_keep_the_base(make, manner, caplog):
    fitted = make(settings={"manner": manner}, shifts=2, retries=3)
    assert fitted.recommend(["ann"], 8, runtime=QUIET).equals(
        fitted.base.recommend(["ann"], 8, runtime=QUIET)
    )
    told = fitted.diagnostics
    assert (told["judged"], told["kept_base"]) == (0, 1)
    assert told["malformed"] == 2 * 2 * (1 + 3)
    assert told["retried"] == 2 * 2 * 3
    assert "1 of 1 lists" in caplog.text


def test_an_answer_asked_for_again_is_as_good(make):
    late = make(settings={"manner": "late"}, shifts=2)
    assert order(late) == order(make(settings={"manner": "good"}, shifts=2))
    assert late.diagnostics["malformed"] == late.diagnostics["retried"] == 2 * 2
    assert late.diagnostics["kept_base"] == 0


def test_a_server_that_is_away_is_an_error_at_once(make):
    fitted = make(settings={"manner": "away"})
    with pytest.raises(EndpointError, match="away"):
        order(fitted)
    assert fitted.diagnostics["judged"] == 0


def test_answers_without_use_keep_the_base(make, caplog):
    """Of any number of lists: otherwise a text that a server refuses would stop them all."""
    fitted = make(settings={"manner": "unusable"})
    users = list(TAKEN)
    assert fitted.recommend(users, 8, runtime=QUIET).equals(fitted.base.recommend(users, 8, runtime=QUIET))
    assert "6 of 6 lists" in caplog.text
    assert "The answer is empty" in caplog.text
    assert fitted.diagnostics["kept_base"] == 6


def test_a_title_that_a_server_refuses_keeps_only_its_lists_in_the_bases_order(make, monkeypatch):
    """Which is what a seller can bring about, and no more, whoever is asked about first."""
    with serving() as server:
        endpoint = Endpoint(server.address)
        monkeypatch.setattr(
            fake.Answers,
            "open",
            lambda *_: RemoteWriter(RemoteGenerator(model="small", parallel=1), endpoint, QUIET),
        )
        fields = {"settings": {"manner": "good"}, "shifts": 1, "calibrated": False, "retries": 0}
        fitted = make(world([*NAMES[:3], "a word that a filter stops", *NAMES[4:]]), **fields, pool=4)
        for _ in range(2):  # for Ann; then a harmless question
            server.then(400, {"error": {"code": "content_filter"}})
            server.then(200, {"choices": [{"message": {"content": '{"ranking": [4, 3, 2, 1]}'}}]})
        told = [order(fitted, user) == order(fitted.base, user) for user in ("ann", "bob", "cid")]
        bodies = [body["messages"][1]["content"] for body in server.bodies]
    assert told == [True, True, False]
    assert [body == "{}" for body in bodies] == [False, True, False, False]
    assert (fitted.diagnostics["kept_base"], fitted.diagnostics["judged"]) == (2, 1)


def test_isolated_ratings_order_the_list(make):
    fitted = make(settings={"manner": "good"}, isolated=True, reach=None)
    assert set(order(fitted)[:2]) == {"i4", "i7"}
    asked = fitted.desk.writer.asked
    assert all(set(prompt.data) == {"history", "candidate"} for prompt in asked)


def test_an_item_without_a_rating_weighs_nothing_and_others_are_judged(make):
    names = [
        "garden spade",
        "garden seed",
        "guitar string",
        "hush now",
        "garden rake",
        "guitar case",
        "x",
        "y",
    ]
    fitted = make(world(names), settings={"manner": "stubborn"}, isolated=True, reach=None, retries=1)
    base = order(fitted.base)
    told = dict(zip(order(fitted), range(6), strict=True))
    liked, alike = (
        {"i4"},
        ["i2", "i3", "i5", "i6", "i7"],
    )  # a rake after spade and seed; the rest as the base has them
    assert all(told[one] < told["i3"] for one in liked)
    assert [item for item in order(fitted) if item in alike] == [item for item in base if item in alike]
    assert order(fitted)[:2] != base[:2]
    assert fitted.diagnostics["unjudged"] >= 1
    assert fitted.diagnostics["kept_base"] == 0
