"""What a language's lexicon holds."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from equipoise.language.generators.prompt import Language

Gram = tuple[str, ...]

_FILES: Final[Mapping[Language, str]] = {"en": "english.toml", "zh": "chinese.toml"}
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")


@dataclass(frozen=True)
class Lexicon:
    """The words by which statements in one language are told apart.

    Attributes:
        frame: Words that recommend and join and state nothing of an item by themselves.
        superlatives: Praise beyond comparison, absolutes, bargains: allowed only where a field says the same.
        banned: Guarantees, healing and urgency: never allowed outside the item's name.
        traits: Who a person is: never said of the reader, and of an item only where a field says so.
        reader: Words that speak to the reader.
        negations: Words that turn round what follows.
        numerals: Numbers in words.
        concepts: By idea, the names of fields that hold it, and the words that speak of it.
        chose: Where the reader's past begins to be spoken of.
        offers: Where something begins to be offered.
        closes: Where either ends.
        claims: The reader chose something; the group `by` holds a pronoun that names it, and `of` the item's name with
            what joins it to this.
    """

    frame: frozenset[Gram]
    superlatives: frozenset[Gram]
    banned: frozenset[Gram]
    traits: frozenset[Gram]
    reader: frozenset[str]
    negations: frozenset[str]
    numerals: frozenset[str]
    concepts: Mapping[str, tuple[frozenset[str], frozenset[Gram]]]
    chose: re.Pattern[str]
    offers: re.Pattern[str]
    closes: re.Pattern[str]
    claims: re.Pattern[str]

    @cached_property
    def longest(self) -> int:
        """Tokens of the longest phrase of the frame."""
        return max(map(len, self.frame))


@cache
def lexicon(lang: Language) -> Lexicon:
    """The lexicon of a language."""
    held = tomllib.loads((Path(__file__).parent / _FILES[lang]).read_text("utf-8"))
    patterns = {kind: re.compile(pattern, re.VERBOSE) for kind, pattern in held["patterns"].items()}
    return Lexicon(
        frame=_grams(held["frame"]),
        superlatives=_grams(held["superlatives"]),
        banned=_grams(held["banned"]),
        traits=_grams(held["traits"]),
        reader=frozenset(_phrases(held["reader"])),
        negations=frozenset(_phrases(held["negations"])),
        numerals=frozenset(_phrases(held["numerals"])),
        concepts={
            idea: (frozenset(_phrases(each["fields"])), _grams(each["words"]))
            for idea, each in held["concepts"].items()
        },
        chose=patterns["chose"],
        offers=patterns["offers"],
        closes=patterns["closes"],
        claims=patterns["claims"],
    )


def gram(phrase: str) -> Gram:
    """A phrase as a tuple of words and single Chinese characters."""
    return tuple(_HAN.sub(lambda sign: f" {sign[0]} ", phrase).split())


def _grams(text: str) -> frozenset[Gram]:
    return frozenset(map(gram, _phrases(text)))


def _phrases(text: str) -> list[str]:
    return [phrase.strip() for phrase in re.split("[,\n]", text) if phrase.strip()]
