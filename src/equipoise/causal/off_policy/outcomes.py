"""Outcome models: what reward is expected of the logged item, and of the target policy's items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import narwhals as nw
import polars as pl

from equipoise.causal.off_policy.columns import LOGGED_VALUE, TARGET_VALUE, Frame, number
from equipoise.causal.off_policy.crossfit import crossfit
from equipoise.causal.off_policy.sample import PROBABILITY, Distribution, Sample, aligned
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.data.frames import require
from equipoise.errors import ConfigError, DataError
from equipoise.metrics.frames import collect


def given_columns(outcome_model: Any) -> bool:
    """Whether the outcome model is two columns of the log."""
    return (
        isinstance(outcome_model, (tuple, list))
        and len(outcome_model) == 2
        and all(isinstance(name, str) for name in outcome_model)
    )


def with_outcomes(
    sample: Sample,
    outcome_model: Any,
    *,
    folds: int = 5,
    context: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
) -> Sample:
    """Add the model's value of the logged item and its mean under the target.

    Args:
        sample: The log seen from the target.
        outcome_model: Two columns; a frame of `item_id`, `value` and any of `request_id`, `slate_id`,
            `position`; or a scikit-learn regressor (or classifier of rewards 0 and 1), which is
            cross-fitted.
        folds: Groups of clusters; each is predicted by a fit to the others.
        context: Columns a regressor reads beside the item, none by default; see `crossfit`.
        exclude: Columns it must not read.

    Raises:
        DataError: if the model has no value for an item the target may show, or the target's whole
            distribution is needed and not known.
        ConfigError: if it is none of these.
    """
    if given_columns(outcome_model):
        return _columns(sample, *outcome_model)
    if hasattr(outcome_model, "fit") and hasattr(outcome_model, "predict"):
        rows = sample.polars
        target = _whole(sample, "A regressor")
        read = list(context or ())
        q, direct = crossfit(
            rows, target, outcome_model, folds=folds, context=read, exclude=exclude, seed=sample.seed
        )
        rows = rows.with_columns(pl.Series(LOGGED_VALUE, q), pl.Series(TARGET_VALUE, direct))
        note = f"The outcome model reads the item and {', '.join(read) or 'no context'}."
        if context is None:
            note += " Name the columns that were known before the decision as `context` for it to read them."
        return replace(sample, frame=nw.from_native(rows, eager_only=True), notes=(*sample.notes, note))
    try:
        nw.from_native(outcome_model)
    except TypeError as error:
        raise ConfigError(
            f"{type(outcome_model).__name__} is no outcome model",
            todo="Give a scikit-learn regressor, a frame (request_id, item_id, value), or the names of two columns.",
        ) from error
    return _table(sample, to_polars(outcome_model))


def _whole(sample: Sample, what: str) -> Distribution:
    if sample.target is None:
        raise DataError(
            f"{what} as outcome model needs the target's whole distributions, and only the probabilities of the "
            "logged items are known",
            todo="Give the target as a frame (request_id, item_id, probability), or the model as two columns: its "
            "value of the logged item, and its mean under the target.",
        )
    return sample.target


def _columns(sample: Sample, logged: str, target: str) -> Sample:
    frame: Frame = sample.frame
    require(frame.collect_schema().names(), logged, target, table="log")
    added = {
        LOGGED_VALUE: number(frame, logged, "outcome model's value"),
        TARGET_VALUE: number(frame, target, "outcome model's value"),
    }
    frame = frame.with_columns(**added)
    bad = [~nw.col(name).is_finite() | nw.col(name).is_null() for name in added]
    lost = nw.when(bad[0] | bad[1]).then(nw.lit(1)).otherwise(nw.lit(0)).sum()
    count = collect(frame.select(lost)).item()
    if count:
        raise DataError(
            "The outcome model's values are missing or infinite",
            where=f"columns '{logged}' and '{target}', {count} of {sample.n} rows",
            todo="Give a finite value for every row.",
        )
    return replace(sample, frame=frame)


def _table(sample: Sample, table: pl.DataFrame) -> Sample:
    require(table.columns, v.ITEM, v.VALUE, table="outcome model")
    target = _whole(sample, "A frame")
    rows = sample.polars
    key = [name for name in (v.REQUEST, v.SLATE, v.POSITION) if name in table.columns]
    require(rows.columns, *key, table="log")
    values = table.select(*key, v.ITEM, pl.col(v.VALUE).cast(pl.Float64))
    if values.select(*key, v.ITEM).is_duplicated().any():
        raise DataError(
            "The outcome model names an item twice",
            where=f"by {', '.join([*key, v.ITEM])}",
            todo="Name it once.",
        )
    rows, values = aligned(rows, values, [*key, v.ITEM], "outcome model")
    place = list(dict.fromkeys([*target.key, *key]))
    places = rows.select(place).unique() if place else pl.DataFrame({"_all": [0]})
    shown = target.table.filter(pl.col(PROBABILITY) > 0)
    wanted = (
        places.join(shown, on=list(target.key), nulls_equal=True)
        if target.key
        else places.join(shown, how="cross")
    )
    wanted = wanted.join(values, on=[*key, v.ITEM], how="left", nulls_equal=True)
    _complete(wanted, "an item that the target may show")
    by = place or ["_all"]
    mean = wanted.group_by(by).agg((pl.col(PROBABILITY) * pl.col(v.VALUE)).sum().alias(TARGET_VALUE))
    logged = values.rename({v.VALUE: LOGGED_VALUE})
    rows = rows.join(logged, on=[*key, v.ITEM], how="left", nulls_equal=True, maintain_order="left")
    _complete(rows.rename({v.VALUE: "_other"}, strict=False).rename({LOGGED_VALUE: v.VALUE}), "a logged item")
    if place:
        rows = rows.join(mean, on=place, how="left", nulls_equal=True, maintain_order="left")
    else:
        rows = rows.with_columns(pl.lit(mean[TARGET_VALUE][0]).alias(TARGET_VALUE))
    return replace(sample, frame=nw.from_native(rows, eager_only=True))


def _complete(rows: pl.DataFrame, what: str) -> None:
    lost = rows.filter(~pl.col(v.VALUE).is_finite().fill_null(False))
    if len(lost):
        raise DataError(
            f"The outcome model has no finite value for {what}",
            where=f"{len(lost)} of {len(rows)} values, the first for {v.ITEM}={lost[v.ITEM][0]!r}",
            todo="Give a value for every item of positive target probability and for every logged item.",
        )
