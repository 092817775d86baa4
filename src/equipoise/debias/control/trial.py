"""A step that is tried on half of the slates first, drawn at random, because nobody knows whether it helps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from equipoise.debias.control.signals import Floats
from equipoise.statistics import BettingTest

Verdict = Literal["helps", "harms", "unclear", "open"]
_UNPAIRED = 512  # slates that wait for one of the other half
_LONG = 3  # times the patience after which nothing more is to be learned


@dataclass(frozen=True)
class Trial:
    """A candidate against the correction as it stands, within one group, so that drift strikes both alike.

    Attributes:
        candidate: The correction that is tried.
        error: Why it is: the estimated error.
        helps: Test that slates are rewarded more under the candidate.
        harms: Test that they are rewarded less.
        unpaired: Rewards of slates under the candidate, and of others, that wait for their counterpart.
    """

    candidate: float
    error: float
    helps: BettingTest = field(default_factory=lambda: BettingTest(0.0))
    harms: BettingTest = field(default_factory=lambda: BettingTest(0.0))
    unpaired: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())

    def after(self, candidate: Floats, standing: Floats) -> Trial:
        """The trial after the rewards of more slates of either kind, in order of time."""
        tried, others = (
            np.r_[kept, new] for kept, new in zip(self.unpaired, (candidate, standing), strict=True)
        )
        n = min(len(tried), len(others))
        gain = tried[:n] - others[:n]
        left = tuple(tried[n:][-_UNPAIRED:].tolist()), tuple(others[n:][-_UNPAIRED:].tolist())
        return replace(
            self, helps=self.helps.after(gain, -1.0), harms=self.harms.after(-gain, -1.0), unpaired=left
        )

    def verdict(self, enough: float, harm: float, patience: int) -> Verdict:
        """What is known by now.

        Args:
            enough: Evidence that shows help.
            harm: Evidence that shows harm.
            patience: Pairs of slates; three times as many without a result are enough.
        """
        if self.helps.evidence >= enough:
            return "helps"
        if self.harms.evidence >= harm:
            return "harms"
        return "unclear" if self.helps.values >= _LONG * patience else "open"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "candidate": self.candidate, "error": self.error, "helps": self.helps.as_dict(),
            "harms": self.harms.as_dict(), "unpaired": [list(side) for side in self.unpaired],
        }  # fmt: skip

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Trial:
        """What `as_dict` told."""
        tests = {name: BettingTest.from_dict(state[name]) for name in ("helps", "harms")}
        tried, others = (tuple(side) for side in state["unpaired"])
        return cls(state["candidate"], state["error"], unpaired=(tried, others), **tests)
