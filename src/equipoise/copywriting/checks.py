"""A whole text beside the facts: every statement, and its form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from equipoise.copywriting.claims import Checked, Claim, Fault
from equipoise.copywriting.evidence import Ground
from equipoise.copywriting.facts import Facts
from equipoise.copywriting.lexicon import Gram, gram, lexicon
from equipoise.copywriting.segments import segments
from equipoise.copywriting.statements import Rules, judged, statements
from equipoise.copywriting.tokens import Token, normal, tokens
from equipoise.language.generators.prompt import Language

LONGEST: Final[dict[Language, int]] = {"en": 360, "zh": 180}
"""Most signs of a text beside the names of items."""
_BEYOND_LATIN: Final = "\u0250"
_FORM: Final = re.compile(r"https?:|www\.|<[^>]*>|```|[{}\[\]|\\]|\w@\w|^\s*[#*-]\s|\*\*", re.MULTILINE)


def check(
    text: str, facts: Facts, lang: Language = "en", *, nouns: Sequence[str] = (), longest: int | None = None
) -> Checked:
    """A text checked statement by statement.

    A statement stands if each of its words either states nothing (a closed list: words of joining and of
    recommending), or is taken from the item's fields, or names an earlier choice that carried the score. Words
    behind "you chose" and the like must come from those choices, and "it" is none but right behind the name of one
    ("You watched The Long Tide. You liked it."); words behind "directed by", "priced at" and the like from the field
    they speak of. Numbers, dates and currencies must be the same; a negated word is taken only with its negation. So
    what the facts do not say fails, whether it is true or not; but words of the right fields put together into a wrong
    sentence can pass.

    Args:
        text: What a generator wrote.
        facts: What it may say.
        lang: Language that it should be in.
        nouns: What the catalogue holds, in words that may be said of every item ("film").
        longest: Most signs beside names; by default 360 in English, 180 in Chinese.
    """
    said = normal(text)
    if not said.strip():
        return Checked(said, (), (Fault("empty", "no text"),))
    rules = _rules(facts, lang, nouns)
    read = tokens(said, rules.ground.names)
    whole = _form(said, read, longest or LONGEST[lang])
    if _foreign(read, rules, lang):
        return Checked(said, (), (*whole, Fault("language", f"not in the language '{lang}'")))
    parts = statements(said, read)
    before = [(), *(run for _, run in parts)]
    claims = tuple(judged(part, run, rules, last) for (part, run), last in zip(parts, before, strict=False))
    if not any(claim.states for claim in claims):
        whole.append(Fault("empty", "nothing is said of the item"))
    return Checked(said, claims, (*whole, *_all(claims)))


def _all(claims: Sequence[Claim]) -> list[Fault]:
    return list(dict.fromkeys(fault for claim in claims for fault in claim.faults))


def _rules(facts: Facts, lang: Language, nouns: Sequence[str]) -> Rules:
    words = lexicon(lang)
    frame = words.frame | {gram(noun.casefold()) for noun in nouns}
    return Rules(Ground.of(facts, words), words, frame, words.traits | _own(facts.unsaid), facts.titled)


def _own(values: Sequence[str]) -> frozenset[Gram]:
    """A person's own values as phrases; a lone number and codes of one or two letters are no words."""
    found = set[Gram]()
    for value in values:
        read = tokens(normal(value))
        words = tuple(token.norm for token in read if token.kind != "sign")
        telling = any(token.kind == "han" or (token.kind == "word" and len(token.norm) > 2) for token in read)
        if telling or len(words) > 1:
            found.add(words)
    return frozenset(found)


def _form(text: str, read: Sequence[Token], longest: int) -> list[Fault]:
    names = sum(token.end - token.start for token in read if token.kind in ("item", "past"))
    faults = []
    if len(text) - names > longest:
        faults.append(Fault("long", f"{len(text) - names} signs beside names, {longest} at most"))
    spelt, place = "", 0
    for token in read:
        spelt += text[place : token.start] + (
            "name" if token.kind in ("item", "past") else text[token.start : token.end]
        )
        place = token.end
    found = _FORM.search(spelt)
    if found:
        faults.append(Fault("form", found[0]))
    return faults


def _foreign(read: Sequence[Token], rules: Rules, lang: Language) -> bool:
    """Whether most words that are neither names nor taken from the facts are in another script."""
    parts = segments(read, rules.ground, rules.lexicon, rules.frame)
    own = [
        token
        for part in parts
        if part.source in ("frame", "nothing")
        for token in read[part.start : part.end]
        if token.kind in ("word", "han")
    ]
    wanted = sum(token.kind == "han" if lang == "zh" else token.norm[0] < _BEYOND_LATIN for token in own)
    return bool(own) and wanted * 2 < len(own)
