"""Users with features and a known label, in an order that does not depend on how they arrived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.errors import DataError

Matrix = Any  # NDArray[np.float64] | scipy.sparse.csr_matrix
Ints = NDArray[np.int64]

_UNKNOWN = (v.UNKNOWN, "")
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


@dataclass(frozen=True)
class Examples:
    """What attackers learn from and are asked about.

    Attributes:
        matrix: Features, float64 of shape (users, features), dense or CSR.
        labels: Class of each user, 0 to classes - 1.
        classes: Names of the classes, sorted.
        unknown: Users left out because nobody knows their label.
        dropped: Names of the classes left out because they are too small.
        known: Users of the classes that stayed, before sampling.
    """

    matrix: Matrix
    labels: Ints
    classes: tuple[str, ...]
    unknown: int
    dropped: tuple[str, ...]
    known: int

    @classmethod
    def of(cls, features: Any, labels: Any, *, smallest: int, folds: int, most: int, seed: int) -> Examples:
        """Examples from anybody's features and labels.

        Args:
            features: Array, SciPy sparse matrix or frame of numbers, one row per user.
            labels: One label per row.
            smallest: Fewest users a class must have.
            folds: Fewest users a class must have in a sample.
            most: Users to sample where there are more.
            seed: Root of the sample.

        Raises:
            DataError: as `infer_attribute` says.
        """
        matrix, names = _matrix(features), _names(labels)
        if matrix.shape[0] != len(names):
            raise DataError(
                f"{len(names)} labels do not fit {matrix.shape[0]} rows of features",
                todo="Give one row of features and one label per user, in the same order.",
            )
        counts = names.drop_nulls().value_counts().sort(names.name)
        enough = counts.filter(pl.col("count") >= smallest)[names.name]
        if len(enough) < 2:
            told = ", ".join(f"{name}: {count}" for name, count in counts.iter_rows()) or "no label is known"
            raise DataError(
                f"Fewer than two classes have {smallest} users",
                where=told,
                todo="Join classes.",
            )
        kept = np.flatnonzero(names.is_in(enough.to_list()).fill_null(False).to_numpy())
        codes = np.searchsorted(enough.to_numpy(), names.to_numpy()[kept]).astype(np.int64)
        matrix = matrix[kept]
        order = np.lexsort((codes, _fingerprints(matrix)))
        if len(order) > most:
            chosen = np.random.default_rng([seed, most]).choice(len(order), most, replace=False)
            order = order[np.sort(chosen)]
        dropped = [name for name in counts[names.name] if name not in set(enough)]
        return cls(
            matrix[order], codes[order], tuple(enough), names.null_count(), tuple(dropped), len(kept)
        )._dense_classes(folds)

    def _dense_classes(self, smallest: int) -> Examples:
        """Without classes that became too small in the sample."""
        counts = np.bincount(self.labels, minlength=len(self.classes))
        if counts.min() >= smallest:
            return self
        left = np.flatnonzero(counts >= smallest)
        if len(left) < 2:
            raise DataError(
                f"Fewer than two classes have {smallest} users in the sample", todo="Sample more users."
            )
        rows = np.isin(self.labels, left)
        lost = (self.classes[code] for code in np.flatnonzero(counts < smallest))
        return Examples(
            self.matrix[rows],
            np.searchsorted(left, self.labels[rows]).astype(np.int64),
            tuple(self.classes[code] for code in left),
            self.unknown,
            (*self.dropped, *lost),
            self.known,
        )


def _matrix(features: Any) -> Matrix:
    if sparse.issparse(features):
        matrix: Matrix = sparse.csr_matrix(features, dtype=np.float64)
        matrix.sum_duplicates()
    elif isinstance(features, np.ndarray):
        matrix = np.ascontiguousarray(features, dtype=np.float64)
        matrix = matrix[:, None] if matrix.ndim == 1 else matrix
    else:
        matrix = _columns(to_polars(features))
    values = matrix.data if sparse.issparse(matrix) else matrix
    if bad := int((~np.isfinite(values)).sum()):
        raise DataError(
            "The features hold NaN or infinity",
            where=f"{bad} of {values.size} values",
            todo="Fill them, or leave these users out.",
        )
    return matrix


def _columns(table: pl.DataFrame) -> NDArray[np.float64]:
    if v.USER in table.columns:
        if repeated := len(table) - table[v.USER].n_unique():
            raise DataError("The features have a user twice", where=f"{repeated} rows too many")
        table = table.drop(v.USER)
    wrong = [name for name, kind in table.schema.items() if not (kind.is_numeric() or kind == pl.Boolean)]
    if wrong:
        raise DataError(f"The feature '{wrong[0]}' is no number", todo="Encode it as numbers, or drop it.")
    filled = table.with_columns(pl.all().cast(pl.Float64).fill_null(np.nan))
    return np.ascontiguousarray(filled.to_numpy(), dtype=np.float64)


def _names(labels: Any) -> pl.Series:
    """Labels as text; null where unknown."""
    if isinstance(labels, (list, tuple, np.ndarray)):
        series = pl.Series("label", labels, strict=False)
    elif isinstance(labels, pl.Series):
        series = labels.alias("label")
    else:
        named = nw.from_native(labels, series_only=True).alias("label")
        series = to_polars(named.to_frame().to_native())["label"]
    if series.dtype.is_float():
        series = series.fill_nan(None)
        whole = series.drop_nulls()
        series = series.cast(pl.Int64) if (whole == whole.round()).all() else series
    if series.dtype == pl.Object:
        told = [None if label is None or label != label else str(label) for label in series]
        series = pl.Series("label", told, dtype=pl.String)
    text = series.cast(pl.String)
    return text.set(text.is_in(_UNKNOWN).fill_null(False), None)


def _fingerprints(matrix: Matrix) -> NDArray[np.uint64]:
    """A number for each row that tells its content, whatever stands beside it.

    Sum over the row's entries of a 64-bit mix of column and value (the finaliser of SplitMix64).
    """
    rows = sparse.csr_matrix(matrix) if not sparse.issparse(matrix) else matrix
    bits = np.ascontiguousarray(rows.data + 0.0).view(np.uint64) + rows.indices.astype(np.uint64) * _MIX[0]
    for shift, factor in ((30, _MIX[0]), (27, _MIX[1])):
        bits = (bits ^ (bits >> np.uint64(shift))) * factor
    total = np.concatenate(
        [np.zeros(1, dtype=np.uint64), np.cumsum(bits ^ (bits >> np.uint64(31)), dtype=np.uint64)]
    )
    return np.asarray(total[rows.indptr[1:]] - total[rows.indptr[:-1]], dtype=np.uint64)
