"""From a frame of any engine to a design."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from equipoise.causal.effects.design import Design, matrix
from equipoise.data.dataset import to_polars
from equipoise.data.frames import require
from equipoise.errors import DataError
from equipoise.statistics.interval import Floats


def column_names(data: Any) -> list[str]:
    """The columns of a frame of any engine, without reading its rows.

    Raises:
        DataError: if it is not a frame.
    """
    try:
        return list(nw.from_native(data).collect_schema().names())
    except TypeError as error:
        raise DataError(
            f"A table was expected, not {type(data).__name__}", todo="Pass a data frame."
        ) from error


def named(columns: Sequence[str] | str | None) -> tuple[str, ...]:
    """Names of columns; a text is one name."""
    return (columns,) if isinstance(columns, str) else tuple(columns or ())


def read_design(
    data: Any,
    treatment: str,
    outcome: str,
    adjust: Sequence[str] | str = (),
    cluster: str | None = None,
    *,
    treated: Any = None,
    instrument: str | None = None,
    mediator: str | Sequence[str] | None = None,
    continuous: bool = False,
) -> Design:
    """Arrays of a question; rows in which something is missing are dropped and counted.

    Args:
        data: Frame of any engine.
        treatment: Column of two values (booleans, 0 and 1, or any two), or of amounts if `continuous`.
        outcome: Column of numbers or booleans.
        adjust: Column or columns to adjust for.
        cluster: Column of the users whose rows belong together.
        treated: The value that counts as treated; the larger of the two by default.
        instrument: Column of an instrument.
        mediator: Column or columns of mediators.
        continuous: Whether the treatment is an amount.

    Raises:
        DataError: if a column is missing, used twice or infinite somewhere, the treatment has one value or more
            than two, or the outcome is no number.
    """
    frame = to_polars(data)
    adjust, mediators = named(adjust), named(mediator)
    used = [treatment, outcome, *adjust, *mediators, *([instrument] if instrument else [])]
    needed = [*used, *([cluster] if cluster else [])]
    require(frame.columns, *needed, table="data")
    twice = sorted({name for name in used if used.count(name) > 1})
    if twice:
        raise DataError(
            f"'{twice[0]}' cannot be two things at once",
            where="treatment, outcome, adjustment, mediator and instrument are different columns",
        )
    whole = len(frame)
    floating = [name for name in dict.fromkeys(needed) if frame[name].dtype.is_float()]
    for name in floating:
        if infinite := int(frame[name].is_infinite().sum()):
            raise DataError(
                f"'{name}' is infinite in {infinite} of {whole} rows", todo="Leave them out, or cap them."
            )
    frame = frame.with_columns(pl.col(floating).fill_nan(None)).drop_nulls(needed)
    if frame.is_empty():
        raise DataError("No row has all that is asked for", where=f"{whole} rows, columns {', '.join(used)}")
    said = frame[outcome]
    if not (said.dtype.is_numeric() or said.dtype == pl.Boolean):
        raise DataError(f"The outcome '{outcome}' is no number", where=f"it holds {said.dtype}")
    arms, yes, no = _treatment(frame[treatment], treatment, treated, continuous)
    coded = {name: matrix(frame, [name]) for name in adjust}
    covariates = np.hstack([np.zeros((len(frame), 0)), *(columns for columns, _ in coded.values())])
    mediating, mediator_names = matrix(frame, mediators)
    assigned, _ = matrix(frame, [instrument] if instrument else [])
    if instrument and assigned.shape[1] != 1:
        raise DataError(f"The instrument '{instrument}' must be numbers, or have two values")
    return Design(
        treatment=arms,
        outcome=said.cast(pl.Float64).to_numpy(),
        covariates=covariates,
        names=tuple(name for _, names in coded.values() for name in names),
        treatment_name=treatment,
        outcome_name=outcome,
        frame=frame,
        clusters=None if cluster is None else frame[cluster].rank("dense").cast(pl.Int64).to_numpy() - 1,
        cluster_name=cluster,
        instrument=assigned[:, 0] if instrument else None,
        instrument_name=instrument,
        mediator=mediating if mediators else None,
        mediator_names=mediator_names,
        mediator_sources=mediators,
        sources=adjust,
        origins=tuple(source for source, (_, names) in coded.items() for _ in names),
        treated=yes,
        control=no,
        dropped=whole - len(frame),
    )


def _treatment(values: pl.Series, name: str, treated: Any, continuous: bool) -> tuple[Floats, Any, Any]:
    """The treatment as floats, and which value is which."""
    levels = values.unique().sort().to_list()
    if len(levels) < 2:
        raise DataError(
            f"The treatment '{name}' has one value, {levels[0]!r}",
            where=f"{len(values)} rows",
            todo="An effect needs rows with the treatment and rows without it.",
        )
    if continuous:
        if not values.dtype.is_numeric():
            raise DataError(f"The treatment '{name}' is no number", where=f"it holds {values.dtype}")
        return values.cast(pl.Float64).to_numpy(), None, None
    if len(levels) > 2:
        raise DataError(
            f"The treatment '{name}' has {len(levels)} values",
            where=f"as {levels[0]!r}, {levels[1]!r}, {levels[2]!r}",
            todo="Compare two of them at a time, or use method='plr' for an amount.",
        )
    if treated is not None and treated not in levels:
        raise DataError(
            f"No row has the treatment {treated!r}", where=f"'{name}' has {levels[0]!r} and {levels[1]!r}"
        )
    yes = levels[1] if treated is None else levels[levels.index(treated)]  # True where 1 was said of booleans
    no = levels[0] if yes == levels[1] else levels[1]
    return (values == yes).to_numpy().astype(np.float64), yes, no
