"""The data of one causal question as arrays: who was treated, what came of it, and what is adjusted for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from equipoise.errors import DataError
from equipoise.statistics.interval import Floats

BINARY, NUMBER = "binary", "number"


@dataclass(frozen=True)
class Design:
    """Arrays of one question; all have one row per observation, in the same order.

    Attributes:
        treatment: float64 (n,): 1 treated and 0 not, or amounts where the treatment is continuous.
        outcome: float64 (n,): 0 and 1, or numbers.
        covariates: float64 (n, p), text as one column per level but the first; p may be 0.
        names: The p columns' names.
        treatment_name: Column of the treatment.
        outcome_name: Column of the outcome.
        frame: The rows with all their columns, for groups and negative controls.
        clusters: int64 (n,), rows of one cluster (user) are dependent; None: all rows are independent.
        cluster_name: Column of the clusters.
        instrument: float64 (n,), where the method has one.
        mediator: float64 (n, k), where the method has one, coded as the covariates are.
        mediator_sources: Columns that `mediator` was made of.
        sources: Columns that `covariates` were made of.
        origins: The source of each of the p columns; by default a column's source has its name.
        treated: The value that counts as treated; None for a continuous treatment.
        control: The value that counts as not treated; None for a continuous treatment.
        dropped: Rows left out because something was missing.
    """

    treatment: Floats
    outcome: Floats
    covariates: Floats
    names: tuple[str, ...]
    treatment_name: str
    outcome_name: str
    frame: pl.DataFrame
    clusters: NDArray[np.int64] | None = None
    cluster_name: str | None = None
    instrument: Floats | None = None
    instrument_name: str | None = None
    mediator: Floats | None = None
    mediator_names: tuple[str, ...] = ()
    mediator_sources: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    treated: Any = 1
    control: Any = 0
    dropped: int = 0

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.treatment)

    @property
    def n_clusters(self) -> int:
        """Number of independent units."""
        return self.n if self.clusters is None else len(np.unique(self.clusters))

    @property
    def continuous(self) -> bool:
        """Whether the treatment is an amount and not a choice of two."""
        return self.treated is None

    @property
    def outcome_kind(self) -> str:
        """`binary` where the outcome is 0 or 1 everywhere, else `number`."""
        return BINARY if bool(np.isin(self.outcome, (0.0, 1.0)).all()) else NUMBER

    def take(self, rows: ArrayLike) -> Design:
        """The same question of some rows: booleans (n,), or row numbers, which may repeat (a resample).

        Copies of a row stay in one cluster, so that no copy is predicted by a model that saw another.
        """
        at = np.asarray(rows)
        at = np.flatnonzero(at) if at.dtype == bool else at.astype(np.int64)
        clusters = self.clusters
        if clusters is None and len(np.unique(at)) < len(at):
            clusters = np.arange(self.n)
        return replace(
            self,
            treatment=self.treatment[at],
            outcome=self.outcome[at],
            covariates=self.covariates[at],
            frame=self.frame[at],
            clusters=None if clusters is None else clusters[at],
            instrument=None if self.instrument is None else self.instrument[at],
            mediator=None if self.mediator is None else self.mediator[at],
        )

    def with_treatment(self, treatment: ArrayLike) -> Design:
        """The same rows with another treatment (n,), coded as this one: a placebo."""
        return replace(self, treatment=self._column(treatment))

    def with_outcome(self, outcome: ArrayLike, name: str | None = None) -> Design:
        """The same rows with another outcome (n,): a dummy, or a negative control."""
        return replace(self, outcome=self._column(outcome), outcome_name=name or self.outcome_name)

    def with_covariate(self, name: str, values: ArrayLike) -> Design:
        """One covariate (n,) more."""
        more = np.column_stack([self.covariates, self._column(values)])
        return replace(
            self,
            covariates=more,
            names=(*self.names, name),
            sources=(*self.sources, name),
            origins=(*(self.origins or self.names), name),
        )

    def columns_of(self, source: str) -> list[int]:
        """Which of the p columns were made of a source column."""
        return [j for j, origin in enumerate(self.origins or self.names) if origin == source]

    def without_covariate(self, source: str) -> Design:
        """Without the columns made of one source column.

        Raises:
            DataError: if nothing is adjusted by that name.
        """
        if source not in self.sources:
            raise DataError(f"'{source}' is not adjusted for", where=", ".join(self.sources) or "nothing is")
        gone = set(self.columns_of(source))
        kept = [j for j in range(len(self.names)) if j not in gone]
        origins = self.origins or self.names
        return replace(
            self,
            covariates=self.covariates[:, kept],
            names=tuple(self.names[j] for j in kept),
            origins=tuple(origins[j] for j in kept),
            sources=tuple(name for name in self.sources if name != source),
        )

    def _column(self, values: ArrayLike) -> Floats:
        column = np.asarray(values, dtype=np.float64)
        if column.shape != (self.n,):
            raise DataError(f"A column of shape {column.shape} does not fit {self.n} rows")
        return column


def matrix(frame: pl.DataFrame, columns: Sequence[str]) -> tuple[Floats, tuple[str, ...]]:
    """Columns as a float matrix (n, p) with their names: numbers as they are, text and categories as one
    column of 0 and 1 per level but the first, named `column=level`.

    Raises:
        DataError: if a column is neither, or has more than 50 levels.
    """
    parts: list[Floats] = []
    names: list[str] = []
    for column in columns:
        values = frame[column]
        if values.dtype.is_numeric() or values.dtype == pl.Boolean:
            parts.append(values.cast(pl.Float64).to_numpy()[:, None])
            names.append(column)
            continue
        if values.dtype not in (pl.String, pl.Categorical, pl.Enum):
            raise DataError(
                f"'{column}' holds {values.dtype}, which cannot be adjusted for",
                todo="Make numbers or categories of it first.",
            )
        text = values.cast(pl.String)
        levels = text.unique().sort().to_list()
        if len(levels) > _MOST_LEVELS:
            raise DataError(
                f"'{column}' has {len(levels)} levels, too many to adjust for one by one",
                where=f"at most {_MOST_LEVELS}",
                todo="Group its levels, or adjust for what they stand for.",
            )
        parts.append(np.column_stack([(text == level).to_numpy() for level in levels[1:]]).astype(np.float64)
                     if len(levels) > 1 else np.zeros((len(text), 0)))  # fmt: skip
        names.extend(f"{column}={level}" for level in levels[1:])
    return (np.hstack(parts) if parts else np.zeros((len(frame), 0))), tuple(names)


_MOST_LEVELS = 50
