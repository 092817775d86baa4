"""The rules of a policy on fairness: judged by the gate's policy, tied to the candidate, and none passed over."""

import hashlib

import polars as pl
import pytest

from equipoise.audit.policy import Launch, Policy
from equipoise.errors import DataError
from equipoise.pipeline.causal.fairness import fairness_checks
from equipoise.pipeline.causal.requests import GateRequest


def gap(attribute, metric, kind="difference", *, low, high, system="ours", **more):
    """A row of an audit's gaps; the middle of the interval is the gap."""
    told = {"gap": (low + high) / 2, "p_value": 0.001, "p_adjusted": 0.004, "users": 200, "tolerance": 0.02}
    row = {"id": "1", "system": system, "attribute": attribute, "metric": metric, "kind": kind}
    return {**row, **told, "low": low, "high": high, "verdict": "insufficient evidence", **more}


UNSPOKEN = {"verdict": None, "tolerance": None, "p_adjusted": None, "p_value": None}
GAPS = [
    gap("gender", "ndcg@10", low=0.03, high=0.07, verdict="unfair"),
    gap("gender", "ndcg@10", "ratio", low=0.5, high=0.6, **UNSPOKEN),
    gap("gender", "ndcg@10", "worst group", low=0.5, high=0.6, **UNSPOKEN),
    gap("age", "ndcg@10", low=-0.03, high=0.05, p_adjusted=1.0),
    gap("gender", "ndcg@10", system="TopPop", low=0.4, high=0.6, **UNSPOKEN),
]
SYSTEMS = [{"name": "ours", "role": "audited"}, {"name": "TopPop", "role": "reference"}]


@pytest.fixture
def checked(tmp_path, monkeypatch):
    """The checks of a candidate by rules, from an audit of these gaps."""

    def check(rules, candidate="ours", gaps=GAPS, systems=SYSTEMS, data=(), launch=None, audit="audit"):
        evidence = {
            "gaps": gaps,
            "systems": systems,
            "data": list(data),
            "settings": {"min_cell": 30, "level": 0.95},
        }
        read = type("A", (), {"evidence": evidence})
        monkeypatch.setattr("equipoise.pipeline.causal.audited.Audit.read", lambda path: read)
        asked = GateRequest(candidate=candidate, current="logged", policy="p.toml", audit=audit)
        policy = Policy.model_validate({"rules": rules})
        return fairness_checks(asked, policy, launch or Launch(), tmp_path, lambda line: None)

    return check


def codes(found):
    return [(check.get("attribute"), check["code"], check["status"]) for check in found.checks]


@pytest.mark.parametrize("insufficient", ["undecided", "pass", "fail"])
def test_verdicts_of_an_audit_by_the_same_policy_stand(checked, insufficient):
    found = checked([{"metric": "ndcg@10", "tolerance": 0.02}], launch=Launch(insufficient=insufficient))
    assert codes(found) == [("gender", "unfair", "fail"), ("age", "insufficient", insufficient)]
    assert found.notes == ()


@pytest.mark.parametrize(
    ("then", "now", "code"), [(0.9, 0.01, "unfair"), (0.01, 0.9, "fair"), (0.9, 0.05, "insufficient")]
)
def test_gaps_are_judged_by_the_policy_of_the_gate_not_of_the_audit(checked, then, now, code):
    said = {0.9: "fair within tolerance", 0.01: "unfair"}[then]
    rows = [gap("gender", "ndcg@10", low=0.03, high=0.07, tolerance=then, verdict=said)]
    found = checked([{"metric": "ndcg", "attribute": "gender", "tolerance": now}], gaps=rows)
    assert [check["code"] for check in found.checks] == [code]
    assert found.checks[0]["tolerance"] == now
    assert "another policy" in found.notes[0]


def test_a_gap_that_the_audit_did_not_judge_is_judged_by_its_kind(checked):
    rule = {"metric": "ndcg@10", "attribute": "gender", "kind": "ratio"}
    assert codes(checked([{**rule, "tolerance": 0.2}])) == [("gender", "unfair", "fail")]
    assert codes(checked([{**rule, "tolerance": 0.6}])) == [("gender", "fair", "pass")]
    weak = [
        {**row, "p_value": None if row["p_value"] is None else 0.02} for row in GAPS
    ]  # three tests with this one
    assert codes(checked([{**rule, "tolerance": 0.2}], gaps=weak)) == [
        ("gender", "insufficient", "undecided")
    ]
    few = [{**row, "users": 20} for row in GAPS]
    assert codes(checked([{**rule, "tolerance": 0.6}], gaps=few)) == [("gender", "insufficient", "undecided")]
    masked = [{**row, "low": None, "high": None, "gap": None, "users": None} for row in GAPS]
    assert codes(checked([{**rule, "tolerance": 0.6}], gaps=masked)) == [
        ("gender", "insufficient", "undecided")
    ]


def test_a_rule_without_a_gap_to_judge_is_not_measured_and_never_passes(checked):
    rules = [
        {"metric": "ndcg@10", "attribute": "age", "tolerance": 0.1},
        {"metric": "ndcg@10", "attribute": "income", "tolerance": 0.1},
        {"metric": "ndcg@10", "attribute": "gender", "tolerance": 0.1, "kind": "worst group"},
    ]
    found = checked(rules, launch=Launch(insufficient="pass"))
    assert codes(found) == [
        ("age", "fair", "pass"),
        ("income", "not measured", "undecided"),
        ("gender", "not measured", "undecided"),
    ]
    assert "income" in found.checks[1]["reason"]
    assert "another tolerance" in found.checks[2]["reason"]


def test_without_an_audit_a_rule_is_undecided_whatever_the_policy_says_of_too_little_evidence(checked):
    found = checked([{"tolerance": 0.1}], audit=None, launch=Launch(insufficient="pass"))
    assert codes(found) == [(None, "not measured", "undecided")]
    assert checked([], audit=None).checks == []


def test_an_audit_is_tied_to_the_candidate_by_hash_or_name_or_by_word(checked, tmp_path):
    rules = [{"metric": "ndcg@10", "attribute": "gender", "tolerance": 0.02}]
    assert checked(rules).notes == ()
    assert "taken on word" in checked(rules, candidate="newer").notes[0]
    lists = tmp_path / "lists.csv"
    lists.write_text("user_id,item_id\n1,2\n")
    source = {"table": "recommendations:ours", "sha256": hashlib.sha256(lists.read_bytes()).hexdigest()}
    assert checked(rules, candidate=str(lists), data=[source]).notes == ()

    two = [*SYSTEMS, {"name": "theirs", "role": "audited"}]
    gaps = [
        *GAPS,
        gap("gender", "ndcg@10", system="theirs", low=-0.01, high=0.01, verdict="fair within tolerance"),
    ]
    assert codes(checked(rules, candidate="theirs", systems=two, gaps=gaps)) == [("gender", "fair", "pass")]
    with pytest.raises(DataError, match="none is called 'newer'"):
        checked(rules, candidate="newer", systems=two, gaps=gaps)


def test_the_audit_of_a_run_must_be_of_its_lists(checked, tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    pl.DataFrame({"user_id": [1]}).write_parquet(tmp_path / "recommendations.parquet")
    with pytest.raises(DataError, match="other recommendations than the candidate's"):
        checked([{"tolerance": 0.1}], candidate=str(tmp_path))
