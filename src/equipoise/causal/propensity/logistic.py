"""Propensities from covariates of users and items."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from equipoise.causal.propensity.base import FittedPropensity, PropensityModel, exposures, need
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.statistics import expected_calibration_error

_MANY = 50  # distinct values above which a text column is taken for an id or a title, not for a covariate


class Logistic(PropensityModel):
    """P(the log holds the pair of user and item), by logistic regression on their covariates.

    As Schnabel et al. (2016, section 5.2) estimate who rates what. Of many pairs a sample is
    fitted to and weighted back. A pair's own propensity comes from a fit that never saw its user.
    """

    name: ClassVar[str] = "logistic"

    users: tuple[str, ...] | None = None
    """Columns of the users table; None for all numbers and all texts of at most 50 values."""
    items: tuple[str, ...] | None = None
    """Columns of the items table; likewise."""
    sample: int = Field(50_000, ge=1000)
    """Most pairs fitted to; where there are more, half are drawn from the seen and half from the unseen ones."""
    folds: int = Field(5, ge=2)
    """Groups of users, each predicted by a fit to the others."""
    regularisation: float = Field(1.0, gt=0)
    """Ridge penalty."""
    popularity: bool = True
    """Whether the item's own number of exposures (log) is a covariate too."""

    def fit(self, events: Any, users: Any = None, items: Any = None, *, seed: int = 0) -> FittedPropensity:
        """Fit to the exposures of a log.

        Raises:
            DataError: if there is no covariate, a named one is missing, or some fold's fit finds no pair that
                is in the log, or none that is not.
        """
        table = to_polars(events)
        need(table, (v.USER, v.ITEM), model=self.name)
        seen = exposures(table)
        who = self._covariates(users, seen, v.USER, self.users, "users")
        what = self._covariates(items, seen, v.ITEM, self.items, "items")
        if self.popularity:
            counts = what.select(v.ITEM).join(
                seen.group_by(v.ITEM).len(), on=v.ITEM, how="left", maintain_order="left"
            )
            what = what.with_columns(counts["len"].fill_null(0).log1p().alias("_popularity"))
        if who.width + what.width == 2:
            raise DataError(
                "There is no covariate to fit propensities to", todo="Give users or items with attributes."
            )
        row, column = _rows(table[v.USER], who[v.USER]), _rows(table[v.ITEM], what[v.ITEM])
        exposed = _cells(_rows(seen[v.USER], who[v.USER]), _rows(seen[v.ITEM], what[v.ITEM]), len(what))
        cells = len(who) * len(what)
        pairs, shown, weight = _sampled(exposed, cells, self.sample, np.random.default_rng([seed, 5]))
        predict = _CrossFit(self, _one_hot(who.drop(v.USER)), _one_hot(what.drop(v.ITEM)), len(what), seed)
        predict.fit(pairs, shown, weight)
        values = np.full(len(table), np.nan)
        known = (row >= 0) & (column >= 0)
        values[known] = predict(_cells(row, column, len(what)))
        judged = np.random.default_rng([seed, 7]).integers(0, cells, size=min(cells, self.sample))
        error = expected_calibration_error(predict(judged), np.isin(judged, exposed))
        pairs = np.unique(exposed)
        return FittedPropensity(
            self,
            values,
            calibration_error=error,
            mean_weight=float((1 / predict(pairs)).sum() / cells),
            expected_weight=cells / len(pairs),
        )

    def _covariates(
        self, table: Any, seen: pl.DataFrame, key: str, named: tuple[str, ...] | None, what: str
    ) -> pl.DataFrame:
        """The ids of a table with the columns to be used."""
        if table is None:
            return seen.select(pl.col(key).drop_nulls().unique().sort())
        frame = to_polars(table)
        need(frame, (key, *(named or ())), model=self.name, table=what)
        chosen = named if named is not None else tuple(
            name for name in frame.columns
            if name != key and (frame[name].dtype.is_numeric() or frame[name].n_unique() <= _MANY)
        )  # fmt: skip
        return frame.select(key, *chosen)


class _CrossFit:
    """One logistic regression per fold of users; each predicts the users it was not fitted to."""

    def __init__(
        self, model: Logistic, users: NDArray[Any], items: NDArray[Any], n_items: int, seed: int
    ) -> None:
        self.model, self.users, self.items, self.n_items = model, users, items, n_items
        self.fold = np.random.default_rng([seed, 6]).permutation(len(users)) % model.folds
        self.fitted: list[Any] = []

    def _design(self, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.hstack([self.users[pairs // self.n_items], self.items[pairs % self.n_items]])

    def fit(self, pairs: NDArray[np.int64], shown: NDArray[np.bool_], weight: NDArray[np.float64]) -> None:
        from sklearn.linear_model import LogisticRegression

        of = self.fold[pairs // self.n_items]
        for fold in range(self.model.folds):
            rows = of != fold
            if len(np.unique(shown[rows])) < 2:
                raise DataError(
                    "A propensity needs pairs that were shown and pairs that were not in every fold",
                    where=f"{int(shown[rows].sum())} of {int(rows.sum())} shown in all folds but number {fold + 1}",
                    todo="Use a log of more users, or fewer folds.",
                )
            regression = LogisticRegression(C=1 / self.model.regularisation, solver="newton-cholesky")
            self.fitted.append(
                regression.fit(self._design(pairs[rows]), shown[rows], sample_weight=weight[rows])
            )

    def __call__(self, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        values = np.empty(len(pairs))
        of = self.fold[pairs // self.n_items]
        for fold, regression in enumerate(self.fitted):
            rows = of == fold
            if rows.any():
                values[rows] = regression.predict_proba(self._design(pairs[rows]))[:, 1]
        return values


def _rows(ids: pl.Series, known: pl.Series) -> NDArray[np.int64]:
    """Row of each id within `known`, -1 where it is not there."""
    table = pl.DataFrame({"id": known}).with_row_index("row")
    found = pl.DataFrame({"id": ids.cast(known.dtype, strict=False)}).join(
        table, on="id", how="left", maintain_order="left"
    )
    return found["row"].cast(pl.Int64).fill_null(-1).to_numpy()


def _cells(row: NDArray[np.int64], column: NDArray[np.int64], n_items: int) -> NDArray[np.int64]:
    """Number of each pair in the table of users and items; pairs with an unknown side are left out."""
    known = (row >= 0) & (column >= 0)
    return row[known] * n_items + column[known]


def _sampled(
    exposed: NDArray[np.int64], cells: int, most: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64]]:
    """Pairs to fit to, which of them were exposed, and how many pairs each stands for."""
    seen = np.unique(exposed)
    if len(seen) in (0, cells):
        raise DataError(
            "A propensity needs pairs that were shown and pairs that were not", where=f"{len(seen)} of {cells} shown",
            todo="Use a log in which not every user saw every item.",
        )  # fmt: skip
    if cells <= most:
        pairs = np.arange(cells)
        return pairs, np.isin(pairs, seen), np.ones(cells)
    half = most // 2
    held = rng.choice(seen, half, replace=False) if len(seen) > half else seen
    # Draws that hit seen pairs are thrown away; what is left is uniform over the unseen ones.
    others = np.setdiff1d(rng.integers(0, cells, size=int(half / (1 - len(seen) / cells))), seen)
    counts = [(held, len(seen)), (others, cells - len(seen))]
    weight = np.concatenate([np.full(len(part), total / len(part)) for part, total in counts])
    return np.concatenate([held, others]), np.arange(len(weight)) < len(held), weight


def _one_hot(frame: pl.DataFrame) -> NDArray[np.float64]:
    """Numbers standardised, all else one column per value; an empty frame gives no column."""
    blocks: list[NDArray[np.float64]] = []
    for column in frame:
        if column.dtype.is_numeric():
            numbers = column.cast(pl.Float64).fill_null(strategy="mean").to_numpy()
            blocks.append(((numbers - numbers.mean()) / (numbers.std() or 1.0))[:, None])
        else:
            blocks.append(column.cast(pl.String).to_dummies().to_numpy().astype(np.float64))
    return np.hstack(blocks) if blocks else np.zeros((len(frame), 0))
