"""Texts as units: words in scripts that put spaces between them, single characters in those that do not."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

BREAK: Final = "\n"
"""Stands between the units of two phrases."""

_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+)"  # kana, Chinese
)


class _Signs(dict[int, str]):
    """Letters, marks and digits stay, blanks part words, apostrophes vanish, other signs part phrases."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        kind = unicodedata.category(sign)
        if kind[0] in "LMN":
            kept = sign
        elif sign in "'\u2019":
            kept = ""
        else:
            kept = " " if kind in ("Zs", "Pd") else BREAK
        self[code] = kept
        return kept


_SIGNS = _Signs()


def phrases(text: str) -> list[list[tuple[list[str], bool]]]:
    """The phrases of a text, each as runs of units: of words, or (with True) of characters of unspaced scripts.

    Width and case of letters are folded; signs other than apostrophes and hyphens end a phrase.

    >>> phrases("Red socks, 红袜")
    [[(['red', 'socks'], False)], [(['红', '袜'], True)]]
    """
    found = []
    for phrase in unicodedata.normalize("NFKC", text).casefold().translate(_SIGNS).split(BREAK):
        # re.split puts what the group matched at odd places
        parts = [
            (list(run) if place % 2 else run.split(), place % 2 == 1)
            for place, run in enumerate(_UNSPACED.split(phrase))
        ]
        if runs := [(units, unspaced) for units, unspaced in parts if units]:
            found.append(runs)
    return found


def units(text: str) -> list[str]:
    r"""All units of a text in their order, with `BREAK` between phrases.

    >>> units("Red wool-socks, 红袜")
    ['red', 'wool', 'socks', '\n', '红', '袜']
    """
    found: list[str] = []
    for phrase in phrases(text):
        if found:
            found.append(BREAK)
        for run, _ in phrase:
            found += run
    return found
