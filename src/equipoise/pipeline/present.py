"""What a run found, laid out for the page that a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from equipoise.component import Runtime
from equipoise.config import Config
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.data.ratings import middle, ratings
from equipoise.pipeline.encode import shortfalls
from equipoise.pipeline.measure import Measured, truth_of
from equipoise.pipeline.origins import told
from equipoise.pipeline.prepare import Prepared
from equipoise.report import Recommended, RunReport, Sample, render

_SAMPLES = 4
_SHOWN = 8  # places of a sample list
_FEW_USERS = 100
_LOW = 0.05  # of ratings, from which on it is told that low ones count as taste
_LITTLE_LEFT = 0.2  # effective share of the events below which weighting is mostly noise


def present(
    config: Config, manifest: Mapping[str, Any], measured: Measured, lists: pl.DataFrame, prepared: Prepared
) -> str:
    """The page as HTML."""
    return render(
        RunReport(
            name=config.name,
            metrics=measured.metrics,
            manifest=manifest,
            config=config.to_toml(),
            command=f"equipoise run config.toml --seed {config.seed}",
            account=prepared.train.account,
            exposure={stage: counts.tolist() for stage, counts in measured.exposure.items()},
            reliability=measured.reliability,
            samples=_samples(lists, prepared, truth_of(prepared, config.audit), Runtime(seed=config.seed)),
            warnings=[
                *_warnings(config, manifest, measured.metrics),
                *_low_ratings(prepared.train.positives),
            ],
        ),
        lang=config.report.lang,
    )


def _low_ratings(events: pl.DataFrame) -> list[str]:
    """That many ratings say rather the opposite of taste, which they count as."""
    values = ratings(events)[v.VALUE]
    centre = middle(values)
    if centre is None or (low := int((values < centre).sum())) <= _LOW * len(values):
        return []
    return [
        f"{low:,} of {len(values):,} ratings in training lie below {centre:g}, the middle of the scale, and count as "
        "taste like the others; [clean] value_min leaves them out."
    ]


def _samples(lists: pl.DataFrame, prepared: Prepared, truth: pl.DataFrame, runtime: Runtime) -> list[Sample]:
    """Lists of a few users, drawn by the seed and not chosen."""
    users = truth[v.USER].unique().sort()
    drawn = runtime.rng("samples").choice(len(users), min(_SAMPLES, len(users)), replace=False)
    chosen = users.gather(sorted(drawn))
    titles = _titles(prepared.train)
    taken = set(truth.filter(pl.col(v.USER).is_in(chosen.implode())).iter_rows())
    past = pl.concat([part.positives.select(v.USER, v.ITEM) for part in (prepared.train, prepared.valid)])
    shown = lists.filter(pl.col(v.USER).is_in(chosen.implode()) & (pl.col(v.RANK) <= _SHOWN))
    samples = []
    for user in chosen:
        rows = shown.filter(pl.col(v.USER) == user)
        history = past.filter(pl.col(v.USER) == user)[v.ITEM].tail(_SHOWN).reverse()
        samples.append(
            Sample(
                str(user),
                {
                    stage: [_line(row, titles, taken) for row in part.sort(v.RANK).iter_rows(named=True)]
                    for (stage,), part in rows.group_by(v.STAGE, maintain_order=True)
                },
                [titles.get(item, str(item)) for item in history],
            )
        )
    return samples


def _line(row: Mapping[str, Any], titles: Mapping[Any, str], taken: set[tuple[Any, ...]]) -> Recommended:
    return Recommended(
        rank=row[v.RANK],
        item=str(row[v.ITEM]),
        title=titles.get(row[v.ITEM]),
        probability=row[v.PROBABILITY],
        cold=row[v.COLD],
        taken=(row[v.USER], row[v.ITEM]) in taken,
    )


def _titles(data: Dataset) -> dict[Any, str]:
    """What items are called: the first text column."""
    if data.items is None or not data.text:
        return {}
    column = data.text[0]
    named = data.items.filter(pl.col(column).is_not_null())
    return dict(zip(named[v.ITEM].to_list(), named[column].cast(pl.String).to_list(), strict=True))


def _warnings(config: Config, manifest: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[str]:
    """What a reader must know before believing a number."""
    found = [
        f"{stage.removeprefix('train ')}: {facts['uncalibrated']}"
        for stage, facts in manifest["stages"].items()
        if "uncalibrated" in facts
    ]
    for stage in (
        "encode",
        f"train {v.BASELINE}",
    ):  # a model may read the images that an encoder read before it
        said = shortfalls(manifest["stages"].get(stage, {}).get("modalities", ()))
        found += [line for line in said if line not in found]
    found += told(manifest["stages"].get(f"train {v.BASELINE}", {}).get("origins", ()))
    users = metrics["protocol"]["test_users"]
    if users < _FEW_USERS:
        found.append(f"Only {users} users have held-out events; intervals are wide.")
    for method, facts in manifest["stages"].get("train corrected", {}).items():
        weights = facts.get("weights", {}) if isinstance(facts, dict) else {}
        if weights.get("share_clipped"):
            found.append(f"{method}: {weights['share_clipped']:.1%} of the weights were clipped.")
        if weights.get("effective_share", 1.0) < _LITTLE_LEFT:
            left = weights["effective_share"]
            found.append(
                f"{method}: the weighted events tell as much as {left:.0%} of them unweighted would."
            )
    if config.split.strategy != "temporal":
        found.append(
            f"The split '{config.split.strategy}' lets training see events later than some held-out ones; "
            "prefer 'temporal' where there are timestamps."
        )
    return found
