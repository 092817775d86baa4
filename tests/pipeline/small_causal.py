"""Small planted tables for the causal journeys: events with a known effect, a log whose policies have known values."""

import numpy as np
import polars as pl

REWARDS = np.array([0.05, 0.1, 0.2, 0.4])
"""Chance of a reward of each item of the log."""
NEW = np.array([0.1, 0.1, 0.2, 0.6])
"""Probabilities of the policy `new`, whose value is 0.295; those of `old` are reversed, value 0.11."""


def events(n=1500, seed=0):
    """Confounded by age: the naive difference is more than twice the effect of 0.1."""
    rng = np.random.default_rng(seed)
    age = rng.normal(size=n)
    shown = rng.random(n) < 1 / (1 + np.exp(-age))
    chance = np.clip(0.3 + 0.1 * shown + 0.12 * age, 0.02, 0.98)
    return pl.DataFrame(
        {
            "user_id": np.arange(n) // 2,
            "age": age,
            "device": np.where(rng.random(n) < 0.5, "phone", "desk"),
            "shown": np.where(shown, "yes", "no"),
            "bought": (rng.random(n) < chance).astype(int),
            "before": (rng.random(n) < np.clip(0.3 + 0.12 * age, 0.02, 0.98)).astype(int),
        }
    )


def log(n=6000, seed=0):
    """A uniform logger over four items; columns with the probabilities of two policies."""
    rng = np.random.default_rng(seed)
    item = rng.integers(0, 4, n)
    return pl.DataFrame(
        {
            "request_id": np.arange(n),
            "user_id": rng.integers(0, n // 3, n),
            "item_id": item,
            "reward": (rng.random(n) < REWARDS[item]).astype(float),
            "propensity": np.full(n, 0.25),
            "new": NEW[item],
            "old": NEW[::-1][item],
        }
    )
