"""Near-duplicates: the same event twice within seconds, and users who are copies of one another."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy import sparse

from equipoise.component import Runtime
from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive
from equipoise.debias.before.purification.finding import ROW, Clock, Found, seconds

_HASHES, _BAND = 32, 4  # with 8 bands of 4, sets that share 90 % of their items meet with probability .9998
_PRIME = (1 << 31) - 1
_SURE = 10.0  # nats by which chance must fail to explain a copy, all pairs of users considered


def repeats(events: pl.DataFrame, within: float) -> Found:
    """Events of taste that repeat the same user's same event with the same item within seconds; the first stays.

    The score is the number of repeats of the pair. Where times are whole minutes or days, two events at one time
    are no repeat but two visits of that day, and nothing can be told.

    Args:
        events: Event table with `_row`.
        within: Seconds.
    """
    if v.TIMESTAMP not in events.columns:
        return Found.unable("There is no 'timestamp' to tell a repeat from a return by.")
    keys = [column for column in (v.USER, v.ITEM, v.EVENT) if column in events.columns]
    taste = events.filter(positive(events)).with_columns(moment=seconds(events, v.TIMESTAMP))
    clock = Clock.of(taste["moment"])
    if clock.tick > within:
        return Found.unable(
            f"{clock.sentence} A repeat within {within:g} seconds cannot be told from a return."
        )
    taste = taste.sort(*keys, "moment", ROW).with_columns(gap=pl.col("moment").diff().over(keys))
    again = taste.filter(pl.col("gap") <= within).with_columns(
        rule=pl.lit("repeat"), score=pl.len().over(v.USER, v.ITEM).cast(pl.Float64),
        who=pl.concat_str(pl.col(v.USER).cast(pl.String), pl.lit(" x "), pl.col(v.ITEM).cast(pl.String)),
    )  # fmt: skip
    return Found.of(again)


def copies(events: pl.DataFrame, least_items: int, similarity: float, runtime: Runtime) -> Found:
    """All rows of users whose items are nearly those of another user (sock puppets); of alike users the first by
    id stays.

    Candidates meet in a bucket of min-hashes (Broder 1997; bands as in Leskovec, Rajaraman and Ullman, "Mining of
    Massive Datasets", section 3.4) and are compared with the first user there by the Jaccard similarity of their
    items. Alike is not enough where everybody takes the same: the shared items must also be too unlikely for two
    users who choose by popularity, `-sum log p(item) - log(pairs of users) > 10` nats. The score is the similarity.

    Args:
        events: Event table with `_row`.
        least_items: Users with fewer items are not looked at.
        similarity: Least Jaccard similarity of a copy.
        runtime: Seed of the hashes.
    """
    taste = events.filter(positive(events)).select(v.USER, v.ITEM).unique()
    taste = taste.filter(pl.len().over(v.USER) >= least_items)
    if taste[v.USER].n_unique() < 2:
        return Found.unable(f"Fewer than two users have {least_items} items.")
    users, items = (taste[column].unique().sort() for column in (v.USER, v.ITEM))
    row, column = (
        taste.join(ids.to_frame().with_row_index("_code"), on=ids.name, how="left", maintain_order="left")["_code"]
        .to_numpy().astype(np.int64) for ids in (users, items)
    )  # fmt: skip
    matrix = sparse.csr_matrix((np.ones(len(row)), (row, column)), shape=(len(users), len(items)))
    pairs = _met(matrix, runtime)
    first, second = matrix[pairs[:, 0]], matrix[pairs[:, 1]]
    shared = first.multiply(second)
    overlap = np.asarray(shared.sum(axis=1)).ravel()
    union = np.asarray(first.sum(axis=1) + second.sum(axis=1)).ravel() - overlap
    alike = overlap / np.maximum(union, 1)
    taken = np.asarray(matrix.sum(axis=0)).ravel() / len(users)
    surprise = -np.asarray(shared @ np.log(np.maximum(taken, 1e-12))).ravel() - 2 * np.log(len(users))
    kept = (alike >= similarity) & (surprise > _SURE)
    found = pl.DataFrame({v.USER: users.gather(pairs[kept, 1]), "score": alike[kept]})
    found = found.group_by(v.USER).agg(pl.col("score").max())
    rows = events.select(v.USER, ROW).join(found, on=v.USER)
    return Found.of(rows.with_columns(rule=pl.lit("copy"), who=pl.col(v.USER).cast(pl.String)))


def _met(matrix: sparse.csr_matrix, runtime: Runtime) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Pairs of rows (the first of a bucket, another) that share a bucket, each once; shape (pairs, 2)."""
    rng = runtime.rng("purify", "hashes")
    factors, shifts = rng.integers(1, _PRIME, _HASHES), rng.integers(0, _PRIME, _HASHES)
    hashed = (np.arange(matrix.shape[1])[None, :] * factors[:, None] + shifts[:, None]) % _PRIME
    least = np.stack([np.minimum.reduceat(one[matrix.indices], matrix.indptr[:-1]) for one in hashed])
    rows = np.arange(matrix.shape[0])
    found = []
    for band in range(0, _HASHES, _BAND):
        _, bucket = np.unique(least[band : band + _BAND], axis=1, return_inverse=True)
        first = np.full(bucket.max() + 1, matrix.shape[0])
        np.minimum.at(first, bucket.ravel(), rows)
        leader = first[bucket.ravel()]
        found.append(np.column_stack([leader, rows])[leader != rows])
    return np.unique(np.concatenate(found), axis=0)
