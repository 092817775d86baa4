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
from equipoise.debias.before.measured import Measured
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
    are changed by what was missing, round by round. What is reported is what was measured; for quality, whose
    means are partly chance, on users whom the weights were not searched on. Where weights make the disparity no
    smaller, none are set.

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
        winner = min(found, key=lambda one: one.measured.searched.disparity)  # the first of equals
        plain, helped = found[0].measured.judged, winner.measured.judged
        best = winner if helped.disparity < plain.disparity else found[0]  # no weights if they are no better
        after = best.measured.judged
        reached = after.disparity <= self.target
        if not reached and self.on_failure == "error":
            raise ModelError(
                f"Weights do not bring the disparity of {self.disparity} to {self.target:g}",
                where=f"{plain.disparity:.4g} before, {after.disparity:.4g} at best, {len(found) - 1} rounds",
                todo="Raise target, rounds or limit, regularise the model less, or correct its lists instead.",
            )
        result, effective = _weighed(data, measured, best.weights)
        said = self._warnings(found, winner, best, halved=measured.halved)
        context.report(
            self,
            reached=reached,
            disparity_before=_finite(plain.disparity),
            disparity_after=_finite(after.disparity),
            disparity_by_chance=after.noise,
            disparity_at_most=_finite(after.upper),
            disparity_searched={
                "before": _finite(found[0].measured.searched.disparity),
                "after": _finite(best.measured.searched.disparity),
            },
            groups=_by_name(measured, rate_before=plain.values, rate_after=after.values, weight=best.weights),
            rounds_tried=[_plain(one) for one in found],
            models_trained=len(found),
            effective_sample_size=effective,
            **measured.describe(),
            warnings=[
                *_absent(measured),
                *said,
                *self._strained(best.weights, effective, len(data.positives)),
            ],
        )
        return result if best is not found[0] else data

    def _measured(self, data: Dataset, context: Context) -> Disparity:
        lists = Lists(self.k, self.exclude_seen, self.users, context.runtime)
        if self.disparity == "quality":
            return QualityRates(data, self.group, lists, self.metric, context.valid)
        column = self.group or groups.POPULARITY
        return ExposureRates(data, column, self.per, lists, discounted=self.discounted, due=self.due)

    def _searched(self, measured: Disparity, fit: Callable[[Dataset], Fitted]) -> list[Round]:
        def measure(weights: Floats) -> Measured:
            return measured.measure(fit(_weighed(measured.train, measured, weights)[0]))

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

    def _warnings(self, found: list[Round], winner: Round, best: Round, *, halved: bool) -> list[str]:
        """What is to be said of the search and of what was set."""
        said = []
        begun, plain, after = found[0].measured.searched, found[0].measured.judged, best.measured.judged
        if self.disparity == "quality" and not halved:
            said.append(
                "A group has too few users to judge the weights on others than they were searched on, so that the "
                "disparity after them is too low."
            )
        if self.target < begun.disparity < begun.noise:
            said.append(
                f"The disparity of {begun.disparity:.4g} without weights is no more than chance may make of so "
                f"few users ({begun.noise:.4g} at 95 %): weights follow the noise."
            )
        if after.disparity > self.target:
            said.append(
                f"The disparity of {self.disparity} was not brought to {self.target:g}: it is "
                f"{after.disparity:.4g}, and was {plain.disparity:.4g} without weights ({len(found) - 1} rounds)."
            )
        elif after.upper > self.target and after.noise > 0:
            said.append(
                f"The disparity of {after.disparity:.4g} is below the target, but of so few users chance may make "
                f"{after.noise:.4g}: it may be as large as {after.upper:.4g} (at 95 %)."
            )
        if best is not winner:
            said.append(
                "Users whom the weights were not searched on are not served more equally under them (disparity "
                f"{winner.measured.judged.disparity:.4g}, {plain.disparity:.4g} without), so that none are set."
            )
        elif best is found[0] and len(found) > 1:
            said.append("No weights that were tried made it smaller, so that none are set.")
        return said

    def _strained(self, weights: Floats, effective: float, events: int) -> list[str]:
        """What is to be said of weights that are far apart."""
        said = []
        ratio = float(weights.max() / weights.min())
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
    searched, judged = one.measured.searched, one.measured.judged
    return {
        "disparity": _finite(searched.disparity),
        "disparity_judged": _finite(judged.disparity),
        "rates": searched.values.tolist(),
        "weights": one.weights.tolist(),
    }
