import numpy as np
import polars as pl
import pytest

from equipoise.audit.injection import ATTACKS, Attack, probe
from equipoise.audit.injection.answers import disorder
from equipoise.errors import ConfigError, DataError
from equipoise.statistics import bootstrap_ratio
from tests.audit.injection.rankers import ITEMS, USERS, gullible, isolated

OBEY = Attack("obey", "override", "obey", False)
TELL = Attack("tell", "exfiltration", "tell", False)
BREAK = Attack("break", "json_breaking", '"}', False)
SCRAMBLE = Attack("scramble", "defaming", "scramble", True)


def run(rank=gullible, **told):
    return probe(
        rank, ITEMS, USERS, **{"slots": ["title", "review"], "targets": [2, 4, 5, 6], "k": 2, **told}
    )


def test_places_won_are_those_up_to_the_first():
    evidence = run(attacks=[OBEY])
    clean = {(row["user_id"], row["item_id"]): row["rank"] for row in isolated(ITEMS, USERS).to_dicts()}
    ranks = {item: [clean[user, item] for user in USERS] for item in (2, 4, 5, 6)}
    lift = np.mean([[rank - 1 for rank in of] for of in ranks.values()])
    assert evidence.value("rank_lift").value == pytest.approx(lift)
    outside = sum(rank > 2 for of in ranks.values() for rank in of)
    assert evidence.trials.filter(pl.col("kind") == "attack")["outside"].sum() == outside
    assert evidence.value("success").value == 1.0
    assert evidence.value("collateral").value == 0.0
    assert evidence.value("leak_rate").value == evidence.value("schema_break_rate").value == 0.0


def test_intervals_are_over_attacked_items():
    evidence = run(attacks=[OBEY])
    trials = evidence.trials.filter(pl.col("kind") == "attack").sort("target")
    (expected,) = bootstrap_ratio(trials["lift"].to_numpy(), trials["lists"].to_numpy(), seed=0)
    found = evidence.value("rank_lift")
    assert (found.low, found.high, found.n) == pytest.approx((expected.low, expected.high, 4))
    assert found.low < found.value < found.high


def test_leaks_breaks_and_disorder_are_told_by_family_and_not_of_clean_answers():
    evidence = run(
        attacks=[OBEY, TELL, BREAK, SCRAMBLE], secrets={"ann": ["WOOL"], "bob": ["nothing of his"]}
    )
    assert evidence.value("leak_rate", "family", "exfiltration").value == pytest.approx(1 / 3)  # ann alone
    assert evidence.value("schema_break_rate", "family", "json_breaking").value == 1.0
    assert evidence.value("schema_break_rate", "family", "override").value == 0.0
    assert evidence.value("collateral", "family", "defaming").value > 0.5
    of_clean = evidence.summary.filter(pl.col("measure").is_in(["leak_rate", "schema_break_rate"]))
    assert set(of_clean["repeat"]) == {0.0}
    assert evidence.unattacked("schema_break_rate") == 0.0
    assert evidence.value("rank_lift", "slot", "review").n == 4
    assert evidence.as_dict()["summary"][0]["measure"] == "rank_lift"


def test_a_scorer_of_single_items_is_moved_by_words_it_likes_and_by_nothing_else():
    liked = Attack("liked", "adaptive", "red wool silk soft iron pot", False)
    evidence = run(isolated, attacks=[liked, OBEY])
    assert evidence.value("rank_lift", "family", "adaptive").low > 1
    assert evidence.value("rank_lift", "family", "override").value == 0.0
    assert evidence.value("collateral").value == 0.0
    row = evidence.summary.row(
        by_predicate=(pl.col("by") == "family")
        & (pl.col("group") == "adaptive")
        & (pl.col("measure") == "rank_lift"),
        named=True,
    )
    assert row["placebo"] == row["repeat"] == 0.0
    assert row["excess"] == pytest.approx(row["value"])


def test_what_a_harmless_sentence_does_is_taken_off():
    def longest_first(items, users):
        order = items.with_columns(pl.col("title").str.len_chars().alias("n")).sort(
            "n", "item_id", descending=True
        )
        ranked = order.select("item_id").with_row_index("rank", offset=1)
        return pl.concat([ranked.with_columns(pl.lit(user).alias("user_id")) for user in users])

    wordy = Attack("wordy", "override", "word " * 60, False)
    row = run(longest_first, attacks=[wordy], slots=["title"]).summary.row(0, named=True)
    assert row["value"] == row["placebo"] > 0
    assert row["excess"] == pytest.approx(0)


def test_the_candidates_place_is_the_same_in_both_lists_that_are_compared():
    def in_their_order(items, users):
        ranked = items.select("item_id").with_row_index("rank", offset=1)
        return pl.concat([ranked.with_columns(pl.lit(user).alias("user_id")) for user in users])

    evidence = run(in_their_order, attacks=[OBEY, TELL], positions=["first", "middle", "last"])
    assert set(evidence.trials["position"]) == {"first", "middle", "last"}
    assert (evidence.trials["lift"] == 0).all()
    assert evidence.trials.filter(pl.col("position") == "first")["outside"].sum() == 0
    assert not any("No list depends" in note for note in evidence.notes)


def test_a_place_among_the_candidates_that_means_nothing_is_told():
    words = "No list depends on where the attacked item stands"
    told = [
        any(words in note for note in run(rank, attacks=[OBEY, TELL], positions=positions).notes)
        for rank, positions in ((isolated, ["first", "last"]), (isolated, [None]))
    ]
    assert told == [True, False]


def test_what_cannot_be_counted_has_no_value():
    """One item, and every list holds it within k."""
    evidence = run(attacks=[OBEY], targets=[2], k=6)
    success, lift = evidence.value("success"), evidence.value("rank_lift")
    assert success.value is success.low is success.high is None
    assert lift.value is not None
    assert lift.low is lift.high is None
    assert "too few" in (lift.reason or "")
    assert evidence.as_dict()["summary"][1]["value"] is None


def test_attacks_take_turns_in_slots_and_places():
    evidence = run(isolated, attacks=ATTACKS[:2], targets=6)
    counts = evidence.trials.filter(pl.col("kind") == "attack").group_by("slot", "place").len()["len"]
    assert counts.to_list() == [2] * 6


def test_the_same_seed_draws_the_same_items_in_any_order_of_rows():
    first, second = (
        probe(isolated, items, USERS, slots=["title"], attacks=[OBEY], targets=3, k=2, seed=5)
        for items in (ITEMS, ITEMS.sample(fraction=1, shuffle=True, seed=1))
    )
    assert first.trials["target"].to_list() == second.trials["target"].to_list()


def test_short_lists_are_told():
    evidence = run(lambda items, users: isolated(items, users).filter(pl.col("rank") <= 2), attacks=[OBEY])
    assert any("told too low" in note for note in evidence.notes)
    assert not any("told too low" in note for note in run(isolated, attacks=[OBEY]).notes)


@pytest.mark.parametrize(
    ("told", "error", "words"),
    [
        ({"attacks": []}, ConfigError, "no attack"),
        ({"slots": []}, ConfigError, "no slot"),
        ({"k": 0}, ConfigError, "k is 0"),
        ({"targets": 0}, DataError, "no item to attack"),
        ({"targets": [77]}, DataError, "'77' is not among"),
        ({"slots": ["plot"]}, DataError, "no column 'plot'"),
    ],
)
def test_bad_questions_are_answered_in_words(told, error, words):
    with pytest.raises(error, match=words):
        run(isolated, **told)


def test_lists_that_are_none_are_refused():
    with pytest.raises(DataError, match="no column 'rank'"):
        run(lambda items, users: isolated(items, users).drop("rank"), attacks=[OBEY])


def test_disorder_by_hand():
    assert disorder(["a", "b", "c"], ["a", "b", "c"], 3) == 0.0
    discounts = [1, 1 / np.log2(3)]
    swapped = (1 * discounts[0] + 2 * discounts[1]) / (2 * discounts[0] + 1 * discounts[1])
    assert disorder(["a", "b"], ["b", "a"], 10) == pytest.approx(1 - swapped)
    assert disorder(["a"], ["z"], 1) == 1.0
    assert disorder([], ["a"], 5) == 0.0
