from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from equipoise.debias.control import ChangeLog, Control, Loop
from equipoise.debias.control.channel import Channel
from equipoise.debias.control.loop import Levels
from equipoise.debias.control.signals import Sample
from equipoise.errors import ConfigError, DataError
from tests.debias.control.streams import CALIBRATION, batch, calibrating, closed, lived


def test_a_wrong_probability_is_corrected_and_then_left_alone():
    """Group b clicks at 0.45 where 0.3 is said: log-odds 0.65 apart."""
    controller, rng = calibrating(), np.random.default_rng(0)
    found = lived(controller, range(60), closed(rng, a=0.3, b=0.45))
    needed = math.log(0.45 / 0.55) - math.log(0.3 / 0.7)
    assert controller.corrections["calibration"]["b"] == pytest.approx(needed, abs=0.12)
    assert controller.corrections["calibration"]["a"] == 0
    first, last = found[0], found[-1]
    assert first[0] <= 8
    assert last[0] <= 25  # it has settled
    (change,) = first[1].changes
    assert (change.signal, change.group, change.kind) == ("calibration", "b", "move")
    assert change.error == pytest.approx(0.15, abs=0.06)
    assert change.after == pytest.approx(min(0.8 * change.error / 0.21, 0.5))  # p (1 - p) = 0.21
    assert "calibration of b moved from +0.000" in change.sentence


def test_steps_and_corrections_are_bounded_and_saturation_is_told_once(tmp_path: Path):
    """What is needed, 2.2 in log-odds, lies beyond the bound."""
    loop = Loop(band=0.02, settle=0.005, max_step=0.2, bound=0.5)
    control = Control(groups=("a", "b"), calibration=loop, **CALIBRATION)
    controller, rng = control.start(tmp_path / "changes.jsonl"), np.random.default_rng(1)
    found = lived(controller, range(80), closed(rng, a=0.3, b=0.8))
    changes = [change for _, adjustment in found for change in adjustment.changes]
    assert [round(change.after - change.before, 9) for change in changes] == [0.2, 0.2, 0.1]
    assert [change.saturated for change in changes] == [False, False, True]
    assert found[-1][1].saturated
    assert "out of reach" in changes[-1].sentence
    kept = ChangeLog.read(tmp_path / "changes.jsonl")
    assert [record["after"] for record in kept] == [change.after for change in changes]
    assert kept[-1]["saturated"] is True


def test_nothing_winds_up_beyond_the_bound():
    """After 60 looks at the bound, the way back begins as soon as after none."""
    loop = Loop(band=0.02, settle=0.005, max_step=0.5, bound=0.5)
    delays = []
    for long in (6, 60):
        controller, rng = calibrating(calibration=loop), np.random.default_rng(2)
        lived(controller, range(long), closed(rng, b=0.8))
        assert controller.corrections["calibration"]["b"] == 0.5
        found = lived(controller, range(long, long + 40), closed(rng, b=0.2))
        back = [t for t, adjustment in found if adjustment.changes[0].after < 0.5]
        delays.append(back[0] - long)
    assert delays[1] <= delays[0] + 5


def test_the_dead_band_differs_for_starting_and_for_stopping():
    """An error of 0.03 starts nothing where the band is 0.05; once moving, the same error is moved on against."""
    loop = Loop(band=0.05, settle=0.01, gain=0.5)
    still, rng = calibrating(calibration=loop), np.random.default_rng(3)
    assert lived(still, range(60), closed(rng, b=0.33)) == []
    moving = calibrating(calibration=loop)
    found = lived(moving, range(60), closed(rng, b=0.45))
    assert len(found) > 1
    left = 0.45 - 0.3 * math.exp(moving.corrections["calibration"]["b"]) / (
        0.7 + 0.3 * math.exp(moving.corrections["calibration"]["b"])
    )
    assert abs(left) < 0.04


def test_a_step_that_makes_it_worse_is_taken_back_and_held():
    """A world in which more correction makes the error larger: as far as the controller knows, signs are reversed."""
    controller, rng = (
        calibrating(calibration=Loop(band=0.02, settle=0.005, max_step=0.5)),
        np.random.default_rng(4),
    )

    def perverse(t: int, one) -> pl.DataFrame:
        return batch(t, rng, said=0.3, b=0.4 + 0.5 * one.corrections["calibration"]["b"])

    found = lived(controller, range(80), perverse)
    kinds = [adjustment.changes[0].kind for _, adjustment in found]
    assert kinds[:2] == ["move", "rollback"]
    (back,) = found[1][1].changes
    assert back.after == found[0][1].changes[0].before
    waits = [b - a for (a, x), (b, _) in pairwise(found) if x.changes[0].kind == "rollback"]
    assert waits
    assert waits[0] * 20 >= 300  # it holds still for at least its patience
    assert all(later >= earlier for earlier, later in pairwise(waits))


def test_steps_that_turn_round_get_smaller():
    """With a gain four times too large the correction would swing for ever."""
    loop = Loop(band=0.03, settle=0.01, gain=4.0, max_step=2.0)
    controller, rng = calibrating(calibration=loop), np.random.default_rng(5)
    found = lived(controller, range(100), closed(rng, b=0.45))
    assert found[-1][0] < 60
    needed = math.log(0.45 / 0.55) - math.log(0.3 / 0.7)
    assert controller.corrections["calibration"]["b"] == pytest.approx(needed, abs=0.2)


def test_state_goes_through_json_and_goes_on_as_if_nothing_had_happened():
    control = Control(groups=("a", "b"), exposure=None)
    whole, halted = control.start(), control.start()
    for t in range(30):
        events = batch(t, np.random.default_rng(t), a=0.3, b=0.42)
        one = whole.observe(events.with_columns(trial=pl.lit(False)))
        halted = control.restore(json.loads(json.dumps(halted.state())))
        assert halted.observe(events.with_columns(trial=pl.lit(False))) == one
    assert halted.state() == whole.state()
    assert whole.state()["version"] > 0
    with pytest.raises(ConfigError, match="other settings"):
        Control(groups=("a", "b"), alpha=0.1).restore(whole.state())


def test_replayed_and_late_events():
    controller, rng = calibrating(), np.random.default_rng(6)
    events = batch(1, rng, a=0.3, b=0.9)
    controller.observe(events)
    state = controller.state()
    assert controller.observe(events) is None
    assert controller.state() == state
    with pytest.raises(DataError, match=r"looked at before.*40 of 40 slates"):
        controller.observe(batch(0, rng, a=0.3, b=0.9))
    with pytest.raises(DataError, match=r"looked at before.*1 of 1 slates"):
        controller.observe(events.tail(5))
    assert controller.state() == state
    assert controller.observe(events.clear()) is None


BAD = {
    "out of order": (lambda e: e.reverse(), "not in order of time"),
    "unknown group": (
        lambda e: e.with_columns(pl.col("group").replace("b", "c")),
        "no group of users called 'c'.*100 of 200",
    ),
    "no probability": (
        lambda e: e.with_columns(probability=pl.when(pl.int_range(pl.len()) > 4).then("probability")),
        r"no 'probability' \(5 of 200 impressions",
    ),
    "no column": (lambda e: e.drop("probability"), "no column 'probability'"),
    "probability beyond 1": (
        lambda e: e.with_columns(probability=pl.lit(1.2)),
        r"not in \[0, 1\].*200 of 200",
    ),
    "no feedback": (lambda e: e.drop("reward", "event"), "tell of no feedback"),
    "no time": (lambda e: e.with_columns(timestamp=pl.lit("now")), "'timestamp' is no time"),
    "missing time": (
        lambda e: e.with_columns(timestamp=pl.when(pl.int_range(pl.len()) > 0).then("timestamp")),
        "have no time.*1 of 200",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_events_are_refused_and_change_nothing(fault: str):
    spoil, said = BAD[fault]
    controller = calibrating()
    state = controller.state()
    with pytest.raises(DataError, match=said):
        controller.observe(spoil(batch(0, np.random.default_rng(7), a=0.3, b=0.3)))
    assert controller.state() == state


def test_clicks_may_come_as_events_of_their_own_and_frames_of_any_kind():
    events = batch(0, np.random.default_rng(8), a=0.3, b=0.9)
    clicks = events.filter(pl.col("reward") == 1).with_columns(
        event=pl.lit("click"), timestamp=pl.col("timestamp") + 0.5
    )
    apart = pl.concat([events, clicks]).sort("timestamp").drop("reward")
    dated = events.with_columns(
        pl.from_epoch(pl.col("timestamp").cast(pl.Int64) * 1000, time_unit="ms").alias("timestamp")
    )
    states = []
    for frame in (events, apart, events.to_pandas(), dated, dated.lazy()):
        controller = calibrating()
        assert controller.observe(frame) is not None
        states.append(controller.state()["channels"])
    assert isinstance(events.to_pandas(), pd.DataFrame)
    assert all(state == states[0] for state in states)


def test_users_of_no_known_group_do_not_count():
    rng, one, two = np.random.default_rng(9), calibrating(), calibrating()
    for t in range(5):
        events = batch(t, rng, a=0.3, b=0.4)
        strangers = batch(t, rng, z=0.9).with_columns(
            group=pl.lit(None, dtype=pl.String), request_id=pl.col("request_id") + 10**6
        )
        one.observe(events)
        two.observe(pl.concat([events, strangers]).sort("timestamp", maintain_order=True))
    assert one.state()["channels"] == two.state()["channels"]


def test_everyone_is_one_group_where_users_are_not_told_apart():
    controller, rng = Control().start(), np.random.default_rng(10)
    for t in range(10):
        controller.observe(batch(t, rng, said=0.3, a=0.5).drop("group"))
    assert controller.corrections["calibration"]["(everyone)"] > 0
    assert list(controller.corrections) == ["calibration"]


def test_settings_that_do_not_go_together():
    with pytest.raises(ValueError, match="settle has to be less than band"):
        Loop(band=0.01, settle=0.02)
    with pytest.raises(ValueError, match="max_step has to be at most bound"):
        Loop(max_step=3.0, bound=2.0)
    with pytest.raises(ValueError, match="sum to 1"):
        Control(shares={"x": 0.5, "y": 0.6})
    with pytest.raises(ConfigError, match="nothing to watch"):
        Control(calibration=None).start()


def test_an_altered_log_is_not_continued(tmp_path: Path):
    file = tmp_path / "changes.jsonl"
    controller, rng = Control(groups=("a", "b"), **CALIBRATION).start(file), np.random.default_rng(11)
    lived(controller, range(20), closed(rng, a=0.3, b=0.5))
    lines = file.read_text("utf-8").splitlines()
    assert len(lines) == len(ChangeLog.read(file)) >= 2
    file.write_text("\n".join([lines[0].replace('"after":', '"after":1'), *lines[1:]]) + "\n", "utf-8")
    with pytest.raises(DataError, match=r"log of changes was altered.*line 1"):
        Control(groups=("a", "b")).start(file)


def test_nothing_is_changed_that_the_log_does_not_take(tmp_path: Path):
    file = tmp_path / "changes.jsonl"
    control = Control(groups=("a", "b"), **CALIBRATION)
    controller, events = control.start(file), batch(0, np.random.default_rng(12), a=0.9, b=0.9)
    state = controller.state()
    file.mkdir()  # a file that cannot be written
    with pytest.raises(OSError, match="directory"):
        controller.observe(events)
    assert controller.state() == state
    file.rmdir()
    adjustment = controller.observe(events)
    assert adjustment is not None
    assert len(adjustment.changes) == 2
    assert [record["group"] for record in ChangeLog.read(file)] == ["a", "b"]
    control.start(file)._log.append({"more": 1})
    assert len(ChangeLog.read(file)) == 3


@pytest.mark.parametrize("error", [0.0, 0.03])
def test_false_moves_are_rarer_than_alpha_when_nothing_drifts(error: float):
    """50 streams of 30 looks at two groups, with an error of none or on the very edge of the band."""
    loop, alpha, moved = Loop(band=0.03, settle=0.01), 0.2, 0
    levels = Levels(start=math.log(2 * 2 / alpha), go_on=math.log(10), take_back=math.log(40))
    for seed in range(50):
        rng, channels = (
            np.random.default_rng(seed),
            [Channel.at_rest("calibration", name, loop) for name in "ab"],
        )
        off = rng.binomial(5, 0.3 + error, (30, 2, 20)) / 5 - 0.3
        for look in off:
            steps = [
                one.after(Sample(values, np.full(20, -0.3), np.full(20, 0.7)), levels)
                for one, values in zip(channels, look, strict=True)
            ]
            channels = [one for one, _ in steps]
            if any(change is not None for _, change in steps):
                moved += 1
                break
    assert moved / 50 <= alpha
