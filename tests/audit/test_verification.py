import json

import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from equipoise.audit.evidence.rows import rows
from equipoise.audit.request import Settings, Tables
from equipoise.audit.verification import read_evidence, verify
from equipoise.audit.verification.differences import differences, same
from equipoise.audit.verification.signing import Signer, canonical
from equipoise.errors import ConfigError, DataError

SETTINGS = Settings(groups=("gender",), k=(10,))
RECOMMENDATIONS = pl.DataFrame({"system": ["a"] * 2, "user_id": [1, 2], "item_id": [5, 6], "rank": [1, 1]})
TRUTH = pl.DataFrame({"user_id": [1, 2], "item_id": [5, 5]})
FORMULA = {"title": "Hit rate", "formula": "1 if hit", "unit": "share of users"}


def tables(truth=TRUTH, digest="t1"):
    sources = [
        {"table": "recommendations:a", "path": "recs.csv", "sha256": "r1", "rows": 2},
        {"table": "truth", "path": "truth.csv", "sha256": digest, "rows": len(truth)},
    ]
    return Tables(RECOMMENDATIONS, truth, sources=sources)


def assemble(found, settings):
    """A tiny audit: the hit rate at 1."""
    hits = found.recommendations.join(found.truth, on=["user_id", "item_id"], how="semi")
    value = len(hits) / found.truth["user_id"].n_unique()
    row = {"id": "overall/a/hit_rate@1", "system": "a", "metric": "hit_rate@1", "value": value, "users": 2}
    attacked = [{"id": "attackers/a/auc", "metric": "auc", "value": 0.5 + value / 10}]
    return {
        "schema": "equipoise.audit/1",
        "versions": {"polars": pl.__version__},
        "data": list(found.sources),
        "overall": [row],
        "attackers": attacked if settings.attackers else [],
        "definitions": {"hit_rate": dict(FORMULA)},
        "notes": [{"code": "users_missing", "values": {"users": 0}}],
        "signature": None,
    }


def pack(evidence):
    return {"report.html": f"<p>{evidence['overall']}</p>".encode()}


def read(inputs, folder):
    assert inputs == {"truth": "truth.csv"}
    return tables()


@pytest.fixture
def folder(tmp_path):
    write(tmp_path)
    return tmp_path


def write(place, change=lambda evidence: None, key=None):
    evidence = assemble(tables(), SETTINGS)
    evidence["request"] = {"inputs": {"truth": "truth.csv"}, "settings": SETTINGS.model_dump(mode="json")}
    if key is not None:
        evidence["signature"] = Signer(key).announcement
    change(evidence)
    (place / "evidence.json").write_bytes(canonical(evidence))
    for name, content in pack(evidence).items():
        (place / name).write_bytes(content)
    if key is not None:
        (place / "evidence.sig").write_text(json.dumps(Signer(key).sign(canonical(evidence))))


def said(found):
    return {check.name: (check.holds, check.words) for check in found.checks}


def test_untouched_evidence_holds(folder):
    found = verify(folder, read, assemble, pack)
    assert found.holds
    assert found.differences == []
    assert {name: holds for name, (holds, _) in said(found).items()} == {
        "signature": None, "inputs": True, "numbers": True, "pages": True, "versions": True
    }  # fmt: skip
    assert found.compared == 26


def set_value(evidence):
    evidence["overall"][0]["value"] = 0.75


def test_a_changed_number_is_found_and_named(folder):
    write(folder, set_value)
    found = verify(folder, read, assemble, pack)
    assert not found.holds
    (one,) = found.differences
    assert (one.place, one.recorded, one.recomputed) == ("overall/a/hit_rate@1 value", 0.75, 0.5)
    assert "1 of 26" in said(found)["numbers"][1]


def test_rows_taken_away_or_added_are_found(folder):
    write(folder, lambda evidence: evidence["overall"].clear())
    places = {one.place for one in verify(folder, read, assemble).differences}
    assert {"overall (length)", "overall/a/hit_rate@1 value"} <= places
    write(folder, lambda evidence: evidence["overall"].append({"id": "overall/b", "value": 1.0}))
    (length, *rest) = verify(folder, read, assemble).differences
    assert (length.place, length.recorded, length.recomputed) == ("overall (length)", 2, 1)
    assert [(one.place, one.recorded, one.recomputed) for one in rest] == [
        ("overall/b id", "overall/b", None),
        ("overall/b value", 1.0, None),
    ]


def test_changed_words_and_counts_are_found(folder):
    def change(evidence):
        evidence["definitions"]["hit_rate"]["formula"] = "always 1"
        evidence["data"][1]["rows"] = 1_000_000

    write(folder, change)
    assert [one.place for one in verify(folder, read, assemble).differences] == [
        "data[1].rows",
        "definitions.hit_rate.formula",
    ]


def test_a_changed_table_is_named(folder):
    changed = TRUTH.with_columns(item_id=pl.Series([5, 6]))
    found = verify(folder, lambda inputs, place: tables(changed, "t2"), assemble, pack)
    assert not found.holds
    holds, words = said(found)["inputs"]
    assert not holds
    assert "truth (truth.csv)" in words
    assert "recommendations" not in words
    assert "overall/a/hit_rate@1 value" in {one.place for one in found.differences}


def test_a_changed_table_that_cannot_be_measured_still_gives_an_answer(folder):
    def fails(found, settings):
        raise DataError("The truth has no column 'item_id'")

    found = verify(folder, lambda inputs, place: tables(digest="t2"), fails)
    assert not found.holds
    assert "no column 'item_id'" in said(found)["numbers"][1]
    with pytest.raises(DataError):
        verify(folder, read, fails)


def test_pages_must_be_those_of_the_evidence(folder):
    (folder / "report.html").write_text("<p>0.99</p>")
    found = verify(folder, read, assemble, pack)
    assert not found.holds
    assert said(found)["pages"] == (False, "report.html is not what the evidence gives")
    (folder / "report.html").unlink()
    assert said(verify(folder, read, assemble, pack))["pages"] == (False, "report.html is missing")


def test_only_one_number_is_told_with_its_definition(folder):
    asked = []

    def watched(found, settings):
        asked.append(settings.attackers)
        return assemble(found, settings)

    found = verify(folder, read, watched, only="overall/a/hit_rate@1")
    assert found.holds
    assert found.number.definition == FORMULA
    assert found.number.recomputed["value"] == 0.5
    assert found.number.section == "overall"
    verify(folder, read, watched, only="attackers/a/auc")
    assert asked == [False, True], "attackers are trained only where one of them is asked for"
    write(folder, set_value)
    found = verify(folder, read, assemble, only="overall/a/hit_rate@1")
    assert not found.holds
    assert [one.place for one in found.differences] == ["overall/a/hit_rate@1 value"]


def test_unknown_numbers_are_errors_with_the_nearest(folder):
    with pytest.raises(ConfigError, match="Did you mean 'overall/a/hit_rate@1'"):
        verify(folder, read, assemble, only="overall/a/hitrate@1")


def test_a_signature_guards_what_recomputing_cannot(folder, tmp_path):
    key = Ed25519PrivateKey.generate()
    write(folder, key=key)
    public = tmp_path / "public.pem"
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert said(verify(folder, read, assemble))["signature"][0] is True
    assert "by the key given" in said(verify(folder, read, assemble, public_key=public))["signature"][1]
    evidence, _ = read_evidence(folder)
    (folder / "evidence.json").write_bytes(canonical(evidence | {"created": "1999-01-01"}))
    assert said(verify(folder, read, assemble))["signature"][0] is False


def test_a_signature_that_was_taken_away_or_swapped_is_missed(folder):
    key = Ed25519PrivateKey.generate()
    write(folder, key=key)
    evidence, content = read_evidence(folder)
    (folder / "evidence.sig").write_text(json.dumps(Signer(Ed25519PrivateKey.generate()).sign(content)))
    assert "another key" in said(verify(folder, read, assemble))["signature"][1]
    (folder / "evidence.sig").unlink()
    found = verify(folder, read, assemble)
    assert said(found)["signature"] == (False, "evidence.sig is missing")
    assert not found.holds
    assert evidence["signature"]["algorithm"] == "ed25519"


def test_a_signature_that_fails_ends_the_check_before_anything_is_read(folder):
    write(folder, key=Ed25519PrivateKey.generate())
    content = (folder / "evidence.json").read_bytes()
    (folder / "evidence.json").write_bytes(content.replace(b"truth.csv", b"https://elsewhere/", 1))

    def never(inputs, place):
        raise AssertionError("a table was read")

    found = verify(folder, never, assemble, pack)
    assert not found.holds
    assert [check.name for check in found.checks] == ["signature"]


def test_pages_of_another_version_cannot_be_told(folder):
    """Another plotly writes other pages; it does not write other tables, and leaves none out."""
    write(folder, lambda evidence: evidence["versions"].update(plotly="0.1"))
    (folder / "report.html").write_text("<p>as an older version wrote it</p>")
    found = verify(folder, read, assemble, pack)
    assert found.holds
    assert said(found)["pages"] == (None, "report.html: made with another version of plotly")
    table = {"tables/overall.csv": b"value\n0.5\n"}
    (folder / "tables").mkdir()
    (folder / "tables/overall.csv").write_text("value\n0.9\n")
    found = verify(folder, read, assemble, lambda evidence: {**pack(evidence), **table})
    assert said(found)["pages"] == (False, "tables/overall.csv is not what the evidence gives")
    (folder / "report.html").unlink()
    assert "report.html is missing" in said(verify(folder, read, assemble, pack))["pages"][1]


def test_tables_that_nobody_made_are_found(folder):
    (folder / "tables").mkdir()
    (folder / "tables/verdicts.csv").write_text("fair\n")
    found = verify(folder, read, assemble, pack)
    assert said(found)["pages"] == (False, "tables/verdicts.csv is not made from the evidence")


def test_a_column_too_many_is_found_in_one_number_as_well(folder):
    write(folder, lambda evidence: evidence["overall"][0].pop("users"))
    (one,) = verify(folder, read, assemble, only="overall/a/hit_rate@1").differences
    assert (one.place, one.recorded, one.recomputed) == ("overall/a/hit_rate@1 users", None, 2)
    write(folder, lambda evidence: evidence["overall"][0].update(verdict="fair within tolerance"))
    (one,) = verify(folder, read, assemble, only="overall/a/hit_rate@1").differences
    assert one.place == "overall/a/hit_rate@1 verdict"


def twice(evidence):
    """The changed row first, so that the last one of its id would hide it."""
    evidence["overall"].insert(0, {**evidence["overall"][0], "value": 0.99})


def beside(evidence):
    """A key that reads like the path to the value."""
    evidence["definitions"]["hit_rate"]["formula"] = "always 1"
    evidence["definitions.hit_rate.formula"] = FORMULA["formula"]


@pytest.mark.parametrize("change", [twice, beside])
def test_nothing_can_be_said_twice(folder, change):
    write(folder, change)
    with pytest.raises(DataError, match="says two things of"):
        verify(folder, read, assemble)


def test_names_with_slashes_give_ids_of_their_own():
    frame = pl.DataFrame({"system": ["a/b", "a", "a%2Fb"], "group": ["c", "b/c", "c"]})
    found = [row["id"] for row in rows(frame, "group", ["system", "group"])]
    assert found == ["group/a%2Fb/c", "group/a/b%2Fc", "group/a%252Fb/c"]


def test_other_versions_are_told_and_no_fault(folder):
    write(folder, lambda evidence: evidence["versions"].update(polars="0.1"))
    found = verify(folder, read, assemble)
    assert found.holds
    assert said(found)["versions"] == (None, f"polars 0.1 then, {pl.__version__} now")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no evidence here"),
        (b"{", "cannot be read"),
        (b"\xff", "cannot be read"),
        (b"[]", "another form: list"),
        (b'{"schema": "other/1"}', "another form: other/1"),
        (b'{"schema": "equipoise.audit/1"}', "does not say what was asked"),
        (
            b'{"schema": "equipoise.audit/1", "request": {"settings": {"k": []}, "inputs": {}}}',
            "what was asked",
        ),
        (b'{"schema": "equipoise.audit/1", "data": "x"}', "section 'data'"),
        (b'{"schema": "equipoise.audit/1", "data": [{"path": "x"}]}', r"section 'data\.0\.table'"),
        (b'{"schema": "equipoise.audit/1", "request": {"inputs": "x"}}', r"section 'request\.inputs'"),
        (b'{"schema": "equipoise.audit/1", "versions": [1]}', "section 'versions'"),
        (b'{"schema": "equipoise.audit/1", "versions": {"polars": 1}}', r"section 'versions\.polars'"),
        (b'{"schema": "equipoise.audit/1", "signature": "x"}', "section 'signature'"),
        (b'{"schema": "equipoise.audit/1", "definitions": {"ndcg": 3}}', r"section 'definitions\.ndcg'"),
        (b"[" * 100_000, "cannot be read"),
    ],
)
def test_evidence_that_is_none_is_an_error(tmp_path, content, words):
    if content is not None:
        (tmp_path / "evidence.json").write_bytes(content)
    with pytest.raises(DataError, match=words):
        verify(tmp_path, read, assemble)


def test_numbers_agree_to_a_billionth_and_words_exactly():
    assert same(0.1, 0.1 + 9e-10)
    assert not same(0.1, 0.1 + 2e-9)
    assert same(1e12, 1e12 + 1)
    assert same(1, 1.0)
    assert not same(True, 1)
    assert not same(None, 0.0)
    assert not same(10**400, 1.0)
    assert not same("fair within tolerance", "unfair")


def test_rows_are_the_same_in_any_order():
    rows = [{"id": f"gap/{n}", "gap": n / 7} for n in range(5)]
    found, compared = differences({"gaps": rows}, {"gaps": rows[::-1]})
    assert found == []
    assert compared == 11
