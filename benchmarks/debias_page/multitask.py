"""The section of side tasks: each set of them beside the single task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from benchmarks.debias_page import words
from benchmarks.debias_page.words import MISSING, Change
from benchmarks.row import Row
from benchmarks.rows.debias_multitask import GROUPS, REVIEWS, SINGLE
from equipoise.data import vocabulary as v
from equipoise.statistics import Estimate, bootstrap_difference, paired_difference

_QUALITY = "NDCG@10"
_NOTE = """`all tasks` are those that the data have labels for and whose labels go with users and items more than labels
dealt out at random; `unchecked` learns all of them in any case. Entities that by themselves go with nobody are not
learned. `by gradients` and `alike` are other balances than `uncertainty`. `attributes` is the simple other way to use
what is known of items: factors for categories and styles. Sentiment and entities are looked up in lists of words; of
the planted entities 15 % are missed.
"""


def section(row: Row) -> Iterable[str]:
    """One table per data set and backbone."""
    yield _NOTE
    tables: dict[str, list[str]] = {}
    for setting in row.parts:
        tables.setdefault(setting.rpartition(", ")[0], []).append(setting)
    for title, settings in tables.items():
        where = title.partition(",")[0]
        by, one, other = GROUPS[where]
        over = "users, means over seeds" if where == REVIEWS else "worlds"
        yield f"### {title}\n"
        yield f"Differences are to the single task, over {over}; the gap is by {by}: {one} minus {other}.\n"
        yield from _table(row, settings, (one, other) if where == REVIEWS else None)


def _table(row: Row, settings: Sequence[str], groups: Sequence[str] | None) -> Iterable[str]:
    """Paired by user where groups are named, else by world."""
    parts = {setting: row.finished(setting) for setting in settings}
    single = next(setting for setting in settings if setting.endswith(SINGLE))
    others = [setting for setting in settings if setting != single]
    quality = {
        setting: _over_users(*_of_both(row, setting, single))
        if groups
        else _over_worlds(parts[setting], parts[single], _QUALITY)
        for setting in others
    }
    said = dict(zip(others, words.verdicts([quality[setting] for setting in others]), strict=True))
    lines = []
    for setting in settings:
        name = setting.rpartition(", ")[2]
        if not parts[setting]:
            lines.append([name, MISSING])
            continue
        gap = Change()
        if setting != single:
            gap = (
                _gap_over_users(*_of_both(row, setting, single), groups)
                if groups
                else _over_worlds(parts[setting], parts[single], "gap")
            )
        lines.append([
            name,
            words.seeds(parts[setting], _QUALITY, 4),
            words.interval(quality[setting].interval, 4) if setting in quality else "",
            said.get(setting, ""),
            words.seeds(parts[setting], "gap", 4),
            words.interval(gap.interval, 4),
            words.seeds(parts[setting], "training CPU s", 1),
            str(len(parts[setting])),
        ])  # fmt: skip
    yield from words.table(
        (
            "tasks",
            _QUALITY,
            "difference",
            "for quality",
            "gap",
            "change of the gap",
            "training CPU s",
            "seeds",
        ),
        lines,
    )


def _over_worlds(
    parts: Mapping[int, Mapping[str, Any]], single: Mapping[int, Mapping[str, Any]], name: str
) -> Change:
    """Paired by seed."""
    both = [seed for seed in parts if seed in single]
    if not both:
        return Change()
    gains = np.array([parts[seed]["values"][name] - single[seed]["values"][name] for seed in both])
    found = Estimate(float(gains.mean()), gains - gains.mean())
    return Change(found.interval(), found.p_value())


def _of_both(row: Row, setting: str, single: str) -> tuple[list[pl.DataFrame], list[pl.DataFrame]]:
    """Values per user of two settings, of the seeds that are finished of both."""
    one, two = (dict(zip(row.finished(part), row.per_user(part), strict=True)) for part in (setting, single))
    both = [seed for seed in one if seed in two]
    return [one[seed] for seed in both], [two[seed] for seed in both]


def _changes(frames: Sequence[pl.DataFrame], single: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Quality with and without side tasks, by user, means over seeds: `user_id`, `group`, `own`, `its`."""
    own, its = (
        pl.concat(side).group_by(v.USER, "group").agg(pl.col(_QUALITY).mean().alias(name))
        for side, name in ((frames, "own"), (single, "its"))
    )
    return own.join(its.drop("group"), on=v.USER).sort(v.USER)


def _over_users(frames: Sequence[pl.DataFrame], single: Sequence[pl.DataFrame]) -> Change:
    """Paired by user."""
    if not frames or not single:
        return Change()
    both = _changes(frames, single)
    (found,) = paired_difference(both["own"].to_numpy(), both["its"].to_numpy())
    return Change(found.interval, found.p_value)


def _gap_over_users(
    frames: Sequence[pl.DataFrame], single: Sequence[pl.DataFrame], groups: Sequence[str]
) -> Change:
    """What one group gains more than the other; users are drawn within groups."""
    if not frames or not single:
        return Change()
    gains = _changes(frames, single).with_columns(gain=pl.col("own") - pl.col("its"))
    one, other = (gains.filter(pl.col("group") == name)["gain"].to_numpy() for name in groups)
    return Change(bootstrap_difference(one, other)[0])
