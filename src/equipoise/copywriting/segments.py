"""A statement parted into what frames it, what it takes from the facts, and what stands on nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from equipoise.copywriting.evidence import LONGEST, Evidence, Ground, stem
from equipoise.copywriting.lexicon import Gram, Lexicon
from equipoise.copywriting.tokens import Token

Source = Literal["name", "number", "sign", "frame", "concept", "fact", "nothing"]
Scope = Literal["past", "offer"] | None
Fields = tuple[Evidence, ...]
Part = tuple[int, int, Source]

_VALUES: Final[tuple[Source, ...]] = ("fact", "number", "name")
_ANDS: Final = frozenset("&/-、和与及") | {"and"}
_JOINS: Final = (
    _ANDS
    | frozenset('：:$€£¥(（"“‘「《是为于在有的')
    | {*("of", "by", "in", "at", "on", "is", "are", "was", "a", "an", "the", "to", "for", "s")}
)
_SINGULAR: Final = frozenset({"it", "它"})
_ENDINGS: Final = " .!。！"
_CHOICE: Final = re.compile(r"""\s*["'“‘「《『]?\s*⟦p⟧["'”’」》』]?[ .!。！]*""")


@dataclass(frozen=True)
class Segment:
    """A run of tokens of a statement.

    Attributes:
        start: Place of its first token.
        end: Place behind its last one.
        source: What it is.
        scope: Whether it speaks of the reader's past or of what is offered.
        fields: Fields that the statement says it is about ("directed by"); None where it names none.
    """

    start: int
    end: int
    source: Source
    scope: Scope = None
    fields: Fields | None = None


def segments(
    read: Sequence[Token], ground: Ground, lexicon: Lexicon, frame: frozenset[Gram]
) -> list[Segment]:
    """The segments of one statement, in order.

    Words are taken so that as few as possible stand on nothing, then so that runs are as long as possible.

    Args:
        read: Its tokens.
        ground: The facts.
        lexicon: Of its language.
        frame: Phrases that state nothing.
    """
    concepts = _concepts(ground, lexicon)
    supports = frozenset().union(*(each.supports for each in (*ground.item, *ground.past)))
    parts = _parted(read, frame, frozenset(concepts), supports, lexicon.longest)
    scopes = _scopes(read, lexicon)
    abouts = _abouts(read, parts, concepts)
    return [
        Segment(start, end, source, scopes[start], about)
        for (start, end, source), about in zip(parts, abouts, strict=True)
    ]


def _concepts(ground: Ground, lexicon: Lexicon) -> dict[Gram, Fields]:
    """Phrases that speak of fields the item has; one phrase may speak of several."""
    found: dict[Gram, Fields] = {}
    for names, phrases in lexicon.concepts.values():
        fields = ground.fields_of(names)
        for phrase in phrases if fields else ():
            found[phrase] = found.get(phrase, ()) + fields
    return found


def _abouts(
    read: Sequence[Token], parts: Sequence[Part], concepts: Mapping[Gram, Fields]
) -> list[Fields | None]:
    """For each part, the fields that the statement says it is about.

    These are the fields of the last concept, up to the end of what is said of it: values joined by "and". In
    Chinese the values may also stand in front: between 由 and the concept.
    """
    abouts: list[Fields | None] = []
    about: Fields | None = None
    taken, opened = False, None  # whether a value was said already; where 由 stood
    for place, (start, end, source) in enumerate(parts):
        norms = tuple(token.norm for token in read[start:end])
        if source == "concept":
            about, taken = concepts[norms], False
            if opened is not None:
                abouts[opened + 1 :] = [about] * (place - opened - 1)
                about, opened = None, None
        elif source in _VALUES:
            taken = True
        elif not all(norm in (_ANDS if taken else _JOINS) for norm in norms):
            about = None
        if source == "frame" and norms == ("由",):
            opened = place
        elif source not in (*_VALUES, "sign"):
            opened = None
        abouts.append(about)
    return abouts


def _parted(
    read: Sequence[Token],
    frame: frozenset[Gram],
    concepts: frozenset[Gram],
    supports: frozenset[Gram],
    longest: int,
) -> list[Part]:
    """The parting that leaves the fewest tokens on nothing, then the one with the fewest parts."""
    count = len(read)
    best: list[tuple[int, int]] = [(0, 0)] * (count + 1)  # tokens on nothing, parts
    step: list[tuple[int, Source]] = [(1, "nothing")] * count
    norms = [token.norm for token in read]
    stems = [stem(token.norm) if token.kind == "word" else token.norm for token in read]
    fixed: dict[str, Source] = {
        "item": "name", "past": "name", "number": "number", "date": "number", "sign": "sign"
    }  # fmt: skip
    for at in range(count - 1, -1, -1):
        kind = read[at].kind
        if kind in fixed:
            best[at], step[at] = (best[at + 1][0], best[at + 1][1] + 1), (1, fixed[kind])
            continue
        best[at], step[at] = (best[at + 1][0] + 1, best[at + 1][1] + 1), (1, "nothing")
        for size in range(1, min(max(longest, LONGEST), count - at) + 1):
            if read[at + size - 1].kind not in ("word", "han"):
                break
            said = tuple(norms[at : at + size])
            source: Source | None = (
                "concept" if said in concepts
                else "frame" if said in frame
                else "fact" if tuple(stems[at : at + size]) in supports
                else None
            )  # fmt: skip
            rest = best[at + size]
            if source is not None and (rest[0], rest[1] + 1) < best[at]:
                best[at], step[at] = (rest[0], rest[1] + 1), (size, source)
    parts, at = list[Part](), 0
    while at < count:
        size, source_ = step[at]
        parts.append((at, at + size, source_))
        at += size
    return parts


def _scopes(read: Sequence[Token], lexicon: Lexicon) -> list[Scope]:
    """For each token, whether it speaks of the reader's past or of what is offered."""
    line, starts = _line(read)
    scopes: list[Scope] = [None] * len(read)
    openings: list[tuple[re.Match[str], Scope]] = [
        *((match, "offer") for match in lexicon.offers.finditer(line)),
        *((match, "past") for match in lexicon.chose.finditer(line)),
    ]
    for match, scope in sorted(openings, key=lambda opening: opening[0].start()):
        closing = lexicon.closes.search(line, match.end())
        until = closing.start() if closing else len(line)
        for place, start in enumerate(starts):
            if match.start() <= start < until:
                scopes[place] = scope
    return scopes


def claimed(read: Sequence[Token], before: Sequence[Token], lexicon: Lexicon) -> list[str]:
    """Where a statement says that the reader chose what it names by a pronoun only: "you loved it", "which you saw".

    A pronoun behind is held to be the item; a relative one is, where the item's name stands in front. "It" is an
    earlier choice only where the statement says nothing else, and the one before says that choice and nothing else:
    "You watched The Long Tide. You liked it."

    Args:
        read: Tokens of the statement.
        before: Those of the statement before it; empty for the first.
        lexicon: Of the language.
    """
    line, _ = _line(read)
    alone = lexicon.claims.fullmatch(line.strip(_ENDINGS))
    if alone and (alone["by"] or "").strip() in _SINGULAR and _choice_alone(before, lexicon):
        return []
    return [match[0] for match in lexicon.claims.finditer(line) if match["of"] or match["by"]]


def _choice_alone(read: Sequence[Token], lexicon: Lexicon) -> bool:
    """Whether a statement says that the reader made one choice, by its name, and not a word beside."""
    line, _ = _line(read)
    said = lexicon.chose.match(line)
    return said is not None and _CHOICE.fullmatch(line, said.end()) is not None


def _line(read: Sequence[Token]) -> tuple[str, list[int]]:
    """The statement as one folded line with names as ⟦i⟧ and ⟦p⟧, and where each token begins in it."""
    line, starts = "", list[int]()
    for place, token in enumerate(read):
        spaced = place > 0 and "han" not in (token.kind, read[place - 1].kind) and token.kind != "sign"
        line += " " if spaced else ""
        starts.append(len(line))
        line += {"item": "⟦i⟧", "past": "⟦p⟧"}.get(token.kind, token.norm)
    return line, starts
