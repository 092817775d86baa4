from __future__ import annotations

import json

import numpy as np
import polars as pl

from equipoise.debias.control import Control, Controller, Loop
from tests.debias.control.streams import batch, lived

GAP = Loop(band=0.03, settle=0.01, gain=4.0, max_step=0.75, bound=1.5)


def controller(**fields: object) -> Controller:
    return Control(groups=("a", "b"), calibration=None, exposure=None, gap=GAP, **fields).start()


def closing(rng: np.random.Generator, helps: float, b: float = 0.25):
    """Group a clicks at 0.4; group b at `b`, and by `helps` more per unit of leaning."""

    def events(t: int, one: Controller) -> pl.DataFrame:
        standing, tried = one.corrections["gap"]["b"], one.tried.get("b", 0.0)
        in_trial = rng.random(40) < 0.5 if "b" in one.tried else np.zeros(40, dtype=bool)
        frame = batch(t, rng, a=0.4, b=0.0).with_columns(trial=pl.Series(np.repeat(in_trial, 5)))
        frame = frame.with_columns(trial=pl.col("trial") & (pl.col("group") == "b"))
        chance = b + helps * np.where(frame["trial"], tried, standing)
        clicked = pl.Series(rng.random(len(frame)) < chance).cast(pl.Float64)
        return frame.with_columns(reward=pl.when(pl.col("group") == "b").then(clicked).otherwise("reward"))

    return events


def kinds(found: list) -> list[str]:
    return [change.kind for _, adjustment in found for change in adjustment.changes]


def test_a_gap_is_closed_by_steps_that_were_shown_to_help():
    one = controller()
    found = lived(one, range(80), closing(np.random.default_rng(0), helps=0.15))
    assert kinds(found)[:2] == ["trial", "move"]
    trial, move = (adjustment.changes[0] for _, adjustment in found[:2])
    assert f"error {trial.error:+.4f} over {trial.n} slates (p = " in trial.sentence
    assert f"tried for an error of {trial.error:+.4f}, and shown to help over {move.n} pairs" in move.sentence
    assert one.corrections["gap"]["a"] == 0
    assert 0.25 + 0.15 * one.corrections["gap"]["b"] > 0.33


def test_an_opinion_that_harms_is_never_leant_on():
    one = controller()
    found = lived(one, range(50), closing(np.random.default_rng(1), helps=-0.15))
    assert set(kinds(found)) == {"trial", "rollback"}
    assert " of harm)" in found[1][1].changes[0].sentence
    assert one.corrections["gap"]["b"] == 0


def test_an_opinion_that_does_nothing_is_given_up():
    one = controller()
    found = lived(one, range(150), closing(np.random.default_rng(2), helps=0.0))
    assert kinds(found)[:2] == ["trial", "rollback"]
    assert one.corrections["gap"]["b"] == 0


def test_an_opinion_that_turns_bad_is_left_again():
    one, rng = controller(), np.random.default_rng(3)
    lived(one, range(100), closing(rng, helps=0.15))
    high = one.corrections["gap"]["b"]
    assert high > 0.5
    lived(one, range(100, 260), closing(rng, helps=-0.15, b=0.35))
    assert one.corrections["gap"]["b"] < high / 2


def test_a_target_out_of_reach_is_told():
    one = controller()
    found = lived(one, range(120), closing(np.random.default_rng(4), helps=0.1, b=0.1))
    assert one.corrections["gap"]["b"] == GAP.bound
    assert any(adjustment.saturated for _, adjustment in found)


def test_nothing_is_tried_where_there_is_no_gap():
    assert lived(controller(), range(60), closing(np.random.default_rng(5), helps=0.1, b=0.4)) == []
    wide = controller(target_gap=0.2)
    assert lived(wide, range(60), closing(np.random.default_rng(6), helps=0.1)) == []


def test_a_trial_goes_on_from_plain_values():
    one = controller()
    events = closing(np.random.default_rng(7), helps=0.15)
    for t in range(40):
        frame = events(t, one)
        kept = one.control.restore(json.loads(json.dumps(one.state())))
        assert kept.observe(frame) == one.observe(frame)
        assert kept.state() == one.state()
    assert one.state()["version"] >= 1
