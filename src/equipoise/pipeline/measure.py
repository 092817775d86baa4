"""From lists and held-out events to numbers with intervals: what `metrics.json` holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise import metrics as m
from equipoise.causal.propensity import Diagnostics, weights
from equipoise.component import Runtime
from equipoise.config import AuditSection, Config
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.language import Vectors
from equipoise.pipeline.held_out import held_out
from equipoise.pipeline.prepare import Prepared
from equipoise.pipeline.truth import against_truth
from equipoise.statistics import (
    Interval,
    Reliability,
    bootstrap_means,
    bootstrap_ratio,
    paired_difference,
    reliability,
)

_QUALITY = ("ndcg", "recall", "precision", "hit_rate", "mrr", "map")
_SYSTEM = ("coverage", "gini", "entropy")
_WEIGHTED = ("ndcg", "recall")  # metrics that add up over hits
_WORTH = 100.0  # effective sample size below which weighted metrics are doubted
_CLIP = 10.0  # largest weight of a held-out event, in multiples of the mean weight


@dataclass(frozen=True)
class Measured:
    """What `metrics.json` holds, and what figures are drawn from.

    Attributes:
        metrics: The content of `metrics.json`.
        per_user: One row per stage and user, one column per metric.
        exposure: Stage -> how often each item stands in a list, ascending.
        reliability: Stage -> predicted and observed shares of what was shown; empty where nothing is calibrated.
    """

    metrics: dict[str, Any]
    per_user: pl.DataFrame
    exposure: dict[str, NDArray[np.float64]]
    reliability: dict[str, Reliability]


def truth_of(prepared: Prepared, audit: AuditSection) -> pl.DataFrame:
    """The relevant pairs (user_id, item_id) of the test part, each once.

    Raises:
        DataError: if nothing is left to measure by.
    """
    return _held_out(prepared, audit).select(v.USER, v.ITEM).sort(v.USER, v.ITEM)


def _held_out(prepared: Prepared, audit: AuditSection) -> pl.DataFrame:
    """The relevant events of the test part, each pair once."""
    events = held_out(prepared.test, (prepared.train, prepared.valid), audit).events
    if events.is_empty():
        raise DataError(
            "No held-out event is left to measure by",
            where=f"{len(prepared.test.events)} test events, {len(prepared.test.positives)} of them positive",
            todo="Hold out more, lower [audit] relevant, or set [audit] exclude_seen = false.",
        )
    return events


def measure(
    recommendations: pl.DataFrame,
    prepared: Prepared,
    vectors: Vectors | None,
    config: Config,
    runtime: Runtime,
    cards: Sequence[Mapping[str, Any]] = (),
) -> Measured:
    """Measure every stage on the same held-out users.

    Args:
        recommendations: Lists of all stages, told apart by the column `stage`.
        prepared: The parts; the test part is the truth.
        vectors: Item vectors, in whose space the diversity of lists is measured; None to leave it out.
        config: What to measure, and which corrections acted.
        runtime: Seed of the bootstrap.
        cards: The causal cards of the corrections that rest on propensities.
    """
    audit = config.audit
    truth = truth_of(prepared, audit)
    catalogue = catalogue_of(prepared)
    by_stage = {
        stage: recommendations.filter(pl.col(v.STAGE) == stage).drop(v.STAGE)
        for stage in recommendations[v.STAGE].unique(maintain_order=True)
    }
    values = {stage: _per_user(lists, truth, prepared, vectors, audit) for stage, lists in by_stage.items()}
    names = [column for column in next(iter(values.values())).columns if column != v.USER]
    bins: dict[str, Reliability] = {}
    content: dict[str, Any] = {
        "protocol": _protocol(prepared, audit, truth, catalogue),
        "stages": {}, "system": {}, "groups": {}, "comparison": {}, "calibration": {},
    }  # fmt: skip
    for stage, lists in by_stage.items():
        intervals = _means(values[stage], names, audit, runtime)
        content["stages"][stage] = {name: interval.as_dict() for name, interval in intervals.items()}
        content["system"][stage] = {
            f"{name}@{k}": m.parse_system(f"{name}@{k}")(lists, catalogue)
            for k in audit.k
            for name in _SYSTEM
        }
        content["groups"][stage] = _groups(values[stage], names, prepared.test, audit, runtime)
        if (calibrated := calibration(lists, truth)) is not None:
            content["calibration"][stage] = {"ece": calibrated.error}
            bins[stage] = calibrated
    if audit.weighted and (weighed := _weighted(by_stage, prepared, audit, runtime)) is not None:
        content["weighted"] = weighed
        content["protocol"]["weights"] = weighed["weights"]
    if v.CORRECTED in values:
        content["comparison"] = _comparison(values, names, audit, runtime)
    if cards:
        content["propensities"] = list(cards)
    if prepared.world is not None:
        content["planted"] = against_truth(prepared.world, by_stage, prepared, config, runtime)
    exposure = {stage: m.exposure(lists, catalogue, audit.k[0]) for stage, lists in by_stage.items()}
    stacked = pl.concat([frame.with_columns(pl.lit(stage).alias(v.STAGE)) for stage, frame in values.items()])
    return Measured(content, stacked, exposure, bins)


def catalogue_of(prepared: Prepared) -> pl.DataFrame:
    """All items that models rank: of the training events and the items table."""
    known = [prepared.train.events.select(v.ITEM).drop_nulls()]
    if prepared.train.items is not None:
        known.append(prepared.train.items.select(pl.col(v.ITEM).cast(known[0][v.ITEM].dtype)))
    return pl.concat(known).unique().sort(v.ITEM)


def _per_user(
    lists: pl.DataFrame, truth: pl.DataFrame, prepared: Prepared, vectors: Vectors | None, audit: AuditSection
) -> pl.DataFrame:
    """One row per user of the truth, one column per metric; null where a metric has no value for a user."""
    wanted = {f"{name}@{k}": m.parse(f"{name}@{k}") for k in audit.k for name in _QUALITY}
    table: pl.DataFrame = m.per_user(lists, truth, wanted)
    train = prepared.train.positives.select(v.USER, v.ITEM)
    for k in audit.k:
        described: list[m.Metric] = [m.novelty(k, train), m.mean_popularity(k, train)]
        if vectors is not None and k > 1:
            described.append(m.intra_list_diversity(k, vectors.frame(), "vector"))
        for metric in described:
            column: pl.DataFrame = metric(lists, truth).rename({"value": metric.name})
            table = table.join(column, on=v.USER, how="left", maintain_order="left")
    return table.sort(v.USER)


def _means(
    values: pl.DataFrame, names: list[str], audit: AuditSection, runtime: Runtime
) -> dict[str, Interval]:
    matrix = values.select(names).to_numpy()
    intervals = bootstrap_means(
        matrix, level=audit.level, n_bootstrap=audit.n_bootstrap, seed=runtime.seed, present=~np.isnan(matrix)
    )
    return dict(zip(names, intervals, strict=True))


def _weighted(
    by_stage: Mapping[str, pl.DataFrame], prepared: Prepared, audit: AuditSection, runtime: Runtime
) -> dict[str, Any] | None:
    """Metrics with each held-out event weighted by 1 / propensity, beside the same with equal weights, on the
    events that have one; None where none has.
    """
    events = _held_out(prepared, audit)
    if (found := weighed(events)) is None:
        return None
    truth, diagnostics = found
    wanted = {f"{name}@{k}": m.parse(f"{name}@{k}") for k in audit.k for name in _WEIGHTED}
    told: dict[str, Any] = {
        "weights": f"1 / propensity on {len(truth):,} of {len(events):,} held-out pairs, "
        f"cut at {_CLIP:g} times the mean",
        "notes": weight_notes(events, diagnostics.effective_sample_size),
        "diagnostics": diagnostics.plain(),
        "stages": {},
        "equal": {},
    }
    for stage, lists in by_stage.items():
        for place, rows in (("stages", truth), ("equal", truth.with_columns(pl.lit(1.0).alias("weight")))):
            table = m.weighted_gains(lists, rows, wanted)
            intervals = bootstrap_ratio(
                table.select(*wanted).to_numpy(),
                table.select(f"{name} of" for name in wanted).to_numpy(),
                level=audit.level,
                n_bootstrap=audit.n_bootstrap,
                seed=runtime.seed,
            )
            told[place][stage] = {name: one.as_dict() for name, one in zip(wanted, intervals, strict=True)}
    return told


def weighed(events: pl.DataFrame) -> tuple[pl.DataFrame, Diagnostics] | None:
    """Held-out pairs with the weight of each, 1 / propensity cut at ten times the mean, and what the weights are
    worth.

    Pairs without a propensity are left out. None where no pair has one, or all have 1.
    """
    if v.PROPENSITY not in events.columns:
        return None
    p = pl.col(v.PROPENSITY).cast(pl.Float64)
    known = events.filter((p > 0) & (p <= 1))
    if known.is_empty() or (known[v.PROPENSITY] == 1).all():
        return None
    made = weights(known[v.PROPENSITY].cast(pl.Float64).to_numpy(), clip=_CLIP)
    return known.select(v.USER, v.ITEM, pl.Series("weight", made.values)), made.diagnostics


def weight_notes(events: pl.DataFrame, worth: float) -> list[str]:
    """What a reader of weighted metrics should know: pairs left out, and weights that leave too little."""
    p = pl.col(v.PROPENSITY).cast(pl.Float64)
    missing = len(events.filter(p.is_null()))
    wrong = len(events.filter(p.is_nan() | (p <= 0) | (p > 1)))
    told = []
    if missing:
        told.append(f"{missing:,} held-out pairs have no propensity and are left out.")
    if wrong:
        told.append(
            f"{wrong:,} held-out pairs have a propensity that is no probability in (0, 1]: check the log."
        )
    if worth < _WORTH:
        told.append(
            f"The weighted pairs are worth {worth:,.0f} equally weighted ones, fewer than {_WORTH:g}: do not rely on "
            "these values."
        )
    return told


def _comparison(
    values: Mapping[str, pl.DataFrame], names: list[str], audit: AuditSection, runtime: Runtime
) -> dict[str, Any]:
    """Each metric on the users who have a value for it in both stages."""
    before, after = (values[stage].select(names).to_numpy() for stage in (v.BASELINE, v.CORRECTED))
    present = ~np.isnan(before) & ~np.isnan(after)
    found: dict[str, Any] = {}
    for mask in np.unique(present, axis=1).T:
        columns = np.flatnonzero((present == mask[:, None]).all(axis=0))
        compared = paired_difference(
            after[np.ix_(mask, columns)],
            before[np.ix_(mask, columns)],
            level=audit.level,
            n_bootstrap=audit.n_bootstrap,
            seed=runtime.seed,
        )
        found |= {names[column]: one.as_dict() for column, one in zip(columns, compared, strict=True)}
    return {name: found[name] for name in names}


def _groups(
    values: pl.DataFrame, names: list[str], data: Dataset, audit: AuditSection, runtime: Runtime
) -> dict[str, Any]:
    attributes = data.sensitive if audit.groups is None else audit.groups
    if not attributes or data.users is None:
        return {}
    users = data.users.select(
        pl.col(v.USER).cast(values[v.USER].dtype), *(pl.col(a).cast(pl.String) for a in attributes)
    )
    joined = values.join(users, on=v.USER, how="left", maintain_order="left")
    found: dict[str, Any] = {}
    for attribute in attributes:
        found[attribute] = {}
        for (group,), rows in sorted(
            joined.with_columns(pl.col(attribute).fill_null("(unknown)")).group_by(attribute),
            key=lambda pair: str(pair[0]),
        ):
            intervals = _means(rows, names, audit, runtime)
            found[attribute][str(group)] = {
                name: {**interval.as_dict(), "users": len(rows)} for name, interval in intervals.items()
            }
    return found


def calibration(lists: pl.DataFrame, truth: pl.DataFrame) -> Reliability | None:
    """How far the probabilities of what was shown lie from what held-out users then took."""
    shown = lists.join(truth.select(v.USER).unique(), on=v.USER, how="semi")
    if shown[v.PROBABILITY].null_count() or shown.is_empty():
        return None
    taken = truth.with_columns(pl.lit(1.0).alias("taken"))
    shown = shown.join(taken, on=[v.USER, v.ITEM], how="left", maintain_order="left")
    return reliability(shown[v.PROBABILITY].to_numpy(), shown["taken"].fill_null(0.0).to_numpy())


def _protocol(
    prepared: Prepared, audit: AuditSection, truth: pl.DataFrame, catalogue: pl.DataFrame
) -> dict[str, Any]:
    return {
        **prepared.protocol,
        "k": list(audit.k),
        "candidates": f"all {len(catalogue)} items",
        "seen_items": "filtered" if audit.exclude_seen else "kept",
        "relevant": "every positive event" if audit.relevant is None else f"value >= {audit.relevant:g}",
        "test_users": truth[v.USER].n_unique(),
        "test_pairs": len(truth),
        "level": audit.level,
        "interval": f"bootstrap over users, {audit.n_bootstrap} draws",
    }
