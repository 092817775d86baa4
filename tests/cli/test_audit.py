import io
import json

import numpy as np
import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from rich.console import Console

import equipoise
from equipoise.audit.verification.signing import VARIABLE
from equipoise.cli import main
from equipoise.cli.verdicts import findings
from tests.pipeline.small_audit import USERS, assemble, page, write_tables


def call(*words):
    """The exit code of a command, 0 when it just ends."""
    try:
        main([str(word) for word in words])
    except SystemExit as end:
        return end.code or 0
    return 0


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """The journey with small statistics and pages, on a wide console, without a key of the environment."""
    monkeypatch.setattr("equipoise.audit.evidence.assemble", assemble)
    monkeypatch.setattr("equipoise.report.render_audit", page)
    monkeypatch.setattr("equipoise.report.render_summary", page)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("COLUMNS", "160")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory that holds the tables."""
    write_tables(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


TABLES = ("--recommendations", "ours=data/recs.csv", "--truth", "data/truth.csv", "--users", "data/users.csv")
AUDIT = ("audit", *TABLES, "--groups", "gender", "--out", "out")


def test_an_audit_prints_verdicts_notes_and_where_the_pages_are(here, capsys):
    assert call(*AUDIT, "--k", "5,3", "--lang", "zh") == 0
    said = capsys.readouterr().out
    for words in ("insufficient evidence", "ndcg@5", "gender", "[-0.100, 0.200]", "M - F", "out/report.html",
                  "out/summary.html", "equipoise audit verify out"):  # fmt: skip
        assert words in said, words
    evidence = json.loads((here / "out/evidence.json").read_text())
    assert evidence["settings"]["metrics"] == ["ndcg@5", "ndcg@3", "recall@5", "recall@3"]
    assert evidence["lang"] == "zh"
    assert evidence["command"] == "equipoise " + " ".join((*AUDIT, "--k", "5,3", "--lang", "zh"))


def test_every_option_arrives(here):
    (here / "policy.toml").write_text("owner = 'Trust'\n[[rule]]\ntolerance = 0.1\n")
    words = (
        "--items data/items.csv --train data/train.csv --relevant 4 --intersect 2 --metrics ndcg,recall@3 "
        "--controls activity,age --policy policy.toml --tolerance ndcg=0.1 --tolerance recall@3=0.2 "
        "--item-groups provider --target merit --no-attackers --level 0.9 --draws 200 --permutations 300 "
        "--min-cell 5 --seed 7 --name mine"
    )
    assert call(*AUDIT, *words.split()) == 0
    request = json.loads((here / "out/evidence.json").read_text())["request"]
    settings, inputs = request["settings"], request["inputs"]
    assert settings["policy"]["owner"] == "Trust"
    expected = {
        "name": "mine", "intersections": 2, "metrics": ["ndcg", "recall@3"], "controls": ["activity", "age"],
        "tolerance": {"ndcg": 0.1, "recall@3": 0.2}, "item_groups": ["provider"], "target": "merit",
        "attackers": False, "level": 0.9, "n_bootstrap": 200, "n_permutations": 300, "min_cell": 5, "seed": 7,
    }  # fmt: skip
    assert {key: settings[key] for key in expected} == expected
    assert (inputs["relevant"], inputs["items"], inputs["train"]) == (
        4.0,
        "../data/items.csv",
        "../data/train.csv",
    )


def test_ids_of_arrays_arrive(here):
    np.save("data/lists.npy", pl.read_csv("data/recs.csv")["item_id"].to_numpy().reshape(-1, 5) - 100)
    np.save("data/user_ids.npy", np.arange(1, USERS + 1))
    np.save("data/item_ids.npy", np.arange(100, 112))
    arrays = ("--recommendations", "ours=data/lists.npy", "--format", "implicit")
    ids = ("--user-ids", "data/user_ids.npy", "--item-ids", "data/item_ids.npy")
    assert call("audit", *arrays, *TABLES[2:], *ids, "--groups", "gender", "--out", "arrays") == 0
    assert call(*AUDIT) == 0
    by_array, by_table = (
        json.loads((here / name / "evidence.json").read_text()) for name in ("arrays", "out")
    )
    assert by_array["overall"] == by_table["overall"]
    assert by_array["request"]["inputs"]["user_ids"] == "../data/user_ids.npy"
    assert {"user_ids", "item_ids"} <= {row["table"] for row in by_array["data"]}
    np.save("data/item_ids.npy", np.arange(112, 100, -1))
    assert call("audit", "verify", "arrays") == 1


def test_a_run_needs_its_folder_and_nothing_else(here, capsys):
    fields = {
        "data": {"world": {"name": "storefront", "n_users": 120, "n_items": 40, "days": 8}},
        "audit": {"k": [5], "n_bootstrap": 100},
    }
    equipoise.run(fields, out=here / "run")
    assert call("audit", "run") == 0
    assert "run/audit/report.html" in capsys.readouterr().out
    assert call("audit", "verify", "run/audit") == 0
    assert call("audit", "run") == 2
    assert "--force" in capsys.readouterr().err
    assert call("audit", "run", "--force", "--k", "3") == 0


def test_systems_stand_side_by_side(here, capsys):
    lists = pl.read_csv("data/recs.csv").with_columns(item_id=pl.col("item_id").reverse())
    lists.unique(["user_id", "item_id"]).write_csv("data/other.csv")
    assert call(*AUDIT, "--recommendations", "theirs=data/other.csv") == 0
    said = capsys.readouterr().out
    assert "ours" in said
    assert "theirs" in said


def test_verify_tells_what_changed_and_ends_with_1(here, capsys):
    assert call(*AUDIT, "--k", "5") == 0
    assert call("audit", "verify", "out") == 0
    assert "The audit holds" in capsys.readouterr().out
    text = (here / "data/truth.csv").read_text()
    (here / "data/truth.csv").write_text(text.replace("1,105,3.0", "1,106,3.0"))
    assert call("audit", "verify", "out") == 1
    said = capsys.readouterr().out
    assert "changed since the audit: truth (../data/truth.csv)" in said
    assert "overall/ours/ndcg@5 value" in said
    assert "does not hold" in said


def test_verify_of_one_number_prints_its_formula_and_users(here, capsys):
    assert call(*AUDIT, "--k", "5") == 0
    assert call("audit", "verify", "out", "--only", "overall/ours/ndcg@5") == 0
    said = capsys.readouterr().out
    for words in ("DCG / ideal", "users: 40", "excluded: 0", "value: 0.", "This number holds."):
        assert words in said
    assert call("audit", "verify", "out", "--only", "overall/our/ndcg@5") == 2
    assert "Did you mean 'overall/ours/ndcg@5'" in " ".join(capsys.readouterr().err.split())


def test_verify_of_an_edited_audit_ends_with_2_and_no_traceback(here, capsys):
    assert call(*AUDIT, "--k", "5") == 0
    whole = json.loads((here / "out/evidence.json").read_text())
    request = whole["request"]
    address = {**request, "inputs": {**request["inputs"], "truth": "https://elsewhere/${HOME}"}}
    for change, words in (
        ({"data": "x"}, "section 'data'"),
        ({"request": {**request, "inputs": "x"}}, "section 'request.inputs'"),
        ({"versions": [1]}, "section 'versions'"),
        ({"request": address}, "--allow-network"),
    ):
        (here / "out/evidence.json").write_text(json.dumps({**whole, **change}))
        assert call("audit", "verify", "out") == 2
        assert words in " ".join(capsys.readouterr().err.split())
    assert call("audit", "verify", "out", "--allow-network") == 2
    assert "asks for a variable" in capsys.readouterr().err


def test_verify_knows_who_signed(here, capsys, monkeypatch):
    key = Ed25519PrivateKey.generate()
    monkeypatch.setenv(
        VARIABLE, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    )
    assert call(*AUDIT) == 0
    for name, one in (("public.pem", key), ("other.pem", Ed25519PrivateKey.generate())):
        public = one.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (here / name).write_bytes(public)
    assert call("audit", "verify", "out") == 0
    assert "only --public-key can tell" in capsys.readouterr().out
    assert call("audit", "verify", "out", "--public-key", "public.pem") == 0
    assert call("audit", "verify", "out", "--public-key", "other.pem") == 1
    assert "another key" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "nothing to audit"),
        (["absent"], "not the folder of a run"),
        (["verify", "absent"], "no evidence here"),
        ([*TABLES], "No column to compare groups by is named (columns: user_id, gender, age)"),
        ([*TABLES, "--groups", "sex"], "no column 'sex'"),
        ([*TABLES, "--groups", "gender", "--truth", "absent.csv"], "no such file"),
        ([*TABLES, "--groups", "gender", "--tolerance", "2%"], "'2%' is no tolerance"),
        (
            [*TABLES, "--groups", "gender", "--tolerance", "1", "--tolerance", "ndcg=1"],
            "One tolerance for all",
        ),
        ([*TABLES, "--groups", "gender", "--lang", "de"], "'lang'"),
        ([*TABLES, "--groups", "gender", "--k", "ten"], "'k"),
        ([*TABLES, "--groups", "gender", "--policy", "absent.toml"], "no such policy"),
        ([*TABLES, "--groups", "gender", "--draws", "3"], "--draws"),
        (["run", "--recommendations", "data/recs.csv"], "brings its own recommendations"),
    ],
)
def test_bad_input_ends_with_2_and_one_paragraph(here, capsys, words, message):
    assert call("audit", *words) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert message in shown
    assert "Traceback" not in shown
    assert [path.name for path in here.iterdir()] == ["data"]


def test_an_interruption_says_that_nothing_was_written(here, capsys, monkeypatch):
    def stopped(tables, settings):
        raise KeyboardInterrupt

    monkeypatch.setattr("equipoise.audit.evidence.assemble", stopped)
    assert call(*AUDIT) == 2
    assert "nothing was written" in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["data"]


def test_help_is_that_of_the_audit_and_names_verify(capsys):
    assert call("audit", "--help") == 0
    said = capsys.readouterr().out
    assert "--recommendations" in said
    assert "equipoise audit verify DIR" in said
    assert call("audit", "verify", "--help") == 0
    assert "--public-key" in capsys.readouterr().out


def test_hidden_gaps_and_other_kinds_are_told_as_such():
    rows = {
        "system": "a", "attribute": "region", "metric": "ndcg@5", "primary": True, "gap": None, "low": None,
        "high": None, "kind": "difference", "groups": None, "tolerance": 0.1, "minimum_detectable": None,
        "p_adjusted": None, "users": None, "verdict": "insufficient evidence",
    }  # fmt: skip
    evidence = {
        "name": "x", "settings": {"level": 0.95, "min_cell": 30}, "systems": [{"name": "a", "role": "audited"}],
        "groups": [{"attribute": "region", "group": "north", "suppressed": True,
                    "system": "a", "metric": "ndcg@5"}],
        "gaps": [rows, {**rows, "attribute": "gender", "kind": "ratio", "gap": 0.9, "low": 0.8, "high": 1.0}],
    }  # fmt: skip
    console = Console(width=140, record=True, file=io.StringIO())
    for part in findings(evidence, 140):
        console.print(part)
    hidden, ratio = (next(line for line in console.export_text(clear=False).splitlines() if name in line)
                     for name in ("region", "gender"))  # fmt: skip
    assert "< 30" in hidden
    assert "ndcg@5, ratio" in ratio
    assert "0.900 [0.800, 1.000]" in ratio


def test_names_of_groups_are_text_and_no_markup():
    evidence = {
        "name": "[bold]x[/]", "settings": {"level": 0.95, "min_cell": 30},
        "systems": [{"name": "a", "role": "audited"}, {"name": "TopPop", "role": "reference"}],
        "gaps": [
            {"system": name, "attribute": "[red]", "metric": "ndcg@5", "primary": True, "gap": 0.1, "low": 0.05,
             "high": 0.2, "groups": "[/red] - b", "tolerance": 0.01, "minimum_detectable": None, "p_adjusted": 0.01,
             "verdict": "unfair"}
            for name in ("a", "TopPop")
        ],
    }  # fmt: skip
    console = Console(width=140, record=True, file=io.StringIO())
    for part in findings(evidence, 140):
        console.print(part)
    said = console.export_text()
    assert "[bold]x[/]" in said
    assert "[/red] - b" in said
    assert "TopPop" not in said.split("Unfair")[0], "verdicts are of audited systems"
