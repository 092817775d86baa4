"""Parts of a score by path are what the world was made with, nothing where it was made with nothing, or not told."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression

from equipoise.causal.graph import CausalGraph, GraphError
from equipoise.component import Runtime
from equipoise.config import Config
from equipoise.debias.before.augmentation.features import Features
from equipoise.debias.before.augmentation.profiles import Profiles
from equipoise.errors import ConfigError, DataError
from equipoise.explain import Explainer
from equipoise.explain.sensitive import Mechanisms, routes
from equipoise.explain.sensitive.reading import read_of_users, reads_exposure, told_otherwise
from equipoise.models.histories import Catalogue, Histories
from equipoise.models.mf import MF
from equipoise.models.vae.causal_vae import CausalVAE, FittedCausalVAE
from equipoise.models.vae.context import Context
from equipoise.pipeline.explain import reading_corrections
from equipoise.pipeline.redrawing import Redrawing
from equipoise.pipeline.sensitive import PathsAsked, asked_paths, sensitive_part
from tests.explain.planted_paths import Keeping, Long, explainer, log

BOTH = "gender -> share.Books; gender -> activity"


def shares(data):
    """Share of books of each user."""
    book = pl.col("item_id").str.starts_with("b")
    return data.events.group_by("user_id", maintain_order=True).agg(book.mean().alias("share"))


def typical(data, gender="woman"):
    """A user of that gender with about as many books as toys, and a book they do not have."""
    near = (
        shares(data)
        .join(data.users.filter(gender=gender), on="user_id")
        .sort((pl.col("share") - 0.6).abs(), "user_id")
    )
    user = near["user_id"][0]
    own = set(data.events.filter(user_id=user)["item_id"])
    return user, next(item for item in data.items["item_id"] if item.startswith("b") and item not in own)


def asked(data, graph, seed=0, instead=None, user=None, **model):
    """The parts for a typical woman."""
    person, item = typical(data)
    return sensitive_part(
        explainer(data, **model),
        user or person,
        item,
        PathsAsked("gender", graph, instead),
        runtime=Runtime(seed=seed),
    )


def ends(interval):
    return interval.low, interval.value, interval.high


# What there is to be told


def test_a_linear_score_gets_the_difference_that_the_world_was_made_with():
    """The score of a book is the share of books, which women have 0.3 more of: by enumeration that is the part."""
    found = [asked(log(seed, through=0.3, users=80), "gender -> share.Books", seed) for seed in range(5)]
    parts = [one.parts[0].score for one in found]
    assert sum(part.low <= 0.3 <= part.high for part in parts) >= 4
    assert np.mean([part.value for part in parts]) == pytest.approx(0.3, abs=0.03)
    assert all(part.low > 0 for part in parts)
    assert all(one.parts[0].places.value > 0 for one in found)
    first = found[0]
    assert first.parts[0].paths == ("gender -> share.Books -> history -> score",)
    assert (first.value, first.instead, first.draws, first.forwards <= 256) == ("woman", "man", 32, True)
    assert first.total.score == first.parts[0].score
    assert ends(first.interaction.score) == (0, 0, 0)


def test_a_world_without_an_effect_has_intervals_that_cover_nothing():
    found = [asked(log(seed, through=0.0, users=80), "gender -> share.Books", seed) for seed in range(5)]
    parts = [one.parts[0].score for one in found]
    assert sum(part.low <= 0 <= part.high for part in parts) >= 4
    assert any(part.low < part.high for part in parts)
    assert abs(np.mean([part.value for part in parts])) < 0.03


def test_a_path_that_the_score_does_not_go_along_has_no_part():
    said = asked(log(1, through=0.3, users=100), BOTH)
    books, activity, direct = said.parts
    assert books.score.low <= 0.3 <= books.score.high
    assert abs(activity.score.value) < 0.02  # all users have as many items
    assert ends(direct.score) == ends(direct.places) == (0, 0, 0)
    assert "does not read it" in direct.why
    total = books.score.value + activity.score.value + said.interaction.score.value
    assert said.total.score.value == pytest.approx(total)
    assert said.total.paths == tuple(path for part in said.parts for path in part.paths)
    assert said.forwards <= 256


def test_the_same_seed_says_the_same():
    data, graph = log(2, users=40), "gender -> share.Books"
    once = asked(data, graph, 3)
    assert asked(data, graph, 3) == once
    assert asked(data, graph, 4) != once


def test_an_attribute_that_the_model_reads_has_a_direct_part():
    data = log(3, through=0.3, users=100)
    said = asked(data, "gender -> share.Books", attributes=("gender",), gift=0.5)
    through, direct = said.parts
    assert direct.paths == ("gender -> score",)
    assert ends(direct.score) == pytest.approx((0.5, 0.5, 0.5))
    assert said.total.score.value == pytest.approx(through.score.value + 0.5, abs=1e-5)
    assert said.interaction.score.value == pytest.approx(0, abs=1e-5)


def test_an_attribute_that_nothing_follows_from_has_a_direct_part_only():
    said = asked(log(3, users=60), "gender; income -> activity", attributes=("gender",), gift=0.5)
    assert [part.paths for part in said.parts] == [("gender -> score",)]
    assert ends(said.total.score) == pytest.approx((0.5, 0.5, 0.5))
    assert (said.draws, said.forwards <= 5) == (0, True)


def test_causal_vae_answers_as_if_the_user_had_another_value():
    data = log(4, users=40)
    config, catalogue = CausalVAE(context=("gender", "job")), Catalogue.of(data)
    past, nothing = Histories.of(data.events, catalogue), np.zeros(0)
    context = Context.of(data, catalogue, past, config.context)
    model = FittedCausalVAE(
        config=config, catalogue=catalogue, histories=past, context=context, learned={}, evidence=nothing,
        reach=nothing, log=nothing,
    )  # fmt: skip
    assert read_of_users(model, data) == {"gender", "job"}
    changed = told_otherwise(model, 1, "gender", "man", data)
    jobs = data.users["job"]
    twin = next(row for row in range(0, 40, 2) if jobs[row] == jobs[1])  # a man of the same job
    np.testing.assert_allclose(changed.context.features[1], model.context.features[twin], atol=1e-6)
    np.testing.assert_array_equal(
        np.delete(changed.context.features, 1, 0), np.delete(model.context.features, 1, 0)
    )


def test_what_was_shown_to_the_user_is_told_to_be_left_as_it_was():
    """A log of impressions, of which every other one was taken."""
    data = log(4, users=40)
    clicks = data.events.with_columns(pl.lit("click").alias("event"))
    shown = pl.concat([clicks, data.events.with_columns(pl.lit("impression").alias("event"))])
    user, item = typical(data)
    for events, told in ((shown, True), (data.events, False)):
        known = replace(data, events=events)
        model = CausalVAE(context="none", epochs=1, hidden=8, width=4).fit(known)
        assert reads_exposure(model) is told
        said = sensitive_part(
            Explainer(model, known), user, item, PathsAsked("gender", "gender -> share.Books")
        )
        assert any("what was shown to the user" in note for note in said.notes) is told


def test_a_model_that_keeps_something_of_the_user_has_no_total():
    """Of half of the score it is not known what the attribute had a part in, so no 0 is claimed."""
    said = asked(log(1, through=0.3, users=100), "gender -> share.Books", kind=Keeping)
    through, direct = said.parts
    assert through.score.low <= 0.15 <= through.score.high
    assert direct.score is None
    assert "keeps something of them" in direct.why
    assert (said.total.score, said.interaction.score) == (None, None)


def test_lengths_are_met_on_average():
    """Of 5 items and a change of a tenth, whole items alone would make nothing or a fifth."""
    data = log(0, users=40)
    model = explainer(data, kind=Long).model
    profiles = Profiles.of(data, "gender")
    features, past = Features.of(data, profiles, None), model.histories.take([0])
    redrawn = Redrawing.of(past, model.catalogue, profiles, features, (), 0, (0,))
    asked_for = np.log(redrawn.length) - 0.05
    made = redrawn([{"activity": asked_for}] * 32, np.arange(32))
    sizes = np.diff(made.starts)
    assert len(set(sizes.tolist())) == 2
    assert np.mean(sizes) == pytest.approx(np.exp(asked_for), abs=0.05)
    unchanged = redrawn([{}] * 32, np.arange(32))
    assert set(np.diff(unchanged.starts).tolist()) == {redrawn.length}


def test_attributes_of_items_are_none_of_users():
    data = log(0, users=40)
    model = MF(attributes=("kind", "job"), epochs=1).fit(data, runtime=Runtime(progress=False))
    assert read_of_users(model, data) == {"job"}


@pytest.mark.parametrize(("stage", "told"), [(None, 1), ("baseline", 0)])
def test_a_correction_that_reads_the_attribute_is_named(stage, told):
    class Run:
        config = Config.model_validate(
            {"data": {"world": {"name": "storefront"}}, "debias": [{"method": "user_gap"}, {"method": "mmr"}]}
        )
        prepared = SimpleNamespace(train=log(0, users=4))

    found = reading_corrections(Run, stage, "gender")
    assert len(found) == told
    assert all("'user_gap' reads 'gender'" in note for note in found)
    assert reading_corrections(Run, stage, "job") == ()


# Which paths there are, and which can be told apart


def test_columns_that_the_model_reads_are_ends_of_paths():
    graph = CausalGraph.parse("gender -> job; gender -> income -> share.A; income -> job")
    job, income = routes(graph, "gender", ("share.A",), (), {"job"})
    assert job.paths == (("gender", "job", "score"),)
    assert "reads 'job' itself" in job.why
    assert "reads 'job' itself" in income.why
    said = asked(log(1, users=60), "gender -> share.Books", attributes=("income",))
    assert any("reads 'income', which the graph does not name" in note for note in said.notes)


def test_codes_of_categories_are_no_quantities():
    data = log(1, users=60)
    coded = data.users.with_columns(kids=pl.col("income").is_between(0, 2).cast(pl.Int64))
    said = asked(type(data)(data.events, coded, data.items, data.sensitive), "gender -> kids -> share.Books")
    assert "'kids' is a category" in said.parts[0].why


def test_shares_of_one_whole_are_not_told_apart():
    data = log(1, through=0.3, users=60)
    books, toys, _ = asked(data, "gender -> share.Books; gender -> share.Toys").parts
    assert (books.score, toys.score) == (None, None)
    assert "of one whole" in books.why
    chain = asked(data, "gender -> income; income -> share.Books; income -> share.Toys").parts
    assert chain[0].score is not None


def test_what_a_run_was_told_of_one_attribute_is_not_said_of_another():
    class Run:
        config = Config.model_validate(
            {"data": {"world": {"name": "storefront"}},
             "explain": {"graph": "a -> activity; b -> activity", "sensitive": "a", "instead": "x"}}
        )  # fmt: skip

    assert asked_paths(Run, None, None, None).instead == "x"
    assert asked_paths(Run, None, "b", None) == PathsAsked("b", "a -> activity; b -> activity", None)


def test_paths_part_by_the_arrow_that_leaves_the_attribute():
    graph = CausalGraph.parse(
        "gender -> income -> share.A; gender -> share.A; gender -> share.B; gender -> shoes; x"
    )
    found = routes(graph, "gender", ("share.A", "share.B", "activity"))
    assert [one.child for one in found] == ["income", "share.A", "share.B"]
    assert found[0].paths == (("gender", "income", "share.A", "history", "score"),)
    assert not any(one.why or one.witness for one in found)


def test_a_recanting_witness_is_named_and_its_paths_stay_together():
    graph = CausalGraph.parse("gender -> income -> share.A; income -> activity")
    (only,) = routes(graph, "gender", ("share.A", "activity"))
    assert [path[2] for path in only.paths] == ["share.A", "activity"]
    assert (only.witness, only.why) == ("income", "")
    chain = CausalGraph.parse("gender -> share.A -> share.B")
    (only,) = routes(chain, "gender", ("share.A", "share.B"))
    assert only.witness == "share.A"  # the history has it, and it makes the other one


@pytest.mark.parametrize(
    ("graph", "why"),
    [
        ("gender -> share.A; gender <-> share.A", "hidden common cause"),
        ("gender -> income -> share.A; income <-> share.A", "hidden common cause"),
        ("gender -> share.A; gender -> share.B; share.A <-> share.B", "hidden common cause"),
        ("gender -> job -> share.A", "'job' is a category"),
        ("gender -> age -> share.A", "reads 'age' itself"),
    ],
)
def test_what_does_not_follow_from_data_is_not_told(graph, why):
    found = routes(CausalGraph.parse(graph), "gender", ("share.A", "share.B"), {"job"}, {"age"})
    assert found
    assert all(why in one.why for one in found)


def test_hidden_causes_off_the_paths_do_no_harm():
    graph = CausalGraph.parse(
        "gender -> share.A; gender -> shoes; shoes <-> share.A; z -> share.A; z <-> gender"
    )
    (only,) = routes(graph, "gender", ("share.A",))
    assert only.why == ""


def test_other_paths_are_told_where_one_is_not():
    said = asked(
        log(1, through=0.3, users=100), "gender -> share.Books; gender -> activity; gender <-> activity"
    )
    books, activity, _ = said.parts
    assert books.score.low <= 0.3 <= books.score.high
    assert (activity.score, activity.places) == (None, None)
    assert activity.why.startswith("not identified: ")
    assert said.total.score is None
    assert "not told" in said.total.why
    assert "not told" in said.interaction.why


def test_a_category_between_is_not_identified():
    said = asked(log(1, users=60), "gender -> job -> share.Books; gender -> activity")
    assert "'job' is a category" in said.parts[0].why
    assert said.parts[1].score is not None


def test_each_arrow_is_fed_its_own_value():
    """Of a linear system the parts are products of slopes, worked by hand."""
    rng = np.random.default_rng(0)
    woman = np.arange(400) % 2
    income = 2.0 * woman + np.repeat(rng.normal(0, 1, 200), 2)
    share = 0.1 * income + 0.3 * woman + rng.normal(0, 0.01, 400)
    activity = 5.0 * share + rng.normal(0, 0.01, 400)
    facts = pl.DataFrame(
        {"gender": np.where(woman, "w", "m"), "income": income, "share.A": share, "activity": activity}
    )
    graph = CausalGraph.parse("gender -> income -> share.A -> activity; gender -> share.A")
    fitted = Mechanisms.fit(
        graph, "gender", ("income", "share.A", "activity"), facts, LinearRegression(), ["gender"]
    )
    person = {"gender": "w", "income": 3.0, "share.A": 1.0, "activity": 7.0}
    known = fitted.person(person)
    through = fitted.along(known, "m", ["income"])
    assert through == pytest.approx({"income": 1.0, "share.A": 0.8, "activity": 6.0}, abs=0.03)
    past = fitted.along(known, "m", ["share.A"])
    assert past == pytest.approx({"income": 3.0, "share.A": 0.7, "activity": 5.5}, abs=0.03)
    both = fitted.along(known, "m", ["income", "share.A"])
    assert both == pytest.approx({"income": 1.0, "share.A": 0.5, "activity": 4.5}, abs=0.03)
    assert fitted.along(known, "m", []) == {name: person[name] for name in ("income", "share.A", "activity")}
    again = fitted.again(np.random.default_rng(1)).along(known, "m", ["income"])
    assert again != through
    assert again == pytest.approx(through, abs=0.5)


# What cannot be asked


@pytest.mark.parametrize(
    ("attribute", "graph", "instead", "error", "message"),
    [
        ("gendre", "gendre -> activity", None, DataError, "no attribute 'gendre'.*'gender'"),
        ("gender", "gender -> share.Boks", None, ConfigError, "'share.Boks'.*'share.Books'"),
        ("gender", "income -> activity", None, ConfigError, "does not name the attribute 'gender'"),
        ("gender", "gender -> activity -> gender", None, GraphError, "cycle"),
        ("gender", "gender -> activity", "men", DataError, "'men' is no other value.*'man'"),
        ("gender", "gender -> activity", "woman", DataError, "no other value"),
    ],
)
def test_what_does_not_fit_the_data_is_refused(attribute, graph, instead, error, message):
    data = log(0, users=40)
    user, item = typical(data)
    with pytest.raises(error, match=message):
        sensitive_part(explainer(data), user, item, PathsAsked(attribute, graph, instead))


def test_users_of_whom_too_little_is_known_are_refused():
    data = log(0, users=40)
    user, item = typical(data)
    known = pl.col("user_id") != user

    def part(users, whom=user):
        changed = type(data)(data.events, users, data.items, data.sensitive)
        graph = "gender -> activity; income -> activity"
        return sensitive_part(explainer(changed), whom, item, PathsAsked("gender", graph))

    with pytest.raises(DataError, match=f"The 'gender' of the user '{user}' is not known"):
        part(data.users.with_columns(pl.when(known).then("gender").alias("gender")))
    with pytest.raises(DataError, match="The 'income' of the user"):
        part(data.users.with_columns(pl.when(known).then("income").alias("income")))
    with pytest.raises(DataError, match="not in the users table"):
        part(data.users, "nobody")
    newcomer = data.users.tail(1).with_columns(pl.lit("newcomer").alias("user_id"))
    with pytest.raises(DataError, match="no past interactions"):
        part(pl.concat([data.users, newcomer]), "newcomer")
    few = pl.when((pl.col("gender") == "man") & (pl.int_range(pl.len()) > 8)).then(None).otherwise("gender")
    with pytest.raises(DataError, match="too few"):
        part(data.users.with_columns(few.alias("gender")))


def test_a_history_that_cannot_lose_what_is_asked_says_so():
    data = log(5, through=0.6, users=60)
    fewest = shares(data).join(data.users.filter(gender="woman"), on="user_id").sort("share")["user_id"][0]
    taken = data.events.filter(user_id=fewest)["item_id"].to_list()
    item = next(one for one in data.items["item_id"] if one not in taken)
    said = sensitive_part(explainer(data), fewest, item, PathsAsked("gender", "gender -> share.Books"))
    assert any("miss a change" in note for note in said.notes)
