"""What all rows of a comparison stand on: the same parts, held-out events, groups and popularity."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from typing import Any, Literal, Self

import polars as pl

from equipoise.causal.propensity import Diagnostics
from equipoise.component import Runtime
from equipoise.config import Config
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.language import Vectors
from equipoise.models import models
from equipoise.models.recommender import Recommender
from equipoise.pipeline.encode import encode
from equipoise.pipeline.folder import content_hash
from equipoise.pipeline.held_out import held_out
from equipoise.pipeline.measure import catalogue_of, weighed
from equipoise.pipeline.prepare import Prepared, prepare

Part = Literal["valid", "test"]
PARTS: tuple[Part, ...] = ("valid", "test")

FEWEST = 10
"""Users with held-out events that a group needs to be compared."""
WORTH = 100.0
"""Effective number of weighted held-out pairs from which weights decide: of accuracy, popularity and rating error."""


@dataclass(frozen=True)
class HeldOut:
    """What lists of one part are judged by.

    Attributes:
        truth: Relevant pairs `user_id`, `item_id`, each once.
        weighted: The pairs with a propensity, with `weight`; None where none has one.
        diagnostics: What the weights are worth.
        users: `user_id` of everybody with a relevant pair, sorted, with `group` (null: unknown or too few),
            `held` (sum of weight x log popularity of the held-out items) and `held_of` (sum of the weights);
            the weights are 1 where those of the log are worth too little.
        rated: All rated pairs, with `value` and `weight` (1 / propensity where logged); None where the model does not
            estimate ratings.
    """

    truth: pl.DataFrame
    weighted: pl.DataFrame | None
    diagnostics: Diagnostics | None
    users: pl.DataFrame
    rated: pl.DataFrame | None


@dataclass(frozen=True)
class Ground:
    """Everything that does not differ between rows.

    Attributes:
        config: What was configured.
        prepared: The parts.
        vectors: Item vectors from texts, where there are some.
        leakage: Whether attackers are trained.
    """

    config: Config
    prepared: Prepared = field(repr=False)
    vectors: Vectors | None = field(repr=False)
    leakage: bool = True

    @classmethod
    def read(cls, settings: Config) -> Self:
        """Data as a run reads, cleans, splits and encodes it."""
        runtime = Runtime(seed=settings.seed, progress=False)
        with runtime.limited():
            prepared, _ = prepare(settings, runtime)
            return cls(settings, prepared, encode(settings, prepared.train, runtime))

    @cached_property
    def k(self) -> int:
        """Length of the lists that are judged."""
        return self.config.audit.k[0]

    @cached_property
    def recommender(self) -> Recommender:
        """The model, not yet fitted."""
        return models.build(self.config.model.name, self.config.model.fields)

    @cached_property
    def attribute(self) -> str | None:
        """The column of users that is judged by: the first of `[audit] groups`, else the first sensitive one."""
        said = self.config.audit.groups
        names = self.prepared.train.sensitive if said is None else said
        return names[0] if names and self.prepared.train.users is not None else None

    @cached_property
    def train(self) -> Dataset:
        """The training part, with the judged attribute as the one that corrections take by default."""
        data = self.prepared.train
        if self.attribute is None:
            return data
        others = tuple(name for name in data.sensitive if name != self.attribute)
        return replace(data, sensitive=(self.attribute, *others))

    @cached_property
    def valid(self) -> Dataset:
        """The relevant held-out events that training stops by, and that corrections choose by."""
        return held_out(self.prepared.valid, (self.prepared.train,), self.config.audit)

    @cached_property
    def members(self) -> pl.DataFrame:
        """`user_id` and `group` of all users whose group is known."""
        users = self.prepared.train.users
        if self.attribute is None or users is None:
            return pl.DataFrame(schema={v.USER: self._user_type, "group": pl.String})
        group = pl.col(self.attribute).cast(pl.String).alias("group")
        known = users.select(pl.col(v.USER).cast(self._user_type), group)
        return known.filter(pl.col("group").is_not_null() & ~pl.col("group").is_in(["", v.UNKNOWN]))

    @cached_property
    def popularity(self) -> pl.DataFrame:
        """`item_id` and `popularity`: log(1 + positive training events), of the whole catalogue."""
        counts = self.prepared.train.positives.group_by(v.ITEM).len("_n")
        found = self.catalogue.join(counts, on=v.ITEM, how="left", maintain_order="left")
        return found.select(v.ITEM, pl.col("_n").fill_null(0).cast(pl.Float64).log1p().alias("popularity"))

    @cached_property
    def catalogue(self) -> pl.DataFrame:
        """All items that models rank."""
        return catalogue_of(self.prepared)

    @cached_property
    def served(self) -> pl.Series:
        """Users with events before the test part: lists are made for them together, whoever is in test."""
        parts = (self.prepared.train, self.prepared.valid)
        return pl.concat([part.events[v.USER] for part in parts]).unique().sort()

    @cached_property
    def strangers(self) -> pl.Series:
        """Users with held-out test events and none before."""
        judged = self.held_out["test"].users[v.USER]
        return judged.filter(~judged.is_in(self.served.implode()))

    @cached_property
    def seen(self) -> pl.DataFrame | None:
        """Pairs that test lists leave out; None where they leave out nothing."""
        if not self.config.audit.exclude_seen:
            return None
        parts = (self.prepared.train, self.prepared.valid)
        return pl.concat([part.positives.select(v.USER, v.ITEM) for part in parts]).unique()

    @cached_property
    def held_out(self) -> dict[Part, HeldOut]:
        """What each part is judged by.

        Raises:
            DataError: if a part has no relevant event.
        """
        earlier: dict[Part, Sequence[Dataset]] = {
            "valid": (self.prepared.train,),
            "test": (self.prepared.train, self.prepared.valid),
        }
        return {part: self._held_out(part, earlier[part]) for part in PARTS}

    def _held_out(self, part: Part, earlier: Sequence[Dataset]) -> HeldOut:
        events = held_out(getattr(self.prepared, part), earlier, self.config.audit).events
        if events.is_empty():
            raise DataError(
                f"No relevant event is left in the {part} part",
                where=f"split '{self.config.split.strategy}'",
                todo="Methods are chosen on valid and measured on test: hold out more for both.",
            )
        truth = events.select(v.USER, v.ITEM).sort(v.USER, v.ITEM)
        found = weighed(events) if self.config.audit.weighted else None
        trusted = found is not None and found[1].effective_sample_size >= WORTH
        counted = found[0] if found and trusted else truth.with_columns(pl.lit(1.0).alias("weight"))
        joined = counted.join(self.popularity, on=v.ITEM, how="left")
        sums = joined.group_by(v.USER).agg(
            (pl.col("weight") * pl.col("popularity").fill_null(0.0)).sum().alias("held"),
            pl.col("weight").sum().alias("held_of"),
        )
        users = truth.select(pl.col(v.USER).unique()).sort(v.USER)
        users = users.join(self.members, on=v.USER, how="left", maintain_order="left")
        enough = pl.len().over("group") >= FEWEST
        users = users.with_columns(pl.when(enough).then("group").alias("group"))
        users = users.join(sums, on=v.USER, how="left", maintain_order="left")
        users = users.with_columns(pl.col("held", "held_of").fill_null(0.0))
        pairs, diagnostics = found or (None, None)
        return HeldOut(truth, pairs, diagnostics, users, self._rated(part))

    def _rated(self, part: Part) -> pl.DataFrame | None:
        """The rated pairs of a part, weighted where the log's propensities allow it."""
        if getattr(self.recommender, "loss", None) != "rating":
            return None
        events: pl.DataFrame = getattr(self.prepared, part).positives
        events = events.filter(pl.col(v.VALUE).is_not_null()).unique([v.USER, v.ITEM], maintain_order=True)
        pairs = events.select(v.USER, v.ITEM, pl.col(v.VALUE).cast(pl.Float64))
        found = weighed(events) if self.config.audit.weighted and len(events) else None
        if found is None or found[1].effective_sample_size < WORTH:
            return pairs.with_columns(pl.lit(1.0).alias("weight"))
        return pairs.join(found[0], on=[v.USER, v.ITEM], maintain_order="left")

    @cached_property
    def accuracy(self) -> str:
        """By what methods are chosen: weighted NDCG where the log's propensities allow it, else NDCG."""
        told = self.held_out["valid"].diagnostics
        return "weighted_ndcg" if told is not None and told.effective_sample_size >= WORTH else "ndcg"

    @cached_property
    def groups(self) -> list[str]:
        """The groups that are compared: those with enough users in both parts; none of fewer than two."""
        both = [set(one.users["group"].drop_nulls().unique()) for one in self.held_out.values()]
        found = sorted(set.intersection(*both))
        return found if len(found) > 1 else []

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what a row's numbers depend on beside the row itself: tables, model and measures."""
        parts = {name: getattr(self.prepared, name) for name in ("train", "valid", "test")}
        tables = {name: content_hash(part.events) for name, part in parts.items()}
        shared = {"users": self.prepared.train.users, "items": self.prepared.train.items}
        tables |= {name: content_hash(table) for name, table in shared.items() if table is not None}
        kept = self.config.model_dump(mode="json", include={"model", "encoder", "audit", "seed"})
        told = {"tables": tables, "settings": kept, "attribute": self.attribute, "leakage": self.leakage}
        told["version"] = version("equipoise")
        if self.vectors is not None:
            told["vectors"] = hashlib.sha256(self.vectors.matrix.tobytes()).hexdigest()
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def runtime(self, seed: int) -> Runtime:
        """How to run the `seed`-th training, from 0."""
        return Runtime(seed=self.config.seed + seed, progress=False)

    @property
    def _user_type(self) -> Any:
        return self.prepared.train.events.schema[v.USER]
