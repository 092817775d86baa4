"""Each statement of a text beside the facts: what it rests on, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from equipoise.copywriting.claims import Claim, Fault, Kind
from equipoise.copywriting.evidence import EXACT, TITLE, Evidence, Ground, Quantity, stem, unit
from equipoise.copywriting.lexicon import Gram, Lexicon
from equipoise.copywriting.segments import Segment, claimed, segments
from equipoise.copywriting.tokens import ENDS, Token, normal, tokens

_QUOTES: Final = {"“": "”", "「": "」", "《": "》", "『": "』", '"': '"'}
_NAMES: Final = ("item", "past")
_YEAR: Final = re.compile("1[5-9][0-9]{2}|20[0-9]{2}")


@dataclass(frozen=True)
class Rules:
    """By what statements are judged.

    Attributes:
        ground: The facts.
        lexicon: Of the text's language.
        frame: Phrases that state nothing of an item.
        traits: Phrases that say who a person is.
        titled: Whether names are titles, which may say anything.
    """

    ground: Ground
    lexicon: Lexicon
    frame: frozenset[Gram]
    traits: frozenset[Gram]
    titled: bool = True


def statements(text: str, read: Sequence[Token]) -> list[tuple[str, list[Token]]]:
    """The statements of a text with their tokens: what stands between full stops and the like."""
    found, current = list[tuple[str, list[Token]]](), list[Token]()
    for token in read:
        current.append(token)
        if token.kind == "sign" and token.text in ENDS:
            found.append((text[current[0].start : token.end].strip(), current))
            current = []
    if current:
        found.append((text[current[0].start : current[-1].end].strip(), current))
    return [(said, part) for said, part in found if any(token.kind != "sign" for token in part)]


def judged(said: str, read: Sequence[Token], rules: Rules, before: Sequence[Token] = ()) -> Claim:
    """One statement with what it rests on and what is wrong with it; `before` are the tokens of the one before it."""
    parts = segments(read, rules.ground, rules.lexicon, rules.frame)
    told = [
        *_told(read, rules),
        *_quoted(read, rules.ground),
        *_numbers(read, parts, rules.ground),
        *_misspelt(read, parts, rules.ground),
    ]
    marked = {place for _, places in told for place in places} | _units(read, parts, rules.ground)
    faults = [fault for fault, _ in told]
    faults += _relations(read, parts, rules.ground)
    faults += [
        Fault("relation", f"{said} as a choice of the reader")
        for said in claimed(read, before, rules.lexicon)
    ]
    faults += _unsupported(read, parts, marked, rules.lexicon)
    return Claim(
        said, tuple(dict.fromkeys(_grounds(read, parts, rules.ground))), tuple(dict.fromkeys(faults))
    )


def _text(read: Sequence[Token]) -> str:
    return "".join(
        (" " if place and token.start > read[place - 1].end else "") + token.text
        for place, token in enumerate(read)
    )


def _supporting(read: Sequence[Token], part: Segment, among: Iterable[Evidence]) -> list[Evidence]:
    run = read[part.start : part.end]
    gram = tuple(stem(token.norm) if token.kind == "word" else token.norm for token in run)
    return [each for each in among if gram in each.supports]


def _relations(read: Sequence[Token], parts: Sequence[Segment], ground: Ground) -> Iterable[Fault]:
    """Names and words in a place that belongs to others: a choice never made, a field that holds something else."""
    wrong = [(part, why) for part in parts if (why := _misplaced(read, part, ground))]
    for _, run in groupby(enumerate(wrong), key=lambda pair: (pair[1][0].start - pair[0], pair[1][1])):
        found = [pair[1] for pair in run]
        said = _text(read[found[0][0].start : found[-1][0].end])
        yield Fault("relation", f"{said} as {found[0][1]}")


def _misplaced(read: Sequence[Token], part: Segment, ground: Ground) -> str:
    """As what a name or a fact is put that it is not; empty where it is in its place."""
    token = read[part.start]
    if part.source == "name":
        if (part.scope, token.kind) == ("past", "item"):
            return "a choice of the reader"
        if (part.scope, token.kind) == ("offer", "past"):
            return "what is recommended"
        sought = [each.norm for each in tokens(normal(token.text)) if each.kind != "sign"]
        if part.fields is not None and not any(each.says(sought) for each in part.fields):
            return part.fields[0].field
    elif part.source == "fact":
        if part.scope == "past":
            return "" if _supporting(read, part, ground.past) else "a choice of the reader"
        if not _supporting(read, part, part.fields or ground.item):
            return part.fields[0].field if part.fields else "said of the item"
    return ""


def _numbers(
    read: Sequence[Token], parts: Sequence[Segment], ground: Ground
) -> Iterable[tuple[Fault, range]]:
    """Numbers that no field holds, with what they count."""
    source = {place: part for part in parts for place in range(part.start, part.end)}
    for part in parts:
        if part.source == "number" and not _quantity(read, part, source, ground):
            behind = read[part.end].kind in ("word", "han") if part.end < len(read) else False
            places = range(part.start, part.end + behind)
            yield Fault("number", _text(read[places.start : places.stop])), places


def _quantity(
    read: Sequence[Token], part: Segment, source: dict[int, Segment], ground: Ground
) -> list[Quantity]:
    """The quantities of the facts that a number can mean."""
    token, counts = read[part.start], unit(read, part.start)
    fields = ground.past if part.scope == "past" else part.fields or ground.item
    same = [each for field in fields for each in field.quantities if each.value == token.norm]
    if token.kind == "date":
        return same
    if counts in EXACT:
        return [each for each in same if each.unit == counts]
    behind = source.get(part.start + 1)
    if behind is not None and behind.source == "concept" and not _YEAR.fullmatch(token.norm):
        same = [each for each in same if _labels(each.field, counts)]
    framing = behind is None or behind.source in ("frame", "concept")
    counted = any(
        (counts,) in field.supports for field in fields
    )  # a thing of the item, though a common word
    if not counts or _YEAR.fullmatch(token.norm) or (framing and not counted):
        return [each for each in same if each.unit not in EXACT or part.fields is not None]
    return [each for each in same if counts == each.unit or _labels(each.field, counts)]


def _labels(field: str, counts: str) -> bool:
    """Whether a field's name tells what its number counts: "pages", 页数."""
    words = field.casefold().split("_")
    return counts in map(stem, words) or (not counts.isascii() and counts in field)


def _units(read: Sequence[Token], parts: Sequence[Segment], ground: Ground) -> set[int]:
    """Places of what numbers count, where that was read with the number: currencies, and names of fields."""
    source = {place: part for part in parts for place in range(part.start, part.end)}
    return {
        part.end
        for part in parts
        if part.source == "number"
        for counts in [unit(read[part.start : part.end + 1], 0)]
        for each in _quantity(read, part, source, ground)
        if counts in EXACT or _labels(each.field, counts)
    }


def _misspelt(
    read: Sequence[Token], parts: Sequence[Segment], ground: Ground
) -> Iterable[tuple[Fault, range]]:
    """Words written as names that stand in the facts with other endings only."""
    first = next((place for place, token in enumerate(read) if token.kind != "sign"), 0)
    for part in parts:
        token = read[part.start]
        named = part.source == "fact" and token.kind == "word" and token.text[:1].isupper()
        spelt = any(each.says([token.norm]) for each in (*ground.item, *ground.past))
        if named and part.start != first and not spelt:
            yield Fault("name", token.text), range(part.start, part.end)


def _unsupported(
    read: Sequence[Token], parts: Sequence[Segment], marked: set[int], lexicon: Lexicon
) -> Iterable[Fault]:
    """Words that no field holds, neighbours together."""
    lone = [part.start for part in parts if part.source == "nothing" and part.start not in marked]
    first = next((place for place, token in enumerate(read) if token.kind != "sign"), 0)
    for _, run in groupby(enumerate(lone), key=lambda pair: pair[1] - pair[0]):
        places = [place for _, place in run]
        words = [read[place] for place in places]
        spelled = any(token.norm in lexicon.numerals for token in words)
        yield Fault("number" if spelled else _kind(words, places[0] == first, read), _text(words))


def _kind(words: Sequence[Token], first: bool, read: Sequence[Token]) -> Kind:
    foreign = any(token.kind == "han" for token in read) and all(token.kind == "word" for token in words)
    called = words[1:] if first else words
    return "name" if foreign or any(token.text[:1].isupper() for token in called) else "unsupported"


def _quoted(read: Sequence[Token], ground: Ground) -> Iterable[tuple[Fault, range]]:
    """What stands in quotes must be a name, or stand so in a field."""
    opened: int | None = None
    for place, token in enumerate(read):
        if token.kind != "sign":
            continue
        if opened is not None and token.text == _QUOTES[read[opened].text]:
            inside = [each for each in read[opened + 1 : place] if each.kind != "sign"]
            sought = [each.norm for each in inside]
            named = len(inside) == 1 and inside[0].kind in ("item", "past")
            if inside and not named and not any(each.says(sought) for each in (*ground.item, *ground.past)):
                yield Fault("name", _text(read[opened + 1 : place])), range(opened + 1, place)
            opened = None
        elif opened is None and token.text in _QUOTES:
            opened = place


def _told(read: Sequence[Token], rules: Rules) -> Iterable[tuple[Fault, range]]:
    """Traits of persons and claims nobody can keep, with the places of their words."""
    lexicon, ground = rules.lexicon, rules.ground
    spelt = [(place, norm) for place, token in enumerate(read) for norm in _spelt(token, rules.titled)]
    kept, norms = [place for place, _ in spelt], [norm for _, norm in spelt]
    spoken_to = any(norm in lexicon.reader for norm in norms)

    def found(kind: Kind, run: range) -> tuple[Fault, range]:
        places = range(kept[run.start], kept[run.stop - 1] + 1)
        return Fault(kind, _text(read[places.start : places.stop])), places

    for run in _matches(norms, rules.traits):
        said = norms[run.start : run.stop]
        named = read[kept[run.start]].kind in _NAMES  # of a person who wrote it, if it is no title
        if named or spoken_to or not any(each.says(said) for each in ground.item):
            yield found("trait", run)
    for run in _matches(norms, lexicon.banned):
        yield found("banned", run)
    for run in _matches(norms, lexicon.superlatives):
        behind = norms[run.stop : run.stop + 1]
        said = norms[run.start : run.stop] + [norm for norm in behind if norm and (norm,) not in rules.frame]
        if not any(each.says(said) for each in ground.item):
            yield found("banned", run)


def _spelt(token: Token, titled: bool) -> list[str]:
    """The words of a token; none of a title, which may hold any, and none of a hyphen."""
    if token.kind in _NAMES and not titled:
        return [norm for each in tokens(normal(token.text)) for norm in _spelt(each, titled)]
    if token.kind in ("word", "han", "number"):
        return [token.norm]
    return [] if token.text in ("-", "–") else [""]


def _matches(norms: Sequence[str], phrases: frozenset[Gram]) -> Iterable[range]:
    """Where phrases stand, the longest at each place."""
    longest, at = max(map(len, phrases), default=0), 0
    while at < len(norms):
        size = next(
            (
                size
                for size in range(longest, 0, -1)
                if tuple(norms[at : at + size]) in phrases and at + size <= len(norms)
            ),
            0,
        )
        if size:
            yield range(at, at + size)
        at += max(size, 1)


def _grounds(read: Sequence[Token], parts: Sequence[Segment], ground: Ground) -> Iterable[str]:
    for part in parts:
        token = read[part.start]
        if part.source == "name":
            yield TITLE if token.kind == "item" else token.norm
        elif part.source == "fact":
            among = ground.past if part.scope == "past" else part.fields or ground.item
            yield from (each.field for each in _supporting(read, part, among)[:1])
        elif part.source == "concept" and part.fields:
            yield part.fields[0].field
        elif part.source == "number":
            same = [
                each.field for field in ground.item for each in field.quantities if each.value == token.norm
            ]
            yield from same[:1]
