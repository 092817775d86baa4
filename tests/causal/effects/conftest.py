"""Samples with planted effects."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.special import expit


def confounded(n: int, seed: int, *, slope: float = 0.8) -> pl.DataFrame:
    """An effect of 1 + x (1 on average), confounded by x; `sex` is a fair coin, users have five rows each."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    t = (rng.random(n) < expit(slope * x)).astype(int)
    y = t * (1 + x) + x + rng.normal(size=n)
    return pl.DataFrame(
        {
            "x": x,
            "sex": rng.choice(["f", "m"], n),
            "user": rng.permutation(np.arange(n) // 5),
            "t": t,
            "y": y,
            "bought": (y > 1).astype(int),
        }
    )


@pytest.fixture(scope="session")
def sample() -> pl.DataFrame:
    return confounded(3000, 0)
