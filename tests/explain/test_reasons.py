"""Reasons are what the model says they are: sums that are the score, and answers without what is left out."""

import numpy as np
import polars as pl
import pytest

from equipoise.data import Dataset
from equipoise.errors import DataError
from equipoise.explain import Explainer
from equipoise.explain.interactions import effects
from equipoise.explain.parts import parts
from equipoise.explain.question import Asker, Units
from equipoise.explain.texts import Line, cuts, lines, read_as
from equipoise.language import encode_items
from equipoise.models.content import Content
from equipoise.models.histories import Histories
from equipoise.models.warm import Warm
from tests.explain.planted import QUIET, SUMS, explainer, fitted, world

USER, ITEM = 1, 4  # rows of u000 and i003, before which stand u-new and i-cold


def asked(name, user=USER, item=ITEM, k=5):
    """A question about a user's history."""
    model = fitted(name)
    return explainer(name).question(user, model.histories.take([user]), item, k)


def test_a_past_is_made_of_items_and_searches_in_their_order():
    past = Histories.of_one(
        pl.DataFrame(
            {
                "item_id": ["i003", None, "i001", "i003", "nobody"],
                "query": [None, "red", None, None, None],
                "event": ["click", "search", "click", "click", "click"],
            }
        ),
        fitted("ease").catalogue,
    )
    units = Units.of(past)
    assert units.items.tolist() == [4, -1, 2]  # the cold item comes before all others
    assert units.queries.tolist() == [-1, 0, -1]
    assert units.of_step.tolist() == [0, 1, 2, 0, -1]
    question = explainer("ease").question(-1, past, 5, 3)
    shorter = question.without(np.array([[True, False, False], [False, True, True]]))
    assert [shorter.take([row]).items.tolist() for row in (0, 1)] == [[-1, 2, -1], [4, 4, -1]]
    assert shorter.take([1]).queries.tolist() == [-1, -1, -1]


@pytest.mark.parametrize("name", SUMS)
def test_parts_sum_to_the_score_up_to_what_everybody_gets(name):
    question = asked(name)
    model, found = question.model, parts(question.model, question)
    scores = model.score(np.array([USER]), question.past)[0].astype(float)
    apart = scores - found.values.sum(axis=0)
    if name == "popular":
        assert not found.values.any()
        return
    known = model.catalogue.item_counts > 0
    base = 0.0
    if name == "blend":  # the means that standardisation takes away are taken from the parts too
        base = apart[known].mean()
    assert np.abs(apart[known] - base).max() < 1e-4 * np.abs(scores).max()


def test_without_an_item_a_linear_model_loses_its_part():
    question = asked("ease")
    asker = Asker(question)
    found = effects(asker)
    count = len(question.units)
    alone = asker.scores(np.eye(count, dtype=bool))
    warm = question.model.catalogue.item_counts > 0
    assert found.separate
    assert found.how == "parts"
    np.testing.assert_allclose((asker.whole - alone)[:, warm], found.values[:, warm], atol=1e-5)


@pytest.mark.parametrize("name", ["mult_vae", "sequence"])
def test_other_models_answer_without_each_interaction(name):
    question = asked(name, user=2)  # one who did not search
    asker = Asker(question)
    found = effects(asker)
    assert found.how == "left_out"
    assert asker.forwards == 1 + len(question.units)
    history = question.model.catalogue.items.gather(question.past.items)
    shorter = question.model.score(np.array([-1]), Histories.of_one(history[1:], question.model.catalogue))[0]
    loss = asker.whole.astype(float) - shorter
    expected = loss[ITEM] - loss[question.allowed].mean()
    assert found.of(ITEM, question.allowed)[0] == pytest.approx(expected, abs=1e-5)


def test_an_explanation_names_what_the_user_took_and_adds_up():
    said = explainer("ease").explain("u001", "i016", k=5)
    model = fitted("ease")
    shown = model.recommend(["u001"], 40).filter(pl.col("item_id") == "i016")
    assert (said.rank, said.score) == (shown["rank"][0], pytest.approx(shown["score"][0]))
    taken = set(world()[0].events.filter(pl.col("user_id") == "u001")["item_id"])
    assert {one.name for one in said.reasons} <= taken
    assert sum(one.contribution for one in said.reasons) == pytest.approx(said.score, rel=1e-3)
    assert sum(one.share for one in said.reasons) == pytest.approx(1)
    values = [one.contribution for one in said.reasons]
    assert values == sorted(values, reverse=True)
    titles = dict(world()[0].items.select("item_id", "title").rows())
    assert all(one.value == titles[one.name] for one in said.reasons)


def test_a_search_is_a_reason_of_its_own_kind():
    said = explainer("content").explain("u000", "i003", k=5)
    assert [one.name for one in said.reasons if one.kind == "search"] == ["flower pot"]


def test_a_learned_vector_of_a_user_is_told_apart_from_the_history():
    said = explainer("mf").explain("u001", "i016")
    assert "keeps a learned vector" in said.notes[0]
    assert said.asked_as == "stranger"
    assert "not among them" in explainer("blend").explain("u001", "i016").notes[-1]
    assert said.counterfactual.forwards <= 256
    assert not any("learned vector" in note for note in explainer("ease").explain("u001", "i016").notes)


def test_popularity_says_that_no_past_matters():
    first = fitted("popular").recommend(["u001"], 1)["item_id"][0]
    said = explainer("popular").explain("u001", first)
    assert said.reasons == ()
    assert "No past interaction changes" in " ".join(said.notes)
    assert not said.counterfactual.found
    assert "without any of the past" in said.counterfactual.says


@pytest.mark.parametrize("name", ["content", "sequence", "warm"])
def test_the_items_own_text_gives_its_own_score(name):
    question = asked(name)
    vectors = question.model.vectors.aligned(question.model.catalogue.items)[0]
    found = read_as(question.model, question, vectors[[ITEM, 3]])
    scores = question.model.score(np.array([USER]), question.past)[0]
    assert found[0] == pytest.approx(float(scores[ITEM]), abs=1e-5)
    assert abs(found[1] - scores[ITEM]) > 1e-6


@pytest.mark.parametrize(("name", "item"), [("content", ITEM), ("warm", ITEM), ("warm", 0)])
def test_a_text_that_says_nothing_is_no_direction(name, item):
    """Without its text, an item has nothing to be liked for, or its own record; not the likeness of what texts lack."""
    question = asked(name, item=item)
    model = question.model
    found = read_as(model, question, np.zeros((1, model.vectors.width), dtype=np.float32))
    if name == "content":
        assert found.tolist() == [0.0]
        return
    own = model.member.score(np.array([USER]), question.past)[0]
    recorded = model.catalogue.item_counts[item] > 0
    assert recorded == (item == ITEM)
    expected = own[item] if recorded else own @ model.prior.texts.weights
    assert found[0] == pytest.approx(float(expected), abs=1e-5)


def test_the_only_word_of_a_text_carries_no_more_than_the_score():
    train, _ = world()
    items = train.items.with_columns(
        pl.when(pl.col("item_id") == "i003").then(pl.lit("garden")).otherwise(pl.col("title")).alias("title")
    )
    data = Dataset(train.events, train.users, items, text=("title",))
    model = Content().fit(data, vectors=encode_items(items, ["title"], "tfidf"), runtime=QUIET)
    said = Explainer(model, data, "title").explain("u000", "i003", counterfactual=False)
    (word,) = [one for one in said.reasons if one.kind == "word"]
    assert word.contribution == pytest.approx(said.score, abs=1e-5)


def test_items_whose_text_says_nothing_are_told_from_others():
    train, _ = world()
    items = train.items.with_columns(
        pl.when(pl.col("item_id") == "i003").then(pl.lit("")).otherwise(pl.col("title")).alias("title")
    )
    data = Dataset(train.events, train.users, items, text=("title",))
    vectors = encode_items(items, ["title"], "tfidf")
    row = fitted("ease").catalogue.items.to_list().index("i003")
    for model in (Content(), Warm(model={"name": "ease", "reg": 5.0}, half=2.0)):
        found = model.fit(data, vectors=vectors, runtime=QUIET)
        assert np.flatnonzero(~found.present).tolist() == [row]


def test_a_blend_reads_through_its_members():
    question = asked("blend")
    vectors = question.model.members["1-content"].texts.matrix
    found = read_as(question.model, question, vectors[[ITEM]])
    assert found[0] == pytest.approx(
        float(question.model.score(np.array([USER]), question.past)[0, ITEM]), abs=1e-4
    )
    assert read_as(fitted("ease"), asked("ease"), vectors[[ITEM]]) is None


def test_the_words_that_users_took_carry_the_score():
    said = explainer("content").explain("u000", "i003", k=5)
    words = {one.name: one.contribution for one in said.reasons if one.kind == "word"}
    assert max(words, key=words.get) in {"garden", "spade", "seed", "flower"}
    assert words.get("model3", 0.0) < max(words.values())


def test_texts_are_cut_word_by_word_and_column_by_column():
    table = pl.DataFrame(
        {"item_id": [1, 2], "title": ["Red wool, red!", ""], "genres": [["A", "B"], []], "year": [1995, None]}
    )
    said = lines(table, 0, ["title", "genres", "year"])
    assert said == [
        Line("title", "", "Red wool, red!"),
        Line("genres", "genres: ", "A, B"),
        Line("year", "year: ", "1995"),
    ]
    found = cuts(said)
    assert [one.name for one in found] == ["Red", "wool", "A", "B", "1995", "title", "genres", "year"]
    assert found[0].text == "wool, !\ngenres: A, B\nyear: 1995"
    assert found[4].text == "Red wool, red!\ngenres: A, B"
    assert found[5].text == "genres: A, B\nyear: 1995"
    assert lines(table, 1, ["title", "genres", "year"]) == []
    assert cuts([]) == []


def test_scripts_without_spaces_are_cut_by_characters():
    found = cuts([Line("title", "", "红袜 red")])
    assert [(one.name, one.text) for one in found] == [("红", "袜 red"), ("袜", "红 red"), ("red", "红袜")]


def test_whom_the_model_does_not_know_is_explained_as_somebody_new():
    model = fitted("ease")
    shown = model.recommend(["nobody"], 3)
    said = explainer("ease").explain("nobody", shown["item_id"][1])
    assert (said.user, said.rank, said.score) == ("nobody", 2, pytest.approx(shown["score"][1]))
    assert (said.asked_as, said.reasons) == ("unknown", ())
    assert said.notes[0] == "The model does not know this user."
    assert explainer("ease").explain("u001", "i016").asked_as == "user"


def test_past_items_are_told_with_what_their_events_carried_last():
    train = world()[0]
    events = train.events.with_columns(
        pl.when(pl.col("event") == "search")
        .then(None)
        .otherwise(pl.col("item_id").str.slice(1).cast(pl.Float64, strict=False))
        .alias("value")
    )
    own = events.filter(pl.col("user_id") == "u000")
    first = own.filter(pl.col("item_id").is_not_null())["item_id"][0]
    again = own.with_columns(pl.lit(0.5).alias("value"), pl.col("timestamp").max())
    again = again.filter(pl.col("item_id") == first)
    rated = train.with_events(pl.concat([events, again]))
    model = Content().fit(rated, vectors=encode_items(train.items, train.text, "tfidf"), runtime=QUIET)
    item = model.recommend(["u000"], 1)["item_id"][0]
    said = {one.name: one for one in Explainer(model, rated, "title").explain("u000", item).reasons}
    past = {name: one for name, one in said.items() if one.kind == "interaction"}
    assert {name: one.event_value for name, one in past.items()} == {
        name: 0.5 if name == first else float(name[1:]) for name in past
    }
    assert first in past
    assert {one.event_value for one in said.values() if one.kind != "interaction"} == {None}
    assert {one.event_value for one in explainer("content").explain("u000", item).reasons} == {None}


def test_what_has_to_go_and_what_comes_instead_have_their_titles():
    ask = explainer("ease")
    listed = ask.model.recommend(["u001"], 3)["item_id"].to_list()
    found = ask.explain("u001", listed[2], k=3).counterfactual
    titles = dict(world()[0].items.select("item_id", "title").iter_rows())
    assert found.removed
    assert found.titles == tuple(titles[name] for name in found.removed)
    assert found.instead_title == titles[found.instead]
    bare = Explainer(ask.model).explain("u001", listed[2], k=3).counterfactual
    assert (bare.titles, bare.instead_title) == ((None,) * len(bare.removed), None)


def test_what_cannot_be_asked_is_said():
    ask = explainer("ease")
    with pytest.raises(DataError, match="knows no item '5'"):
        ask.explain("u001", 5)
    taken = world()[0].events.filter(pl.col("user_id") == "u001")["item_id"][0]
    with pytest.raises(DataError, match="part of the history already"):
        ask.explain("u001", taken)
    with pytest.raises(DataError, match="k of at least 1"):
        ask.explain("u001", "i016", k=0)
    assert ask.explain("u001", "i016", counterfactual=False).counterfactual is None


def test_nothing_is_made_up_for_newcomers_and_unknown_items():
    said = explainer("ease").explain("u-new", "i016")
    assert said.reasons == ()
    assert "no past interactions" in said.notes[0]
    assert not said.counterfactual.found
    said = explainer("ease").explain("u001", "i-cold")
    assert said.reasons == ()
    assert "no score of its own" in said.notes[0]
    said = Explainer(fitted("ease")).explain_from(["i001", "i004"], "i007", k=3)
    assert said.user is None
    assert said.title is None
    assert said.reasons[0].value is None


def test_a_long_column_is_told_with_a_sign_that_more_follows():
    tags = " ".join(f"tag{number}" for number in range(40))
    said = [Line("title", "", "Alien"), Line("tags", "", tags)]
    told = {cut.name: cut.value for cut in cuts(said) if cut.kind == "attribute"}
    assert told["title"] == "Alien"
    assert told["tags"].endswith("…")
    assert tags.startswith(told["tags"][:-1])
    assert len(told["tags"]) <= 80
