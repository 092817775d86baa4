"""A filled report, with names that try to break the page."""

import numpy as np
import pytest

from equipoise.report import Recommended, RunReport, Sample
from equipoise.statistics import reliability

NAMES = ("ndcg", "recall", "precision", "hit_rate", "mrr", "map", "novelty", "popularity")
NASTY = "<script>alert('x')</script>"


def value(x, width=0.08):
    return {"value": x, "low": x * (1 - width), "high": x * (1 + width)}


def filled_metrics():
    base = {"ndcg": 0.0943, "recall": 0.1204, "precision": 0.0611, "hit_rate": 0.4021, "mrr": 0.1873, "map": 0.0482,
            "novelty": 3.4121, "popularity": 0.1312}  # fmt: skip
    better = {"ndcg": 0.0991, "recall": 0.1251, "precision": 0.0629, "hit_rate": 0.4102, "mrr": 0.1902, "map": 0.0501,
              "novelty": 4.8812, "popularity": 0.0617}  # fmt: skip
    stages = {
        stage: {
            f"{name}@{k}": value(numbers[name] * (1 + 0.2 * (k == 20))) for k in (10, 20) for name in NAMES
        }
        for stage, numbers in (("baseline", base), ("corrected", better))
    }
    comparison = {
        name: {
            "difference": stages["corrected"][name]["value"] - stages["baseline"][name]["value"],
            "low": (stages["corrected"][name]["value"] - stages["baseline"][name]["value"]) * 0.3,
            "high": (stages["corrected"][name]["value"] - stages["baseline"][name]["value"]) * 1.8,
            "p_value": 0.003 if "ndcg" in name else 0.0005,
        }
        for name in stages["baseline"]
    }
    sizes = {
        "gender": {"woman": 618, "man": 571, NASTY: 11},
        "age_band": {"18-29": 402, "30-44": 390, "45-59": 281, "60+": 127},
    }
    groups = {
        stage: {
            attribute: {
                group: {
                    name: {**value(number["value"] * (0.8 + 0.1 * i), 0.9 / n**0.4), "users": n}
                    for name, number in stages[stage].items()
                }
                for i, (group, n) in enumerate(by.items())
            }
            for attribute, by in sizes.items()
        }
        for stage in stages
    }
    return {
        "protocol": {
            "strategy": "temporal", "test": 0.2, "k": [10, 20], "candidates": "all 600 items", "seen_items": "filtered",
            "relevant": "every positive event", "test_users": 1200, "test_pairs": 5321, "level": 0.95,
            "interval": "bootstrap over users, 1000 draws",
        },
        "stages": stages,
        "system": {
            "baseline": {"coverage@10": 0.312, "gini@10": 0.8912, "entropy@10": 6.12},
            "corrected": {"coverage@10": 0.671, "gini@10": 0.6423, "entropy@10": 8.01},
        },
        "groups": groups,
        "comparison": comparison,
        "calibration": {"baseline": {"ece": 0.0123}, "corrected": {"ece": 0.0098}},
        "planted": {
            "baseline": {"ndcg_against_true_preference": value(0.412), "propensity_error": 0.031, "true_gap": 0.08},
            "corrected": {"ndcg_against_true_preference": value(0.455), "propensity_error": 0.018, "true_gap": 0.03},
        },
    }  # fmt: skip


def filled_report(**changes):
    rng = np.random.default_rng(0)
    said = {stage: rng.beta(1.2, 8, 6000) for stage in ("baseline", "corrected")}
    titles = [
        "Classic blue tent",
        "经典黑色煎锅",
        NASTY,
        "Modern desk lamp & co",
        "Rustic guitar of the northern highlands, second edition",
    ]
    lists = {
        stage: [Recommended(i + 1, f"i{i}", title, 0.2 - 0.03 * i, cold=i == 3, taken=i == j)
                for i, title in enumerate(np.roll(titles, j))]
        for j, stage in enumerate(("baseline", "corrected"))
    }  # fmt: skip
    fields = {
        "name": "storefront",
        "metrics": filled_metrics(),
        "manifest": {
            "seed": 7, "started": "2025-03-01T09:30:00+00:00", "peak_memory_mib": 1432,
            "versions": {"python": "3.11.9", "equipoise": "0.1.0", "numpy": "2.4.0", "torch": "2.13.0"},
            "stages": {
                "prepare": {"seconds": 2.31, "rows": {"events": 48211, "users": 1500, "items": 600, "train": 38102},
                            "sha256": {"events": "9f2c" * 16, "users": "77ab" * 16}},
                "encode": {"seconds": 9.8}, "train baseline": {"seconds": 31.2}, "train corrected": {"seconds": 33.9},
                "recommend": {"seconds": 3.1}, "measure": {"seconds": 1.2},
            },
        },
        "config": 'name = "storefront"\nseed = 7\n\n[data]\nworld = { name = "storefront" }\n',
        "command": "equipoise run storefront.toml --seed 7",
        "account": [
            {"step": "read", "table": "events", "reason": "read", "dropped": 0, "kept": 52012},
            {"step": "read", "table": "users", "reason": "read", "dropped": 0, "kept": 1500},
            {"step": "clean", "table": "events", "reason": "duplicate row", "dropped": 1210, "kept": 50802},
            {"step": "clean", "table": "events", "reason": "k-core of 3 events per user, 0 per item",
             "dropped": 2591, "kept": 48211},
        ],
        "exposure": {
            "baseline": np.sort(rng.pareto(0.9, 600)), "corrected": np.sort(rng.pareto(2.5, 600)),
        },
        "reliability": {stage: reliability(p, rng.random(6000) < p**1.1, 10) for stage, p in said.items()},
        "samples": [Sample("u0042", lists, ["Compact white kettle", "Poetry collection"])],
        "warnings": ["Text features come from TF-IDF: the extra 'llm' is not installed."],
    }  # fmt: skip
    return RunReport(**{**fields, **changes})


@pytest.fixture(scope="session")
def metrics():
    """Makes the content of a `metrics.json`."""
    return filled_metrics


@pytest.fixture(scope="session")
def report():
    """Makes a filled report; fields given replace its own."""
    return filled_report
