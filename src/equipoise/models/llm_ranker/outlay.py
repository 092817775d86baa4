"""What a language model's judgement of many lists takes: which of them it is asked for, and how long that will last."""

from __future__ import annotations

import logging
import time
from typing import Final

import numpy as np
from numpy.typing import NDArray

from equipoise.component import Runtime
from equipoise.models.llm_ranker.desk import Desk
from equipoise.models.llm_ranker.placing import Ints

log = logging.getLogger(__name__)

_FIRST: Final = 3  # lists by which all are judged
_LONG: Final = 300.0  # seconds from which on it is said how long it will take


def drawn(rows: Ints, known: int, most: int | None, runtime: Runtime) -> NDArray[np.bool_]:
    """Which lists of a call the language model is asked for: those of the users that a draw puts first.

    The same users come first in every call, whoever else is in it.

    Args:
        rows: Rows of the users, -1 for one never heard of.
        known: How many rows the catalogue has; users beyond them come after its own, in their order.
        most: Most lists; None for all.
        runtime: Seed of the draw.

    Returns:
        bool of the shape of `rows`.
    """
    if most is None or len(rows) <= most:
        return np.ones(len(rows), dtype=bool)
    turns = runtime.rng("lists of a language model").permutation(known)
    places = known + np.arange(len(rows))
    own = (rows >= 0) & (rows < known)
    places[own] = turns[rows[own]]
    asked = np.zeros(len(rows), dtype=bool)
    asked[np.argsort(places, kind="stable")[:most]] = True
    return asked


class Call:
    """One call for many lists, block by block; says once how long it will take, after the first and where it is long.

    Args:
        desk: What is asked.
        asked: For which lists, in their order.
    """

    def __init__(self, desk: Desk, asked: NDArray[np.bool_]) -> None:
        self.desk, self.asked, self.lists = desk, asked, int(asked.sum())
        self._begun = 0
        self._asked, self._spent = 0, 0.0
        self._started: float | None = None

    def block(self, count: int) -> NDArray[np.bool_]:
        """For which of the next lists it is asked."""
        self._begun += count
        return self.asked[self._begun - count : self._begun]

    def listed(self, judged: bool) -> None:
        """One list is done.

        Args:
            judged: Whether a question was asked for it.
        """
        self.lists -= not judged
        if not judged or self._asked > _FIRST:
            return
        self._asked += 1
        if self._started is None:  # the first one loads the model
            self._started, self._spent = time.monotonic(), self._cost()
        elif self._asked == _FIRST + 1:
            each, left = (time.monotonic() - self._started) / _FIRST, self.lists - self._asked
            cost = (self._cost() - self._spent) / _FIRST * left
            if each * left >= _LONG:
                log.warning(
                    "The language model takes %.1f s a list: about %s for the %s that are left%s. Set 'lists' of the "
                    "llm_ranker to ask for fewer.",
                    each,
                    _spoken(each * left),
                    f"{left:,}",
                    f", and {cost:.3g} in the currency of its prices" if cost else "",
                )

    def _cost(self) -> float:
        return self.desk.writer.spent().get("cost", 0.0)


def _spoken(seconds: float) -> str:
    """A time in words.

    >>> _spoken(400), _spoken(40_000)
    ('7 minutes', '11.1 hours')
    """
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
