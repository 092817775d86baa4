import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import ConfigError, ModelError
from equipoise.language.generators import Prompt, generator

ITEM = {
    "title": "Alien (1979)",
    "genres": "Horror|Sci-Fi",
    "year": 1979,
    "plot": "A crew wakes up early. " * 20,
}


def write(task, data, lang="en", style="plain", **fields):
    return generator("template", **fields).open().write([Prompt(task, "", data, lang, style)])[0]


def test_copy_names_item_reasons_and_fields():
    reasons = [
        {"title": "Aliens (1986)", "shared": ["Sci-Fi"]},
        {"title": "Heat (1995)", "shared": ["Sci-Fi", "Horror"]},
    ]
    assert write("copy", {"item": ITEM, "reasons": reasons}) == (
        "We suggest Alien (1979). The reason: you chose Aliens (1986) and Heat (1995). In common: Sci-Fi. "
        "Genres: Horror. Year: 1979."
    )
    assert write("copy", {"item": ITEM, "reasons": reasons}, style="brief") == (
        "Alien (1979). Because you chose Aliens (1986) and Heat (1995)."
    )
    assert write("copy", {"item": ITEM, "reasons": reasons[:1]}, "zh", "warm") == (
        "您可能会喜欢“Alien (1979)”。想到它，是因为您选择过“Aliens (1986)”。共同点：Sci-Fi。类型：Horror。年份：1979。"
    )


def test_without_reasons_it_says_so():
    assert "Too little is known" in write("copy", {"item": ITEM, "reasons": []})
    assert "说不出推荐的理由" in write("copy", {"item": ITEM, "reasons": []}, "zh")


def test_chinese_items_are_described_in_chinese_alone():
    item = {"title": "复古绿色帐篷", "category": "outdoor", "kind": "帐篷", "price": 57.78}
    assert write("copy", {"item": item, "reasons": []}, "zh").endswith("种类：帐篷。价格：57.78。")


def test_descriptions_of_items_and_people():
    item = {"item": ITEM, "taken_together_with": ["Aliens", "Heat"]}
    assert write("describe_item", item) == (
        "Alien (1979). Genres: Horror, Sci-Fi. Year: 1979. A crew wakes up early. "
        "Often taken together with Aliens and Heat."
    )
    history = [
        {"title": "Alien", "genres": ["Horror", "Sci-Fi"], "value": 5.0},
        {"title": "Heat", "genres": ["Crime"], "value": 4.0},
        {"title": "Aliens", "genres": ["Action", "Sci-Fi"], "value": 4.0},
    ]
    assert write("describe_user", {"choices": 1446, "history": history}) == (
        "Choices so far: 1,446. Genres, most often among the 3 latest read: Sci-Fi (2). "
        "The latest: Aliens, Heat and Alien."
    )
    assert write("describe_user", {"history": []}) == "No choices are known."
    assert write("describe_user", {"choices": 1446, "history": history}, "zh") == (
        "选择次数：1446。类型，在读取的最近3次选择中最常见：Sci-Fi（2）。最近选择：“Aliens”、“Heat”和“Alien”。"
    )


def test_rows_of_tags_keep_their_label_and_values_with_commas_are_told_apart():
    tags = "intense, r:violence, tarantino, dark comedy, Quentin Tarantino"
    item = {
        "item": {
            "title": "Alien",
            "tags": tags,
            "plot": "A crew wakes up early and finds somebody on board whom nobody invited",
        }
    }
    assert write("describe_item", {**item, "taken_together_with": ["Heat"]}) == (
        "Alien. Tags: intense, r:violence, tarantino, dark comedy. "
        "A crew wakes up early and finds somebody on board whom nobody invited. Often taken together with Heat."
    )
    assert write("describe_item", {**item, "taken_together_with": ["Heat"]}, "zh").endswith(
        "常与“Heat”一起被选择。"
    )
    history = [{"title": "A", "genres": "Action, Drama"}, {"title": "B", "genres": "Drama, War"}] * 2
    assert "Genres, most often among the 4 latest read: Action, Drama (2); Drama, War (2)." in write(
        "describe_user", {"history": history}
    )


def test_tags_and_genres_are_counted_apart():
    history = [{"title": "A", "genres": ["War"], "tags": ["slow", "slow"]}] * 2 + [
        {"title": "B", "tags": ["War"]}
    ]
    said = write("describe_user", {"choices": 3, "history": history})
    assert "Genres, most often among the 3 latest read: War (2)." in said
    assert "Tags, most often among the 3 latest read: slow (2)." in said


def test_what_it_cannot_write_it_refuses():
    with pytest.raises(ModelError, match="task 'rank'"):
        write("rank", {})
    with pytest.raises(ModelError, match="language 'fr'"):
        write("copy", {"item": ITEM}, "fr")
    with pytest.raises(ConfigError, match="Nothing may follow"):
        generator("template:x")
    with pytest.raises(ModelError, match="no probabilities"):
        generator("template").open().log_probabilities(Prompt("copy", ""), ["a"])


def test_identity_depends_on_settings_only():
    assert generator("template").open().identity == generator("template").open().identity
    assert generator("template").open().identity != generator("template", fields=1).open().identity


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=8), st.one_of(st.text(max_size=300), st.integers(), st.lists(st.text()))
    ),
    st.sampled_from(["copy", "describe_item"]),
    st.sampled_from(["en", "zh"]),
)
def test_any_fields_give_one_line_of_bounded_length(fields, task, lang):
    text = write(task, {"item": fields, "reasons": [{"title": "{title}"}]}, lang)
    assert 0 < len(text) < 1500
    assert "\n" not in text


def test_in_common_is_what_all_named_choices_share():
    reasons = [{"title": "Aliens", "shared": ["Horror", "Sci-Fi"]}, {"title": "Heat", "shared": []}]
    assert "In common" not in write("copy", {"item": ITEM, "reasons": reasons})
    assert "In common: Horror, Sci-Fi." in write("copy", {"item": ITEM, "reasons": reasons[:1]})
