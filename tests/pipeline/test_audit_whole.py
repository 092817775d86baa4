"""An audit with nothing replaced: tables of a world in, evidence and pages out, every number again."""

import polars as pl
import pytest

from equipoise.audit import FairnessFrame
from equipoise.data import vocabulary as v
from equipoise.errors import ConfigError, DataError
from equipoise.metrics import ndcg
from equipoise.pipeline.audit import audit, verify
from equipoise.worlds import Storefront

SETTINGS = {
    "groups": ["gender", "region"],
    "k": [5],
    "metrics": ["ndcg"],
    "intersections": 2,
    "item_groups": ["category", "provider"],
    "tolerance": 0.05,
    "n_bootstrap": 100,
    "n_permutations": 100,
    "attackers": ("logistic",),
}


def lists(order, k=5):
    """The first items of an order that is the same for everybody, or of each user's own."""
    ranked = order.with_columns(rank=pl.int_range(1, pl.len() + 1).over(v.USER))
    return ranked.filter(pl.col("rank") <= k).select(v.USER, v.ITEM, "rank")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    world = Storefront(n_users=300, n_items=60, seed=5).generate()
    clicks = world.log.filter(pl.col("event") == "click").select(v.USER, v.ITEM).unique(maintain_order=True)
    half = pl.int_range(pl.len()).over(v.USER) < pl.len().over(v.USER) / 2
    train, truth = clicks.filter(half), clicks.filter(~half)
    users, items = world.users, world.items
    everyone = users.select(v.USER).join(items.select(v.ITEM), how="cross")
    own = lists(everyone.sort(v.USER, pl.struct(v.USER, v.ITEM).hash(seed=1)))
    frames = {
        "own": own.with_columns(score=1.0 / pl.col("rank"), faithful=pl.col("rank") < 3),
        "same": lists(everyone.sort(v.USER, v.ITEM)).with_columns(
            score=1.0 / pl.col("rank"), faithful=pl.lit(False)
        ),
        "truth": truth,
        "train": train,
        "users": users,
        "items": items,
    }
    for name, frame in frames.items():
        frame.write_parquet(folder / f"{name}.parquet")
    return folder


@pytest.fixture(scope="module")
def done(tables):
    inputs = {
        "recommendations": [
            {"name": name, "path": str(tables / f"{name}.parquet")} for name in ("own", "same")
        ],
        **{name: str(tables / f"{name}.parquet") for name in ("truth", "train", "users", "items")},
    }
    return audit(inputs, SETTINGS, out=tables / "audit")


def test_every_section_is_there_and_every_number_has_its_own_name(done):
    sections = (
        "overall groups gaps comparisons gap_comparisons slices lists exposure provider concentration attackers "
        "collapse questions notes not_testable definitions lorenz"
    )
    assert [name for name in sections.split() if not done.evidence[name]] == []
    ids = [
        row["id"] for rows in done.evidence.values() if isinstance(rows, list) for row in rows if "id" in row
    ]
    assert len(ids) == len(set(ids)) > 500


def test_numbers_are_those_of_the_frame(done, tables):
    frame = FairnessFrame(
        metrics={"ndcg@5": ndcg(5)},
        recommendations=pl.read_parquet(tables / "own.parquet"),
        truth=pl.read_parquet(tables / "truth.parquet"),
        users=pl.read_parquet(tables / "users.parquet"),
        groups=["gender"],
        n_bootstrap=100,
        n_permutations=100,
    )
    told = {(row["system"], row["metric"]): row["value"] for row in done.evidence["overall"]}
    assert told["own", "ndcg@5"] == pytest.approx(frame.overall["value"][0], abs=1e-12)
    gap = frame.gaps.filter(kind="difference").row(0, named=True)
    same = next(row for row in done.evidence["gaps"] if row["id"] == "gap/own/gender/ndcg@5/difference")
    assert same["gap"] == pytest.approx(gap["gap"], abs=1e-12)
    assert same["groups"] == gap["groups"]


def test_references_stand_beside_and_are_not_judged(done):
    roles = {row["name"]: row["role"] for row in done.evidence["systems"]}
    assert roles == {"own": "audited", "same": "audited", "TopPop": "reference", "Random": "reference"}
    judged = {row["system"] for row in done.evidence["gaps"] if row["verdict"] is not None}
    assert judged == {"own", "same"}
    compared = {(row["first"], row["second"]) for row in done.evidence["comparisons"]}
    assert compared == {("own", "same")}


def test_the_system_that_shows_everybody_the_same_is_named(done):
    named = {row["system"]: row for row in done.evidence["collapse"]}
    assert named["same"]["shared"] == pytest.approx(1.0)
    assert named["same"]["named"]
    assert not named["own"]["named"]
    assert not named["Random"]["named"]


def test_explanations_are_measured_where_they_are_told(done):
    shares = {row["system"]: row["value"] for row in done.evidence["transparency"]["rows"]}
    assert shares == {"own": pytest.approx(0.4), "same": 0.0}


def test_pages_are_written_in_words(done):
    report, summary = done.report.read_text("utf-8"), done.summary.read_text("utf-8")
    for page in (report, summary):
        assert "insufficient evidence" in page
        assert "note." not in page.split("<script")[0]
    assert "equipoise audit verify" in report


def test_the_audit_holds_until_a_table_changes(done, tables):
    assert verify(done.path).holds
    kept = (tables / "truth.parquet").read_bytes()
    try:
        pl.read_parquet(tables / "truth.parquet").head(-5).write_parquet(tables / "truth.parquet")
        found = verify(done.path)
    finally:
        (tables / "truth.parquet").write_bytes(kept)
    assert not found.holds
    assert "truth" in next(check.words for check in found.checks if check.name == "inputs")
    assert found.differences


def test_without_training_events_the_row_of_the_most_popular_says_what_it_needs(tables, tmp_path):
    inputs = {
        "recommendations": [{"name": "own", "path": str(tables / "own.parquet")}],
        "truth": str(tables / "truth.parquet"),
        "users": str(tables / "users.parquet"),
    }
    few = SETTINGS | {"groups": ["gender"], "intersections": 1, "item_groups": [], "attackers": False}
    bare = audit(inputs, few, out=tmp_path / "bare")
    missing = {row["name"]: row["missing"] for row in bare.evidence["systems"]}
    assert missing == {"own": None, "TopPop": "train", "Random": "items"}
    codes = {row["code"] for row in bare.evidence["not_testable"]}
    assert {"no_train", "no_items", "no_catalogue", "no_attackers"} <= codes
    assert {row["value"] for row in bare.evidence["concentration"]} == {None}
    assert bare.evidence["lorenz"] == {}
    assert "needs --train" in bare.report.read_text("utf-8")


def test_items_that_the_items_table_lacks_are_counted(tables, tmp_path):
    half = pl.read_parquet(tables / "items.parquet").head(30)
    half.write_parquet(tmp_path / "items.parquet")
    shown = pl.read_parquet(tables / "own.parquet")
    inputs = {
        "recommendations": [{"name": "own", "path": str(tables / "own.parquet")}],
        "truth": str(tables / "truth.parquet"),
        "users": str(tables / "users.parquet"),
        "items": str(tmp_path / "items.parquet"),
    }
    few = SETTINGS | {
        "groups": ["gender"],
        "intersections": 1,
        "item_groups": ["category"],
        "attackers": False,
        "controls": ["profile_size", "activity"],
    }
    with pytest.raises(ConfigError, match="training events"):
        audit(inputs, few, out=tmp_path / "bare")
    found = audit(inputs | {"train": str(tables / "train.parquet")}, few, out=tmp_path / "half").evidence
    (note,) = [
        row["values"]
        for row in found["notes"]
        if row["code"] == "items_without_group" and row["values"]["system"] == "own"
    ]
    lost = ~pl.col(v.ITEM).is_in(half[v.ITEM].to_list())
    assert note["attribute"] == "category"
    assert note["places"] == len(shown.filter(lost)) > 0
    attention = 1 / (pl.col("rank") + 1).log(2)
    assert note["share"] == pytest.approx(shown.select(attention.filter(lost).sum() / attention.sum()).item())
    measured = {row["users"] for row in found["exposure"] if row["system"] == "own"}
    assert measured == {shown[v.USER].n_unique()}


@pytest.mark.parametrize("name", ["TopPop", "Random"])
def test_names_of_reference_systems_are_taken(tables, tmp_path, name):
    inputs = {
        "recommendations": [{"name": name, "path": str(tables / "own.parquet")}],
        **{table: str(tables / f"{table}.parquet") for table in ("truth", "users")},
    }
    with pytest.raises(DataError, match=f"called '{name}'"):
        audit(inputs, SETTINGS | {"item_groups": []}, out=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_nobody_to_measure_is_an_error_and_leaves_no_folder(tables, tmp_path):
    pl.DataFrame({v.USER: ["x"], v.ITEM: ["y"]}).write_csv(tmp_path / "truth.csv")
    inputs = {
        "recommendations": [{"name": "own", "path": str(tables / "own.parquet")}],
        "truth": str(tmp_path / "truth.csv"),
        "users": str(tables / "users.parquet"),
    }
    with pytest.raises(DataError):
        audit(inputs, SETTINGS, out=tmp_path / "none")
    assert not (tmp_path / "none").exists()
