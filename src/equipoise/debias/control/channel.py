"""One loop of the controller at work: evidence of an error, a bounded step against it, and a step taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from equipoise.debias.control.adjustment import Change, Kind
from equipoise.debias.control.loop import Levels, Loop
from equipoise.debias.control.signals import Sample, Signal
from equipoise.statistics import BettingTest

Phase = Literal["watching", "moving", "holding"]
_PLAIN = ("signal", "group", "correction", "phase", "waited", "taken_back", "told", "pace")
"""Fields of a channel that are JSON values themselves."""


@dataclass(frozen=True)
class Step:
    """The last step, while it is judged.

    Attributes:
        previous: The correction before it.
        sides: Tests that the error in either direction is now larger than it was, by more than the band.
    """

    previous: float
    sides: tuple[BettingTest, BettingTest]


@dataclass(frozen=True)
class Channel:
    """The state of a loop whose correction has a known direction: plain data.

    Attributes:
        signal: What it watches.
        group: Of which group.
        loop: How it moves.
        correction: As it stands.
        phase: Whether it watches, moves, or holds still after a step was taken back.
        tests: Evidence of an error that asks for more, and for less.
        opened: Bettors that `tests` have opened while watching, so that false starts stay rare forever.
        step: The last step, as long as it is judged.
        waited: Slates since the last step, or since the hold began.
        taken_back: Steps taken back in a row; each doubles the hold.
        told: Whether it was told that the bound is reached.
        pace: Share of the gain in use, signed by the direction of the last step while moving: halved where steps turn
            round, so that a gain that is too large for what it moves does not swing for ever.
    """

    signal: Signal
    group: str
    loop: Loop
    correction: float = 0.0
    phase: Phase = "watching"
    tests: tuple[BettingTest, BettingTest] = field(
        default_factory=lambda: (BettingTest(0.0), BettingTest(0.0))
    )
    step: Step | None = None
    opened: tuple[int, int] = (0, 0)
    waited: int = 0
    taken_back: int = 0
    told: bool = False
    pace: float = 1.0

    @classmethod
    def at_rest(cls, signal: Signal, group: str, loop: Loop) -> Channel:
        """Nothing corrected, nothing seen."""
        return cls(signal, group, loop)._watching()

    def after(self, sample: Sample, levels: Levels) -> tuple[Channel, Change | None]:
        """The state after more slates, and what was changed, if anything was."""
        n = len(sample.error)
        if not n:
            return self, None
        state = replace(self, waited=self.waited + n)
        if state.phase == "holding":
            over = state.waited >= state.loop.patience * 2**state.taken_back
            return (state._watching() if over else state), None
        state = replace(state, tests=_both(state.tests, sample))
        if state.step is not None:
            state = replace(state, step=replace(state.step, sides=_both(state.step.sides, sample)))
            if max(side.evidence for side in state.step.sides) >= levels.take_back:  # type: ignore[union-attr]
                return state._back()
        needed = levels.start if state.phase == "watching" else levels.go_on
        up, down = state.tests
        if max(up.evidence, down.evidence) >= needed:
            direction, test = (1.0, up) if up.evidence >= down.evidence else (-1.0, down)
            return state._moved(direction, test, sample.slope)
        if state.phase == "moving" and state.waited >= state.loop.patience:
            return replace(state, taken_back=0)._watching(), None
        return state, None

    def _moved(self, direction: float, test: BettingTest, slope: float) -> tuple[Channel, Change | None]:
        """A step against the error, as far as the bounds let it."""
        error = direction * test.estimate
        pace = self._pace(direction)
        step_wanted = abs(pace) * self.loop.gain * error / slope
        wanted = float(np.clip(step_wanted, -self.loop.max_step, self.loop.max_step))
        after = float(np.clip(self.correction + wanted, -self.loop.bound, self.loop.bound))
        cut = abs(after - self.correction - wanted) > 1e-12
        if after == self.correction:
            state = self._watching()
            change = self._change("saturation", after, error, test, saturated=True)
            return replace(state, told=True), None if self.told else change
        worse = abs(error) + self.loop.band
        step = Step(self.correction, (BettingTest(worse), BettingTest(worse))) if worse < 1 else None
        change = self._change("move", after, error, test, saturated=cut)
        state = replace(
            self._noted(), correction=after, phase="moving", step=step, waited=0, told=cut, pace=pace
        )
        settle = BettingTest(self.loop.settle)
        return replace(state, tests=(settle, settle)), change

    def _pace(self, direction: float) -> float:
        """Of a step in this direction: half as fast as the last one if it turns round, twice as fast in a new move."""
        if self.phase == "watching":
            return direction * min(2 * abs(self.pace), 1.0)
        return direction * abs(self.pace) * (0.5 if direction * self.pace < 0 else 1.0)

    def _back(self) -> tuple[Channel, Change]:
        """The last step taken back, and a hold."""
        assert self.step is not None
        test = max(self.step.sides, key=lambda side: side.evidence)
        error = test.estimate * (1.0 if test is self.step.sides[0] else -1.0)
        change = self._change("rollback", self.step.previous, error, test, saturated=False)
        state = replace(
            self._noted(), correction=self.step.previous, phase="holding", step=None, waited=0, told=False,
            taken_back=self.taken_back + 1,
        )  # fmt: skip
        return state, change

    def _watching(self) -> Channel:
        """Watch for a new error, with fresh evidence."""
        state = self._noted()
        tests = [BettingTest(self.loop.band, self.loop.spacing, opened) for opened in state.opened]
        return replace(state, phase="watching", tests=(tests[0], tests[1]), step=None, waited=0)

    def _noted(self) -> Channel:
        """With the number of bettors noted, before tests are thrown away."""
        if self.phase != "watching":
            return self
        return replace(self, opened=(self.tests[0].opened, self.tests[1].opened))

    def _change(
        self, kind: Kind, after: float, error: float, test: BettingTest, *, saturated: bool
    ) -> Change:
        return Change(
            self.signal,
            self.group,
            kind,
            self.correction,
            after,
            error,
            test.evidence,
            test.values,
            saturated,
        )

    # Plain data ---------------------------------------------------------------------------------------------------

    def as_dict(self) -> dict[str, Any]:
        """JSON values, without the loop's settings."""
        step = self.step
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "tests": [test.as_dict() for test in self.tests],
            "opened": list(self.opened),
            "step": None if step is None else {
                "previous": step.previous, "sides": [side.as_dict() for side in step.sides],
            },
        }  # fmt: skip

    @classmethod
    def from_dict(cls, state: Mapping[str, Any], loop: Loop) -> Channel:
        """What `as_dict` told."""
        step = state["step"]
        return cls(
            loop=loop,
            tests=_pair(state["tests"]),
            opened=(state["opened"][0], state["opened"][1]),
            step=None if step is None else Step(step["previous"], _pair(step["sides"])),
            **{name: state[name] for name in _PLAIN},
        )


def _both(tests: tuple[BettingTest, BettingTest], sample: Sample) -> tuple[BettingTest, BettingTest]:
    up, down = tests
    return up.after(sample.error, sample.low), down.after(-sample.error, -sample.high)


def _pair(states: list[Mapping[str, Any]]) -> tuple[BettingTest, BettingTest]:
    up, down = (BettingTest.from_dict(state) for state in states)
    return up, down
