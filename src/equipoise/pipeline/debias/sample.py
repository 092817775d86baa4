"""All rows on the same held-out users, with the seeds of each pooled: values, intervals, paired contrasts.

Users are the unit. What a user contributes is averaged over the trainings first; then users are resampled, all rows
and all measures together, so that differences between rows are paired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr

from equipoise.data import vocabulary as v
from equipoise.pipeline.debias.ground import Ground, Part
from equipoise.pipeline.debias.trial import PART, Trial
from equipoise.statistics import (
    Interval,
    bca,
    bootstrap_means,
    bootstrap_ratio,
    holm,
    paired_difference,
    range_interval,
    resampled_sums,
)

Floats = NDArray[np.float64]

_MEANS = ("ndcg", "recall", "true_ndcg", "favour")
_FLIPS = 2000  # sign flips, so that p-values can hold for a score of corrections
LOWER_IS_BETTER = frozenset({"bias", "planted", "gap", "mse"})
"""Sizes: `bias` is a popularity lift, down to 0 and no further, since even lists made by true preference lie above 0
and those below it are no better; `planted` is the distance of `favour` from 0, which is right by the truth."""


@dataclass(frozen=True)
class Sample:
    """What each user contributes to each row, pooled over seeds.

    Attributes:
        ground: What all rows stand on.
        part: Which held-out events.
        names: The rows; the first one is what the others are held against.
        columns: Measure to (users, rows).
    """

    ground: Ground
    part: Part
    names: tuple[str, ...]
    columns: Mapping[str, Floats]

    @classmethod
    def of(cls, ground: Ground, part: Part, trials: Mapping[str, Sequence[Trial]]) -> Sample:
        """Pool the trainings of each row."""
        pooled = {
            name: [one.values.filter(pl.col(PART) == part).sort(v.USER) for one in many]
            for name, many in trials.items()
        }
        measures = [name for name in next(iter(pooled.values()))[0].columns if name not in (PART, v.USER)]
        columns = {
            measure: np.column_stack(
                [
                    np.mean([table[measure].to_numpy() for table in tables], axis=0)
                    for tables in pooled.values()
                ]
            )
            for measure in measures
        }
        return cls(ground, part, tuple(trials), columns)

    @cached_property
    def users(self) -> pl.DataFrame:
        """Users with their group and held-out popularity, in the order of the rows of `columns`."""
        return self.ground.held_out[self.part].users

    @cached_property
    def measures(self) -> list[str]:
        """What is measured here: means over users, and of all users together."""
        there = [name for name in _MEANS if name in self.columns]
        weighted = ["weighted_ndcg"] if "gain" in self.columns else []
        error = ["mse"] if "rated" in self.columns else []
        planted = ["planted"] if "favour" in self.columns else []
        return [*there, *weighted, *error, "bias", *planted, *(["gap"] if self.ground.groups else [])]

    # Values and draws ---------------------------------------------------------------------------------------------

    @cached_property
    def _stacked(self) -> tuple[Floats, dict[str, slice]]:
        """Everything that is summed over users, and where it stands."""
        groups = self.users["group"]
        marks = np.column_stack(
            [np.ones(len(groups)), *((groups == one).fill_null(False).to_numpy() for one in self.ground.groups)]
        ).astype(np.float64)  # fmt: skip
        blocks = {
            "held": self.users["held"].to_numpy()[:, None],
            "held_of": self.users["held_of"].to_numpy()[:, None],
            "users": marks,
            **self.columns,
        }
        for place in range(len(self.ground.groups)):
            blocks[f"ndcg of group {place}"] = self.columns["ndcg"] * marks[:, place + 1 : place + 2]
        ends = np.cumsum([0, *(block.shape[1] for block in blocks.values())])
        slices = {name: slice(a, b) for name, a, b in zip(blocks, ends[:-1], ends[1:], strict=True)}
        return np.hstack(list(blocks.values())), slices

    def _of_sums(self, sums: Floats) -> dict[str, Floats]:
        """Measures of all rows from sums over users: (..., columns) to (..., rows) each."""
        place = self._stacked[1]
        found: dict[str, Floats] = {}
        with np.errstate(invalid="ignore", divide="ignore"):
            everyone = sums[..., place["users"]][..., :1]
            for name in _MEANS:
                if name in place:
                    found[name] = sums[..., place[name]] / everyone
            if "gain" in place:
                found["weighted_ndcg"] = sums[..., place["gain"]] / sums[..., place["gain_of"]]
            if "rated" in place:
                found["mse"] = sums[..., place["squared"]] / sums[..., place["rated"]]
            shown = sums[..., place["popularity"]] / sums[..., place["popularity_of"]]
            found["lift"] = shown - sums[..., place["held"]] / sums[..., place["held_of"]]
            found["bias"] = np.maximum(found["lift"], 0.0)
            if "favour" in found:
                found["planted"] = np.abs(found["favour"])
            if self.ground.groups:
                means = self._group_means(sums)
                found["gap"] = means.max(axis=-2) - means.min(axis=-2)
        return found

    def _group_means(self, sums: Floats) -> Floats:
        """NDCG by group: (..., columns) to (..., groups, rows)."""
        place = self._stacked[1]
        counts = sums[..., place["users"]][..., 1:]
        rows = [sums[..., place[f"ndcg of group {g}"]] for g in range(len(self.ground.groups))]
        return np.stack([row / counts[..., g : g + 1] for g, row in enumerate(rows)], axis=-2)

    @cached_property
    def _sums(self) -> Floats:
        return np.asarray(self._stacked[0].sum(axis=0))

    @cached_property
    def _drawn(self) -> Floats:
        audit = self.ground.config.audit
        return resampled_sums(self._stacked[0], audit.n_bootstrap, self.ground.config.seed)

    @cached_property
    def values(self) -> dict[str, Floats]:
        """Measure to its value in each row, (rows,)."""
        return self._of_sums(self._sums)

    @cached_property
    def draws(self) -> dict[str, Floats]:
        """Measure to its bootstrap draws, (draws, rows), all of the same resampled users."""
        return self._of_sums(self._drawn)

    # Intervals ----------------------------------------------------------------------------------------------------

    def intervals(self) -> dict[str, dict[str, Interval]]:
        """Row to measure to its value with interval; `lift` and `favour` instead of their sizes `bias`, `planted`."""
        audit, seed = self.ground.config.audit, self.ground.config.seed
        options: dict[str, Any] = {"level": audit.level, "n_bootstrap": audit.n_bootstrap, "seed": seed}
        found: dict[str, list[Interval]] = {
            name: bootstrap_means(self.columns[name], **options) for name in _MEANS if name in self.columns
        }
        if "gain" in self.columns:
            found["weighted_ndcg"] = bootstrap_ratio(self.columns["gain"], self.columns["gain_of"], **options)
        if "rated" in self.columns:
            found["mse"] = bootstrap_ratio(self.columns["squared"], self.columns["rated"], **options)
        found["lift"] = [self._lift(row) for row in range(len(self.names))]
        if self.ground.groups:
            means, draws = self._group_means(self._sums), self._group_means(self._drawn)
            counts = self._sums[self._stacked[1]["users"]][1:].astype(np.int64)
            complete = np.isfinite(draws).all(axis=(1, 2))
            found["gap"] = [
                range_interval(means[:, row], draws[complete][:, :, row], counts, level=audit.level)
                for row in range(len(self.names))
            ]
        return {
            name: {measure: many[row] for measure, many in found.items()}
            for row, name in enumerate(self.names)
        }

    def _lift(self, row: int) -> Interval:
        shown, of = (self.columns[name][:, row] for name in ("popularity", "popularity_of"))
        held, held_of = (self.users[name].to_numpy() for name in ("held", "held_of"))
        if not of.any():
            return Interval(None, None, None, 0, "no list")
        influence = (shown - shown.sum() / of.sum() * of) / of.mean()
        influence -= (held - held.sum() / held_of.sum() * held_of) / held_of.mean()
        draws = self.draws["lift"][:, row]
        value, level = float(self.values["lift"][row]), self.ground.config.audit.level
        return bca(value, draws[np.isfinite(draws)], influence, len(shown), level)

    def groups(self, row: int) -> dict[str, dict[str, Any]]:
        """NDCG of each group under one row, with the number of its users."""
        if not self.ground.groups:
            return {}
        means = self._group_means(self._sums)[:, row]
        counts = self._sums[self._stacked[1]["users"]][1:]
        return {
            name: {"value": float(mean), "users": int(n)}
            for name, mean, n in zip(self.ground.groups, means, counts, strict=True)
        }

    # Against the first row ----------------------------------------------------------------------------------------

    def differences(self, tested: Sequence[str]) -> dict[str, dict[str, dict[str, float | None]]]:
        """Row to measure to its difference to the first row: `difference`, `low`, `high`, `p_value`, `p_adjusted`.

        Means over users have sign-flip p-values; the others are held against their bootstrap standard error, since a
        share of draws could not be small enough to hold for many rows. Adjusted after Holm over the tested rows, by
        measure.

        Args:
            tested: The rows about which something is claimed; the others have no adjusted p-value.
        """
        audit, seed = self.ground.config.audit, self.ground.config.seed
        found: dict[str, dict[str, dict[str, float | None]]] = {name: {} for name in self.names[1:]}
        for measure in self.measures:
            if measure in self.columns:
                columns = self.columns[measure]
                compared = paired_difference(
                    columns[:, 1:], np.repeat(columns[:, :1], columns.shape[1] - 1, axis=1), level=audit.level,
                    n_bootstrap=audit.n_bootstrap, n_permutations=max(audit.n_bootstrap, _FLIPS), seed=seed,
                )  # fmt: skip
                told = [one.as_dict() for one in compared]
            else:
                told = [self._contrast(measure, row) for row in range(1, len(self.names))]
            for name, one in zip(self.names[1:], told, strict=True):
                found[name][measure] = {**one, "p_adjusted": None}
            p_values = {name: p for name in tested if (p := found[name][measure]["p_value"]) is not None}
            for name, p in zip(p_values, holm(list(p_values.values())), strict=True):
                found[name][measure]["p_adjusted"] = float(p)
        return found

    def _contrast(self, measure: str, row: int) -> dict[str, float | None]:
        values, draws = self.values[measure], self.draws[measure]
        moved = draws[:, row] - draws[:, 0]
        moved = moved[np.isfinite(moved)]
        value = float(values[row] - values[0])
        if not np.isfinite(value) or not len(moved):
            return {"difference": None, "low": None, "high": None, "p_value": None}
        ends = bca(value, moved, np.zeros(1), len(self.users), self.ground.config.audit.level)
        error = float(moved.std(ddof=1))
        p_value = float(2 * ndtr(-abs(value) / error)) if error > 0 else float(value == 0)
        return {"difference": value, "low": ends.low, "high": ends.high, "p_value": p_value}

    def clearly_better(self, measure: str, row: int, other: int) -> bool:
        """Whether the whole interval of the paired difference of two rows is on the better side."""
        tail = (1 - self.ground.config.audit.level) / 2
        moved = self.draws[measure][:, row] - self.draws[measure][:, other]
        low, high = np.nanquantile(moved, [tail, 1 - tail])
        return bool(high < 0) if measure in LOWER_IS_BETTER else bool(low > 0)
