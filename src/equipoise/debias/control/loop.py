"""How one correction is moved."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field, PositiveInt, model_validator

from equipoise.component import Component


class Loop(Component):
    """How a correction is moved: by integral control, which is dual ascent on the multiplier of "no error".

    A correction starts to move when evidence shows that the error is larger than `band`, and goes on, step by step
    with fresh evidence each, as long as it is shown to be larger than `settle`, which is less (hysteresis). It is
    itself the integral and is kept within `bound`, so that nothing winds up beyond it.
    """

    band: float = Field(0.03, gt=0, lt=1)
    """An error up to this size, in either direction, is none: no move starts."""
    settle: float = Field(0.01, gt=0, lt=1)
    """A correction that moves goes on until its error is not shown to be larger than this; less than `band`."""
    gain: float = Field(1.0, gt=0)
    """Correction per unit of error; for calibration in log-odds, per unit of error in log-odds."""
    max_step: float = Field(0.5, gt=0)
    """Largest single step."""
    bound: float = Field(2.0, gt=0)
    """The correction stays in [-bound, bound]; that of a gap between users in [0, bound]."""
    patience: PositiveInt = 300
    """Slates without evidence for another step after which a correction has settled, and that a hold lasts at first."""

    @property
    def spacing(self) -> int:
        """Slates after which another bettor starts to watch."""
        return max(self.patience // 10, 1)

    @model_validator(mode="after")
    def _ordered(self) -> Loop:
        if self.settle >= self.band:
            raise ValueError(
                "settle has to be less than band, so that what has settled does not start at once"
            )
        if self.max_step > self.bound:
            raise ValueError("max_step has to be at most bound")
        return self


@dataclass(frozen=True)
class Levels:
    """Evidence that is needed, as logarithms of wealth.

    Attributes:
        start: To start to move.
        go_on: For another step, and that a step that is tried helps.
        take_back: To take a step back.
    """

    start: float
    go_on: float
    take_back: float
