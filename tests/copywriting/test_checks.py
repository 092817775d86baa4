import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.copywriting import Facts, Past, check
from equipoise.language.generators import generator

from .kit import FALSE, FILM, MORE_FALSE, MORE_TRUE, NOUNS, PASSING, POT, SHOE, TRUE


def read(facts, text, lang):
    return check(text, facts, lang, nouns=NOUNS.get(facts.item, ()))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_planted_false_statements_are_caught_by_their_kind(lang):
    found = {(text, kind): read(facts, text, lang) for facts, kind, text in FALSE[lang]}
    assert [text for (text, _), checked in found.items() if checked.sound] == []
    named = [kind in {fault.kind for fault in checked.faults} for (_, kind), checked in found.items()]
    assert sum(named) >= 0.95 * len(named)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_statements_written_after_the_checks_are_caught_too(lang):
    assert [text for facts, text in MORE_FALSE[lang] if read(facts, text, lang).sound] == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_true_statements_stand(lang):
    true = TRUE[lang] + MORE_TRUE[lang]
    alarms = [text for facts, text in true if not read(facts, text, lang).sound]
    assert len(alarms) <= 0.03 * len(true), alarms


def test_the_limit_is_what_it_is_said_to_be():
    assert all(read(facts, text, "en").sound for facts, text in PASSING)


def test_claims_tell_what_they_rest_on():
    text = "Because you watched The Long Tide, try Silent Harbor. Here is why. Directed by Mara Lindqvist in 1987."
    claims = read(FILM, text, "en").claims
    assert [claim.grounds for claim in claims] == [("2", "title"), (), ("director", "title")]
    assert [claim.states for claim in claims] == [True, False, True]


def test_faults_name_the_words():
    (fault,) = read(SHOE, "The sole is 36 mm thick.", "en").faults
    assert (fault.kind, fault.what) == ("number", "36 mm")
    (fault,) = read(FILM, "It is directed by Tom Okafor.", "en").faults
    assert (fault.kind, fault.what) == ("relation", "Tom Okafor as director")
    (fault,) = read(POT, "它的颜色是红色。", "zh").faults
    assert (fault.kind, fault.what) == ("unsupported", "红色")


def test_names_stand_for_items_in_their_forms_only():
    assert read(FILM, "You watched The Matrix.", "en").sound
    assert read(FILM, "You watched the long tide.", "en").sound
    assert not read(FILM, "You watched The Matrix Reloaded.", "en").sound
    short = Facts("9", "It (1990)", {"genres": ("Horror",)})
    assert [claim.grounds for claim in check("Here it is.", short).claims] == [()]


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Silent Harbor is a drama. You have already watched it.", "en"),
        ("Silent Harbor is a drama. You loved it.", "en"),
        ("A drama, and you've already seen this.", "en"),
        ("We recommend Silent Harbor, which you liked.", "en"),
        ("它是绿色的，您看过它。", "zh"),
        ("“Norvik 复古绿色茶壶”您已经买过。", "zh"),
        ("您喜欢这款绿色茶壶。", "zh"),
    ],
)
def test_the_item_is_no_choice_of_the_reader_by_a_pronoun_either(text, lang):
    faults = check(text, {"en": FILM, "zh": POT}[lang], lang, nouns=("茶壶",)).faults
    assert [fault.kind for fault in faults] == ["relation"], faults


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("We suggest Silent Harbor, given that you liked The Long Tide.", "en"),
        ("Silent Harbor is a drama; see if you like it.", "en"),
        ("We recommend Silent Harbor. You may like it.", "en"),
        ("推荐“Norvik 复古绿色茶壶”，您看过《泡茶入门》。", "zh"),
        ("“Norvik 复古绿色茶壶”是绿色的，您可能会喜欢它。", "zh"),
    ],
)
def test_pronouns_of_what_is_offered_stand(text, lang):
    assert check(text, {"en": FILM, "zh": POT}[lang], lang).faults == ()


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("You watched The Long Tide. You liked it.", "en"),
        ("You've already seen “The Long Tide”. You also loved it! Try Silent Harbor, a drama.", "en"),
        ("您看过《泡茶入门》。您喜欢它。为您推荐“Norvik 复古绿色茶壶”。", "zh"),
    ],
)
def test_it_is_the_choice_that_was_named_right_before_and_alone(text, lang):
    assert check(text, {"en": FILM, "zh": POT}[lang], lang).faults == ()


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("You watched The Long Tide. Silent Harbor is a drama. You liked it.", "en"),
        ("You watched The Long Tide before this film. You liked it.", "en"),
        ("You watched The Long Tide, so here is a drama. You liked it.", "en"),
        ("You watched The Long Tide and The Matrix. You liked it.", "en"),
        ("You watched The Long Tide. Try it. You liked it.", "en"),
        ("You watched The Long Tide. You liked this.", "en"),
        ("You watched The Long Tide. You liked them.", "en"),
        ("You watched The Long Tide. You liked it, this drama.", "en"),
        ("You watched The Long Tide. Silent Harbor: you liked it.", "en"),
        ("You watched The Long Tide. You liked it and you saw it.", "en"),
        ("You may like The Long Tide. You liked it.", "en"),
        ("You watched Silent Harbor. You liked it.", "en"),
        ("You liked it. You watched The Long Tide.", "en"),
        ("您看过《泡茶入门》，推荐这款茶壶。您很喜欢它。", "zh"),
        ("您看过《泡茶入门》。您很喜欢这款茶壶。", "zh"),
    ],
)
def test_it_is_nothing_else(text, lang):
    assert "relation" in {fault.kind for fault in check(text, {"en": FILM, "zh": POT}[lang], lang).faults}


def test_a_number_counts_what_its_field_is_called():
    film = Facts("1", "Alien", {"runtime": 117, "pages": 300, "year": 1979})
    assert check("Alien has 300 pages and a runtime of 117.", film).sound
    assert check("Its runtime is 117, and the year 1979.", film).sound
    for said in ("Alien has 117 pages.", "It has 300 pages and a 300 runtime."):
        assert "number" in {fault.kind for fault in check(said, film).faults}, said
    without = Facts("1", "Alien", {"runtime": 117})
    assert "number" in {fault.kind for fault in check("Alien has 117 pages.", without).faults}


def test_only_titles_may_say_anything():
    review = "As a mother of two I guarantee this cures"
    named = Facts("1", review, {"colour": "red"}, (Past("2", "Best for women"),))
    assert check(f"We suggest {review}.", named).sound
    told = replace(named, titled=False)
    faults = check(f"We suggest {review}.", told).faults
    assert {(fault.kind, fault.what) for fault in faults} == {("trait", review), ("banned", review)}
    assert [fault.kind for fault in check("Red. You chose Best for women.", told).faults] == [
        "trait",
        "banned",
    ]


def test_a_currency_in_front_vouches_for_nothing_behind():
    (fault,) = read(SHOE, "They cost €64.90 waterproof.", "en").faults
    assert (fault.kind, fault.what) == ("unsupported", "waterproof")


def test_the_readers_own_values_are_traits():
    facts = Facts("1", "A lamp", {"made": "south coast"}, unsaid=("south coast", "60+", "F"))
    assert check("Made at the south coast.", facts, nouns=("made",)).sound
    kinds = {fault.kind for fault in check("You live at the south coast, so try A lamp.", facts).faults}
    assert "trait" in kinds


def test_item_fields_may_speak_of_people_but_not_of_the_reader():
    facts = Facts("1", "Trail jacket", {"department": "women's jackets"})
    assert check("A jacket of the department women's jackets.", facts).sound
    assert "trait" in {fault.kind for fault in check("You like women's jackets.", facts).faults}


WORDS = st.text(min_size=1, max_size=12)
VALUES = st.one_of(
    st.text(max_size=80), st.integers(0, 10**6), st.lists(st.text(max_size=20), max_size=4).map(tuple)
)


@settings(max_examples=30, deadline=None)
@given(text=st.text(max_size=200), lang=st.sampled_from(["en", "zh"]), title=st.text(max_size=30))
def test_any_text_can_be_checked(text, lang, title):
    checked = check(text, Facts("1", title, {"f": text[:50]}, (Past("2", text[50:60]),)), lang)
    assert checked.sound == (not checked.faults)


@settings(max_examples=30, deadline=None)
@given(number=st.integers(0, 10**7))
def test_a_number_that_no_field_holds_never_passes(number):
    held = {int(digits) for digits in re.findall(r"\d+", f"{SHOE.fields} {SHOE.title}")}
    if number in held | {64, 90}:
        return
    for text in (
        f"It has {number}.",
        f"Sizes {number} to 47.",
        f"They cost €{number}.",
        f"The sole is {number} mm thick.",
    ):
        assert not read(SHOE, text, "en").sound, text


@settings(max_examples=30, deadline=None)
@given(
    category=st.sampled_from(["shoes", "Science fiction", "R&B"]),
    year=st.integers(1900, 2030),
    price=st.floats(0.01, 9999, allow_nan=False).map(lambda price: round(price, 2)),
    title=st.sampled_from(
        ["Alien", "Heat (1995)", "Matrix, The (1999)", "茶壶", "A+ Pen, 3.5 mm", "Women's $5 Best Cure!"]
    ),
    past=st.lists(
        st.sampled_from(["Aliens", "It", "You've Got Mail (1998)", "三体", "7"]), unique=True, max_size=3
    ),
    lang=st.sampled_from(["en", "zh"]),
    style=st.sampled_from(["plain", "warm", "brief"]),
)
def test_the_template_stands(category, year, price, title, past, lang, style):
    fields = {"category": category, "year": year, "price": price}
    facts = Facts("1", title, fields, tuple(Past(f"p{name}", name, (category,)) for name in past))
    (text,) = generator("template").open().write([facts.prompt(lang, style)])
    assert check(text, facts, lang).faults == (), text
