"""The controller: it looks at feedback as it comes and corrects what is shown next."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from equipoise.component import Component
from equipoise.debias.control.adjustment import Adjustment, Change
from equipoise.debias.control.channel import Channel
from equipoise.debias.control.leaning import Leaning
from equipoise.debias.control.lists import Corrections, corrected
from equipoise.debias.control.log import ChangeLog
from equipoise.debias.control.loop import Levels, Loop
from equipoise.debias.control.signals import EVERYONE, Signal, Slates, gap
from equipoise.errors import ConfigError, DataError

_REMEMBERED = 256  # batches whose fingerprints are kept
_UNPAIRED = 512  # slates that wait for one of another group
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Unpaired = dict[str, tuple[list[float], list[float]]]
"""By group: rewards of its slates, and of others, that wait for their counterpart."""


class Control(Component):
    """Settings of a controller, which moves bounded corrections against errors that evidence shows to be there.

    Three things may be watched, each for every group: that probabilities are calibrated, by a shift of log-odds; that
    no group of users is rewarded less than the others, by leaning on a second opinion made for that group; and that
    groups of items have their due share of exposure, by prices. As long as no error ever exceeds its band, the chance
    that anything at all is ever moved is at most `alpha`, however long the stream and however often it is looked at.
    The error meant is a slate's mean given all slates before it: a user who comes again, and tends to the same answer,
    makes it larger than the mean over users.

    What it assumes: that a reward's mean depends on the correction and changes slower than a step is judged; that
    what is observed after a change was shown under it. A step is judged before and after, not at random, so that a
    drift faster than the steps counts against them.
    """

    name: ClassVar[str] = "control"

    groups: tuple[str, ...] = ()
    """Groups of users that may occur in the stream; none where users are not told apart."""
    shares: dict[str, float] = Field(default_factory=dict)
    """Due share of exposure of each group of items that may occur in the stream, summing to 1."""
    calibration: Loop | None = Loop(band=0.02, settle=0.005, gain=0.8, max_step=0.5, bound=2.0)
    """Of the shift of log-odds of each group of users; None not to watch probabilities."""
    gap: Loop | None = Loop(band=0.03, settle=0.005, gain=8.0, max_step=1.0, bound=2.0)
    """Of the weight of the alternative score for each group of users; None not to watch rewards."""
    exposure: Loop | None = Loop(band=0.03, settle=0.01, gain=1.5, max_step=0.5, bound=3.0)
    """Of the price of each group of items, in standard deviations of score; None not to watch exposure."""
    target_gap: float = Field(0.0, ge=0, lt=0.5)
    """Mean reward by which a group may fall behind the others, beside the band."""
    alpha: float = Field(0.05, gt=0, lt=1)
    """Chance that anything is ever moved although nothing is off, over all loops together."""
    alpha_step: float = Field(0.2, gt=0, lt=1)
    """Chance of another step although the error is settled, per step, once a correction moves."""
    alpha_rollback: float = Field(0.05, gt=0, lt=1)
    """Chance that a step is taken back although it made nothing worse, per step."""

    @model_validator(mode="after")
    def _possible(self) -> Control:
        if self.shares and (min(self.shares.values()) <= 0 or abs(sum(self.shares.values()) - 1) > 1e-6):
            raise ValueError("shares have to be positive and to sum to 1")
        if len(set(self.groups)) < len(self.groups):
            raise ValueError("a group of users stands twice in groups")
        if self.gap is not None and self.gap.band + self.target_gap >= 1:
            raise ValueError("band and target_gap leave no room for a gap")
        return self

    def channels(self) -> list[Channel | Leaning]:
        """The loops, at rest."""
        watched: list[tuple[Signal, Loop | None, tuple[str, ...]]] = [
            ("calibration", self.calibration, self.groups or (EVERYONE,)),
            ("gap", self.gap, self.groups if len(self.groups) > 1 else ()),
            ("exposure", self.exposure, tuple(self.shares)),
        ]
        return [
            Leaning.at_rest(group, loop) if signal == "gap" else Channel.at_rest(signal, group, loop)
            for signal, loop, groups in watched
            if loop is not None
            for group in groups
        ]

    def start(self, log: Path | None = None) -> Controller:
        """A controller that has seen nothing and corrects nothing yet.

        Args:
            log: File that each change is written to; an existing log is continued.

        Raises:
            ConfigError: if there is nothing to watch.
            DataError: if an existing log was altered.
        """
        return Controller(self, log)

    def restore(self, state: Mapping[str, Any], log: Path | None = None) -> Controller:
        """The controller whose `state()` was kept.

        Raises:
            ConfigError: if it had other settings.
            DataError: if an existing log was altered.
        """
        if state.get("settings") != self.describe():
            raise ConfigError(
                "The kept state belongs to a controller with other settings",
                todo="Restore it with the settings it has under 'settings', or start anew.",
            )
        controller = Controller(self, log)
        controller._read(state)
        return controller


class Controller:
    """Watches a stream and corrects lists; made by `Control.start` or `Control.restore`.

    Its state is plain data and grows with the number of groups, not with the stream. Of one state there has to be
    one observer; any number of copies may `apply` it.
    """

    def __init__(self, control: Control, log: Path | None = None) -> None:
        self.control = control
        self._channels = control.channels()
        if not self._channels:
            raise ConfigError("The controller has nothing to watch", todo="Set a loop, groups or shares.")
        self._levels = Levels(
            start=math.log(2 * len(self._channels) / control.alpha),
            go_on=math.log(2 / control.alpha_step),
            take_back=math.log(2 / control.alpha_rollback),
        )
        self._log = None if log is None else ChangeLog(log)
        self._unpaired: Unpaired = {}
        self._seen: list[str] = []
        self._until: int | None = None
        self._version = 0

    @property
    def corrections(self) -> Corrections:
        """As they stand, by signal and group."""
        found: dict[Signal, dict[str, float]] = {}
        for channel in self._channels:
            found.setdefault(channel.signal, {})[channel.group] = channel.correction
        return found

    @property
    def tried(self) -> dict[str, float]:
        """Leanings that are being tried, by group."""
        running = [one for one in self._channels if isinstance(one, Leaning) and one.trial is not None]
        return {one.group: one.trial.candidate for one in running if one.trial is not None}

    def observe(self, events: Any, *, both_ways: bool = False) -> Adjustment | None:
        """Look at what came since the last look, and move what has to be moved.

        Nothing is changed by a frame that raises, nor by one that was looked at before, nor where the log cannot be
        written.

        Args:
            events: Frame of any engine, in order of time and later than all before; see `Slates.of` for its columns.
                Impressions whose feedback is still to come do not belong in it.
            both_ways: Whether each user of a trial was asked twice, with a standing slate and one that is tried. Then
                the latter count for the trial alone.

        Returns:
            What was changed, or None.

        Raises:
            DataError: if a column or value is missing or out of range, a group is unknown, or events are out of
                order, among themselves or with those before.
            OSError: if the log cannot be written.
        """
        control = self.control
        watched = {channel.signal for channel in self._channels}
        shares = tuple(control.shares) if "exposure" in watched else ()
        slates = Slates.of(
            events, control.groups, shares, probabilities="calibration" in watched, trial=bool(self.tried),
            both_ways=both_ways,
        )  # fmt: skip
        if slates.frame.is_empty() or (fingerprint := slates.fingerprint) in self._seen:
            return None
        self._check_new(slates)
        until = int(slates.frame["_at"].max())  # type: ignore[arg-type]
        unpaired = dict(self._unpaired)
        looked = [self._looked(channel, slates, unpaired) for channel in self._channels]
        changes = tuple(change for _, change in looked if change is not None)
        adjustment = Adjustment(self._version + 1, _iso(until), changes) if changes else None
        if adjustment is not None and self._log is not None:
            self._log.append(*adjustment.records())  # before anything is changed, for it may fail
        if any(change.kind != "saturation" for change in changes):
            unpaired = {}  # shown under the corrections before
        self._channels, self._unpaired, self._until = [channel for channel, _ in looked], unpaired, until
        self._seen = [*self._seen, fingerprint][-_REMEMBERED:]
        self._version += bool(changes)
        return adjustment

    def apply(self, recommendations: Any, *, trials: bool = True) -> Any:
        """Lists under the corrections as they stand, and those that are being tried; see `lists.corrected`.

        Who is in a trial changes with each look. Of what is not a stream, pass `trials=False`.
        """
        tried = self.tried if trials else {}
        return corrected(recommendations, self.corrections, tried, 0 if self._until is None else self._until)

    def state(self) -> dict[str, Any]:
        """All there is to keep, as JSON values."""
        return {
            "settings": self.control.describe(),
            "version": self._version,
            "until": self._until,
            "seen": list(self._seen),
            "unpaired": {
                group: [list(mine), list(others)] for group, (mine, others) in self._unpaired.items()
            },
            "channels": [channel.as_dict() for channel in self._channels],
        }

    def _read(self, state: Mapping[str, Any]) -> None:
        self._version, self._until, self._seen = state["version"], state["until"], list(state["seen"])
        self._unpaired = {
            group: (list(mine), list(others)) for group, (mine, others) in state["unpaired"].items()
        }
        self._channels = [
            type(channel).from_dict(kept, channel.loop)
            for kept, channel in zip(state["channels"], self._channels, strict=True)
        ]

    def _check_new(self, slates: Slates) -> None:
        if self._until is None:
            return
        late = int((slates.frame["_at"] <= self._until).sum())
        if late:
            raise DataError(
                "Events were looked at before, or came too late",
                where=f"{late} of {len(slates.frame)} slates are not after {_iso(self._until)}",
                todo="Pass each event once, in order of time, and cut batches between two times.",
            )

    def _looked(
        self, channel: Channel | Leaning, slates: Slates, unpaired: Unpaired
    ) -> tuple[Channel | Leaning, Change | None]:
        """What becomes of a loop, and in `unpaired` of the slates that wait for it."""
        if isinstance(channel, Channel):
            calibrates = channel.signal == "calibration"
            sample = slates.calibration(channel.group) if calibrates else slates.exposure(
                channel.group, self.control.shares[channel.group]
            )  # fmt: skip
            return channel.after(sample, self._levels)
        if channel.trial is not None:
            return channel.after_trial(*slates.tried(channel.group), self._levels)
        waiting = unpaired.get(channel.group, ([], []))
        mine, others = (
            np.r_[kept, new] for kept, new in zip(waiting, slates.rewards(channel.group), strict=True)
        )
        n = min(len(mine), len(others))
        unpaired[channel.group] = mine[n:][-_UNPAIRED:].tolist(), others[n:][-_UNPAIRED:].tolist()
        return channel.after(gap(mine[:n], others[:n], self.control.target_gap), self._levels)


def _iso(microseconds: int) -> str:
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat()
