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
        error: Estimated error that led to it; positive where the correction has to grow.
        evidence: Log of the wealth of the test; exp(-evidence) is a p-value that may be looked at any time.
        n: Slates (pairs of slates for a gap) behind the estimate.
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
        found = f"error {self.error:+.4f} over {self.n} slates (p = {p:.2g})"
        said = {
            "move": f"moved from {self.before:+.3f} to {self.after:+.3f}: {found}",
            "trial": f"tried at {self.after:+.3f} instead of {self.before:+.3f}: {found}",
            "rollback": f"taken back from {self.before:+.3f} to {self.after:+.3f}: it made things worse, or was not "
            f"shown to help, {found}",
            "saturation": f"stays at {self.after:+.3f}: {found}",
        }[self.kind]
        reach = "; the bound is reached, so the target may be out of reach" if self.saturated else ""
        return f"{self.signal} of {self.group} {said}{reach}."


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
