"""What a controller tells: which corrections were changed, from what to what, on what evidence."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from equipoise.debias.control.signals import Signal

Kind = Literal["trial", "move", "rollback", "saturation"]


@dataclass(frozen=True)
class Change:
    """One correction that was changed, or that would have to go beyond its bound.

    Attributes:
        signal: What was off.
        group: Whose correction.
        kind: "move" against an error; "trial" of a move on half of the slates, where nobody knows whether it helps;
            "rollback" of a move that made things worse, or of a trial that was not shown to help; "saturation": more
            is needed than the bound allows, so nothing changes any more.
        before: The correction.
        after: The correction from now on.
        error: Estimated error that led to it; positive where the correction has to grow. Where a trial ends, the gap
            that it was begun for.
        evidence: Log of the wealth of the test; exp(-evidence) is a p-value that may be looked at any time. The test
            is of the error; where a trial ends in a move, that it helps; in a rollback, that it harms.
        n: Slates (pairs of slates for a gap) that the test has seen since its richest bettor began.
        saturated: Whether the bound cut the step: what is aimed at may be out of reach.
    """

    signal: Signal
    group: str
    kind: Kind
    before: float
    after: float
    error: float
    evidence: float
    n: int
    saturated: bool

    @property
    def sentence(self) -> str:
        """The same for people."""
        p = math.exp(-max(self.evidence, 0.0))
        if self.signal == "gap" and self.kind in ("move", "rollback"):
            return self._after_trial(p)
        found = f"error {self.error:+.4f} over {self.n} slates (p = {p:.2g})"
        said = {
            "move": f"moved from {self.before:+.3f} to {self.after:+.3f}: {found}",
            "trial": f"tried at {self.after:+.3f} instead of {self.before:+.3f}: {found}",
            "rollback": f"taken back from {self.before:+.3f} to {self.after:+.3f}: the error grew, {found}",
            "saturation": f"stays at {self.after:+.3f}: {found}",
        }[self.kind]
        return f"{self.signal} of {self.group} {said}{self._reach}."

    def _after_trial(self, p: float) -> str:
        """What was tried, and what came of it; the gap that it was tried for was tested before."""
        verb, found = {
            "move": ("moved", "shown to help"),
            "rollback": ("taken back", "not shown to help in time, or shown to harm"),
        }[self.kind]
        what = "help" if self.kind == "move" else "harm"
        return (
            f"{self.signal} of {self.group} {verb} from {self.before:+.3f} to {self.after:+.3f}: tried for an error of "
            f"{self.error:+.4f}, and {found} over {self.n} pairs of slates (p = {p:.2g} of {what}){self._reach}."
        )

    @property
    def _reach(self) -> str:
        return "; the bound is reached, so the target may be out of reach" if self.saturated else ""


@dataclass(frozen=True)
class Adjustment:
    """What one look at the stream changed.

    Attributes:
        version: Counts the looks that changed something, from 1.
        at: Time of the last event looked at, as in ISO 8601, UTC.
        changes: At least one.
    """

    version: int
    at: str
    changes: tuple[Change, ...]

    @property
    def saturated(self) -> bool:
        """Whether some correction reached its bound."""
        return any(change.saturated for change in self.changes)

    def records(self) -> list[dict[str, Any]]:
        """One entry of the log per change, as plain JSON values."""
        return [
            {"version": self.version, "at": self.at, **asdict(change), "sentence": change.sentence}
            for change in self.changes
        ]
