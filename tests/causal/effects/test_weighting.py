"""What is said of the standard error of weights."""

from __future__ import annotations

import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

from equipoise.causal.effects import estimate_effect


@pytest.mark.parametrize(
    ("method", "estimand", "said"),
    [
        ("ipw", "ate", "propensities taken as known (conservative)"),
        ("ipw", "att", "propensities taken as known"),
        ("overlap", "ate", "propensities taken as known"),
    ],
)
def test_known_propensities_are_called_conservative_for_the_average_effect_alone(
    sample: pl.DataFrame, method: str, estimand: str, said: str
) -> None:
    learner = LogisticRegression()
    effect = estimate_effect(
        sample, "t", "y", adjust=["x"], method=method, estimand=estimand, propensity_model=learner
    )
    assert effect.details["standard_error"] == said
