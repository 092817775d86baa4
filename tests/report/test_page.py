import re
from dataclasses import replace

import pytest

from equipoise.errors import ConfigError
from equipoise.metrics import DEFINITIONS
from equipoise.report import RunReport, render
from equipoise.report.languages import TABLES, Words
from tests.report.reader import Reader

NASTY = "<script>alert('x')</script>"


@pytest.fixture(scope="module", params=["en", "zh"])
def page(request, report):
    return render(report(), request.param)


def test_tags_are_balanced_and_ids_unique(page):
    reader = Reader(page)
    assert (reader.faults, reader.open) == ([], [])
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes["href"][1:] for tag, attributes in reader.tags if tag == "a"}
    assert links <= set(ids)


def test_nothing_is_fetched_and_nothing_runs(page):
    tags = Reader(page).tags
    assert not [tag for tag, _ in tags if tag in {"script", "iframe", "img", "object", "embed"}]
    for tag, attributes in tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href"):
            assert attributes.get(name, "#").startswith(("#", "data:")), (tag, attributes)
    assert "url(" not in page
    assert "@import" not in page
    assert len(page) < 300_000


def test_names_from_the_data_are_words_not_markup(page):
    assert NASTY not in page
    assert page.count("&lt;script&gt;") >= 5
    assert NASTY in "".join(Reader(page).words)


def test_every_number_of_the_headline_stands_on_the_page(page):
    text = "".join(Reader(page).words)
    for number in ("0.0943", "0.0991", "+0.0048", "0.8912", "0.6423", "1,200", "52,012", "−1,210", "48,211"):
        assert number in text
    assert "equipoise run storefront.toml --seed 7" in text
    assert "9f2c" * 16 in text


@pytest.mark.parametrize(
    ("low", "high", "difference", "words"),
    [
        (0.001, 0.009, 0.005, "On held-out events the correction raises NDCG@10 from 0.0943 to 0.0991."),
        (-0.009, -0.001, -0.005, "On held-out events the correction lowers NDCG@10 from 0.0943 to 0.0991."),
        (-0.001, 0.009, 0.005, "No difference in NDCG@10 can be shown"),
        (0.0, 0.009, 0.005, "No difference in NDCG@10 can be shown"),
        (None, None, 0.0, "the same for every user"),
        (None, None, 0.005, "too few users to say more"),
    ],
)
def test_the_verdict_claims_no_more_than_the_interval(metrics, report, low, high, difference, words):
    content = metrics()
    content["comparison"]["ndcg@10"] = {"difference": difference, "low": low, "high": high, "p_value": 0.2}
    page = render(report(metrics=content))
    assert words in re.search(r"<h1>(.*?)</h1>", page, re.DOTALL).group(1)


def test_a_run_without_correction_says_that_there_is_nothing_to_compare(metrics, report):
    content = metrics()
    for part in ("stages", "system", "groups", "calibration"):
        content[part] = {"baseline": content[part]["baseline"]}
    del content["comparison"], content["planted"]
    page = render(report(metrics=content, exposure={}, reliability={}, samples=(), warnings=()))
    assert "The lists reach NDCG@10 0.0943 on held-out events." in page
    assert "nothing to compare with" in page
    assert 'id="planted"' not in page
    assert Reader(page).faults == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_missing_parts_are_left_out(metrics, report, lang):
    reader = Reader(render(RunReport("bare", {"protocol": {}, "stages": {}}), lang))
    assert reader.faults == []
    few = metrics()
    for by in few["groups"].values():
        by["gender"] = {"only": {"ndcg@10": {"value": 0.1, "low": None, "high": None, "users": 1}}}
    few["stages"]["baseline"]["ndcg@10"] = {"value": 0.0, "low": None, "high": None}
    assert Reader(render(report(metrics=few), lang)).faults == []


def test_small_groups_are_marked(report):
    page = render(report())
    assert page.count("few users</b>") == 1
    assert "Groups of fewer than 30 users are marked" in page


def test_both_languages_have_the_same_messages_with_the_same_places():
    assert set(TABLES["en"]) == set(TABLES["zh"])
    for key, message in TABLES["en"].items():
        places = re.findall(r"\{(\w+)\}", message)
        assert sorted(places) == sorted(re.findall(r"\{(\w+)\}", TABLES["zh"][key])), key


def test_the_chinese_page_has_no_english_sentence_of_its_own(report):
    chinese = "".join(Reader(render(report(warnings=()), "zh")).words)
    english = [
        message for message in TABLES["en"].values() if len(message.split()) > 3 and "{" not in message
    ]
    assert [message for message in english if message in chinese] == []
    words = Words("zh")
    for definition in DEFINITIONS.values():
        assert f"metric.{definition.name}" in TABLES["zh"]
        assert words.phrase(definition.unit) != definition.unit
        assert not definition.note or words.phrase(definition.note) != definition.note


def test_an_unknown_language_is_refused(report):
    with pytest.raises(ConfigError, match="language 'de'"):
        render(report(), "de")


def test_rendering_twice_gives_the_same_page(report):
    assert render(report()) == render(replace(report()))


@pytest.mark.parametrize(("after", "word"), [(0.68, "raises"), (0.41, "lowers"), (0.5, "leaves")])
def test_where_the_truth_is_known_it_speaks_first(metrics, report, after, word):
    content = metrics()
    content["planted"] = {
        "baseline": {"preference_ndcg@10": 0.5},
        "corrected": {"preference_ndcg@10": after},
    }
    page = render(report(metrics=content))
    first = re.search(r"<h1>(.*?)</h1>", page, re.DOTALL).group(1)
    assert first.startswith(f"The correction {word}")
    assert "true preferences" in first
    assert "On held-out events" in page or "No difference in NDCG@10" in page
