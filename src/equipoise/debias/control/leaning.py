"""The loop that closes a gap between groups of users: it cannot know which way helps, so that it tries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from equipoise.debias.control.adjustment import Change, Kind
from equipoise.debias.control.loop import Levels, Loop
from equipoise.debias.control.signals import Floats, Sample, Signal
from equipoise.debias.control.trial import Trial
from equipoise.statistics import BettingTest

Phase = Literal["watching", "moving", "trying", "holding"]
_PLAIN = ("group", "correction", "phase", "opened", "waited", "taken_back", "way", "told")
"""Fields that are JSON values themselves."""


@dataclass(frozen=True)
class Leaning:
    """The state of the loop of one group of users: plain data.

    More weight on the second opinion need not close the gap: the opinion may be bad, or have become so. So each step
    is tried on half of the group's slates, at random, and made only when it is shown to help them; a step that harms,
    or that is not shown to help in time, is taken back, and the other way is tried next. A group that is better off
    than the others is let be.

    Attributes:
        group: Of users.
        loop: How it moves.
        correction: Weight of the second opinion.
        phase: Whether it watches, moves on, tries, or holds still after a step was taken back.
        test: Evidence of a gap.
        opened: Bettors that `test` has opened while watching.
        trial: What is tried.
        waited: Slates since the last step, or since the hold began.
        taken_back: Trials without success in a row; each doubles the hold.
        way: Direction of the next trial, 1 or -1.
        told: Whether it was told that the bound is reached.
    """

    group: str
    loop: Loop
    correction: float = 0.0
    phase: Phase = "watching"
    test: BettingTest = field(default_factory=lambda: BettingTest(0.0))
    opened: int = 0
    trial: Trial | None = None
    waited: int = 0
    taken_back: int = 0
    way: int = 1
    told: bool = False

    @classmethod
    def at_rest(cls, group: str, loop: Loop) -> Leaning:
        """Nothing corrected, nothing seen."""
        return cls(group, loop)._watching()

    @property
    def signal(self) -> Signal:
        """What it watches."""
        return "gap"

    def after(self, sample: Sample, levels: Levels) -> tuple[Leaning, Change | None]:
        """The state after more pairs of slates while nothing is tried, and what was begun, if anything was."""
        n = len(sample.error)
        if not n:
            return self, None
        state = replace(self, waited=self.waited + n)
        if state.phase == "holding":
            over = state.waited >= state.loop.patience * 2**state.taken_back
            return (state._watching() if over else state), None
        state = replace(state, test=state.test.after(sample.error, sample.low))
        if state.test.evidence >= (levels.start if state.phase == "watching" else levels.go_on):
            return state._tried()
        if state.phase == "moving" and state.waited >= state.loop.patience:
            return state._watching(), None
        return state, None

    def after_trial(
        self, candidate: Floats, standing: Floats, levels: Levels
    ) -> tuple[Leaning, Change | None]:
        """The state after more slates of either kind while something is tried.

        Args:
            candidate: Mean rewards of slates under the candidate.
            standing: Those of the group's other slates.
            levels: Evidence that is needed.
        """
        assert self.trial is not None
        trial = self.trial.after(candidate, standing)
        verdict = trial.verdict(levels.go_on, levels.take_back, self.loop.patience)
        if verdict == "open":
            return replace(self, trial=trial), None
        if verdict == "helps":
            change = self._change("move", self.correction, trial.candidate, trial.error, trial.helps)
            settle = BettingTest(self.loop.settle)
            moved = replace(self, correction=trial.candidate, phase="moving", test=settle, trial=None)
            return replace(moved, waited=0, taken_back=0, told=False), change
        change = self._change("rollback", trial.candidate, self.correction, trial.error, trial.harms)
        way = -self.way if self.correction > 0 else 1
        back = replace(self, phase="holding", trial=None, waited=0, taken_back=self.taken_back + 1, way=way)
        return back, change

    def _tried(self) -> tuple[Leaning, Change | None]:
        """A step to be tried, in the direction that is next."""
        error = self.test.estimate
        step = min(self.loop.gain * error, self.loop.max_step)
        candidate = float(np.clip(self.correction + self.way * step, 0.0, self.loop.bound))
        if candidate == self.correction:
            change = self._change("saturation", self.correction, self.correction, error, self.test)
            # nothing more is to be had this way; whether less is better will be tried after the next evidence
            state = replace(self, told=True, way=-self.way)._watching()
            return state, None if self.told else change
        change = self._change("trial", self.correction, candidate, error, self.test)
        return replace(self._noted(), phase="trying", trial=Trial(candidate, error)), change

    def _watching(self) -> Leaning:
        """Watch for a gap, with fresh evidence."""
        state = self._noted()
        test = BettingTest(self.loop.band, self.loop.spacing, state.opened)
        return replace(state, phase="watching", test=test, waited=0)

    def _noted(self) -> Leaning:
        """With the number of bettors noted, before the test is thrown away."""
        return replace(self, opened=self.test.opened) if self.phase == "watching" else self

    def _change(self, kind: Kind, before: float, after: float, error: float, test: BettingTest) -> Change:
        saturated = kind == "saturation" or (kind == "move" and after == self.loop.bound)
        return Change("gap", self.group, kind, before, after, error, test.evidence, test.values, saturated)

    # Plain data ---------------------------------------------------------------------------------------------------

    def as_dict(self) -> dict[str, Any]:
        """JSON values, without the loop's settings."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "signal": self.signal,
            "test": self.test.as_dict(),
            "trial": None if self.trial is None else self.trial.as_dict(),
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any], loop: Loop) -> Leaning:
        """What `as_dict` told."""
        trial = None if state["trial"] is None else Trial.from_dict(state["trial"])
        plain = {name: state[name] for name in _PLAIN}
        return cls(loop=loop, test=BettingTest.from_dict(state["test"]), trial=trial, **plain)
