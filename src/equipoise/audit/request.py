"""What an audit is asked: the tables, and how they shall be measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, model_validator

from equipoise.audit.policy import Policy


@dataclass(frozen=True)
class Tables:
    """What is measured, as eager Polars frames with identifiers of one type throughout.

    Attributes:
        recommendations: system, user_id, item_id, rank (from 1), and score and faithful where known.
        truth: user_id, item_id, and value where known: the held-out pairs that count as relevant.
        users: user_id and attributes; None when there is none.
        items: item_id and attributes; None when there is none.
        train: user_id, item_id: what was known before the held-out events; None when that is not told.
        vectors: System -> user_id, vector (an array of float32), for systems whose users have vectors.
        explanations: system, user_id, item_id, rank and faithful, of the places whose explanations were tried; None
            where the recommendations themselves say what is faithful, or nobody does.
        sources: Where each table came from: table ("recommendations:NAME", "truth", "users", "items", "train",
            "vectors:NAME", "explanations"), path, sha256, rows, users, items.
        notes: Rules that acted while reading: code, values.
    """

    recommendations: pl.DataFrame
    truth: pl.DataFrame
    users: pl.DataFrame | None = None
    items: pl.DataFrame | None = None
    train: pl.DataFrame | None = None
    vectors: Mapping[str, pl.DataFrame] | None = None
    explanations: pl.DataFrame | None = None
    sources: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def systems(self) -> list[str]:
        """Names of the systems, in the order of their rows."""
        names: list[str] = self.recommendations["system"].unique(maintain_order=True).to_list()
        return names


class Settings(BaseModel):
    """How an audit measures; written into the evidence, from which it can be built again."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str = "audit"
    """Name of the audit, printed on its pages."""
    groups: tuple[str, ...] = Field(min_length=1)
    """Columns of the users table to compare groups by."""
    k: tuple[int, ...] = Field(default=(10, 20), min_length=1)
    """List lengths; metrics named without a cutoff are taken at each."""
    metrics: tuple[str, ...] = Field(default=("ndcg", "recall"), min_length=1)
    """Metrics whose gaps are judged, with a cutoff ("ndcg@10") or without ("ndcg")."""
    intersections: int = Field(default=1, ge=1)
    """Up to how many attributes are crossed."""
    controls: tuple[str, ...] = ()
    """What gaps are adjusted for: `profile_size`, `activity`, or columns of the users table."""
    policy: Policy | None = None
    """Tolerances with their owners and reasons; comes before `tolerance`."""
    tolerance: float | dict[str, float] | None = None
    """Largest gap that is tolerated: one for all metrics, or metric -> number."""
    level: float = Field(default=0.95, gt=0.5, lt=1.0)
    """Level of the intervals."""
    n_bootstrap: int = Field(default=1000, ge=100)
    """Draws of users per interval."""
    n_permutations: int = Field(default=1000, ge=100)
    """Draws of group labels per test."""
    min_cell: int = Field(default=30, ge=2)
    """Groups with fewer measured users are neither shown nor judged."""
    seed: int = Field(default=0, ge=0)
    """Root of all random numbers."""
    attackers: bool | tuple[str, ...] = True
    """Whether attributes are inferred from lists, scores and vectors, and by which attackers (True: all)."""
    item_groups: tuple[str, ...] = ()
    """Columns of the items table whose exposure is measured."""
    target: Literal["catalogue", "uniform", "merit"] = "catalogue"
    """What exposure is held against."""
    lang: Literal["en", "zh"] = "en"
    """Language of the pages."""
    command: str = "equipoise audit"
    """The command that asks the same again."""
    protocol: dict[str, Any] = Field(default_factory=dict)
    """How the held-out events were made and which count, as far as it is known: name -> words or number."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if min(self.k) < 1:
            raise ValueError("list lengths start at 1")
        given = self.tolerance.values() if isinstance(self.tolerance, dict) else [self.tolerance or 0.0]
        if min(given, default=0.0) < 0:
            raise ValueError("a tolerance is 0 or more")
        return self

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics with their cutoffs, each once: "ndcg" at lengths 10 and 20 is "ndcg@10", "ndcg@20"."""
        spelt = [[name] if "@" in name else [f"{name}@{k}" for k in self.k] for name in self.metrics]
        return tuple(dict.fromkeys(name for names in spelt for name in names))

    @property
    def resampling(self) -> dict[str, Any]:
        """Level, draws and seed, as everything that resamples users takes them."""
        return {"level": self.level, "n_bootstrap": self.n_bootstrap, "seed": self.seed}
