from itertools import combinations

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.audit.lists.similarity import cross_group, shared_places, within_group
from equipoise.errors import ConfigError, DataError


def lists(*rows):
    """One user per row: the items of the list, in order."""
    return pl.DataFrame(
        [(user, item, rank) for user, row in enumerate(rows) for rank, item in enumerate(row, 1)],
        schema=["user_id", "item_id", "rank"],
        orient="row",
    )


def people(groups, name="gender"):
    return pl.DataFrame({"user_id": range(len(groups)), name: list(groups)})


def found(table, group, metric):
    row = table.filter((pl.col("group") == group) & (pl.col("metric") == metric))
    return row.select("value", "low", "high", "users").row(0)


def pairwise(rows, k):
    cut = [set(row[:k]) for row in rows]
    return np.mean([1 - len(a & b) / max(len(a), len(b)) for a, b in combinations(cut, 2)])


one = st.tuples(st.permutations("abcdef"), st.integers(1, 4)).map(lambda drawn: "".join(drawn[0][: drawn[1]]))
many = st.lists(one, min_size=4, max_size=9)


@settings(max_examples=40, deadline=None)
@given(many, st.integers(1, 4), st.data())
def test_the_distance_is_the_mean_over_all_pairs(rows, k, data):
    groups = data.draw(st.lists(st.sampled_from("FM"), min_size=len(rows), max_size=len(rows)))
    table = within_group(lists(*rows), people(groups), k=k)
    overall = pairwise(rows, k)
    for group in set(groups):
        mine = [row for row, own in zip(rows, groups, strict=True) if own == group]
        value, low, high, users = found(table, group, f"list_distance@{k}")
        assert users == len(mine)
        if len(mine) < 2:
            assert (value, low, high) == (None, None, None)
            continue
        assert value == pytest.approx(pairwise(mine, k))
        assert low <= value <= high
        excess = found(table, group, f"list_distance_excess@{k}")[0]
        assert excess == pytest.approx(value - overall)


def test_short_lists_of_the_same_items_are_not_apart():
    table = within_group(lists(*["abc"] * 4), people("FFMM"), k=10)
    assert found(table, "F", "list_distance@10")[0] == found(table, "F", "list_distance_excess@10")[0] == 0.0
    near = cross_group(lists(*["abc"] * 4), people("FFMM"), lists(*["z"] * 4), k=10)
    assert found(near, "F", "neighbour_overlap_own@10")[0] == 1.0


def test_a_shorter_list_is_measured_against_the_longer():
    assert found(within_group(lists("ab", "a"), people("FF"), k=4), "F", "list_distance@4")[0] == 0.5


def test_who_has_no_group_is_unknown_and_still_counts_among_all():
    groups = pl.DataFrame({"user_id": [0, 1, 2], "gender": ["F", "F", None]})
    table = within_group(lists("ab", "ac", "xy", "xz"), groups, k=2)
    assert table["group"].unique(maintain_order=True).to_list() == ["F", "unknown"]
    assert found(table, "unknown", "list_distance@2")[::3] == (0.5, 2)
    # Pairs: ½ inside F, ½ inside the others, four times 1 across
    assert found(table, "F", "list_distance_excess@2")[0] == pytest.approx(0.5 - 5 / 6)


def test_groups_that_cannot_be_read_are_refused():
    with pytest.raises(DataError, match="no attribute"):
        within_group(lists("ab"), pl.DataFrame({"user_id": [0]}), k=2)
    with pytest.raises(DataError, match="user twice"):
        within_group(lists("ab"), pl.concat([people("F"), people("M")]), k=2)
    with pytest.raises(DataError, match="no recommendations"):
        within_group(lists("ab").clear(), people("F"), k=2)
    with pytest.raises(ConfigError, match="0 neighbours"):
        cross_group(lists("ab"), people("F"), lists("ab"), k=2, neighbours=0)


def drawn(users, items, k, rng, weights=None):
    keys = rng.gumbel(size=(users, items)) + (0 if weights is None else np.log(weights))
    return [[int(item) for item in row] for row in np.argsort(-keys, axis=1)[:, :k]]


def test_intervals_of_the_distance_cover_the_truth():
    weights = np.linspace(1, 8, 30)
    truth = pairwise(drawn(1500, 30, 5, np.random.default_rng(999), weights), 5)
    covered = alike = 0
    for seed in range(100):
        rows = drawn(60, 30, 5, np.random.default_rng(seed), weights)
        table = within_group(lists(*rows), people("F" * 25 + "M" * 35), k=5)
        _, low, high, _ = found(table, "F", "list_distance@5")
        covered += low <= truth <= high
        _, low, high, _ = found(table, "F", "list_distance_excess@5")
        alike += low <= 0 <= high
    assert covered >= 88
    assert alike >= 88


def test_neighbours_by_hand():
    # One profile for all but 4, who has none; 5 is of no known group. Women share a list, men half of it.
    train = lists("pq", "pq", "pq", "pq", "", "pq")
    shown = lists("ab", "ab", "ax", "ay", "ab", "ab")
    groups = people(["F", "F", "M", "M", "F", None])
    table = cross_group(shown, groups, train, k=2)
    assert table["group"].unique(maintain_order=True).to_list() == ["F", "M"]
    assert found(table, "F", "neighbour_overlap_own@2") == (1.0, 1.0, 1.0, 2)
    assert found(table, "F", "neighbour_overlap_other@2")[::3] == (0.5, 2)
    assert found(table, "F", "neighbour_overlap_difference@2")[0] == -0.5
    assert found(table, "M", "neighbour_overlap_own@2")[0] == 0.5
    assert found(table, "M", "neighbour_overlap_difference@2")[0] == 0.0
    assert found(table, "M", "neighbour_similarity_difference")[0] == 0.0


def test_a_group_without_anybody_similar_has_no_value():
    table = cross_group(lists("ab", "ab", "ax", "ay"), people("FFMM"), lists("p", "p", "z", "y"), k=2)
    assert table["value"].null_count() == 8
    one = cross_group(lists("ab", "ab", "ax"), people("FFM"), lists("pz", "p", "z"), k=2)
    assert found(one, "F", "neighbour_overlap_difference@2") == (-0.5, None, None, 1)
    alone = cross_group(lists("ab", "ab"), people("FF"), lists("p", "p"), k=2)
    assert alone["users"].to_list() == [0, 0, 0, 0]


def test_a_system_that_looks_at_the_group_shows_and_one_that_does_not_does_not():
    rng = np.random.default_rng(5)
    users, tastes = 400, rng.integers(0, 4, 400)
    groups = np.where(rng.random(users) < 0.3, "F", "M")
    train = lists(*([int(t) * 10 + i for i in rng.permutation(10)[:6]] for t in tastes))
    by_taste = lists(*([int(t) * 100 + i for i in rng.permutation(12)[:5]] for t in tastes))
    by_group = by_taste.join(people(groups), on="user_id").with_columns(
        item_id=pl.col("item_id") + 1000 * (pl.col("gender") == "F")
    )
    for group in "FM":
        value, low, high, asked = found(
            cross_group(by_taste, people(groups), train, k=5), group, "neighbour_overlap_difference@5"
        )
        assert asked == (groups == group).sum()
        assert abs(value) < 0.05
        assert low < 0.02
        assert high > -0.02
        value, _, high, _ = found(
            cross_group(by_group, people(groups), train, k=5), group, "neighbour_overlap_difference@5"
        )
        assert value < -0.3
        assert high < 0


def test_intervals_across_groups_cover_0_when_groups_do_not_matter():
    covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        tastes = rng.integers(0, 3, 150)
        train = lists(*([int(t) * 10 + i for i in rng.permutation(10)[:5]] for t in tastes))
        shown = lists(*([int(t) * 100 + i for i in rng.permutation(12)[:5]] for t in tastes))
        groups = people(rng.permutation(["F"] * 50 + ["M"] * 100))
        table = cross_group(shown, groups, train, k=5)
        _, low, high, _ = found(table, "F", "neighbour_overlap_difference@5")
        covered += low <= 0 <= high
    assert covered >= 48


def test_a_sample_of_users_is_seeded_and_bounded():
    rng = np.random.default_rng(1)
    shown, train = lists(*drawn(300, 30, 5, rng)), lists(*drawn(300, 30, 8, rng))
    groups = people(rng.choice(["F", "M"], 300))
    first, again, other = (
        cross_group(shown, groups, train, k=5, max_users=100, seed=seed) for seed in (0, 0, 1)
    )
    assert first.equals(again)
    assert not first.equals(other)
    assert first.filter(pl.col("metric") == "neighbour_overlap_own@5")["users"].sum() <= 100


def test_collapse_by_hand():
    # a is in nine of ten lists; the popular list of everybody is a, b.
    shown = lists(*["ab"] * 2, *["ac"] * 7, "xy")
    popular = lists(*["ab"] * 9)
    table = shared_places(shown, k=2, popular=popular)
    assert table["metric"].to_list() == ["shared_places@2", "popularity_overlap@2"]
    assert table["value"].to_list() == [pytest.approx(9 / 20), pytest.approx((2 * 1 + 7 * 0.5) / 9)]
    assert table["users"].to_list() == [10, 9]
    assert shared_places(shown, k=2, everybody=1.0)["value"].to_list() == [0.0]
    assert shared_places(lists("ab"), k=2).row(0) == ("shared_places@2", None, None, None, 0)
    with pytest.raises(ConfigError, match="Everybody"):
        shared_places(shown, k=2, everybody=90)


@pytest.mark.parametrize("kind", ["pandas", "duckdb", "arrow", "shuffled"])
def test_all_engines_and_orders_give_the_same_numbers(kind):
    rng = np.random.default_rng(2)
    shown, train = lists(*drawn(60, 20, 5, rng)), lists(*drawn(60, 20, 6, rng))
    groups = people(rng.choice(["F", "M"], 60)).with_columns(age=pl.Series(rng.choice(["y", "o", None], 60)))
    turn = {
        "pandas": lambda frame: frame.to_pandas(),
        "duckdb": lambda frame: duckdb.from_arrow(frame.to_arrow()),
        "arrow": lambda frame: frame.to_arrow(),
        "shuffled": lambda frame: frame.sample(fraction=1, shuffle=True, seed=3),
    }[kind]
    for measure in (
        lambda f: within_group(f(shown), f(groups), k=5),
        lambda f: cross_group(f(shown), f(groups), f(train), k=5),
        lambda f: shared_places(f(shown), k=5, popular=f(train), everybody=0.3, n_bootstrap=20),
    ):
        expected, table = measure(lambda frame: frame), measure(turn)
        assert table.select(pl.col(pl.String, pl.Int64)).equals(expected.select(pl.col(pl.String, pl.Int64)))
        numbers = [t.select(pl.col(pl.Float64)).to_numpy() for t in (table, expected)]
        np.testing.assert_allclose(*numbers, atol=1e-9)
