"""Open Bandit: the uniform policy valued from the log of Thompson sampling, against the randomised arm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from equipoise.causal.off_policy import policy_value


def campaign(folder: Path, policy: str, name: str) -> pl.DataFrame:
    table = pl.read_csv(folder / "open-bandit" / policy / name / f"{name}.csv")
    return table.select("item_id", reward="click", propensity="propensity_score")


def test_men(real_data: Path):
    log, truth = (campaign(real_data, policy, "men") for policy in ("bts", "random"))
    items = range(34)
    rate = truth["reward"].to_numpy().mean()
    assert rate == 0.0046
    w = 1 / 34 / log["propensity"].to_numpy()
    r = log["reward"].to_numpy().astype(float)
    q = np.bincount(log["item_id"].to_numpy(), r, 34) / np.bincount(log["item_id"].to_numpy(), minlength=34)
    model = pl.DataFrame({"item_id": np.arange(34), "value": q})
    logged, direct = q[log["item_id"].to_numpy()], q.mean()
    residual = r - logged
    by_hand = {
        "ips": ((w * r).mean(), {}),
        "snips": ((w * r).sum() / w.sum(), {}),
        "clipped_ips": ((np.minimum(w, 5) * r).mean(), {"clip": 5}),
        "dm": (direct, {}),
        "dr": (direct + (w * residual).mean(), {}),
        "sndr": (direct + (w * residual).sum() / w.sum(), {}),
        "switch_dr": (direct + (w * (w <= 5) * residual).mean(), {"tau": 5}),
        "dros": (direct + (10 * w / (w**2 + 10) * residual).mean(), {"lam": 10}),
    }
    found = {
        name: policy_value(log, "uniform", name, model, items=items, **options)
        for name, (_, options) in by_hand.items()
    }
    for name, (expected, _) in by_hand.items():
        assert found[name].value == pytest.approx(expected, abs=1e-12)
    ips, snips = found["ips"], found["snips"]
    assert (round(ips.value, 5), round(snips.value, 5)) == (0.00301, 0.00319)
    assert (round(snips.low, 4), round(snips.high, 4)) == (0.0016, 0.0048)
    assert round(ips.mean_weight, 3) == 0.943
    assert round(ips.max_weight) == 178
    assert round(ips.effective_sample_size) == 656
    assert not snips.interval_reliable
    for value in (ips, snips):
        half = 1.96 * np.hypot(value.standard_error, np.sqrt(rate * (1 - rate) / 10_000))
        assert abs(value.value - rate) < half


def test_women_are_refused(real_data: Path):
    value = policy_value(campaign(real_data, "bts", "women"), "uniform", items=range(46))
    assert value.refused
    assert value.reasons == ("few_effective_rows", "dominant_row")
    assert value.value is None
