"""Reweighing to a named target disparity that is measured on what the model recommends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from equipoise.data import Dataset
from equipoise.data.dataset import positive
from equipoise.debias.before import groups
from equipoise.debias.before.disparities import Disparity, ExposureRates, Lists, MetricName, QualityRates
from equipoise.debias.before.inverse_balance import RULES, Floats, RuleName, disparity
from equipoise.debias.before.search import Round, seek
from equipoise.debias.before.weights import effective_size, multiplied
from equipoise.debias.correction import BeforeTraining, Bias, Context
from equipoise.errors import ModelError
from equipoise.models.recommender import Fitted, Recommender

_FEW = 1 / 3  # of the events in effective number; less, and a warning is due


class Reweigh(BeforeTraining):
    """Weights of groups, found by training, so that what the model recommends has a disparity of at most so much.

    A disparity is `max / min - 1` over groups of how well they are served: exposure of groups of items over
    what is due to them, or quality of the lists of groups of users. A rule of inverse balance names the rates
    that are wanted, and weights of `wanted / rate` are where the search begins. But weights change what a model
    sees, not what it brings about, so the model is trained under them, its lists are measured, and the weights
    are changed by what was missing, round by round. What is reported is what was measured.

    A model that answers to weights little (much regularised, or a gap that is not of the training data's
    making) does not get there; the best that was reached is taken, and it is said that it was not enough.
    """

    name: ClassVar[str] = "reweigh"
    against: ClassVar[tuple[Bias, ...]] = ("exposure", "popularity", "group gap")

    disparity: Literal["exposure", "quality"] = "exposure"
    """Of what: exposure of groups of items, or quality for groups of users."""
    group: str | None = None
    """Column of the items ("popularity" for head, middle and tail, the default), or of users for quality (the
    first sensitive one by default)."""
    per: str | None = None
    """For exposure: column of users; items are then weighed and measured apart in each of its groups."""
    target: float = Field(0.1, gt=0)
    """Largest disparity, as in 0.1 for the best served group at 1.1 times the worst served."""
    rule: RuleName = "keep_mean"
    """Which rates are aimed at; with two groups all rules ask for the same ratio."""
    k: int = Field(10, ge=1)
    """Length of the lists that are measured."""
    discounted: bool = True
    """For exposure: whether a place counts 1 / log2(rank + 1), or each alike."""
    due: Literal["catalogue", "merit"] = "catalogue"
    """For exposure: what is due to a group, its share of the items or of the events."""
    metric: MetricName = "ndcg"
    """For quality: by what."""
    exclude_seen: bool = True
    """Whether lists that are measured leave out what the user has seen."""
    users: int = Field(5000, ge=1)
    """Users whose lists are measured, at most."""
    rounds: int = Field(10, ge=1)
    """Models trained in search of the weights, at most; one more tells how it is without them."""
    limit: float = Field(50.0, gt=1)
    """Largest ratio of the weights of two groups."""
    on_failure: Literal["warn", "error"] = "warn"
    """What becomes of a target that was not reached: the best weights and a warning, or an error."""

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """See `Correction.obstacle`."""
        if self.disparity == "quality":
            return groups.user_obstacle(data, self.group)
        found = groups.item_obstacle(data, self.group or groups.POPULARITY)
        return found or (None if self.per is None else groups.user_obstacle(data, self.per))

    def transform(self, data: Dataset, context: Context) -> Dataset:
        """See `BeforeTraining.transform`.

        Raises:
            DataError: if an attribute has one value, or a group has no event.
            ModelError: if the target was not reached and `on_failure` says so, or no group is served at all.
        """
        measured = self._measured(data, context)
        if context.fit is None:
            return self._declared(data, measured, context)
        found = self._searched(measured, context.fit)
        best = min(found, key=lambda one: (one.disparity, one.missing))  # the first of equals
        reached = best.disparity <= self.target
        if not reached and self.on_failure == "error":
            raise ModelError(
                f"Weights do not bring the disparity of {self.disparity} to {self.target:g}",
                where=f"{found[0].disparity:.4g} before, {best.disparity:.4g} at best, {len(found) - 1} rounds",
                todo="Raise target, rounds or limit, regularise the model less, or correct its lists instead.",
            )
        result, effective = _weighed(data, measured, best.weights)
        context.report(
            self,
            reached=reached,
            disparity_before=_finite(found[0].disparity),
            disparity_after=_finite(best.disparity),
            disparity_by_chance=found[0].noise,
            groups=_by_name(measured, rate_before=found[0].rates, rate_after=best.rates, weight=best.weights),
            rounds_tried=[_plain(one) for one in found],
            models_trained=len(found),
            effective_sample_size=effective,
            **measured.describe(),
            warnings=[*_absent(measured), *self._warnings(found, best, effective, len(data.positives))],
        )
        return result if best is not found[0] else data

    def _measured(self, data: Dataset, context: Context) -> Disparity:
        lists = Lists(self.k, self.exclude_seen, self.users, context.runtime)
        if self.disparity == "quality":
            return QualityRates(data, self.group, lists, self.metric, context.valid)
        column = self.group or groups.POPULARITY
        return ExposureRates(data, column, self.per, lists, discounted=self.discounted, due=self.due)

    def _searched(self, measured: Disparity, fit: Callable[[Dataset], Fitted]) -> list[Round]:
        def measure(weights: Floats) -> tuple[Floats, Floats]:
            return measured.rates(fit(_weighed(measured.train, measured, weights)[0]))

        return seek(
            measure, self.target, rule=self.rule, shares=measured.shares, rounds=self.rounds, limit=self.limit
        )

    def _declared(self, data: Dataset, measured: Disparity, context: Context) -> Dataset:
        """One step from how the events are shared out, for want of a model to measure."""
        rates = measured.logged()
        wanted = RULES[self.rule](rates, self.target, measured.shares)
        weights = wanted / rates
        result, effective = _weighed(data, measured, weights)
        context.report(
            self,
            reached=None,
            disparity_before=None,
            disparity_after=None,
            disparity_of_events=_finite(disparity(rates)),
            groups=_by_name(measured, rate_of_events=rates, weight=weights),
            effective_sample_size=effective,
            warnings=[
                *_absent(measured),
                "There was no model to measure, so the weights balance the events alone; what a model makes of "
                "them was not measured, and the target is declared, not reached.",
            ],
        )
        return result

    def _warnings(self, found: list[Round], best: Round, effective: float, events: int) -> list[str]:
        said = []
        if self.target < found[0].disparity < found[0].noise:
            said.append(
                f"The disparity of {found[0].disparity:.4g} without weights is no more than chance may make of so "
                f"few users ({found[0].noise:.4g} at 95 %): weights follow the noise."
            )
        if best.disparity > self.target:
            said.append(
                f"The disparity of {self.disparity} was not brought to {self.target:g}: it is {best.disparity:.4g}, "
                f"and was {found[0].disparity:.4g} without weights ({len(found) - 1} rounds)."
            )
            if best is found[0]:
                said.append("No weights that were tried made it smaller, so that none are set.")
        ratio = float(best.weights.max() / best.weights.min())
        if ratio > 0.99 * self.limit:
            said.append(f"The weights are as far apart as they may be ({ratio:.3g} times): they explode.")
        if effective < _FEW * events:
            said.append(
                f"The weighted events are worth {effective:,.0f} equally weighted ones, of {events:,}: what is "
                "learned from them is noisier."
            )
        return said


def _weighed(data: Dataset, measured: Disparity, weights: Floats) -> tuple[Dataset, float]:
    """The data with the weights of cells on its events of taste, scaled to mean 1, and their effective number."""
    taste = data.events.select(positive(data.events)).to_series().to_numpy()
    cells = measured.cells(data.events)
    of_cell = pl.DataFrame({"cell": measured.names, "weight": weights})
    own = cells.alias("cell").to_frame().join(of_cell, on="cell", how="left", maintain_order="left")["weight"]
    factors = np.where(taste, own.fill_null(1.0).to_numpy(), 1.0)
    factors[taste] /= np.sort(factors[taste]).mean()
    return data.with_events(multiplied(data.events, factors)), effective_size(factors[taste])


def _by_name(measured: Disparity, **columns: Floats) -> dict[str, dict[str, float]]:
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    return {
        name: dict(zip(columns, row, strict=True)) for name, row in zip(measured.names, rows, strict=True)
    }


def _absent(measured: Disparity) -> list[str]:
    if not measured.absent:
        return []
    names = ", ".join(measured.absent[:5])
    return [f"{len(measured.absent)} cells have no event, so that no weight can help them: {names}."]


def _finite(value: float) -> float | None:
    """The disparity as a report can hold it: None where a group gets nothing, and it is infinite."""
    return value if np.isfinite(value) else None


def _plain(one: Round) -> dict[str, Any]:
    return {"disparity": _finite(one.disparity), "rates": one.rates.tolist(), "weights": one.weights.tolist()}
