"""Answers to strangers: where taste is planted, where there is none, and by what they say."""

from dataclasses import replace

import numpy as np
import pytest

from equipoise.component import Runtime
from equipoise.errors import DataError
from equipoise.models.content import Content
from equipoise.models.ease import EASE
from equipoise.models.histories import Histories
from equipoise.models.newcomers.answerer import Answerer
from equipoise.models.newcomers.audience import Audience, Leaning
from equipoise.models.newcomers.shrinkage import NOTHING_LEARNED, learned
from equipoise.models.newcomers.words import Words
from equipoise.models.ranking import top_k
from equipoise.testing import blocks
from tests.models.newcomers.test_shrinkage import crowd

QUIET = Runtime(threads=1, progress=False)


def answerer(train, valid, vectors=None):
    model = EASE(reg=10.0).fit(train)
    audience = Audience.of(train, model.catalogue)
    texts = None if vectors is None else Content().fit(train, vectors=vectors)
    found = learned(model, valid, np.log(audience.share).astype(np.float32), texts, QUIET)
    words = None
    if texts is not None:
        titles = dict(train.items.iter_rows())
        words = Words.of([titles[item] for item in model.catalogue.items])
    return Answerer(model, found, texts, words), audience


def best(scored, k=5):
    return top_k(np.where(scored.seen, -np.inf, scored.scores)[None], k)[0]


@pytest.fixture(scope="module")
def planted():
    world = blocks()
    return world, *answerer(world.train, world.held_out, world.vectors)


def test_a_click_tells_taste_where_it_is_planted(planted):
    """Items of a kind are liked by the same people: after one click the list is of that kind, and said to be."""
    _, answers, audience = planted
    for item in (0, 1, 2):
        past = Histories.of_one([f"i{item:03}"], answers.model.catalogue)
        scored = answers.answer(past, audience)
        listed = best(scored)
        names = answers.model.catalogue.items.gather(listed).to_list()
        kinds = [0 if name == "i-cold" else int(name[1:]) % 3 for name in names]
        assert kinds.count(item) == 5
        assert scored.evidence(listed) > 0.5
        assert scored.seen.sum() == 1


def test_clicks_are_not_enough_where_nobody_differs():
    train, valid = crowd()
    answers, audience = answerer(train, valid)
    for history in ([30], [30, 35], [1, 30, 35, 20]):
        scored = answers.answer(Histories.of_one(history, answers.model.catalogue), audience)
        listed = best(scored)
        assert scored.evidence(listed) < 0.5
        popular = set(np.argsort(-audience.takers)[:12].tolist())
        assert len(popular & set(listed.tolist())) >= 4, "what everybody takes"


def test_a_wish_leads_to_its_kind(planted):
    _, answers, audience = planted
    nothing = Histories.of_one([], answers.model.catalogue)
    scored = answers.answer(nothing, audience, "an amplifier for my guitar")
    names = answers.model.catalogue.items.gather(best(scored)).to_list()
    assert all(int(name[1:]) % 3 == 1 for name in names)
    assert len(scored.nearest) == 3
    assert scored.basis[0] == "wish"
    assert scored.steps == 1
    assert scored.evidence(best(scored)) > 0.5
    assert not scored.seen.any(), "what stands for a wish was not taken"


def test_the_parts_are_the_whole(planted):
    """Without a learned shrinkage the score of a history is the model's, standardised."""
    _, answers, audience = planted
    plain = Answerer(answers.model, NOTHING_LEARNED)
    past = Histories.of_one(["i001", "i005"], plain.model.catalogue)
    scored = plain.answer(past, audience)
    own = plain.model.score(np.array([-1]), past)[0]
    known = plain.model.judged
    assert scored.scores[known] == pytest.approx(
        (own[known] - own[known].mean()) / own[known].std(), abs=1e-5
    )
    assert scored.basis == ("history",)


def test_attributes_are_no_basis_where_they_change_nothing(planted):
    """The model as it is, with a click: popularity has no say, and neither has how it leans."""
    _, answers, audience = planted
    plain = Answerer(answers.model, NOTHING_LEARNED)
    lift = np.linspace(0.5, 2, len(audience.takers))
    leaning = replace(audience, leanings=(Leaning("group", "b", 9, lift, lift * 0, 0.3),))
    past = Histories.of_one(["i001"], plain.model.catalogue)
    assert plain.answer(past, leaning).basis == ("history",)
    assert (plain.answer(past, leaning).scores == plain.answer(past, audience).scores).all()
    nothing = Histories.of_one([], plain.model.catalogue)
    assert plain.answer(nothing, leaning).basis == ("attributes", "popularity")


def test_nobody_gets_popularity(planted):
    _, answers, audience = planted
    scored = answers.answer(Histories.of_one([], answers.model.catalogue), audience)
    assert best(scored).tolist() == np.argsort(-audience.takers, kind="stable")[:5].tolist()
    assert scored.evidence(best(scored)) == 0
    assert scored.basis == ("popularity",)


def test_words_count_literally():
    words = Words.of(["Star Wars: Episode IV", "Star Trek", "Wars of the Roses", ""])
    found = words.likeness("star wars")
    assert found.argmax() == 0
    assert found[3] == 0
    assert not words.likeness("jazz").any()
    assert Words.of(["", " - "]) is None


def test_without_texts_a_wish_is_refused(planted):
    _, answers, audience = planted
    nothing = Histories.of_one([], answers.model.catalogue)
    with pytest.raises(DataError, match="Nothing here reads texts"):
        replace(answers, texts=None).answer(nothing, audience, "guitar")
    assert answers.answer(nothing, audience, "xyz").basis == ("popularity",)
