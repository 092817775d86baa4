"""Whether a text praises or complains, counted from words: cheap labels that are wrong at a rate one should know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import DataError
from equipoise.language.gazetteer import Gazetteer
from equipoise.language.units import BREAK, units

Floats = NDArray[np.float64]

_REACH = 3  # units in front of a word in which a negation turns it round
_KINDS: Final = ("praise", "complaint", "negation")
_WORDS: Final[Mapping[str, str]] = {
    "praise": "amazing,awesome,beautiful,beautifully,best,comfortable,durable,easy,easily,enjoy,excellent,fantastic,"
    "fast,fine,flawless,flawlessly,good,great,happy,helpful,impressed,impressive,love,loved,loves,nice,nicely,perfect,"
    "perfectly,pleased,recommend,recommended,reliable,satisfied,solid,sturdy,super,superb,wonderful,works well,"
    "worth,highly recommend,as expected,五星,不错,喜欢,好,好用,好评,实用,完美,精美,优秀,值得,满意,漂亮,舒服,舒适,"
    "很棒,推荐,方便,超值,耐用,惊喜,开心,物美价廉",
    "complaint": "annoying,awful,bad,badly,boring,break,breaks,broke,broken,buzz,cheaply,crap,defective,difficult,"
    "disappointed,disappointing,disappointment,expensive,fail,failed,fails,fake,faulty,flimsy,garbage,hate,horrible,"
    "junk,noisy,poor,poorly,problem,problems,refund,return,returned,returning,ripped,scam,slow,stopped working,"
    "terrible,ugly,unhappy,unreliable,unusable,useless,waste,weak,worse,worst,wrong,not worth,too bad,一星,一般,不好,"
    "不值,不值得,不满意,不推荐,不喜欢,问题,差,差劲,差评,坏,坏了,失望,垃圾,难用,退货,退款,浪费,后悔,糟糕,劣质,故障,太贵,难看,"
    "假货,上当",
    "negation": "not,no,never,nothing,hardly,isnt,wasnt,dont,doesnt,didnt,cant,couldnt,wont,wouldnt,without,arent,"
    "不,没,没有,不是,并不,不太,从不",
}
"""Words by kind, separated by commas; English and Chinese."""


def polarity(texts: Sequence[str], words: Mapping[str, Sequence[str]] | None = None) -> Floats:
    """How far each text praises rather than complains: (praise - complaints) / (praise + complaints).

    A word of praise within three units behind a negation counts as a complaint, and the other way round; the longest
    word counts ("不好" is one word, not a negated "好"). Irony, comparison and what the list does not hold are missed.

    Args:
        texts: Any number; what they ask of their reader is not read.
        words: Words of the kinds `praise`, `complaint` and, where wanted, `negation`; None for a small list of English
            and Chinese words of shops.

    Returns:
        Numbers in [-1, 1], one per text; NaN for a text without such a word.

    Raises:
        DataError: if a kind is unknown, praise or complaint is missing, or a word is of two kinds.

    Example:
        >>> polarity(["Great sound, easy to use", "Not good. It broke", "A guitar", "不好用，失望"]).tolist()
        [1.0, -1.0, nan, -1.0]
    """
    known = _built_in() if words is None else _lexicon(words)
    return np.array([_polarity(text, known) for text in texts], dtype=np.float64)


@cache
def _built_in() -> Gazetteer:
    return _lexicon({kind: _WORDS[kind].split(",") for kind in _KINDS})


def _lexicon(words: Mapping[str, Sequence[str]]) -> Gazetteer:
    if wrong := sorted({*words} - {*_KINDS} | {*_KINDS[:2]} - {*words}):
        raise DataError(
            f"A list of sentiment words has the kinds {', '.join(_KINDS)}",
            where=f"'{wrong[0]}' is {'missing' if wrong[0] in _KINDS else 'none of them'}",
            todo="Give words of praise and complaint, and negations where the language has some.",
        )
    return Gazetteer({kind: words.get(kind, ()) for kind in _KINDS})


def _polarity(text: str, known: Gazetteer) -> float:
    praise = complaints = 0
    for parting, phrase in groupby(units(text), key=lambda unit: unit == BREAK):
        denied = 0  # up to which unit of the phrase the last negation reaches
        for match in () if parting else known.matches_in(list(phrase)):
            kind = known.names[match.entity]
            if kind == "negation":
                denied = match.end + _REACH
            elif (kind == "praise") != (match.start < denied):
                praise += 1
            else:
                complaints += 1
    return (praise - complaints) / (praise + complaints) if praise + complaints else float("nan")
