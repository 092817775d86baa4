"""A correction of probabilities, so that they mean the same for every group of users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, PositiveInt
from scipy.special import logit

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.after.curves import Curve, fit_curve
from equipoise.debias.after.groups import attribute_obstacle, attribute_of, user_groups
from equipoise.debias.after.held_out import HeldOut
from equipoise.debias.after.pools import Floats, Ints, Pool
from equipoise.debias.correction import AfterTraining, Bias, Context, Reranker
from equipoise.errors import DataError, ModelError
from equipoise.models.calibration import Calibration
from equipoise.models.recommender import Recommender
from equipoise.statistics import expected_calibration_error

_FOLDS = 5
_EDGE = 1e-6  # probabilities of 0 and 1 have no log-odds
_SHARED = -1


class ScoreCalibration(AfterTraining):
    """Probabilities from scores, with one curve per group of users, fitted on held-out events (calibration
    within groups: Pleiss et al. 2017, "On fairness and calibration", section 2).

    A probability says how likely it is that an item of the user's pool is among the held-out events of a user who
    has any. Curves never fall, so that the order of a list stays as it is. Groups with too few held-out events, and
    users whose group is not known, share the curve of everyone. Errors of calibration, before as after, are
    measured on users whose events the measured curves were not fitted on: the model too is calibrated anew for them,
    on the same folds of users.
    """

    name: ClassVar[str] = "score_calibration"
    against: ClassVar[tuple[Bias, ...]] = ("calibration",)
    chooses: ClassVar[bool] = True

    attribute: str | None = None
    """Column of the users; None for the data's first sensitive column, or one curve for all where there is none."""
    kind: Literal["isotonic", "platt", "temperature"] = "isotonic"
    """Kind of curve. "temperature" works on the log-odds of the model's probabilities; where it gives none, its
    scores are taken for log-odds."""
    least_events: PositiveInt = Field(50)
    """Groups with fewer held-out events in their pools share the curve of everyone."""

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """An attribute that is asked for and does not tell users apart."""
        return (
            None if attribute_of(data, self.attribute) is None else attribute_obstacle(data, self.attribute)
        )

    def prepare(self, context: Context) -> Reranker:
        """Fit the curves on held-out events; see `AfterTraining.prepare`.

        Raises:
            DataError: also if the users have no such attribute, or all the same.
            ModelError: if there are too few held-out events.
        """
        attribute = attribute_of(context.data, self.attribute)
        if attribute is not None and (reason := attribute_obstacle(context.data, attribute)) is not None:
            raise DataError(f"Users cannot be told apart: {reason}")
        held_out = HeldOut.of(self, context, self.pool)
        sample = self._sample(held_out, context.data, attribute)
        if sample.hit.sum() < self.least_events:
            raise ModelError(
                f"Probabilities cannot be calibrated on {int(sample.hit.sum())} held-out events in the pools",
                where=f"least_events = {self.least_events}",
                todo="Hold out more events, take deeper pools, or lower least_events.",
            )
        told = self._told(sample, self._cross_fitted(sample, context, held_out.users))
        warnings = told.pop("warnings")
        curves = self._curves(sample, self._input(sample.score, sample.given), np.ones_like(sample.hit))

        def calibrated(pool: pl.DataFrame, context: Context, k: int) -> pl.DataFrame:
            if pool.is_empty():
                return pool
            laid = Pool.of(pool)
            said = [*laid.warnings(k), *warnings]
            context.report(self, **laid.size(k), grouped_by=attribute, **told, warnings=said)
            whose = _codes(context.data, attribute, pool[v.USER])[1]
            probability = _applied(curves, self._input(_scores(pool), _given(pool)), whose)
            return laid.lists(laid.unchanged, k, pool.with_columns(pl.Series(v.PROBABILITY, probability)))

        return calibrated

    def rerank(self, pool: pl.DataFrame, context: Context, k: int) -> pl.DataFrame:
        """The first `k` of the pool in its order, with new probabilities; see `AfterTraining.rerank`."""
        return pool if pool.is_empty() else self.prepare(context)(pool, context, k)

    def _input(self, scores: Floats, given: Floats | None) -> Floats:
        """What curves are functions of, one number per row."""
        if self.kind != "temperature" or given is None:
            return scores
        return np.asarray(logit(np.clip(given, _EDGE, 1 - _EDGE)))

    def _sample(self, held_out: HeldOut, data: Dataset, attribute: str | None) -> _Sample:
        frame = held_out.pool.frame
        names, group = _codes(data, attribute, frame[v.USER])
        user = np.empty(len(frame), dtype=np.int64)
        user[held_out.pool.row[held_out.pool.there]] = np.nonzero(held_out.pool.there)[0]
        return _Sample(names, _scores(frame), held_out.hit, group, user, _given(frame))

    def _curves(self, sample: _Sample, x: Floats, rows: NDArray[np.bool_]) -> dict[int, Curve]:
        """Curves of `x` by group, fitted on some of the rows, with that of everyone at `_SHARED`."""
        curves = {_SHARED: fit_curve(self.kind, x[rows], sample.hit[rows])}
        for g in sample.alone(self.least_events):
            mine = rows & (sample.group == g)
            if mine.any():
                curves[g] = fit_curve(self.kind, x[mine], sample.hit[mine])
        return curves

    def _cross_fitted(self, sample: _Sample, context: Context, users: pl.Series) -> dict[str, Floats]:
        """Probabilities of each row by curves that its user had no part in: the model's where it gives any, one for
        all, and one per group.
        """
        stages = ("shared", "after") if sample.given is None else ("before", "shared", "after")
        said = {stage: np.empty(len(sample.hit)) for stage in stages}
        fold = context.runtime.rng(self.name).permutation(len(users)) % _FOLDS
        for one in range(_FOLDS):
            rows, given = fold[sample.user] == one, None
            if sample.given is not None:
                given = _calibrated(context, users.filter(pl.Series(fold != one)))(sample.score)
                said["before"][rows] = given[rows]
            x = self._input(sample.score, given)
            curves = self._curves(sample, x, ~rows)
            said["shared"][rows] = curves[_SHARED](x[rows])
            said["after"][rows] = _applied(curves, x[rows], sample.group[rows])
        return said

    def _told(self, sample: _Sample, said: dict[str, Floats]) -> dict[str, Any]:
        """Errors of calibration before and after, in all and per group, as plain values."""
        alone, warnings = sample.alone(self.least_events), []

        def errors(rows: NDArray[np.bool_]) -> dict[str, Any]:
            found: dict[str, Any] = {
                stage: expected_calibration_error(values[rows], sample.hit[rows])
                for stage, values in said.items()
            }
            return found | {
                "items": int(rows.sum()),
                "events": int(sample.hit[rows].sum()),
                "mean_said": float(said["after"][rows].mean()),
                "mean_seen": float(sample.hit[rows].mean()),
            }

        groups = {}
        for g, name in enumerate(sample.names):
            rows = sample.group == g
            if not rows.any():
                continue
            groups[name] = errors(rows) | {"curve": "its own" if g in alone else "everyone's"}
            if g not in alone:
                warnings.append(
                    f"{name}: {groups[name]['events']} held-out events are fewer than {self.least_events}, so that "
                    "everyone's curve is used."
                )
            earlier = groups[name].get("before", groups[name]["shared"])
            if groups[name]["after"] > earlier:
                warnings.append(
                    f"{name}: the error of calibration rose from {earlier:.4f} to {groups[name]['after']:.4f} on users "
                    "that the curves were not fitted on."
                )
        return {"error": errors(np.ones_like(sample.hit)), "groups": groups, "warnings": warnings}


@dataclass(frozen=True)
class _Sample:
    """The pools of users with held-out events, row by row.

    Attributes:
        names: Of the groups.
        score: The model's.
        hit: Whether the user took the item.
        group: Index into `names`; -1 where it is not known.
        user: Index of the user.
        given: The model's probabilities; None where it gives none.
    """

    names: list[str]
    score: Floats
    hit: NDArray[np.bool_]
    group: Ints
    user: Ints
    given: Floats | None

    def alone(self, least_events: int) -> list[int]:
        """Groups with events enough for a curve of their own."""
        events = np.bincount(self.group[self.hit & (self.group >= 0)], minlength=len(self.names))
        return [int(g) for g in np.flatnonzero(events >= least_events)]


def _codes(data: Dataset, attribute: str | None, users: pl.Series) -> tuple[list[str], Ints]:
    """Names of the groups, and the group of each of some users."""
    return ([], np.full(len(users), -1)) if attribute is None else user_groups(data, attribute, users)


def _scores(frame: pl.DataFrame) -> Floats:
    return frame[v.SCORE].cast(pl.Float64).to_numpy()


def _given(frame: pl.DataFrame) -> Floats | None:
    """The model's probabilities; None where it gives none."""
    if v.PROBABILITY not in frame.columns or frame[v.PROBABILITY].null_count():
        return None
    return frame[v.PROBABILITY].cast(pl.Float64).to_numpy()


def _calibrated(context: Context, users: pl.Series) -> Calibration:
    """The model's own calibration, had there been these users' held-out events alone."""
    assert context.model is not None
    assert context.valid is not None
    events = context.valid.events
    known = context.valid.with_events(events.filter(events[v.USER].is_in(users.implode())))
    found = context.model.calibrate(known, context.runtime, exclude_seen=context.exclude_seen).calibration
    assert found is not None
    return found


def _applied(curves: Mapping[int, Curve], scores: Floats, group: Ints) -> Floats:
    """The value of each row's own curve."""
    values = curves[_SHARED](scores)
    for g, curve in curves.items():
        values = np.where((group == g) & (g != _SHARED), curve(scores), values)
    return values
