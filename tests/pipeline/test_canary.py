"""Nothing of the test part reaches training: whatever stands there, models, corrections and lists stay the same."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from equipoise.component import Runtime
from equipoise.config import read_config
from equipoise.debias import corrections
from equipoise.pipeline.debias.ground import Ground
from equipoise.pipeline.debias.systems import System
from equipoise.pipeline.debias.trial import train
from equipoise.pipeline.prepare import Prepared, prepare
from equipoise.pipeline.propensities import propensity_cards
from tests.pipeline.small_debias import config

pytest.importorskip("torch")

K = 5


RATINGS = {"dr_jl", "mrdr", "stable_dr"}
"""Methods that correct the error of ratings."""
FIELDS = {
    **{name: {"propensity": "popularity"} for name in RATINGS},
    "user_gap": {"least_users": 10},
    "score_calibration": {"least_events": 10},
    "augment_gan": {"epochs": 2, "rounds": 0},
    "augment_counterfactual": {"graph": "gender -> popularity"},
}
"""What methods need in order to act on so small a world."""


@pytest.fixture(scope="module")
def clean():
    """Parts of a small world, as they come, with ratings; and the settings for choices and for ratings."""
    model = {"name": "mf", "width": 4, "epochs": 2}
    plain = config(data={"world": {"name": "storefront", "n_users": 200, "n_items": 40, "days": 12}})
    audit = {"k": [K], "groups": ["gender"]}
    settings = [
        read_config(plain | {"model": model | {"loss": loss}, "audit": audit})
        for loss in ("softmax", "rating")
    ]
    prepared = prepare(settings[0], Runtime(progress=False))[0]
    rating = ((pl.col("user_id") * 7 + pl.col("item_id") * 3) % 5 + 1).cast(pl.Float64).alias("value")
    parts = {
        name: part.with_events(part.events.with_columns(rating))
        for name in ("train", "valid", "test")
        for part in [getattr(prepared, name)]
    }
    return settings, Prepared(**parts, protocol=prepared.protocol, world=prepared.world)


def with_canary(prepared):
    """The same, with a test part in which nothing is as it was, and people who stand nowhere else relabelled.

    Test events get other users, items, values, propensities and places; one user and one item come that no other part
    has; users without an event before test become a group of their own.
    """
    rng = np.random.default_rng(3)
    events = prepared.test.events
    shuffled = events.with_columns(
        events["user_id"].sample(fraction=1, shuffle=True, seed=1).alias("user_id"),
        events["item_id"].sample(fraction=1, shuffle=True, seed=2).alias("item_id"),
        pl.lit(1e12).alias("value"),
        pl.Series("propensity", rng.uniform(1e-9, 1.0, len(events))),
        pl.lit(1, dtype=events.schema["position"]).alias("position"),
    )
    stranger = shuffled.head(1).with_columns(
        pl.lit(10**9, dtype=pl.Int64).alias("user_id"), pl.lit(10**9, dtype=pl.Int64).alias("item_id")
    )
    test = prepared.test.with_events(pl.concat([shuffled, stranger]))
    known = pl.concat([prepared.train.events["user_id"], prepared.valid.events["user_id"]]).unique()
    users = prepared.train.users.with_columns(
        pl.when(pl.col("user_id").is_in(known.implode())).then("gender").otherwise(pl.lit("canary"))
    )
    parts = {"train": prepared.train, "valid": prepared.valid, "test": test}
    return Prepared(
        **{name: replace(part, users=users) for name, part in parts.items()},
        protocol=prepared.protocol,
        world=prepared.world,
    )


def without_some(prepared):
    """The parts with a few users who have events in test alone, so that there is somebody to relabel."""
    strangers = prepared.test.positives["user_id"].unique().sort().head(3)
    rest = ~pl.col("user_id").is_in(strangers.implode())
    return Prepared(
        train=prepared.train.with_events(prepared.train.events.filter(rest)),
        valid=prepared.valid.with_events(prepared.valid.events.filter(rest)),
        test=prepared.test,
        protocol=prepared.protocol,
        world=prepared.world,
    )


def fingerprint(method, settings, prepared):
    """Bytes of everything that a method learns and makes: arrays of the model, curves, thresholds, cards, lists."""
    ground = Ground(settings[method in RATINGS], prepared, None)
    chosen = () if method == "base" else (corrections.build(method, FIELDS.get(method)),)
    trained = train(System(method, "method", chosen), ground, 0)
    model, digest = trained.corrected.model, hashlib.sha256()
    for name, array in sorted(model.arrays().items()):
        if name != "log":  # holds the seconds of each epoch
            digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
    digest.update(repr(model.calibration).encode())
    lists = trained.corrected.recommend(ground.served, K, observed=prepared.valid)
    for column in ("user_id", "item_id", "rank", "score", "probability"):
        digest.update(lists[column].to_numpy().tobytes())
    reported = trained.corrected.diagnostics
    assert propensity_cards(reported) or not any(
        "estimand" in told.get("card", ()) for told in reported.values()
    )
    told = json.dumps(reported, sort_keys=True, default=str)
    digest.update(told.encode())
    return digest.hexdigest(), told


@pytest.mark.parametrize("method", ["base", *corrections.names()])
def test_what_stands_in_test_changes_nothing(clean, method):
    settings, prepared = clean
    before = without_some(prepared)
    after = with_canary(before)
    assert after.train.events.equals(before.train.events)
    assert not after.test.events.equals(before.test.events)
    assert "canary" in after.train.users["gender"].to_list()
    expected, told = fingerprint(method, settings, before)
    found, told_after = fingerprint(method, settings, after)
    assert told_after == told
    assert found == expected


def test_a_canary_in_training_is_seen(clean):
    settings, prepared = clean
    before = without_some(prepared)
    events = before.train.events
    doubled = before.train.with_events(pl.concat([events, events.tail(300)]))
    altered = replace(before, train=doubled)
    assert fingerprint("snips", settings, before)[0] != fingerprint("snips", settings, altered)[0]
