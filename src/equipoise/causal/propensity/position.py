"""Propensities from the place in a slate: examination probabilities by regression-EM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse
from scipy.optimize import minimize
from scipy.sparse.linalg import lsqr
from scipy.special import expit

from equipoise.causal.propensity.base import FittedPropensity, PropensityModel, need
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.errors import DataError

Floats = NDArray[np.float64]

_ALL = 0.999


@dataclass(frozen=True)
class FittedPosition(FittedPropensity):
    """Examination probabilities as propensities.

    Attributes:
        examination: Probability relative to place 1 that a place is looked at, by place from 1.
        iterations: EM steps taken.
        converged: Whether the last step moved examination and mean relevance by less than the tolerance.
        settled: Share of the variance of the places that the features explain (linearly), in 0..1: the more it is,
            the less tells examination from relevance but the form of the model.
    """

    examination: Floats = None  # type: ignore[assignment]
    iterations: int = 0
    converged: bool = False
    settled: float = 0.0


class Position(PropensityModel):
    """Regression-EM for the position-based click model (Wang, Golbandi, Bendersky, Metzler and Najork 2018,
    section 4).

    P(click) = examination of the place x relevance of the row. Examination has one number per place;
    relevance is a logistic regression on features of the row, so that no user or query need repeat. Only
    ratios of examination are identified: place 1 is set to 1. What drives both the ranking and the clicks
    belongs among the features; what is left out of them passes for examination.
    """

    name: ClassVar[str] = "position"

    features: tuple[str, ...] | None = None
    """Columns that relevance depends on: numbers are standardised, all else (and ids) is one-hot. None for
    the item and the logger's score, which is all that the ranking and the clicks have in common; where the log
    has no score, for item and user."""
    sample: int = Field(200_000, ge=1000)
    """Most impressions fitted to; of more, some are drawn."""
    iterations: int = Field(200, ge=1)
    """Most EM steps."""
    tolerance: float = Field(1e-4, gt=0)
    """Stop when neither examination nor relevance (on average) moves by more in a step."""
    regularisation: float = Field(1.0, gt=0)
    """Ridge penalty on the coefficients of relevance."""

    def check(self, events: pl.DataFrame) -> None:
        """Look at the places and the clicks on them.

        Raises:
            DataError: if there are no impressions, a column is missing, positions are under 1, or a place has no
                click at all.
        """
        features = default_features(events) if self.features is None else self.features
        need(events, (v.EVENT, v.POSITION, v.REWARD, *features), model=self.name)
        places(impressions(events))

    def fit(self, events: Any, users: Any = None, items: Any = None, *, seed: int = 0) -> FittedPosition:
        """Fit to the impressions of a log, of which `reward` says whether they were clicked.

        Raises:
            DataError: if there are no impressions, `reward` or `position` is missing, positions are under 1,
            a place has no click at all, or the features settle the place.
        """
        table = to_polars(events)
        features = default_features(table) if self.features is None else self.features
        need(table, (v.EVENT, v.POSITION, v.REWARD, *features), model=self.name)
        shown = impressions(table)
        if (
            len(shown) > self.sample
        ):  # sorted by all that counts, the draw does not depend on the order of rows
            columns = list(dict.fromkeys((v.POSITION, v.REWARD, *features)))
            shown = shown.select(columns).sort(columns).sample(self.sample, seed=seed)
        place, clicked = places(shown)
        design = design_matrix(shown, features)
        settled = settledness(design, place)
        examination, steps, converged = self._expectation_maximisation(design, place, clicked)
        values = at_places(table, examination)
        return FittedPosition(
            self, values, examination=examination, iterations=steps, converged=converged, settled=settled
        )

    def _expectation_maximisation(
        self, design: sparse.csr_matrix, place: NDArray[np.int64], clicked: NDArray[np.bool_]
    ) -> tuple[Floats, int, bool]:
        """Examination by place, steps taken, and whether they came to rest."""
        shown = np.bincount(place)
        rate = np.bincount(place, clicked) / shown
        examination = np.minimum(rate / rate[0], 1.0)
        coefficients = np.zeros(design.shape[1])
        coefficients[0] = np.log(rate[0] / (1 - rate[0])) if rate[0] < 1 else 10.0
        for step in range(1, self.iterations + 1):
            theta = examination[place]
            gamma = expit(design @ coefficients)
            unclicked = np.maximum(1 - theta * gamma, 1e-12)
            # Expectation: of a row without a click, the chance that it was looked at, and that it was relevant.
            looked = np.where(clicked, 1.0, theta * (1 - gamma) / unclicked)
            relevant = np.where(clicked, 1.0, (1 - theta) * gamma / unclicked)
            # Maximisation.
            update = np.bincount(place, looked) / shown
            update[0] = 1.0
            coefficients = self._regress(design, relevant, coefficients)
            moved = max(
                float(np.abs(update - examination).max()),
                float(np.abs(expit(design @ coefficients) - gamma).mean()),
            )
            examination = update
            if moved < self.tolerance:
                return examination, step, True
        return examination, self.iterations, False

    def _regress(self, design: sparse.csr_matrix, relevant: Floats, start: Floats) -> Floats:
        """A few steps of a ridge logistic regression on soft labels, from where the last one stood."""
        penalty = np.full(len(start), self.regularisation)
        penalty[0] = 0.0

        def loss(beta: Floats) -> tuple[float, Floats]:
            logit = design @ beta
            value = (np.logaddexp(0, logit) - relevant * logit).sum() + 0.5 * (penalty * beta**2).sum()
            return float(value), design.T @ (expit(logit) - relevant) + penalty * beta

        found: Floats = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 5}).x
        return found


def impressions(table: pl.DataFrame) -> pl.DataFrame:
    """What was shown at a place."""
    return table.filter(pl.col(v.EVENT) == v.IMPRESSION, pl.col(v.POSITION).is_not_null())


def default_features(table: pl.DataFrame) -> tuple[str, ...]:
    """Columns that relevance depends on, where none are named."""
    return (v.ITEM, v.SCORE) if v.SCORE in table.columns else (v.ITEM, v.USER)


def design_matrix(shown: pl.DataFrame, features: tuple[str, ...]) -> sparse.csr_matrix:
    """Intercept, one-hot columns and standardised numbers of the rows."""
    blocks: list[Any] = [sparse.csr_matrix(np.ones((len(shown), 1)))]
    rows = np.arange(len(shown))
    for name in features:
        column = shown[name]
        if column.dtype.is_numeric() and name not in (v.USER, v.ITEM):
            numbers = column.cast(pl.Float64).fill_null(column.mean()).to_numpy()
            blocks.append(sparse.csr_matrix(((numbers - numbers.mean()) / (numbers.std() or 1.0))[:, None]))
        else:
            codes = column.rank("dense").fill_null(0).to_numpy().astype(np.int64)
            shape = (len(rows), int(codes.max()) + 1)
            blocks.append(sparse.csr_matrix((np.ones(len(rows)), (rows, codes)), shape=shape))
    return sparse.csr_matrix(sparse.hstack(blocks, format="csr"))


def places(shown: pl.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Place of each impression from 0, and whether it was clicked.

    Raises:
        DataError: if there is no impression, a position is under 1, or a place has no click at all.
    """
    if shown.is_empty():
        raise DataError(
            f"No row has the event '{v.IMPRESSION}' and a position",
            todo="The position model needs the whole slates, clicked or not.",
        )
    place = shown[v.POSITION].cast(pl.Int64).to_numpy() - 1
    if place.min() < 0:
        raise DataError(
            "Positions are counted from 1", where=f"{int((place < 0).sum())} rows of '{v.POSITION}' are below 1",
            todo="Add 1 if the log counts from 0.",
        )  # fmt: skip
    clicked = (shown[v.REWARD].fill_null(0) > 0).to_numpy()
    silent = np.flatnonzero(np.bincount(place, clicked) == 0)
    if len(silent):
        raise DataError(
            "Places without any click have no examination probability",
            where=f"positions {', '.join(str(j + 1) for j in silent[:10])}",
            todo="Cut the slates off above them, or collect more.",
        )
    return place, clicked


def settledness(design: sparse.csr_matrix, place: NDArray[np.int64]) -> float:
    """Share of the variance of the places that a linear regression on the features explains, in 0..1.

    Raises:
        DataError: if it is all of it: each row then has but one place, and examination cannot be told from
            relevance.
    """
    centred = place - place.mean()
    total = float(centred @ centred)
    rest = float(lsqr(design, centred, damp=1e-3, iter_lim=200)[3]) ** 2
    explained = 1 - rest / total if total else 1.0
    if explained > _ALL:
        raise DataError(
            "The features settle at which place an item stands, so that examination cannot be told from relevance",
            where=f"they explain {explained:.2%} of the variance of '{v.POSITION}' in {len(place)} rows",
            todo="Let the logger swap items between places for some requests, or name fewer features.",
        )
    return explained


def at_places(table: pl.DataFrame, examination: Floats) -> Floats:
    """The examination of each row's place, as far as it goes down; NaN for rows without a place."""
    at = table.select(pl.col(v.POSITION).cast(pl.Int64).fill_null(0)).to_series().to_numpy()
    return np.where(at > 0, examination[np.clip(at, 1, len(examination)) - 1], np.nan)
