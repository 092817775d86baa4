import re

from equipoise.audit.evidence.questions import QUESTIONS, answer


def by_code(evidence):
    return {row["question"]: row for row in answer(evidence)}


def test_every_promised_article_is_asked_once():
    assert [(one.law, one.article, one.code) for one in QUESTIONS] == [
        ("DSA", "27", "main_parameters"),
        ("DSA", "34", "systemic_risk"),
        ("DSA", "35", "mitigation"),
        ("DSA", "38", "non_profiling"),
        ("AI Act", "10", "data_governance"),
        ("AI Act", "15", "accuracy"),
    ]


def test_nothing_measured_answers_nothing():
    rows = answer({"transparency": {"measured": False, "rows": []}, "gaps": [], "overall": []})
    assert not any(row["answered"] for row in rows)
    assert all(row["evidence"] == [] and row["missing"] for row in rows)


def test_sections_that_are_there_are_named_and_the_others_too():
    rows = by_code({"gaps": [{"id": "gap/a"}], "slices": [{"id": "slice/a"}], "exposure": []})
    assert rows["systemic_risk"]["answered"]
    assert rows["systemic_risk"]["evidence"] == ["gaps", "slices"]
    assert "exposure" in rows["systemic_risk"]["missing"]
    assert not by_code({"slices": [{"id": "slice/a"}]})["systemic_risk"]["answered"], "slices alone do not"


def test_transparency_counts_only_when_measured():
    assert not by_code({"transparency": {"measured": False, "rows": [1]}})["main_parameters"]["answered"]
    assert by_code({"transparency": {"measured": True, "rows": []}})["main_parameters"]["answered"]


def test_an_option_without_profiling_needs_measured_popular_lists():
    systems = [
        {"name": "ours", "role": "audited"},
        {"name": "TopPop", "role": "reference", "missing": "train"},
    ]
    assert not by_code({"systems": systems, "overall": [{"system": "ours"}]})["non_profiling"]["answered"]
    measured = [{"system": "ours"}, {"system": "TopPop"}]
    assert by_code({"systems": systems, "overall": measured})["non_profiling"]["answered"]


def test_no_sentence_claims_compliance():
    said = " ".join(f"{one.asks} {one.shows} {one.open}" for one in QUESTIONS)
    assert not re.search(
        r"complian|comply|complies|lawful|legal|certif|bias-free|is fair", said, re.IGNORECASE
    )
