import hashlib
import json
import shutil

import numpy as np
import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import equipoise
from equipoise.audit.evidence.lists import transparency
from equipoise.audit.policy import Policy, Rule
from equipoise.audit.request import Settings
from equipoise.audit.verification.signing import VARIABLE
from equipoise.errors import ConfigError, DataError, EquipoiseError
from equipoise.pipeline.audit import Audit, audit, verify
from equipoise.pipeline.audit.inputs import Inputs, Named
from equipoise.pipeline.audit.tables import read_tables
from equipoise.pipeline.explain import explain_all
from equipoise.pipeline.finished import FinishedRun
from tests.pipeline.small_audit import USERS, assemble, page, write_tables

SETTINGS = {"groups": ["gender"], "k": [5]}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """The journey with small statistics and pages, and without a key that the environment might hold."""
    monkeypatch.setattr("equipoise.audit.evidence.assemble", assemble)
    monkeypatch.setattr("equipoise.report.render_audit", page)
    monkeypatch.setattr("equipoise.report.render_summary", page)
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def tables(tmp_path):
    return write_tables(tmp_path / "data")


def named(tables, **others):
    return {
        "recommendations": [{"name": "ours", "path": str(tables / "recs.csv")}],
        "truth": str(tables / "truth.csv"),
        "users": str(tables / "users.csv"),
        **others,
    }


def read(tables, **others):
    return read_tables(Inputs.model_validate(named(tables, **others)), tables)


# Tables from files


def test_tables_come_with_their_systems_and_sources(tables):
    found = read(tables, items=str(tables / "items.csv"), train=str(tables / "train.csv"))
    assert found.recommendations.columns == ["system", "user_id", "item_id", "rank"]
    assert found.systems == ["ours"]
    assert found.truth.columns == ["user_id", "item_id", "value"], "ratings are values"
    assert found.train.columns == ["user_id", "item_id"]
    assert [row["table"] for row in found.sources] == [
        "recommendations:ours",
        "train",
        "truth",
        "users",
        "items",
    ]
    first = found.sources[0]
    assert first["sha256"] == hashlib.sha256((tables / "recs.csv").read_bytes()).hexdigest()
    assert (first["rows"], first["users"], first["items"]) == (5 * USERS, USERS, 12)


def test_systems_are_named_by_people_columns_or_files(tables):
    lists = pl.read_csv(tables / "recs.csv")
    both = pl.concat([lists.with_columns(stage=pl.lit(name)) for name in ("before", "after")])
    both.write_parquet(tables / "both.parquet")
    given = [{"path": str(tables / "recs.csv")}, {"path": str(tables / "both.parquet")}]
    assert read(tables, recommendations=given).systems == ["recs", "before", "after"]
    given[1]["name"] = "new"
    assert read(tables, recommendations=given).systems == ["recs", "new before", "new after"]
    with pytest.raises(DataError, match="Two systems are called 'recs'"):
        read(tables, recommendations=[given[0], given[0]])


def test_only_relevant_pairs_count(tables):
    assert len(read(tables).truth) == 2 * USERS
    found = read(tables, relevant=4.0)
    assert found.truth["value"].min() == 5.0
    assert found.sources[-2]["rows"] == len(found.truth) == USERS
    with pytest.raises(DataError, match="No held-out pair is left"):
        read(tables, relevant=9.0)
    pl.read_csv(tables / "truth.csv").drop("rating").write_csv(tables / "truth.csv")
    with pytest.raises(DataError, match="they have no values"):
        read(tables, relevant=4.0)


def test_events_that_say_nothing_of_taste_do_not_count(tables):
    train = pl.read_csv(tables / "train.csv").with_columns(event=pl.lit("click"))
    seen = train.with_columns(event=pl.lit("impression"), item_id=pl.lit(111, dtype=pl.Int64))
    pl.concat([train, seen]).write_csv(tables / "train.csv")
    assert len(read(tables, train=str(tables / "train.csv")).train) == len(train)


def test_identifiers_become_one_type(tables):
    users = pl.read_csv(tables / "users.csv")
    users.with_columns(pl.col("user_id").cast(pl.Float64)).write_parquet(tables / "users.parquet")
    found = read(tables, users=str(tables / "users.parquet"))
    assert found.users["user_id"].dtype == pl.Int64
    users.with_columns(pl.col("user_id").cast(pl.String)).write_parquet(tables / "users.parquet")
    found = read(tables, users=str(tables / "users.parquet"))
    assert {found.users["user_id"].dtype, found.truth["user_id"].dtype} == {pl.String}
    assert found.recommendations.join(found.users, on="user_id", how="semi").height == 5 * USERS


def test_tables_of_other_people_are_refused(tables):
    pl.read_csv(tables / "recs.csv").with_columns(pl.col("user_id") + 1000).write_csv(tables / "inner.csv")
    with pytest.raises(DataError, match="No 'user_id' of the truth stands in the recommendations") as error:
        read(tables, recommendations=[{"path": str(tables / "inner.csv")}])
    assert "1001" in str(error.value)
    pl.read_csv(tables / "recs.csv").with_columns(pl.col("item_id") - 100).write_csv(tables / "inner.csv")
    with pytest.raises(DataError, match="No 'item_id' of the recommendations"):
        read(tables, recommendations=[{"path": str(tables / "inner.csv")}])


def test_missing_columns_are_named_with_those_there(tables):
    pl.read_csv(tables / "users.csv").rename({"user_id": "userid"}).write_csv(tables / "users.csv")
    with pytest.raises(DataError, match="no column 'user_id'") as error:
        read(tables)
    assert "Did you mean 'userid'" in str(error.value)
    assert "users.csv" in str(error.value)


def test_what_reading_did_is_noted(tables, tmp_path):
    lists = pl.read_csv(tables / "recs.csv").with_columns(pl.col("rank") - 1)
    lists.rename({"user_id": "userid"}).write_csv(tables / "recs.csv")
    made = audit(named(tables), SETTINGS, out=tmp_path / "out")
    assert {"columns_renamed", "ranks_from_zero"} <= {note["code"] for note in made.evidence["notes"]}
    assert made.evidence["data"][0]["rows"] == 5 * USERS


def test_arrays_come_with_their_identifiers_beside_them(tables):
    lists = pl.read_csv(tables / "recs.csv").sort("user_id", "rank")
    inner = (lists["item_id"] - 100).to_numpy().reshape(USERS, 5)
    np.save(tables / "lists.npy", inner)
    np.save(tables / "users.npy", np.arange(1, USERS + 1))
    np.save(tables / "items.npy", np.arange(100, 112))
    given = {
        "user_ids": str(tables / "users.npy"),
        "item_ids": str(tables / "items.npy"),
        "format": "implicit",
    }
    found = read(tables, recommendations=[{"name": "als", "path": str(tables / "lists.npy")}], **given)
    kept = found.recommendations.select("user_id", "item_id", "rank")
    assert kept.sort("user_id", "rank").equals(lists.select(kept.columns).cast(kept.schema))
    recorded = {row["table"]: row for row in found.sources}
    for name, file in (("user_ids", "users.npy"), ("item_ids", "items.npy")):
        assert recorded[name]["sha256"] == hashlib.sha256((tables / file).read_bytes()).hexdigest()
    assert (recorded["user_ids"]["users"], recorded["item_ids"]["items"]) == (USERS, 12)
    with pytest.raises(ConfigError, match="Only arrays need user_ids"):
        read(tables, user_ids=str(tables / "users.npy"))


def test_vectors_belong_to_a_system(tables):
    rows = pl.DataFrame({"user_id": range(1, USERS + 1), "vector": [[0.5, 1.0]] * USERS})
    rows.write_parquet(tables / "vectors.parquet")
    found = read(tables, vectors=[{"path": str(tables / "vectors.parquet")}])
    assert list(found.vectors) == ["ours"]
    with pytest.raises(DataError, match="no system called 'other'"):
        read(tables, vectors=[{"name": "other", "path": str(tables / "vectors.parquet")}])


def test_databases_are_read_and_hashed_by_their_cells(tables, monkeypatch):
    import sqlite3

    with sqlite3.connect(tables / "shop.db") as shop:
        shop.execute("create table held_out (user_id integer, item_id integer)")
        shop.executemany("insert into held_out values (?, ?)", [(1, 100), (2, 101)])
    shop.close()
    monkeypatch.chdir(tables)
    inputs = Inputs.model_validate(named(tables, truth="sqlite:///shop.db#held_out")).relative(tables / "out")
    assert inputs.truth == "sqlite:///../shop.db#held_out"
    found = read_tables(inputs, tables / "out")
    assert found.truth.rows() == [(1, 100), (2, 101)]
    assert len(found.sources[1]["sha256"]) == 64


def test_passwords_are_not_recorded(tables):
    given = Inputs.model_validate(named(tables, truth="postgresql://me:secret@host/shop#truth"))
    with pytest.raises(ConfigError, match="holds a password") as error:
        given.relative(tables)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "name", "path"),
    [
        ("ours=recs.csv", "ours", "recs.csv"),
        ("item kNN=a=b.csv", "item kNN", "a=b.csv"),
        ("recs.csv", None, "recs.csv"),
        ("sqlite:///shop.db#select * from r where k=1", None, "sqlite:///shop.db#select * from r where k=1"),
        ("runs/k=1/recs.csv", None, "runs/k=1/recs.csv"),
    ],
)
def test_names_stand_before_paths(text, name, path):
    assert Named.parse(text) == Named(name=name, path=path)


# The folder


def test_the_folder_holds_what_is_promised(tables, tmp_path):
    said = []
    made = audit(named(tables), SETTINGS, out=tmp_path / "out", say=said.append)
    there = {str(path.relative_to(made.path)) for path in made.path.rglob("*") if path.is_file()}
    assert there >= {"evidence.json", "report.html", "summary.html", "tables/gaps.csv", "tables/groups.csv"}
    assert "evidence.sig" not in there
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert Audit.read(made.path).evidence == made.evidence
    assert [line.split()[0] for line in said] == ["read", "measuring", "wrote"]
    gaps = pl.read_csv(made.path / "tables/gaps.csv")
    assert gaps["gap"].to_list() == pytest.approx([made.evidence["gaps"][0]["gap"]])
    assert pl.read_csv(made.path / "tables/notes.csv")["values"].to_list() == ['{"users": 3}']


def test_tables_are_no_formulas(tables, tmp_path):
    """What a spreadsheet would run stands behind an apostrophe; numbers below 0 stay numbers."""
    users = pl.read_csv(tables / "users.csv").with_columns(
        gender=pl.when(pl.col("gender") == "F").then(pl.lit('=HYPERLINK("http://x")')).otherwise(pl.lit("M"))
    )
    users.write_csv(tables / "users.csv")
    made = audit(named(tables), SETTINGS, out=tmp_path / "out")
    assert made.evidence["groups"][0]["group"] == '=HYPERLINK("http://x")'
    assert pl.read_csv(made.path / "tables/groups.csv")["group"][0] == '\'=HYPERLINK("http://x")'
    assert pl.read_csv(made.path / "tables/gaps.csv")["low"].to_list() == [-0.1]


def test_an_audit_is_called_what_its_systems_are(tables, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lists = [{"name": name, "path": str(tables / "recs.csv")} for name in ("a/b", "c", "d", "e")]
    lists.insert(1, {"path": str(tables / "recs.csv")})
    for count, name in ((1, "a/b"), (3, "a/b, recs, c"), (5, "a/b, recs, c, ...")):
        made = audit(named(tables, recommendations=lists[:count]), SETTINGS)
        assert made.evidence["name"] == name
        assert made.path.parent == type(made.path)("audits")
        shutil.rmtree(made.path)
    assert audit(named(tables), SETTINGS | {"name": "mine"}).evidence["name"] == "mine"


def test_what_was_asked_is_recorded(tables, tmp_path):
    policy = Policy(owner="Trust", rules=[Rule(tolerance=0.1)])
    fields = SETTINGS | {"policy": policy, "seed": 3, "controls": ["age", "activity"]}
    made = audit(named(tables), fields, out=tmp_path / "out")
    request = made.evidence["request"]
    assert request["inputs"]["truth"] == "../data/truth.csv"
    assert request["settings"]["policy"]["rules"][0]["owner"] == "Trust"
    assert request["settings"]["seed"] == 3
    assert str(tmp_path) not in json.dumps(request), "no place of this machine is told"
    assert made.evidence["data"][0]["path"] == "../data/recs.csv"


def test_a_finished_audit_is_not_written_over(tables, tmp_path):
    made = audit(named(tables), SETTINGS, out=tmp_path / "out")
    with pytest.raises(EquipoiseError, match="holds an audit already"):
        audit(named(tables), SETTINGS, out=tmp_path / "out")
    again = audit(named(tables), SETTINGS | {"k": [3]}, out=tmp_path / "out", force=True)
    assert again.evidence != made.evidence
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(EquipoiseError, match=r"holds other files .*notes\.txt"):
        audit(named(tables), SETTINGS, out=tmp_path / "out", force=True)
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"
    with pytest.raises(EquipoiseError, match="This is a file"):
        audit(named(tables), SETTINGS, out=tables / "recs.csv")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interruption_leaves_nothing_half_written(tables, tmp_path, monkeypatch, stop):
    """Neither a new folder, nor a mixture with the audit that was there."""
    from pathlib import Path

    write_bytes = Path.write_bytes

    def stops(path, content):
        if path.name == "summary.html":
            raise stop
        return write_bytes(path, content)

    for place, force in ((tmp_path / "new", False), (tmp_path / "old", True)):
        if force:
            audit(named(tables), SETTINGS, out=place)
        before = {path.name: path.read_bytes() for path in place.rglob("*") if path.is_file()}
        with monkeypatch.context() as broken:
            broken.setattr(Path, "write_bytes", stops)
            with pytest.raises((KeyboardInterrupt, EquipoiseError)):
                audit(named(tables), SETTINGS | {"k": [2]}, out=place, force=force)
        assert {path.name: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "old"]


def test_what_was_there_comes_back_when_the_new_one_cannot_take_its_place(tables, tmp_path, monkeypatch):
    from pathlib import Path

    made = audit(named(tables), SETTINGS, out=tmp_path / "out")
    rename = Path.rename

    def refuses(path, target):
        if path.name.startswith(".out") and not path.name.endswith("old"):
            raise OSError(5, "Input/output error")
        return rename(path, target)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "rename", refuses)
        with pytest.raises(EquipoiseError, match="could not be written"):
            audit(named(tables), SETTINGS | {"k": [2]}, out=tmp_path / "out", force=True)
    assert Audit.read(tmp_path / "out").evidence == made.evidence
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, ["No column to compare groups by", "user_id, gender, age"]),
        ({"groups": ["gendr"]}, ["no column 'gendr'", "Did you mean 'gender'"]),
        ({"groups": ["gender"], "controls": ["acitvity"]}, ["no column 'acitvity'", "--controls"]),
        ({"groups": ["gender"], "item_groups": ["provider"]}, ["no items table", "--items"]),
        ({"groups": ["gender"], "min_cel": 3}, ["'min_cel'", "Did you mean 'min_cell'"]),
        (
            {"groups": ["gender"], "policy": Policy(rules=[Rule(attribute="gendr", tolerance=0.1)])},
            ["attribute 'gendr'", "Did you mean 'gender'"],
        ),
        ({"groups": ["gender"], "k": [0]}, ["list lengths start at 1"]),
        ({"groups": ["gender"], "tolerance": -0.1}, ["a tolerance is 0 or more"]),
    ],
)
def test_unusable_settings_are_told_before_anything_is_written(tables, tmp_path, fields, said):
    with pytest.raises(EquipoiseError) as error:
        audit(named(tables), fields, out=tmp_path / "out")
    assert [words for words in said if words not in str(error.value)] == [], str(error.value)
    assert not (tmp_path / "out").exists()


def test_tables_that_cannot_be_audited_are_told():
    for given, words in (
        ({}, "nothing to audit"),
        ({"recommendations": [{"path": "a.csv"}]}, "cannot be measured"),
        ({"run": "runs/a", "truth": "b.csv", "train": "c.csv"}, "its own train and truth"),
        ({"rn": "runs/a"}, "'rn' is not a setting"),
    ):
        with pytest.raises(ConfigError, match=words):
            audit(given, SETTINGS)


# Verifying


def test_an_audit_holds_until_a_table_or_a_number_changes(tables, tmp_path):
    made = audit(named(tables), SETTINGS, out=tmp_path / "out")
    assert verify(made.path).holds
    assert verify(made.path, only="overall/ours/ndcg@5").number.recomputed["users"] == USERS
    truth = (tables / "truth.csv").read_text()
    (tables / "truth.csv").write_text(truth.replace("1,105,3.0", "1,106,3.0"))
    assert (tables / "truth.csv").read_text() != truth
    found = verify(made.path)
    assert not found.holds
    assert any("truth (../data/truth.csv)" in check.words for check in found.checks)
    (tables / "truth.csv").write_text(truth)
    assert verify(made.path).holds
    text = (made.path / "evidence.json").read_text()
    value = json.dumps(made.evidence["overall"][0]["value"])
    (made.path / "evidence.json").write_text(text.replace(value, "0.99", 1))
    assert [one.place for one in verify(made.path).differences] == ["overall/ours/ndcg@5 value"]


def test_addresses_of_others_are_read_when_asked_for_alone(tables, tmp_path, monkeypatch):
    """A foreign audit neither reaches the network unasked, nor sends what the environment holds."""
    made = audit(named(tables), SETTINGS, out=tmp_path / "out")
    asked = []
    monkeypatch.setattr("equipoise.data.sources._read_address", asked.append)
    monkeypatch.setattr(
        "equipoise.pipeline.audit.tables._needed", lambda table, *rest: pl.read_csv(tables / "truth.csv")
    )
    monkeypatch.setenv("SECRET", "hunter2")
    text = (made.path / "evidence.json").read_text()
    for address in ("https://elsewhere/t.csv?k=${SECRET}", "ht${NOTHING}tps://elsewhere/${SECRET}"):
        monkeypatch.setenv("NOTHING", "")
        (made.path / "evidence.json").write_text(
            text.replace('"truth": "../data/truth.csv"', f'"truth": "{address}"')
        )
        with pytest.raises(DataError, match="--allow-network"):
            verify(made.path)
        with pytest.raises(DataError, match="asks for a variable") as error:
            verify(made.path, allow_network=True)
        assert "hunter2" not in str(error.value)
    assert asked == []
    (made.path / "evidence.json").write_text(
        text.replace('"truth": "../data/truth.csv"', '"truth": "https://host/t.csv"')
    )
    monkeypatch.setattr("equipoise.pipeline.audit.tables.fingerprint", lambda place, table: "")
    verify(made.path, allow_network=True)
    assert asked == ["https://host/t.csv"]


def test_an_audit_may_move_with_its_tables(tables, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = audit(named(tables), SETTINGS, out="out")
    shutil.copytree(tmp_path, tmp_path.parent / f"{tmp_path.name}-moved")
    shutil.rmtree(tables)
    assert verify(tmp_path.parent / f"{tmp_path.name}-moved" / "out").holds
    with pytest.raises(DataError, match="no such file"):
        verify(made.path)


def test_pages_are_made_again_and_compared(tables, tmp_path):
    made = audit(named(tables), SETTINGS, out=tmp_path / "out")
    (made.path / "tables/gaps.csv").write_text("gap\n0\n")
    found = verify(made.path)
    assert not found.holds
    assert found.checks[-2].words == "tables/gaps.csv is not what the evidence gives"


def test_a_key_in_the_environment_signs(tables, tmp_path, monkeypatch):
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    monkeypatch.setenv(VARIABLE, text)
    made = audit(named(tables), SETTINGS, out=tmp_path / "out")
    monkeypatch.delenv(VARIABLE)
    signature = json.loads((made.path / "evidence.sig").read_text())
    assert signature["algorithm"] == "ed25519"
    assert made.evidence["signature"]["file"] == "evidence.sig"
    (tmp_path / "public.pem").write_text(signature["public_key"])
    assert verify(made.path, public_key=tmp_path / "public.pem").holds
    secret = text.splitlines()[1]
    assert not [path for path in made.path.rglob("*") if path.is_file() and secret in path.read_text("utf-8")]


def test_a_key_that_cannot_sign_is_told_before_the_work(tables, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "absent.pem"))
    monkeypatch.setattr("equipoise.audit.evidence.assemble", None)
    with pytest.raises(ConfigError, match="signing key"):
        audit(named(tables), SETTINGS, out=tmp_path / "out")


# Runs


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A small run: EASE, with a correction of its lists alone."""
    fields = {
        "name": "small", "seed": 5,
        "data": {"world": {"name": "storefront", "n_users": 150, "n_items": 40, "days": 10}},
        "model": {"name": "ease", "reg": 20.0}, "debias": [{"method": "exposure", "group": "provider"}],
        "audit": {"k": [5], "n_bootstrap": 200, "level": 0.9},
    }  # fmt: skip
    return equipoise.run(fields, out=tmp_path_factory.mktemp("runs") / "small")


@pytest.fixture
def copy(run, tmp_path):
    return shutil.copytree(run.path, tmp_path / "run")


def test_a_run_needs_nothing_more_said(run, copy):
    made = audit({"run": str(copy)})
    assert made.path == copy / "audit"
    settings = made.evidence["request"]["settings"]
    assert (settings["name"], settings["seed"], settings["k"], settings["level"]) == ("small", 5, [5], 0.9)
    assert settings["n_bootstrap"] == 200
    assert settings["groups"] == run.manifest["stages"]["prepare"]["sensitive"]
    assert settings["protocol"]["seen_items"] == "filtered"
    assert made.evidence["request"]["inputs"]["run"] == ".."
    assert [one["name"] for one in made.evidence["systems"]] == ["baseline", "corrected"]
    assert verify(made.path).holds


def test_a_run_gives_the_numbers_it_gave_itself(run, copy):
    made = audit({"run": str(copy)})
    for row in made.evidence["overall"]:
        own = run.metrics["stages"][row["system"]]["ndcg@5"]
        assert row["value"] == pytest.approx(own["value"], abs=1e-12)
        assert row["users"] == run.metrics["protocol"]["test_users"]


def test_what_is_said_comes_before_what_the_run_says(copy, tmp_path):
    users = pl.read_parquet(copy / "users.parquet").with_columns(region=pl.lit("north"))
    users.write_csv(tmp_path / "users.csv")
    inputs = {"run": str(copy), "users": str(tmp_path / "users.csv")}
    made = audit(inputs, {"groups": ["region"], "k": [3], "seed": 9}, out=tmp_path / "out")
    settings = made.evidence["request"]["settings"]
    assert (settings["groups"], settings["k"], settings["seed"], settings["level"]) == (
        ["region"],
        [3],
        9,
        0.9,
    )
    assert {row["table"]: row["path"] for row in made.evidence["data"]}["users"] == "../users.csv"


def test_tables_of_a_run_are_what_came_before_and_after(run, copy):
    found = read_tables(Inputs(run=".."), copy / "audit")
    assert set(found.recommendations.columns) == {"system", "user_id", "item_id", "rank", "score"}
    parts = {name: pl.read_parquet(copy / f"split/{name}.parquet") for name in ("train", "valid")}
    taken = pl.concat(part.filter(pl.col("event").is_in(["click", "purchase"])) for part in parts.values())
    assert len(found.train) == len(taken)
    assert found.truth.join(found.train, on=["user_id", "item_id"], how="semi").is_empty()
    tables = [row["table"] for row in found.sources]
    assert tables == [
        "recommendations:baseline",
        "recommendations:corrected",
        "truth",
        "train",
        "valid",
        "users",
        "items",
    ]
    kept = read_tables(Inputs(run="..", exclude_seen=False), copy / "audit")
    assert len(kept.truth) > len(found.truth)


def test_vectors_of_a_run_belong_to_the_model_that_was_fitted_last(copy):
    users = pl.read_parquet(copy / "users.parquet")["user_id"]
    (copy / "vectors").mkdir(exist_ok=True)
    pl.DataFrame({"user_id": users, "vector": [[1.0, 0.0]] * len(users)}).write_parquet(
        copy / "vectors/users.parquet"
    )
    inputs = Inputs(run="..")
    assert list(read_tables(inputs, copy / "audit").vectors) == ["baseline", "corrected"], (
        "one model, two lists"
    )
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["stages"]["train corrected"] = {}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert list(read_tables(inputs, copy / "audit").vectors) == ["corrected"]


def test_explanations_that_were_tried_fill_transparency(copy):
    """Of the users whose explanations were tried, and of no more places; whoever audited before them still verifies."""
    before = audit({"run": str(copy)})
    assert before.evidence["request"]["inputs"]["explanations"] is None
    finished = FinishedRun.open(copy)
    told = explain_all(finished, k=3, users=8)
    made = audit({"run": str(copy)}, out=copy / "second")
    asked = made.evidence["request"]
    tables = read_tables(Inputs.model_validate(asked["inputs"]), made.path)
    assert "explanations" in [row["table"] for row in tables.sources]
    (row,) = transparency(tables, Settings.model_validate(asked["settings"]))["rows"]
    assert (row["system"], row["metric"], row["users"]) == ("corrected", "faithful@3", 8)
    assert row["value"] == pytest.approx(told.summary.faithful.value)
    assert 0 < row["value"] <= 1
    assert asked["inputs"]["explanations"] == "../explanations.parquet"
    assert verify(made.path).holds
    assert verify(before.path).holds
    other = told.table.with_columns(pl.col("rank") + 1)
    other.write_parquet(copy / "explanations.parquet")
    with pytest.raises(DataError, match="of other lists"):
        audit({"run": str(copy)}, out=copy / "third")
    with pytest.raises(ConfigError, match="Only the lists of a run"):
        Inputs(recommendations=(Named(path="a.csv"),), truth="b.csv", explanations="c.parquet")


def test_folders_that_are_no_finished_run_are_refused(copy, tmp_path):
    with pytest.raises(DataError, match="not the folder of a run"):
        audit({"run": str(tmp_path)})
    manifest = json.loads((copy / "manifest.json").read_text()) | {"status": "running"}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="not finished"):
        audit({"run": str(copy)})
    assert not (copy / "audit").exists()
