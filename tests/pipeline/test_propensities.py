"""The causal card of a correction by propensities: sound where they are right, doubtful where they are not."""

import numpy as np
import polars as pl
import pytest

from equipoise.data import Dataset
from equipoise.debias import Context, corrections
from equipoise.pipeline.propensities import propensity_cards

ITEMS = 20


def shown(wrong=1.0, seed=0):
    """Impressions by a logger that favours late items, some of them clicked; propensities to a power where wrong."""
    rng = np.random.default_rng(seed)
    p = np.exp(np.linspace(0, 2.5, ITEMS))
    p /= p.sum()
    item = rng.choice(ITEMS, 8000, p=p)
    events = pl.DataFrame(
        {
            "event": "impression",
            "user_id": rng.integers(0, 400, len(item)),
            "item_id": item,
            "position": 1,
            "propensity": p[item] ** wrong,
        }
    )
    clicks = events.sample(fraction=0.1, seed=1).with_columns(event=pl.lit("click"))
    items = pl.DataFrame(
        {"item_id": range(ITEMS), "late": np.arange(ITEMS) > 9, "price": np.arange(ITEMS) * 1.5}
    )
    return Dataset(pl.concat([events, clicks]), items=items)


def card(data, method="clipped_ips", **fields):
    context = Context(data)
    corrections.build(method, {"propensity": "given", **fields}).training(data, context)
    return propensity_cards(context.diagnostics)[0]


def test_right_propensities_balance_what_was_shown():
    told = card(shown())
    assert {row["covariate"] for row in told["balance"]} == {"popularity", "late", "price"}
    assert max(abs(row["before"]) for row in told["balance"]) > 0.5
    assert max(abs(row["after"]) for row in told["balance"]) < 0.1
    assert told["verdict"] == {"code": "sound", "because": []}
    assert told["mean_weight"] == pytest.approx(1, abs=0.05)
    assert told["rows"] == 800
    assert sum(row["n"] for row in told["histogram"]) == 8800


def test_wrong_propensities_are_doubted():
    told = card(shown(wrong=0.3))
    assert told["verdict"]["code"] == "doubtful"
    assert {"unbalanced", "mean_weight"} <= set(told["verdict"]["because"])


def test_much_clipping_is_told():
    told = card(shown(), clip=1.0)
    assert told["share_clipped"] > 0.05
    assert "clipped" in told["verdict"]["because"]


def test_a_log_without_exposures_cannot_be_checked():
    clicks = shown().events.filter(pl.col("event") == "click")
    told = card(Dataset(clicks, items=shown().items))
    assert told["balance"] == []
    assert "no_exposures" in told["verdict"]["because"]


def test_each_correction_has_its_own_card():
    data = shown()
    context = Context(data)
    context.report(corrections.build("exposure", {"group": "provider"}))
    for method in ("ips", "snips", "clipped_ips", "snips"):
        corrections.build(method, {}).training(data, context)
    told = propensity_cards(context.diagnostics)
    assert [one["method"] for one in told] == ["ips", "snips", "clipped_ips", "snips"]
    assert [one["settings"].get("clip") for one in told] == [None, None, 10.0, None]
    assert {one["model"] for one in told} == {"given"}
