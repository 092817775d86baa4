"""People who keep to one family of names, among which popularity does not tell them apart."""

from pathlib import Path

import numpy as np
import polars as pl

NAMES = [f"{family * 3}{number:02d}" for family in "ab" for number in range(12)]


def events(users=100, length=7, seed=0):
    """Each user chooses from one family, in the order of time."""
    rng = np.random.default_rng(seed)
    chosen = np.concatenate([(user % 2) * 12 + rng.permutation(12)[:length] for user in range(users)])
    return pl.DataFrame(
        {
            "user_id": np.repeat(np.arange(users), length),
            "item_id": [f"i{item:02d}" for item in chosen],
            "timestamp": np.tile(np.arange(length) * 3600, users) + np.repeat(np.arange(users), length),
        }
    )


def items():
    return pl.DataFrame({"item_id": [f"i{item:02d}" for item in range(24)], "title": NAMES})


def settings(folder: Path, model: Path, **how):
    """A configuration that reads the catalogue from files in `folder`, which are written first."""
    events().write_parquet(folder / "events.parquet")
    items().write_parquet(folder / "items.parquet")
    return {
        "name": "families",
        "data": {
            "events": str(folder / "events.parquet"),
            "items": str(folder / "items.parquet"),
            "text": ["title"],
        },
        "split": {"strategy": "leave_last"},
        "model": {
            "name": "llm_ranker", "base": {"name": "popular"}, "generator": f"hf:{model}",
            "isolated": True, "reach": 40, "history": 3, "pool": 6,
        },
        "finetune_ranker": {
            "steps": 8, "batch": 4, "candidates": 4, "learning_rate": 2e-2, "checks": 2, "held_out": 10, **how
        },
    }  # fmt: skip
