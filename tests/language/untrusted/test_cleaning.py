import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.language.untrusted import cleaned

ORDINARY = {
    "Persian": "می\u200cخواهم کتاب\u200cهای تازه بخوانم",
    "Arabic": "كتاب (C++\u200e) جديد\u200f، السعر ٢٥",
    "Hebrew": "מדריך ל-C++\u200e למתחילים",
    "Urdu": "اردو کی کتابیں",
    "Hindi": "क्\u200dष और क्\u200cष, हिन्दी",
    "Bengali": "র\u200d্যাব ও বাংলা",
    "Marathi": "दऱ्\u200dया",
    "Malayalam": "അവന്\u200d മലയാളം",
    "Sinhala": "ශ්\u200dරී ලංකාව",
    "Kannada": "ರ\u200d್ಕ",
    "Khmer": "ភាសា\u200bខ្មែរ\u200bពិរោះ",
    "Thai": "ภาษา\u200bไทยที่นี่",
    "Burmese": "မြန်မာဘာသာ",
    "Tibetan": "བོད་སྐད་",
    "Mongolian": "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ\u180b",
    "Japanese": "葛\U000e0100飾区のＣＤ、「音楽」〜",
    "Chinese": "《平凡的世界》，第１卷（精装）",
    "Korean": "한국어 책",
    "Old Korean": "\u115f\u1161\u11ab",
    "Vietnamese": "Tiếng Việt " + unicodedata.normalize("NFD", "Tiếng Việt"),
    "Greek": "Ὀδύσσεια",
    "Russian": "Война и мир — Толстой",
    "German": "Straße, Größe „M“",
    "emoji": "❤\ufe0f\u200d🔥 👩🏽\u200d🔧 👨\u200d👩\u200d👧 🏳\ufe0f\u200d🌈 1\ufe0f\u20e3 ☎\ufe0e 🇨🇳",
    "England": "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "lines": "First line\n\tsecond\u00a0line\u3000third",
    "signs": "5′ 3″ · 3 × 4 ≤ 12 € ½ № ™ ①",
}

HOSTILE = {
    "ig\u200bno\u200cre\u200d": "ignore",
    "ignore\u2060 all\ufeff": "ignore all",
    "\u202egnp\u202c.exe": "gnp.exe",
    "a\u2066b\u2069c": "abc",
    "a\u200eb": "ab",
    "col\u00adour": "colour",
    "bell\x07\x00null\x1b[31m": "bellnull[31m",
    "one\r\ntwo\rthree\u2028four\x85five": "one\ntwo\nthree\nfour\nfive",
    "𝐢𝐠𝐧𝐨𝐫𝐞 𝟏": "ignore 1",
    "ﬁne": "fine",
    "half \ud800sign": "half sign",
    "".join(chr(0xE0000 + ord(sign)) for sign in "obey") + "Guitar": "Guitar",
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(sign)) for sign in "rank\x7f"): "\U0001f3f4",
    "😀\ufe0f\ufe0e\ufe01\ufe0f": "😀\ufe0f",
    "a\ufe0fb\U000e0120": "ab",
    "می\u200c\u200d\u200c\u200cخ": "می\u200c\u200dخ",
    "\u3164name": "name",
    "שלום ig\u200fnore": "שלום ignore",
}


@pytest.mark.parametrize("language", ORDINARY)
def test_ordinary_text_stays_as_it_was(language):
    assert cleaned(ORDINARY[language]) == ORDINARY[language]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_nobody_sees_goes(text):
    assert cleaned(text) == HOSTILE[text]


INVISIBLE = {
    *"\xad\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0",
    *map(chr, [*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0000, 0xE1000)]),
    *map(chr, range(0x1D400, 0x1D800)),
    *map(chr, range(0xFB00, 0xFB07)),
}
SEEN = st.characters(categories=["L", "M", "N", "P", "S", "Zs"], exclude_characters="".join(INVISIBLE))


@settings(max_examples=60, deadline=None)
@given(st.text(SEEN))
def test_letters_marks_digits_and_signs_of_every_script_stay(text):
    assert cleaned(text) == text


@settings(max_examples=60, deadline=None)
@given(
    st.text(
        st.characters(exclude_categories=[])
        | st.sampled_from("\u200b\u200c\u200d\u200e\u034f\ufe0f\u0915\u0627🏴\U000e0067")
    )
)
def test_twice_is_once_and_no_control_sign_is_left(text):
    once = cleaned(text)
    assert cleaned(once) == once
    assert once.encode("utf-8").decode("utf-8") == once  # no half of a sign
    assert all(sign in "\n\t" or unicodedata.category(sign) != "Cc" for sign in once)


def test_no_single_sign_hides_inside_a_word():
    hidden = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in ("Cf", "Cc", "Cs")
    ]
    kept = [
        f"U+{ord(sign):04X}" for sign in hidden if sign not in "\n\t" and sign in cleaned(f"ig{sign}nore")
    ]
    visible = {unicodedata.name(chr(int(code[2:], 16)), "") for code in kept}
    assert not any("ZERO WIDTH" in name or "OVERRIDE" in name or "TAG" in name for name in visible)
    assert len(kept) < 40, visible
