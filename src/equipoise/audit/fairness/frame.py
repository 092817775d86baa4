"""`FairnessFrame`: metrics by group of users, with intervals, tests and verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from equipoise.audit.fairness import comparison, slices
from equipoise.audit.fairness.columns import BY_GROUP, GAPS, OVERALL, better, ends, suppressed
from equipoise.audit.fairness.compared import compare, smallest_group
from equipoise.audit.fairness.gaps import DIFFERENCE, gaps, unmeasured
from equipoise.audit.fairness.groups import PROFILE_SIZE, Attribute, attributes, strata, users_table
from equipoise.audit.fairness.inputs import SYSTEM, Note, measure, metrics_by_name, refuse_reserved
from equipoise.audit.fairness.judgement import Family, Found, judged
from equipoise.audit.fairness.resampling import Sample, Settings
from equipoise.audit.fairness.tolerance import WITHOUT_TEST, Policy, Tolerance, tolerances
from equipoise.data import vocabulary as v
from equipoise.errors import ConfigError, nearest
from equipoise.metrics import Metric


class FairnessFrame:
    """Metrics by group of users, with intervals, tests and verdicts.

    Users are the unit: every metric is reduced to one value per user on the engine of the tables, and users
    are resampled and shuffled. Users of the truth without recommendations count as the metric says (0 where
    hits are counted); users without truth are left out and counted as `excluded`. Null and NaN, blank text and
    words such as "none", and users missing from the users table, are the group "unknown": shown, never part of
    a gap. A numeric attribute with more than 12 values is cut at its quintiles. Groups with fewer than
    `min_cell` users are suppressed; where that is one only, or they have fewer than `min_cell` users together,
    so is the next smallest, since the total would give them away: in intersections on every line of cells that
    share the values of some attributes. A small group "unknown" hides no other.

    Tables come back in the kind of frame that the recommendations are; of lazy engines, as Polars. Where the
    recommendations have a column `system` (or `stage`), all tables begin with a column `system`.

    Attributes:
        notes: Documented rules that acted.
    """

    def __init__(
        self,
        *,
        metrics: Mapping[str, Metric] | Sequence[str],
        recommendations: Any,
        truth: Any,
        users: Any,
        groups: Sequence[str],
        items: Any = None,
        train: Any = None,
        controls: Sequence[str] | None = None,
        intersections: int = 1,
        tolerance: Tolerance = None,
        policy: Policy | None = None,
        references: Sequence[str] = (),
        min_cell: int = 30,
        level: float = 0.95,
        n_bootstrap: int = 1000,
        n_permutations: int = 1000,
        seed: int = 0,
    ) -> None:
        """Check the tables and reduce them to one value per user and metric.

        Args:
            metrics: Name to per-user metric, as in `{"ndcg@10": ndcg(10)}`; or names such as "ndcg@10".
            recommendations: Frame of `user_id`, `item_id`, `rank` (from 1; holes allowed) and, for several
                systems, `system`.
            truth: Frame of `user_id`, `item_id`: what users really took.
            users: Frame of `user_id` and attributes, one row per user.
            groups: Columns of the users.
            items: Frame of `item_id` and attributes; kept for metrics that look at items.
            train: Training events, a frame of `user_id`, `item_id`; needed for the control "profile_size".
            controls: Columns of the users, or "profile_size", that gaps are adjusted for: `difference` is then
                the one between groups with the same mix of strata, and "raw difference" stands beside it.
            intersections: Largest number of attributes that are crossed.
            tolerance: Largest difference that is accepted: one for all, by metric, or by metric and attribute.
            policy: Rules by metric and attribute, which go before `tolerance`. A rule of a kind without a
                test is never found unfair, and with controls only the difference is adjusted: both are noted.
            references: Systems shown for comparison: they get no verdict and are not counted as tests.
            min_cell: Fewest users of a group that is shown and compared.
            level: Confidence level.
            n_bootstrap: Draws for intervals.
            n_permutations: Shuffles for p-values; more are made where there are so many tests that the
                smallest p could not reach 1 − level after correction (noted).
            seed: Root of all draws: the same seed gives the same numbers in any order of rows.

        Raises:
            DataError: if a table lacks a column, has a user twice, gives a user an item or a rank twice, or
                has ids of another type.
            ConfigError: if a setting makes no sense, or "profile_size" is asked for without `train`.
        """
        self.settings = Settings(min_cell, level, n_bootstrap, n_permutations, seed)
        self.items = items
        named = metrics_by_name(metrics)
        controls = [controls] if isinstance(controls, str) else list(controls or ())
        refuse_reserved(groups, controls, named)
        wanted = [*groups, *(name for name in controls if name != PROFILE_SIZE)]
        if PROFILE_SIZE in controls and train is None:
            strata(pl.DataFrame({v.USER: []}), [PROFILE_SIZE])
        self._backend = recommendations
        self._measured = measure(recommendations, truth, named)
        self.systems, self.metrics = self._measured.systems, self._measured.metrics
        for name in references:
            if name not in self.systems:
                raise ConfigError(
                    f"There is no system '{name}'", where="references", todo=nearest(name, self.systems)
                )
        self._references = frozenset(references)
        self._tolerances = tolerances(tolerance, self.metrics)
        self._policy = policy
        ids = self._measured.ids
        left_out = (
            pl.concat([ids.clear(), *(e.cast(ids.dtype) for e in self._measured.excluded)]).unique().sort()
        )
        table, told = users_table(users, wanted, pl.concat([ids, left_out]))
        found, banded = attributes(table, groups, intersections)
        n = len(ids)
        self._excluded = {
            name: np.isin(left_out.to_numpy(), excluded.cast(ids.dtype).to_numpy())
            for name, excluded in zip(self.systems, self._measured.excluded, strict=True)
        }
        self._left_out = {a.name: a.codes[n : n + len(left_out)] for a in found}
        self.attributes = [replace(a, codes=a.codes[:n]) for a in found]
        self._sample = Sample(
            self._measured.values.reshape(n, -1),
            self.attributes,
            strata(table.head(n), controls, train),
            self.settings,
        )
        self.notes: list[Note] = [*self._measured.notes, *told, *banded]
        self._note_kinds()

    def __repr__(self) -> str:
        divided = ", ".join(attribute.name for attribute in self.attributes)
        return f"FairnessFrame({', '.join(self.metrics)} by {divided}; {len(self._measured.ids)} users)"

    # Tables ---------------------------------------------------------------------------------------------------

    @cached_property
    def overall(self) -> Any:
        """One row per metric: `metric`, `value`, `low`, `high`, `users`, `excluded`."""
        rows = {}
        for part in self._sample.parts:
            for j, interval in zip(part.columns, self._sample.everybody(part).contrast([1.0]), strict=True):
                system, metric = self._names(int(j))
                rows[int(j)] = {
                    SYSTEM: system,
                    "metric": metric,
                    **ends(interval.value, interval.low, interval.high),
                    "users": interval.n,
                    "excluded": int(self._excluded[system].sum()),
                }
        return self._table([rows[j] for j in sorted(rows)], OVERALL)

    @cached_property
    def by_group(self) -> Any:
        """One row per attribute, group and metric: `attribute`, `group`, `metric`, `value`, `low`, `high`,
        `users`, `suppressed`, `excluded`.
        """
        rows: dict[tuple[int, int, int], dict[str, Any]] = {}
        for part in self._sample.parts:
            for a, attribute in enumerate(self.attributes):
                means = self._sample.groups(part, attribute)
                hidden = suppressed(means.users, attribute, self.settings.min_cell)
                for g, label in enumerate(attribute.labels):
                    intervals = means.only([g]).contrast([1.0])
                    for j, interval in zip(part.columns, intervals, strict=True):
                        system, metric = self._names(int(j))
                        out = int((self._left_out[attribute.name][self._excluded[system]] == g).sum())
                        if g == attribute.known and not interval.n and not out:
                            continue  # nobody is unknown
                        shown = (
                            (None, None, None) if hidden[g] else (interval.value, interval.low, interval.high)
                        )
                        rows[
                            int(j) // len(self.metrics), a, g * len(self.metrics) + int(j) % len(self.metrics)
                        ] = {
                            SYSTEM: system,
                            "attribute": attribute.name,
                            "group": label,
                            "metric": metric,
                            **ends(*shown),
                            "users": interval.n,
                            "suppressed": bool(hidden[g]),
                            "excluded": out,
                        }
        return self._table([rows[key] for key in sorted(rows)], BY_GROUP)

    @cached_property
    def gaps(self) -> Any:
        """One row per attribute, metric and kind of gap: `attribute`, `metric`, `kind`, `gap`, `low`, `high`,
        `p_value`, `p_adjusted` (Holm over all primary gaps), `minimum_detectable`, `verdict`, `groups`, `users`
        (of the smallest group), `tolerance`, `null_mean`, `null_high`, `excess` (gap minus null mean).

        A positive `difference` of two groups means that the larger one has the higher value; of more than two
        groups it is the largest minus the smallest. Verdict and `p_adjusted` stand at the primary kind only.
        """
        family = Family(self._names, self._primary, self._references, self.settings)
        return self._table(judged(self._gaps, family), GAPS)

    @cached_property
    def per_user(self) -> pl.DataFrame:
        """One row per user (and system): `user_id`, the group by each attribute, the metrics."""
        groups = {a.name: np.array(a.labels, dtype=object)[a.codes].tolist() for a in self.attributes}
        tables = []
        for s, system in enumerate(self.systems):
            values = {name: self._measured.values[:, s, m] for m, name in enumerate(self.metrics)}
            table = pl.DataFrame({v.USER: self._measured.ids, **groups, **values}).fill_nan(None)
            named = pl.lit(system).alias(SYSTEM)
            tables.append(table.select(named, pl.all()) if self._measured.named else table)
        return pl.concat(tables)

    @cached_property
    def comparisons(self) -> Any:
        """Systems pairwise on the same users: `first`, `second`, `metric`, `difference` (first minus second),
        `low`, `high`, `p_value` (sign flips), `p_adjusted` (Holm), `users`.
        """
        return self._plain(comparison.systems(self._measured, self.settings), comparison.SYSTEMS)

    @cached_property
    def gap_comparisons(self) -> Any:
        """Gaps of systems pairwise: `first`, `second`, `attribute`, `metric`, `difference` (gap of the first
        minus gap of the second), `low`, `high`, `p_value`, `p_adjusted` (Holm).
        """
        rows = comparison.gap_differences(self._measured, self._sample, self.attributes)
        return self._plain(rows, comparison.GAPS)

    @cached_property
    def slices(self) -> Any:
        """Every group against everybody else, worst first: `slice`, `attribute`, `metric`, `value`, `rest`,
        `difference`, `low`, `high`, `p_value`, `q_value` (Benjamini-Hochberg), `users`.
        """
        rows = slices.search(self._sample, self._names)
        return self._table(rows, slices.COLUMNS)

    # Inside ---------------------------------------------------------------------------------------------------

    @cached_property
    def _gaps(self) -> list[Found]:
        """All gaps, in the order of the table; with notes on the way."""
        counted = (len(self.systems) - len(self._references)) * len(self.metrics) * len(self.attributes)
        shuffles = self.settings.shuffles(counted)
        if shuffles > self.settings.n_permutations:
            self.notes.append(Note("permutations_raised", {"permutations": shuffles, "tests": counted}))
        found: dict[tuple[int, int, int, int], Found] = {}
        n_metrics = len(self.metrics)
        for part in self._sample.parts:
            for a, attribute in enumerate(self.attributes):
                compared = compare(self._sample, part, attribute, shuffles)
                self._note_groups(attribute, part.users)
                if isinstance(compared, int):
                    if compared < 2:
                        self._note("single_group", attribute=attribute.name, groups=compared)
                elif compared.left_out[0]:
                    strata_, users = compared.left_out
                    self._note("strata_left_out", attribute=attribute.name, strata=strata_, users=users)
                for place, j in enumerate(part.columns.tolist()):
                    if isinstance(compared, int):
                        smallest = smallest_group(part, attribute)
                        kind, _ = self._primary(j, attribute.name)
                        own = unmeasured(kind)
                    else:
                        smallest = compared.smallest
                        own = gaps(
                            compared,
                            place,
                            part.values[:, place],
                            better(self._names(j)[1]),
                            self._sample.n_strata > 1,
                            self.settings.level,
                        )
                    for index, gap in enumerate(own):
                        key = (j // n_metrics, a, j % n_metrics, index)
                        found[key] = Found(j, attribute.name, smallest, gap)
        return [found[key] for key in sorted(found)]

    def _note_kinds(self) -> None:
        """Say which kinds of the policy have no test, and which are not adjusted for the controls."""
        for attribute in self.attributes:
            for j in range(len(self.metrics)):
                kind, _ = self._primary(j, attribute.name)
                if kind in WITHOUT_TEST:
                    self._note("kind_without_test", attribute=attribute.name, kind=kind)
                if kind != DIFFERENCE and self._sample.n_strata > 1:
                    self._note("kind_unadjusted", attribute=attribute.name, kind=kind)

    def _primary(self, column: int, attribute: str) -> tuple[str, float | None]:
        """Kind of gap that gets the verdict, and its tolerance."""
        metric = self._names(column)[1]
        rule = self._policy.rule(metric, attribute) if self._policy is not None else None
        if rule is not None:
            return rule.kind or DIFFERENCE, rule.tolerance
        return DIFFERENCE, self._tolerances(metric, attribute)

    def _names(self, column: int) -> tuple[str, str]:
        """System and metric of a column."""
        return self.systems[column // len(self.metrics)], self.metrics[column % len(self.metrics)]

    def _note(self, code: str, **values: int | str) -> None:
        note = Note(code, values)
        if note not in self.notes:
            self.notes.append(note)

    def _note_groups(self, attribute: Attribute, users: Any) -> None:
        """Say which known groups are too small."""
        size = np.bincount(attribute.codes[users], minlength=len(attribute.labels))[: attribute.known]
        small = np.flatnonzero((size > 0) & (size < self.settings.min_cell))
        if len(small):
            names = ", ".join(attribute.labels[g] for g in small[:5])
            more = f" and {len(small) - 5} more" if len(small) > 5 else ""
            self._note("small_groups", attribute=attribute.name, groups=len(small), names=names + more)

    def _table(self, rows: list[dict[str, Any]], schema: Mapping[str, Any]) -> Any:
        """Rows as a frame, without the system where there are no systems."""
        columns = {SYSTEM: pl.String, **schema} if self._measured.named else dict(schema)
        return self._plain([{name: row[name] for name in columns} for row in rows], columns)

    def _plain(self, rows: list[dict[str, Any]], schema: Mapping[str, Any]) -> Any:
        """Rows as a frame of the caller's kind."""
        table = pl.DataFrame(rows, schema=dict(schema), orient="row")
        theirs = nw.from_native(self._backend)
        if isinstance(theirs, nw.LazyFrame) or theirs.implementation.is_polars():
            return table
        return nw.from_arrow(table.to_arrow(), backend=theirs.implementation).to_native()
