"""What a causal graph of users may name as a table, and what a structural model along it is fitted with."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from equipoise.causal.graph import CausalGraph
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.before.augmentation.features import SHARE, Features
from equipoise.debias.before.augmentation.profiles import Floats, Profiles


def facts_of(data: Dataset, profiles: Profiles, features: Features, column: str) -> pl.DataFrame:
    """Columns of the users and features of their profiles, in the order of `profiles`; the attribute as text."""
    assert data.users is not None
    assert profiles.users is not None
    users = data.users.with_columns(pl.col(v.USER).cast(profiles.users.dtype, strict=False))
    users = users.unique(v.USER, keep="first", maintain_order=True)
    table = features.table(profiles).join(users, on=v.USER, how="left", maintain_order="left")
    named = pl.Series(column, profiles.names, dtype=pl.String).gather(profiles.group)
    return table.with_columns(named)


def complete(profiles: Profiles, table: pl.DataFrame) -> tuple[Profiles, pl.DataFrame]:
    """The profiles of those who have all values of a table with a row for each, and the values; groups that lose all
    of theirs are none.
    """
    told = table.with_row_index("_row").drop_nulls()
    return profiles.take(told["_row"].to_numpy().astype(np.int64)).renamed(), told.drop("_row")


def categories(facts: pl.DataFrame, column: str) -> list[str]:
    """Which columns are categories: the attribute, and all that hold no numbers."""
    return [name for name in facts.columns if name == column or not facts.schema[name].is_numeric()]


def function(graph: CausalGraph, discrete: list[str]) -> Any:
    """A mean per category where no number has more than one cause and that is one, which is the whole function; else
    None, for the choice by squared error.
    """
    from sklearn.linear_model import LinearRegression

    causes = [graph.parents(name) for name in graph.nodes if name not in discrete]
    plain = all(len(one) <= 1 and one <= set(discrete) for one in causes)
    return LinearRegression() if plain else None


def within_reach(asked: Floats, names: list[str], masses: Floats) -> Floats:
    """The targets within what items have; shares that are below 0 or come to more than 1 are put right."""
    if not names:
        return asked
    within = np.clip(asked, masses.min(axis=0), masses.max(axis=0))
    shares = np.array([name.startswith(SHARE) for name in names])
    total = within[:, shares].sum(axis=1, keepdims=True)
    within[:, shares] /= np.maximum(total, 1.0)
    return within


def implied(graph: CausalGraph, facts: pl.DataFrame) -> pl.DataFrame:
    """The independences that a graph implies with what the data say of them, as `Implications.table`; without those
    of two shares, which depend on each other whatever the graph says, since they are of one whole.
    """
    shares = pl.col("a").str.starts_with(SHARE) & pl.col("b").str.starts_with(SHARE)
    return graph.test_implications(facts).table.filter(~shares)
