"""Hidden groups stay hidden: everything that is published, added and subtracted in every way."""

import itertools
import json

import numpy as np
import polars as pl
import pytest

from equipoise.audit.evidence import assemble
from equipoise.audit.request import Settings, Tables
from equipoise.report import render_audit, render_summary

SYSTEMS = ("first", "second")


def tables(people, seed=0, items=40, k=5):
    """Lists and held-out items drawn for each user, so that no two groups have one mean."""
    rng = np.random.default_rng(seed)
    users = people.with_row_index("user_id").with_columns(pl.col("user_id").cast(pl.Int64))
    shown, truth, train = [], [], []
    for user in range(len(users)):
        drawn = rng.permutation(items)
        train += [(user, int(item)) for item in drawn[:3]]
        took = drawn[3 : 3 + rng.integers(2, 7)]
        truth += [(user, int(item)) for item in took]
        for system in SYSTEMS:
            some = rng.permutation(np.concatenate([took[: rng.integers(0, 4)], drawn[12:20]]))[:k]
            shown += [(system, user, int(item), rank) for rank, item in enumerate(some, 1)]
    pair = ["user_id", "item_id"]
    catalogue = pl.DataFrame({"item_id": range(items), "genre": [f"g{i % 3}" for i in range(items)]})
    return Tables(
        pl.DataFrame(shown, schema=["system", *pair, "rank"], orient="row"),
        pl.DataFrame(truth, schema=pair, orient="row"),
        users,
        catalogue,
        pl.DataFrame(train, schema=pair, orient="row"),
    )


def settings(groups, **more):
    given = {
        "groups": groups,
        "k": (5,),
        "metrics": ("ndcg", "recall"),
        "item_groups": ("genre",),
        "n_bootstrap": 100,
        "n_permutations": 100,
        "attackers": ("logistic",),
    }
    return Settings(**given | more)


def people(**columns):
    return pl.DataFrame(
        {name: [value for value, n in runs for _ in range(n)] for name, runs in columns.items()}
    )


def crossed(cells, *names):
    return pl.DataFrame(
        [cell for cell, n in cells.items() for _ in range(n)], schema=list(names), orient="row"
    )


ALONE = people(gender=[("M", 110), ("F", 85), ("X", 5)])
GRID = crossed(
    {
        ("F", "east"): 40, ("F", "north"): 33, ("F", "west"): 60,
        ("M", "east"): 45, ("M", "north"): 7, ("M", "west"): 70,
        ("X", "east"): 35, ("X", "north"): 50, ("X", "west"): 38,
    },
    "gender", "region",
)  # fmt: skip
MARGIN = crossed(  # a small parent, whose cells stand in one column only
    {
        ("F", "east"): 40, ("F", "west"): 41, ("M", "east"): 60, ("M", "west"): 55, ("X", "west"): 6,
        (None, "east"): 4,
    },
    "gender", "region",
)  # fmt: skip
NESTED = crossed(  # two columns that divide people alike: one would tell what the other hides
    {("a", "I"): 5, ("b", "II"): 50, ("c", "III"): 60, ("c", "IV"): 45}, "first", "other"
)  # fmt: skip
ELSE_UNKNOWN = crossed({("X",): 5, ("Y",): 8, (None,): 120}, "gender")


def cells_of(users, groups, order):
    """Attribute, group and the users of every cell, made from the users table alone."""
    found = {}
    for size in range(1, order + 1):
        for chosen in itertools.combinations(groups, size):
            for values, part in users.drop_nulls(chosen).group_by(chosen):
                found[" x ".join(chosen), " x ".join(values)] = part["user_id"].to_numpy()
            unknown = users.filter(pl.any_horizontal(pl.col(name).is_null() for name in chosen))
            if len(unknown):
                found[" x ".join(chosen), "unknown"] = unknown["user_id"].to_numpy()
    return found


def truths(table, metric):
    """The metric of every user, by system, written anew."""
    relevant = table.truth.with_columns(hit=pl.lit(1.0))
    joined = table.recommendations.join(relevant, on=["user_id", "item_id"], how="left").with_columns(
        pl.col("hit").fill_null(0.0)
    )
    most = table.truth.group_by("user_id").agg(pl.len().alias("n"))
    gain = pl.col("hit") if metric == "recall@5" else pl.col("hit") / (pl.col("rank") + 1).log(2)
    best = pl.col("n") if metric == "recall@5" else pl.col("n").clip(0, 5).replace_strict(
        {n: float(np.sum(1 / np.log2(np.arange(2, n + 2)))) for n in range(6)}
    )  # fmt: skip
    found = joined.group_by("system", "user_id").agg(gain.sum().alias("gain")).join(most, on="user_id")
    table = found.select("system", "user_id", (pl.col("gain") / best).alias("value")).sort("user_id")
    return {system: table.filter(system=system)["value"].to_numpy() for system in SYSTEMS}


def numbers(node):
    """Every number of the evidence that may be about users."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in (
                "data",
                "settings",
                "versions",
                "seed",
                "exposure",
                "provider",
                "lorenz",
                "definitions",
            ):
                yield from numbers(value)
    elif isinstance(node, list):
        for value in node:
            yield from numbers(value)
    elif isinstance(node, float):
        yield node


CASES = {
    "one attribute": (ALONE, ("gender",), 1),
    "a crossed table": (GRID, ("gender", "region"), 2),
    "a small margin": (MARGIN, ("gender", "region"), 2),
    "two columns alike": (NESTED, ("first", "other"), 1),
    "the rest unknown": (ELSE_UNKNOWN, ("gender",), 1),
}


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES.keys())
def published(request):
    users, groups, order = request.param
    table = tables(users)
    asked = settings(groups, intersections=order)
    evidence = assemble(table, asked)
    hidden = {(row["attribute"], row["group"]) for row in evidence["groups"] if row["suppressed"]}
    return table, json.loads(json.dumps(evidence)), cells_of(table.users, groups, order), hidden


def test_small_groups_are_hidden_and_never_alone(published):
    _, evidence, cells, hidden = published
    assert {cell for cell, users in cells.items() if len(users) < 30} <= hidden
    for attribute in {attribute for attribute, group in hidden if group != "unknown"}:
        known = [cell for cell in hidden if cell[0] == attribute and cell[1] != "unknown"]
        assert len(known) >= 2
        rows = [row for row in evidence["gaps"] if row["attribute"] == attribute]
        assert {row["verdict"] for row in rows} <= {"insufficient evidence", None}
        assert {row[name] for row in rows for name in ("gap", "low", "p_value", "users", "null_mean")} == {
            None
        }
        assert {row["groups"] for row in rows} == {""}
    for section in ("groups", "lists"):
        for row in evidence[section]:
            if (row["attribute"], row["group"]) in hidden:
                assert row["suppressed"]
                assert {row.get(name) for name in ("value", "low", "high", "users", "excluded")} == {None}
    assert not hidden & {(row["attribute"], row["group"]) for row in evidence["slices"]}


def test_no_hidden_mean_is_published_or_one_step_away(published):
    """Of NDCG, whose means hardly ever agree by chance to nine digits; recall is a fraction of small numbers."""
    table, evidence, cells, hidden = published
    told = np.unique(np.round(list(numbers(evidence)), 12))
    overall = {row["system"]: row["value"] for row in evidence["overall"] if row["metric"] == "ndcg@5"}
    for system, values in truths(table, "ndcg@5").items():
        assert overall[system] == pytest.approx(values.mean(), abs=1e-9)
        about = [
            row
            for name in ("overall", "groups", "gaps", "slices")
            for row in evidence[name]
            if row["system"] == system and row["metric"] == "ndcg@5"
        ]
        near = np.unique([number for row in about for number in row.values() if isinstance(number, float)])
        steps = np.concatenate([(near[:, None] + near).ravel(), (near[:, None] - near).ravel()])
        for cell in hidden:
            mean = values[cells[cell]].mean()
            if cell[1] != "unknown":
                assert np.abs(told - mean).min() > 1e-9, cell
                assert np.abs(steps - mean).min() > 1e-9, cell


def test_no_hidden_mean_follows_by_subtraction(published):
    """Every published mean with its number of users is an equation in the sums over users' atoms."""
    table, evidence, cells, hidden = published
    n = len(table.users)
    inside = {cell: np.isin(np.arange(n), users) for cell, users in cells.items()}
    for system, metric in itertools.product(SYSTEMS, ("ndcg@5", "recall@5")):
        rows = [row for row in evidence["groups"] if row["system"] == system and row["metric"] == metric]
        (total,) = (row for row in evidence["overall"] if row["system"] == system and row["metric"] == metric)
        equations = [(np.ones(n), total["value"] * total["users"])]
        for row in rows:
            if row["value"] is not None:
                cell = inside[row["attribute"], row["group"]]
                equations.append((cell.astype(float), row["value"] * row["users"]))
        for row in evidence["slices"]:
            if row["system"] == system and row["metric"] == metric:
                rest = (~inside[row["attribute"], row["group"]]).astype(float)
                equations.append((rest, row["rest"] * (total["users"] - row["users"])))
        left = np.array([own for own, _ in equations])
        right = np.array([value for _, value in equations])
        values = truths(table, metric)[system]
        for cell in hidden:
            if cell[1] == "unknown":
                continue
            weights, *_ = np.linalg.lstsq(left.T, inside[cell].astype(float), rcond=None)
            guess = weights @ right / inside[cell].sum()  # even for one who knew its size
            assert abs(guess - values[inside[cell]].mean()) > 1e-6, cell
            assert np.abs(left.T @ weights - inside[cell]).max() > 1e-3, cell


def test_sizes_of_hidden_groups_are_not_told(published):
    _, evidence, cells, hidden = published
    touched = {attribute for attribute, group in hidden if group != "unknown"}
    for row in evidence["attackers"]:
        assert (row["users"] is None) == (row["attribute"] in touched)
    sizes = {len(cells[cell]) for cell in hidden if cell[1] != "unknown"}
    for row in [*evidence["notes"], *evidence["not_testable"]]:
        if row["code"] not in ("attribute_missing", "users_missing"):
            assert not sizes & {value for value in row["values"].values() if isinstance(value, int)}, row


def test_attackers_do_not_look_at_small_groups(published):
    _, evidence, cells, _ = published
    dropped = {
        (row["values"]["attribute"], row["values"]["group"])
        for row in evidence["notes"]
        if row["code"] == "attack_group_dropped"
    }
    attacked = {row["attribute"] for row in evidence["attackers"]}
    small = {cell for cell, users in cells.items() if len(users) < 30 and cell[1] != "unknown"}
    assert dropped == {cell for cell in small if cell[0] in attacked}


def test_pages_are_made_of_what_is_left(published):
    _, evidence, _, _ = published
    for lang in ("en", "zh"):
        page = render_audit(evidence, lang)
        assert "&lt; 30" in page or "&lt;&nbsp;30" in page
        assert render_summary(evidence, lang)


def test_without_a_small_group_nothing_is_hidden():
    table = tables(people(gender=[("M", 70), ("F", 60)]))
    evidence = assemble(table, settings(("gender",), attackers=False))
    assert not any(row["suppressed"] for row in (*evidence["groups"], *evidence["lists"]))
    assert all(row["users"] in (60, 70) for row in evidence["groups"])
    assert all(row["gap"] is not None for row in evidence["gaps"] if row["primary"])
