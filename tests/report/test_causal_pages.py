"""The pages of causal answers: whole, alone, escaped, in both languages, saying what the content says and no more."""

import re

import pytest

from equipoise.causal.graph import CausalGraph
from equipoise.causal.identification import identify, mediation
from equipoise.errors import ConfigError, EquipoiseError
from equipoise.report import render_card, render_gate, render_graph, render_plan, render_policy_value
from equipoise.report.causal import drawings
from equipoise.report.causal.gate import said
from equipoise.report.causal.policy_value import ruling
from equipoise.report.languages import TABLES, Words
from tests.report import causal_content as content
from tests.report.reader import Reader

FORBIDDEN = ("compliant", "bias-free", "unbiased", "合规", "无偏见")
PAGES = {
    "card": (render_card, content.card),
    "refused card": (render_card, content.refused_card),
    "bare card": (render_card, lambda: {"verdict": {"code": "refused", "sentence": "Nothing."}}),
    "value": (render_policy_value, content.policy_value),
    "refused value": (render_policy_value, content.refused_value),
    "bare value": (render_policy_value, lambda: {"value": 0.1}),
    "gate": (render_gate, content.gate),
    "bare gate": (render_gate, lambda: {"candidate": "a", "current": "b", "verdict": {"code": "undecided"}}),
    "graph": (render_graph, content.graph),
    "proposal": (render_graph, content.proposal),
    "refused graph": (render_graph, content.refused_graph),
    "bare graph": (render_graph, lambda: {"verdict": {"code": "shown", "sentence": "A graph."}}),
    "plan": (render_plan, content.plan),
}


def text_of(page):
    spoken = re.sub(r"<(script|style)[ >].*?</\1>", "", page, flags=re.DOTALL)
    return " ".join("".join(Reader(spoken).words).replace("\u00a0", " ").split())


@pytest.fixture(scope="module", params=["en", "zh"])
def lang(request):
    return request.param


@pytest.fixture(scope="module", params=list(PAGES))
def page(request, lang):
    render, make = PAGES[request.param]
    return render(make(), lang)


def test_tags_are_balanced_ids_unique_and_links_lead_somewhere(page):
    reader = Reader(page)
    assert (reader.faults, reader.open) == ([], [])
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes["href"][1:] for tag, attributes in reader.tags if tag == "a"} <= set(ids)


def test_nothing_is_fetched_and_nothing_runs(page):
    assert "Content-Security-Policy\" content=\"default-src 'none'; style-src" in page
    assert not [tag for tag, _ in Reader(page).tags if tag in {"script", "iframe", "img", "object", "form"}]
    for _, attributes in Reader(page).tags:
        assert not [name for name in attributes if name.startswith("on")]
        assert attributes.get("href", "#").startswith(("#", "data:"))
    assert "url(" not in page
    assert "@import" not in page


def test_no_page_promises_anything(page):
    assert not [word for word in FORBIDDEN if word in text_of(page).lower()]
    assert "None" not in text_of(page)
    assert "nan" not in text_of(page).lower().split()


@pytest.mark.parametrize("name", ["card", "value", "gate", "graph"])
def test_names_from_the_data_are_words_not_markup(name, lang):
    render, make = PAGES[name]
    page = render(make(), lang)
    assert "<script" not in page
    assert content.NASTY in "".join(Reader(page).words)


def test_languages_have_the_same_messages_with_the_same_values():
    assert TABLES["en"].keys() == TABLES["zh"].keys()
    for key, text in TABLES["en"].items():
        assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", TABLES["zh"][key])), key


def test_unknown_language_is_refused():
    for render, make in PAGES.values():
        with pytest.raises(ConfigError, match="fr"):
            render(make(), "fr")


def test_the_verdict_comes_first_then_the_number_beside_the_naive_one():
    text = text_of(render_card(content.card()))
    order = ["Not credible", "a negative control failed.", "+0.0341", "+0.0912", "Attempts to refute it"]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert "95 % interval +0.0198 to +0.0484" in text
    assert "p < 0.001" in text


def test_failed_checks_come_first_with_what_they_mean():
    text = text_of(render_card(content.card()))
    failed = text.index("Negative control outcomefailed")
    assert failed < text.index("Permuted treatmentpassed")
    assert "If it fails: Something that was not recorded drives both." in text[failed:]


def test_a_refused_effect_has_bounds_and_no_number():
    text = text_of(render_card(content.refused_card()))
    assert "No number is given: The propensities of 61 % of the rows" in text
    assert "What the data alone allow: −0.4100 to +0.5900" in text
    assert "cross-fitted AIPW +" not in text


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, "better"),
        ({"difference": {"value": -0.1, "low": -0.2, "high": -0.01}}, "worse"),
        ({"difference": {"value": 0.1, "low": -0.2, "high": 0.4}}, "unclear"),
        ({"difference": None}, "valued"),
        ({"interval_reliable": False}, "unreliable"),
        ({"refused": True, "value": None}, "refused"),
    ],
)
def test_what_is_said_of_a_policy_follows_its_interval(changes, found):
    told = content.policy_value(**changes)
    assert ruling(told) == found
    for lang in ("en", "zh"):
        assert Words(lang)(f"value.verdict.{found}") in text_of(render_policy_value(told, lang))


def test_a_refused_value_names_the_broken_condition():
    told = content.refused_value() | {"reasons": ["few_effective_rows"]}
    text = text_of(render_policy_value(told))
    assert "The 20,000 decisions are worth 41 equally weighted ones, fewer than 100." in text
    assert re.search(r"Effective sample size41≥ 100\s*broken", text)
    assert "0.0612" not in text


def test_the_gate_says_what_decided():
    text = text_of(render_gate(content.gate()))
    assert text.index("Fail new fails the gate") < text.index("NDCG@10 by gender: the gap of +0.0510")
    assert said({"subject": "value", "code": "not measured", "reason": "No log was given."}, Words("zh")) == (
        "没有比较价值：没有提供日志。"
    )


def test_a_refused_query_shows_its_hedge():
    text = text_of(render_graph(content.refused_graph()))
    assert "within {history, click}" in text
    assert "Σ_age" not in text


def test_a_love_plot_is_in_absolute_values_on_one_scale():
    plot = drawings.love([{"covariate": "a", "before": -0.5, "after": 0.1}], 0.1)
    line = plot.lines[0]
    assert line.after == pytest.approx(plot.threshold)
    assert line.before == pytest.approx(5 * plot.threshold, abs=0.05)
    assert line.said == "0.5 → 0.1"


def test_a_mirror_counts_shares_of_each_side():
    bins = [{"low": 0.0, "high": 0.5, "treated": 1, "control": 80},
            {"low": 0.5, "high": 1.0, "treated": 3, "control": 20}]  # fmt: skip
    heights = {(bar.stage, bar.x): bar.height for bar in drawings.mirror(bins, ("t", "c"), 84).bars}
    assert heights == {
        ("corrected", 0.0): 25.0,
        ("baseline", 0.0): 80.0,
        ("corrected", 50.0): 75.0,
        ("baseline", 50.0): 20.0,
    }


def test_the_contour_passes_through_the_robustness_value():
    words = dict.fromkeys(("title", "x", "y"), "")
    plot = drawings.explained_away(
        {"robustness_value": 0.2, "robustness_value_significance": None, "benchmarks": []}, words
    )
    reach = 1.6 * 0.2
    points = [tuple(float(n) for n in pair.split(",")) for pair in plot.curves[0].points.split()]
    own = [(x / 100 * reach, (100 - y) / 100 * reach) for x, y in points]
    for x, y in own:
        assert y * x / (1 - x) == pytest.approx(0.2**2 / 0.8, abs=2e-4)
    assert drawings.explained_away({"robustness_value": 0.0, "benchmarks": []}, words) is None


GRAPHS = (
    "c -> x; c -> m; c -> y; x -> m -> y; x -> y",
    "c -> x; c -> y; z -> x -> m -> y; x <-> y",
    "c -> z -> x -> y; c -> y; x <-> y; x -> m",
    "x -> m -> y; x -> y; m <-> y",
)


@pytest.mark.parametrize("graph", GRAPHS)
def test_what_identification_says_is_said_in_chinese(graph):
    drawn, told = CausalGraph.parse(graph), []
    for strategy in (None, "backdoor", "frontdoor", "iv"):
        try:
            told += identify(drawn, "y", "x", strategy=strategy).assumptions
        except EquipoiseError as refused:
            told.append(str(refused))
    try:
        told += mediation(drawn, "x", "y", ["m"]).assumptions
    except EquipoiseError as refused:
        told.append(str(refused))
    english = [said for said in map(Words("zh").phrase, told) if re.search(r"[a-z]+ [a-z]+ [a-z]+ ", said)]
    assert english == []


def test_of_several_sentences_each_is_translated_and_the_others_stay():
    words = Words("zh")
    assert words.phrase("There is no value. No log was given.") == "没有价值估计。没有提供日志。"
    assert words.phrase("There is no value. It rained.") == "没有价值估计。It rained."
    assert words.phrase("It rained. It stopped.") == "It rained. It stopped."


def test_what_ties_a_gate_to_an_audit_stands_on_its_page():
    note = "The audit was made under another policy; its gaps are judged by this one."
    told = {**content.gate(), "notes": [note]}
    assert note in render_gate(told)
    assert "依据另一政策" in render_gate(told, "zh")
