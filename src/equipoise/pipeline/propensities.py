"""The propensities that a run's correction rests on: their range, calibration, balance, and what they are worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.causal.propensity import FittedPropensity, propensities
from equipoise.causal.propensity.base import exposures
from equipoise.component import Runtime
from equipoise.config import Config
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive
from equipoise.debias import corrections
from equipoise.debias.correction import Correction
from equipoise.debias.during.inverse_propensity import InversePropensity

Floats = NDArray[np.float64]

_LEVELS = 12  # distinct words above which a column of the items is not shown
_BALANCED = 0.1  # standardised mean difference: Austin (2009), "Balance diagnostics"
_LITTLE_LEFT = 0.1
_MUCH_CLIPPED = 0.05
_FACTOR = 1.5
_MISCALIBRATED = 0.05
_BINS = 20


def correction_card(config: Config, train: Dataset, runtime: Runtime) -> dict[str, Any] | None:
    """What is to be known of the weights of a run before its corrected lists are believed.

    Args:
        config: Which corrections act.
        train: The events that were weighted.
        runtime: Seed of the propensity model.

    Returns:
        Plain JSON values: the model and its settings, what the weights estimate, range, calibration, effective
        sample size, share clipped, balance of the items, and a verdict as codes. None where no correction uses
        propensities.
    """
    ips = next((one for one in _chosen(config) if isinstance(one, InversePropensity)), None)
    if ips is None:
        return None
    fitted = propensities.build(ips.propensity, ips.options).fit(
        train.events, train.users, train.items, seed=runtime.seed
    )
    taste = train.events.select(positive(train.events).fill_null(False)).to_series().to_numpy()
    made = fitted.weights(taste, clip=ips.clip or None).diagnostics.plain()
    told = {
        "model": ips.propensity,
        "options": ips.options,
        "clip": ips.clip or None,
        "normalised": ips.normalise,
        "estimand": "all_items_alike",
        "calibration_error": fitted.calibration_error,
        **{name: made[name] for name in ("rows", "without", "lowest", "highest", "effective_sample_size",
                                         "effective_share", "share_clipped", "largest_weight", "mean_weight")},
        "histogram": _histogram(fitted.values[fitted.known]),
        "balance": _balance(train, fitted),
    }  # fmt: skip
    because = _doubts(told)
    return {**told, "verdict": {"code": "doubtful" if because else "sound", "because": because}}


def _chosen(config: Config) -> list[Correction]:
    return [corrections.build(part.method, part.fields) for part in config.debias]


def _doubts(told: Mapping[str, Any]) -> list[str]:
    """Why the correction may do little or harm, as codes."""
    mean, error, balance = told["mean_weight"], told["calibration_error"], told["balance"]
    worst = max((abs(row["after"]) for row in balance), default=0.0)
    checks = {
        "little_left": told["effective_share"] < _LITTLE_LEFT,
        "clipped": told["share_clipped"] > _MUCH_CLIPPED,
        "mean_weight": mean is not None and not 1 / _FACTOR <= mean <= _FACTOR,
        "calibration": error is not None and error > _MISCALIBRATED,
        "unbalanced": worst > _BALANCED,
        "no_exposures": not balance,
    }
    return [code for code, found in checks.items() if found]


def _histogram(values: Floats) -> list[dict[str, float]]:
    """Counts of propensities in bins of equal ratio."""
    edges = np.geomspace(values.min() * (1 - 1e-9), values.max() * (1 + 1e-9), _BINS + 1)
    counts = np.histogram(values, edges)[0]
    return [
        {"low": float(low), "high": float(high), "n": int(n)}
        for low, high, n in zip(edges[:-1], edges[1:], counts, strict=True)
    ]


def _balance(train: Dataset, fitted: FittedPropensity) -> list[dict[str, Any]]:
    """Items of the exposures against the catalogue, in its standard deviations, before and after weighting.

    Weights 1 / propensity should make what was shown look like the catalogue, every item alike.
    """
    if v.EVENT not in train.events.columns or train.items is None:
        return []
    shown = exposures(train.events.with_columns(pl.Series("_propensity", fitted.values)))
    shown = shown.filter(pl.col("_propensity").is_not_nan() & (pl.col(v.EVENT) == v.IMPRESSION))
    if shown.is_empty():
        return []
    counts = shown.group_by(v.ITEM).agg(
        pl.len().cast(pl.Float64).alias("_before"), (1 / pl.col("_propensity")).sum().alias("_after")
    )
    items = train.items.with_columns(pl.col(v.ITEM).cast(counts[v.ITEM].dtype))
    table = items.join(counts, on=v.ITEM, how="left", maintain_order="left").with_columns(
        pl.col("_before", "_after").fill_null(0.0)
    )
    columns = {"popularity": np.log1p(table["_before"].to_numpy()), **_covariates(items)}
    before, after = table["_before"].to_numpy(), table["_after"].to_numpy()
    return [
        {"covariate": name, "before": _shift(values, before), "after": _shift(values, after)}
        for name, values in columns.items()
        if values.std() > 0
    ]


def _shift(values: Floats, weights: Floats) -> float:
    return float((np.average(values, weights=weights) - values.mean()) / values.std())


def _covariates(items: pl.DataFrame) -> dict[str, Floats]:
    """Numbers of the items as they are, words as one column per value."""
    found: dict[str, Floats] = {}
    for name in items.columns:
        column = items[name]
        if name == v.ITEM or column.null_count():
            continue
        if column.dtype.is_numeric() or column.dtype == pl.Boolean:
            found[name] = column.cast(pl.Float64).to_numpy()
        elif column.dtype == pl.String and column.n_unique() <= _LEVELS:
            for level in column.unique().sort():
                found[f"{name}={level}"] = (column == level).cast(pl.Float64).to_numpy()
    return found
