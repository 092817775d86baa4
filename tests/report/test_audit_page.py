import json
import re
from urllib.parse import unquote

import pytest
from plotly.offline import get_plotlyjs

from equipoise.errors import ConfigError
from equipoise.report import render_audit, render_summary
from equipoise.report.audit.evidence import Evidence
from equipoise.report.audit.scripts import embedded
from equipoise.report.audit.sentences import Speaker, merged, worst_first
from equipoise.report.languages import TABLES, Words
from tests.report.audit_evidence import (
    AUDITED,
    GROUPS,
    METRICS,
    NASTY,
    bare,
    evidence,
    gap_rows,
    masked,
    ratios,
    wide,
)
from tests.report.reader import Reader

FORBIDDEN = ("compliant", "bias-free", "unbiased", "合规", "无偏见")


def without_plotly(page):
    """The page without the copy of Plotly, which must be there once."""
    script = get_plotlyjs().strip()
    assert page.count(script) == 1
    return page.replace(script, "")


@pytest.fixture(scope="module", params=["en", "zh"])
def lang(request):
    return request.param


@pytest.fixture(scope="module")
def page(lang):
    return without_plotly(render_audit(evidence(), lang))


@pytest.fixture(scope="module")
def english():
    return without_plotly(render_audit(evidence()))


def data_of(page):
    return json.loads(re.search(r'id="audit-data">(.*?)</script>', page, re.DOTALL).group(1))


def text_of(page):
    spoken = re.sub(r"<(script|style)[ >].*?</\1>", "", page, flags=re.DOTALL)
    return " ".join("".join(Reader(spoken).words).replace("\u00a0", " ").split())


def test_tags_are_balanced_ids_unique_and_links_lead_somewhere(page):
    reader = Reader(page)
    assert (reader.faults, reader.open) == ([], [])
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes["href"][1:] for tag, attributes in reader.tags if tag == "a"}
    numbers = {unquote(link.removeprefix("number=")) for link in links if link.startswith("number=")}
    assert numbers == set(data_of(page)["numbers"])
    assert {link for link in links if not link.startswith("number=")} <= set(ids)


def test_nothing_is_fetched(page):
    for tag, attributes in Reader(page).tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "action"):
            assert attributes.get(name, "#").startswith(("#", "data:")), (tag, attributes)
    assert "url(" not in page
    assert "@import" not in page
    assert "innerHTML" not in page
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page).group(1)
    assert policy.startswith("default-src 'none'")
    assert "script-src &#39;sha256-" in policy
    assert "unsafe-eval" not in policy
    assert not re.search(r"script-src[^;]*unsafe-inline", policy)


def test_names_from_the_data_are_words_not_markup(page):
    assert page.count("</script>") == 3
    assert page.count("<script") == 3
    assert "<script>alert" not in page
    assert NASTY in "".join(Reader(page).words)
    assert any(NASTY in name for name in data_of(page)["numbers"])


def test_labels_of_charts_are_shown_as_they_are(page):
    texts = json.dumps(data_of(page)["charts"])
    assert "&lt;/script&gt;" in texts
    assert "<script" not in texts


def test_json_in_a_script_element_cannot_end_it():
    text = embedded({"a": "</script><!--\u2028\u2029&"})
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == {"a": "</script><!--\u2028\u2029&"}


def test_the_verdicts_come_first_and_are_counted(english):
    text = text_of(english)
    counts = {
        verdict: sum(row["verdict"] == verdict for row in gap_rows() if row["primary"])
        for verdict in ("unfair", "fair within tolerance", "insufficient evidence")
    }
    assert re.search(r"<h1>(.*?)</h1>", english).group(1) == (
        f"Unfair in {counts['unfair']}, fair within tolerance in {counts['fair within tolerance']}, "
        f"insufficient evidence in {counts['insufficient evidence']} of {sum(counts.values())} tests."
    )
    assert text.index("Unfair in") < text.index("Policy") < text.index("Questions of law")
    for attribute in ("gender", "年龄", "gender × 年龄"):
        assert f"By {attribute}: " in text


def test_references_have_no_verdict(english):
    verdicts = english[english.index('id="verdicts"') : english.index('id="untestable"')]
    assert "baseline" in verdicts
    assert "TopPop" not in verdicts


def test_small_cells_are_shown_as_such(english):
    table = english[english.index('id="groups"') : english.index('id="slices"')]
    assert table.count("&lt; 30") == 5 * (len(METRICS) + 1)
    assert "not shown: fewer than 30 users" in table


def test_every_number_has_formula_method_users_and_a_command(english):
    told = data_of(english)
    one = told["numbers"]["gap/baseline/gender/ndcg@10/difference"]
    assert one["users"] == "M 651, F 258"
    assert one["excluded"] == str(3 + 4 + 5)
    assert one["value"].startswith("+0.0341, 95\u00a0% interval +")
    assert "Holm" in told["methods"][one["method"]]
    assert "1,000 draws" in told["methods"][one["method"]]
    assert "hit(r)" in told["definitions"][one["metric"]]["formula"]
    assert told["numbers"]["gap/baseline/年龄/ndcg@10/difference"]["method"] == "gap.range"
    assert "all 1682 items" in told["protocol"]
    assert all(told["methods"][one["method"]] for one in told["numbers"].values())


def test_all_systems_have_charts_with_tables_behind_them(english):
    told = data_of(english)["charts"]
    places = [a for _, a in Reader(english).tags if "data-chart" in a]
    assert [int(a["data-chart"]) for a in places] == list(range(len(told)))
    assert all(a["role"] == "img" and a["aria-label"] for a in places)
    bands = [s for chart in told for s in chart["layout"]["shapes"] if s.get("fillcolor") == "--band"]
    assert {(s["x0"], s["x1"]) for s in bands} == {(-0.008, 0.008), (-0.02, 0.02), (-0.05, 0.05)}
    assert english.count("<details") >= 15


def test_the_collapsed_system_is_named_and_the_other_is_not(english):
    text = text_of(english)
    assert f"“{NASTY}” shows everybody much the same: 83 % of the places" in text
    assert "“baseline” shows everybody" not in text


@pytest.mark.parametrize(
    ("shared", "overlap", "words"),
    [
        (0.8, 0.9, "everybody much the same"),
        (0.8, None, "everybody much the same"),
        (0.0, 0.77, "mostly shows what is"),
    ],
)
def test_a_collapse_is_told_by_what_it_is(shared, overlap, words):
    speaker = Speaker(Evidence(evidence()), Words("en"))
    assert words in speaker.collapse({"system": "a", "shared": shared, "popularity_overlap": overlap})


def test_codes_become_sentences_and_unknown_ones_stay(page, lang):
    text = text_of(page)
    known = "12 users stand in no row" if lang == "en" else "12 位用户不在用户表中"
    assert known in text
    assert "invented rule" in text
    assert "invented gap" in text
    assert "invented question" in text


def test_reasons_of_insufficient_evidence():
    speaker = Speaker(Evidence(evidence(groups=[])), Words("en"))
    row = {"metric": "ndcg@10", "tolerance": 0.01, "minimum_detectable": 0.005, "low": -0.02, "high": 0.02}
    assert "neither inside nor outside" in speaker.reason(row)
    assert "only gaps from 0.0200 on" in speaker.reason({**row, "minimum_detectable": 0.02})
    assert "without a tolerance" in speaker.reason({**row, "tolerance": None})
    assert "no interval" in speaker.reason({**row, "low": None, "high": None})
    assert "p-value" in speaker.reason({**row, "low": 0.02, "high": 0.03})


def test_the_worst_gap_comes_first():
    rows = [
        {"verdict": "fair within tolerance", "gap": 0.5, "tolerance": None},
        {"verdict": "unfair", "gap": 0.02, "tolerance": 0.02},
        {"verdict": "unfair", "gap": -0.02, "tolerance": 0.005},
        {"verdict": "insufficient evidence", "gap": None, "tolerance": None},
    ]
    assert [rows.index(row) for row in worst_first(rows)] == [2, 1, 0, 3]


def test_a_ratio_is_held_against_one():
    speaker = Speaker(Evidence(evidence(groups=[])), Words("en"))
    row = {"system": "a", "attribute": "gender", "metric": "ndcg@10", "kind": "ratio", "tolerance": 0.2, "gap": 0.99,
           "low": 0.9, "high": 1.05, "minimum_detectable": None, "verdict": "fair within tolerance"}  # fmt: skip
    assert speaker.gap(row).startswith(
        "NDCG@10, Ratio: 0.9900, 95\u00a0% interval 0.9000 to 1.050, tolerance 1 ±\u00a00.2"
    )
    assert "outside the tolerance, but not the p-value" in speaker.reason({**row, "low": 0.5, "high": 0.7})
    assert "neither inside nor outside 1 ±" in speaker.reason({**row, "low": 0.7, "high": 0.9})
    assert "includes 1, and" in speaker.reason({**row, "tolerance": None})
    assert "excludes 1, but" in speaker.reason({**row, "tolerance": None, "high": 0.95})
    far, near = {**row, "gap": 0.5}, {**row, "gap": 0.99}
    assert worst_first([near, far])[0] is far, "0.99 is nearly fair"
    worst = {**row, "kind": "worst group", "gap": 0.4}
    assert speaker.tolerance(worst) == "0.2000 short of all users"
    assert "which side" in speaker.reason(worst)


def test_pages_show_a_ratio_beside_one(lang):
    page = without_plotly(render_audit(ratios(), lang))
    shapes = [shape for chart in data_of(page)["charts"] for shape in chart["layout"]["shapes"]]
    assert {(s["x0"], s["x1"]) for s in shapes if s.get("fillcolor") == "--band"} == {(0.8, 1.2)}
    first = data_of(page)["charts"][0]["layout"]["shapes"]
    assert [s["x0"] for s in first if s["type"] == "line"] == [1.0]
    sheet = render_summary(ratios(), lang)
    ratio = TABLES[lang]["kind.ratio"]
    for content in (page, sheet):
        text = text_of(content)
        assert "1 ± 0.2" in text
        assert ratio in text
        assert "+0.9" not in text
        assert "+1.0" not in text
    drawn = Evidence(ratios()).primary
    assert {row["system"] for row in drawn} >= {"baseline", "TopPop"}
    assert {row["kind"] for row in drawn} == {"ratio"}, "references are drawn by the kind that is judged"


def test_a_column_called_like_an_intersection_is_none():
    settings = {"groups": ["tea x coffee", "gender"]}
    speaker = Speaker(Evidence(evidence(settings=settings)), Words("en"))
    assert speaker.attribute("tea x coffee") == "tea x coffee"
    assert speaker.attribute("gender x region") == "gender × region"


def test_what_is_hidden_is_said_to_be(lang):
    """A masked audit: numbers of hidden groups, and of gaps that compare them, are nowhere."""
    content = masked()
    page, sheet = without_plotly(render_audit(content, lang)), render_summary(content, lang)
    for one in (page, sheet):
        assert Reader(one).faults == []
        assert "None" not in text_of(one)
    verdicts = page[page.index('id="verdicts"') : page.index('id="untestable"')]
    assert verdicts.count("&lt; 30") == len(AUDITED) * len(METRICS)
    names = TABLES[lang]["audit.comma"].join(["F x 25-34", "F x 35岁以上"])
    assert TABLES[lang]["audit.reason.few"].format(groups=names, n=30) in text_of(verdicts)
    lists = page[page.index('id="lists"') : page.index('id="attackers"')]
    assert lists.count("&lt; 30") == len(AUDITED) * 3
    headings = [note["text"] for note in data_of(page)["charts"][0]["layout"]["annotations"]]
    assert any(text.endswith("(&lt; 30)") for text in headings)
    table = sheet[sheet.index('<table class="tests">') : sheet.index('<table class="sign">')]
    assert "&lt; 30" in table
    assert data_of(page)["numbers"]["gap/baseline/gender/ndcg@10/difference"]["users"] == TABLES[lang][
        "audit.comma"
    ].join(["M 651", "F 258"])


def test_the_summary_prints_no_small_size(lang):
    gaps = [{**row, "users": 7} for row in gap_rows()]
    text = text_of(render_summary(evidence(gaps=gaps), lang))
    assert "≥" not in text
    assert "< 30" in text


def test_the_excluded_of_hidden_groups_are_in_no_sum():
    groups = [{**row, "excluded": None if row["group"] == "unknown" else 4} for row in evidence()["groups"]]
    told = data_of(without_plotly(render_audit(evidence(groups=groups))))["numbers"]
    assert told["gap/baseline/gender/ndcg@10/difference"]["excluded"] == ""
    assert told["gap/baseline/年龄/ndcg@10/difference"]["excluded"] == "12"


def test_the_report_says_what_hiding_cannot_hide(page, lang):
    assert TABLES[lang]["audit.limits.unknown"] in text_of(page)


def test_what_could_not_be_tested_is_told_once():
    rows = [
        {"code": "small_group", "values": {"attribute": "age", "group": "90+"}},
        {"code": "small_group", "values": {"attribute": "age", "group": "0-9"}},
        *(
            {
                "code": "underpowered",
                "values": {"system": name, "attribute": "age", "metric": "ndcg@10", "minimum_detectable": size,
                           "tolerance": 0.01},
            }
            for name, size in (("a", 0.02), ("b", 0.03))
        ),
        {"code": "no_train", "values": {}},
    ]  # fmt: skip
    told = merged(rows)
    assert [row["code"] for row in told] == ["small_group", "underpowered", "no_train"]
    assert told[0]["values"]["group"] == "90+, 0-9"
    assert told[1]["values"]["minimum_detectable"] == 0.03
    assert rows[0]["values"]["group"] == "90+"


def test_the_policy_is_printed_with_owner_and_reason(english):
    text = text_of(english)
    assert f"Responsible for the tolerances: Dr. Li 李 {NASTY}." in text
    assert "harm seen below this is small & reversible" in text


def test_questions_of_law_are_answered_by_nobody_here(english):
    text = text_of(english)
    assert "AI Act, Art. 10" in text
    assert "It answers none of them" in text


def test_pages_never_claim(page, lang):
    for content in (page, render_summary(evidence(), lang)):
        text = text_of(content).lower()
        assert not [word for word in FORBIDDEN if word in text]
        assert "certif" in text or "证明" in text


@pytest.mark.parametrize("missing", ["tolerance", "slices", "everything"])
def test_missing_parts_are_left_out_and_said_to_be_missing(missing, lang):
    content = {
        "tolerance": lambda: evidence(policy={"owner": None, "rules": []}),
        "slices": lambda: evidence(
            slices=[], exposure=[], provider=[], lorenz={}, attackers=[], collapse=None
        ),
        "everything": bare,
    }[missing]()
    page = without_plotly(render_audit(content, lang))
    assert Reader(page).faults == []
    text = text_of(page)
    table = TABLES[lang]
    assert table["audit.absent.transparency"] in text
    if missing != "tolerance":
        assert table["audit.absent.exposure"] in text
        assert 'id="providers"' not in page
        assert 'id="slices"' not in page
    if missing == "everything":
        assert table["audit.headline.none"] in text
        assert table["audit.policy.nobody"] in text
    else:
        assert "unfair" in text or "不公平" in text
    assert Reader(render_summary(content, lang)).faults == []


def test_a_reference_that_needs_training_events_says_so():
    systems = [*evidence()["systems"][:3], {"name": "TopPop", "role": "reference", "missing": "train"}]
    assert "The reference TopPop is missing: it needs --train." in text_of(
        render_audit(evidence(systems=systems))
    )


def test_values_that_are_no_numbers_are_dashes(lang):
    gaps = [
        {**row, "gap": None, "low": None, "high": None, "p_value": None, "p_adjusted": None}
        for row in gap_rows()
    ]
    page = without_plotly(render_audit(evidence(gaps=gaps), lang))
    assert "None" not in text_of(page)
    assert "nan" not in text_of(page).lower()
    assert "–" in text_of(page)


def test_a_big_audit_leads_with_what_matters():
    page = without_plotly(render_audit(wide()))
    assert len(page) < 3_000_000
    gaps = page[page.index('id="gaps"') : page.index('id="groups"')]
    before = gaps[: gaps.index('<details class="more">')]
    assert before.count("data-chart") == 1


def test_the_summary_has_verdicts_numbers_reasons_and_places_to_sign(lang):
    page = render_summary(evidence(), lang)
    reader, table = Reader(page), TABLES[lang]
    assert (reader.faults, reader.open) == ([], [])
    assert not [tag for tag, _ in reader.tags if tag in {"script", "a", "img"}]
    text = text_of(page)
    for key in ("summary.name", "summary.role", "summary.date", "summary.auditor", "summary.owner"):
        assert table[key] in text
    assert "Dr. Li 李" in text
    assert page.count("±") >= 3
    body = page[page.index('<table class="tests">') : page.index('<table class="sign">')]
    assert {name for name in AUDITED if name in text_of(body)} == set(AUDITED)
    speaker = Speaker(Evidence(evidence()), Words(lang))
    assert all(speaker.attribute(name) in text_of(body) for name in GROUPS)


def test_the_chinese_pages_have_no_english_sentence_of_their_own():
    words = text_of(without_plotly(render_audit(evidence(), "zh"))) + text_of(
        render_summary(evidence(), "zh")
    )
    sentences = [
        message for key, message in TABLES["en"].items() if len(message.split()) > 3 and "{" not in message
    ]
    assert [message for message in sentences if message in words] == []
    assert not re.findall(r"\b(?:audit|summary|column|note|method)\.[a-z_]+", words)


def test_an_unknown_language_is_refused():
    with pytest.raises(ConfigError, match="language 'de'"):
        render_audit(evidence(), "de")
    with pytest.raises(ConfigError, match="language 'de'"):
        render_summary(evidence(), "de")


def test_rendering_twice_gives_the_same_page():
    content = evidence()
    assert render_audit(content) == render_audit(content)
    assert content == evidence()
