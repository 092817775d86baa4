"""`python -m benchmarks.debias`: puts the corrections side by side from what the rows have measured, into DEBIAS.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.registry import ROWS
from benchmarks.row import Row
from equipoise.statistics import Estimate, Interval, bootstrap_difference, bootstrap_means, paired_difference
from equipoise.worlds import bias_removed

PAGE = Path(__file__).parent / "DEBIAS.md"
_MISSING = "not measured"
_HELPS, _HURTS, _NEITHER = "helps", "hurts", "does not help"

_HEAD = """# Which correction helps, and what it costs

Made by `python -m benchmarks.debias` from what `make bench ROW=debias-worlds` (`debias-coat`, `debias-schnabel`,
`debias-ml1m`) has measured; the protocol of each section stands above its table, the trivial rows first in it. Brackets
hold 95 % intervals. *helps*, *does not help* and *hurts* are said by the paired interval of the difference to the
model without a correction, which lies wholly on the better side of nothing, on both, or wholly on the worse. A
correction that helps in a world made for it need not help on your data: `equipoise debias` measures there.
"""


def page(rows: Mapping[str, Row] = ROWS) -> str:
    """The whole page."""
    sections = (_worlds, _coat, _schnabel, _ml1m)
    names = ("debias-worlds", "debias-coat", "debias-schnabel", "debias-ml1m")
    titles = (
        "Worlds with one planted bias each",
        "Coat: ratings that users chose to give, judged on random ones",
        "Which estimator ranks models rightly",
        "ML-1M: gender",
    )
    parts = [_HEAD]
    for section, name, title in zip(sections, names, titles, strict=True):
        parts.append(f"\n## {title}\n")
        if name not in rows:
            parts.append(f"{_MISSING.capitalize()}.\n")
            continue
        row = rows[name]
        parts.append(f"{_sentence(row.protocol)} Asked for: {(row.target or 'nothing').rstrip('.')}.\n")
        parts.extend(section(row))
    return "\n".join(parts) + "\n"


# Worlds -----------------------------------------------------------------------------------------------------------

_OF_WORLD = {"ratings": "level"}
_MEANING = {
    "popularity": "Lists favour items that are shown more than the best lists would: standard deviations over items.",
    "position": "Lists favour items that got the good places, in standard deviations.",
    "exposure": "Lists favour what the logger showed this very user, in standard deviations.",
    "group gap": "Preference NDCG of men minus that of women; the best lists have none.",
    "noise": "Share of places taken by items that bots and clickbait push, beyond what the best lists give them.",
    "ratings": "The model's mean rating of all cells minus the true one, in stars.",
}
"""What the column of bias says, by world."""


def _worlds(row: Row) -> Iterable[str]:
    """One table per world and backbone."""
    found: dict[tuple[str, str], dict[str, dict[int, dict[str, float]]]] = {}
    for setting in row.parts:
        world, method, backbone = setting.split(", ")
        parts = {seed: part["values"] for seed, part in row.finished(setting).items()}
        found.setdefault((world, backbone), {})[method] = parts
    yield (
        "Bias removed: 1 - |bias with it| / |bias of the base|, paired by world. Agreement: rank correlation of all "
        "scores with true preference. Same category: how likely two items of a list are of one category.\n"
    )
    for (world, backbone), methods in found.items():
        base = methods.get("base", {})
        yield f"### {world}, {backbone}\n"
        yield f"{_MEANING.get(world, '')}\n"
        if not base:
            yield f"{_MISSING.capitalize()}.\n"
            continue
        names = ("popular", "random", "base")
        ordered = [name for name in names if name in methods] + [
            name for name in methods if name not in names
        ]
        yield from _table(
            ("method", "against the bias", "bias removed", "bias", "true NDCG@10", "difference", "for quality",
             *(["MSE"] if world == "ratings" else []), "agreement with the do-value", "group gap", "same category",
             "Gini", "coverage", "training CPU s", "ms per list", "worlds"),
            [_world_line(name, methods[name], base, world) for name in ordered],
        )  # fmt: skip


def _world_line(
    method: str, parts: Mapping[int, Mapping[str, float]], base: Mapping[int, Mapping[str, float]], world: str
) -> list[str]:
    if not parts:
        return [method, _MISSING]
    bias = _OF_WORLD.get(world, world)
    both = [seed for seed in parts if seed in base]
    own, its = ([values[seed] for seed in both] for values in (parts, base))

    def paired(name: str) -> Interval:
        differences = np.array([one[name] - other[name] for one, other in zip(own, its, strict=True)])
        return Estimate(float(differences.mean()), differences - differences.mean()).interval()

    def mean(name: str, digits: int = 3) -> str:
        values = [one[name] for one in parts.values() if name in one]
        return _number(float(np.mean(values)), digits) if values else ""

    judged = method not in ("base", "popular", "random") and bool(both)
    removed = None
    if judged and bias in own[0]:
        removed = bias_removed([one[bias] for one in its], [one[bias] for one in own])
    quality = paired("NDCG@10") if method != "base" and both else None
    return [
        method,
        _verdict(removed) if removed else "",
        "no bias to remove" if removed and removed.value is None else _interval(removed, 2),
        mean(bias),
        mean("NDCG@10"),
        _interval(quality, 3),
        _verdict(quality) if quality and judged else "",
        *([mean("MSE")] if world == "ratings" else []),
        mean("agreement"),
        mean("group gap"),
        mean("same category"),
        mean("Gini"),
        mean("coverage"),
        mean("training CPU s", 1),
        mean("ms per list"),
        str(len(parts)),
    ]


# Coat -------------------------------------------------------------------------------------------------------------

_COAT = {"MSE": False, "MAE": False, "per-user AUC": True, "NDCG@5": True}
"""Columns, and whether more is better."""


def _coat(row: Row) -> Iterable[str]:
    """Rating errors and ranking, against the tuned factorisation."""
    tables = {setting: row.per_user(setting) for setting in row.parts}
    means = [setting for setting in row.parts if "mean" in setting and setting != "mean rating"]
    reference = next((setting for setting in ("MF", "biased MF", "base") if tables.get(setting)), None)
    if bias := row.finished("mean rating") if "mean rating" in row.parts else {}:
        values = next(iter(bias.values()))["values"]
        yield from _table(
            ("estimate of the mean rating", "value", "bias removed %"),
            [
                [name, _number(values[name], 3), _number(values.get(f"{name} removes %"), 0)]
                for name in values
                if not name.endswith("%") and name != "bias"
            ],
        )
    lines = []
    for setting in [*means, *(name for name in row.parts if name not in (*means, "mean rating"))]:
        parts = row.finished(setting)
        if not parts:
            lines.append([setting, _MISSING])
            continue
        line = [setting]
        for name, rising in _COAT.items():
            compared = None
            if reference and setting != reference:
                compared = _of_users(tables[setting], tables[reference], name)
            line += [_seeds(parts, name), _verdict(compared, rising) if compared else ""]
        line += [
            _seeds(parts, "AUC"),
            _seeds(parts, "MSE with overlap"),
            _seeds(parts, "MAE with overlap"),
            str(len(parts)),
        ]
        lines.append(line)
    columns = [cell for name in _COAT for cell in (name, "")]
    yield from _table(("method", *columns, "AUC", "MSE with overlap", "MAE with overlap", "seeds"), lines)
    yield f"Verdicts are against {reference or 'the tuned factorisation (not measured)'}, every user counting alike.\n"


_USER_COLUMNS = {"MSE": "squared", "MAE": "absolute", "per-user AUC": "AUC of user", "NDCG@5": "NDCG of user"}


def _of_users(tables: Sequence[pl.DataFrame], others: Sequence[pl.DataFrame], name: str) -> Interval | None:
    """Paired difference over users of the means over the seeds that both have."""
    column, n = _USER_COLUMNS[name], min(len(tables), len(others))
    if not n or any(column not in frame.columns for frame in (*tables[:n], *others[:n])):
        return None
    sides = []
    for frames in (tables[:n], others[:n]):
        whole = pl.concat(frames)
        value = pl.col(column) / pl.col("cells") if name in ("MSE", "MAE") else pl.col(column)
        sides.append(whole.group_by("user_id").agg(value.fill_nan(None).mean().alias("value")))
    both = sides[0].join(sides[1], on="user_id", suffix="_other").drop_nulls().sort("user_id")
    if len(both) < 2:
        return None
    return paired_difference(both["value"].to_numpy(), both["value_other"].to_numpy())[0].interval


# Schnabel ---------------------------------------------------------------------------------------------------------


def _schnabel(row: Row) -> Iterable[str]:
    """Estimators of the error of five models."""
    for setting in row.parts:
        yield f"### {setting}\n"
        parts = row.finished(setting)
        if not parts:
            yield f"{_MISSING.capitalize()}.\n"
            continue
        names = list(next(iter(parts.values()))["values"])
        models = list(dict.fromkeys(name.split(": ")[0] for name in names if ": " in name))
        estimators = list(dict.fromkeys(name.split(": ")[1] for name in names if ": " in name))
        yield from _table(
            ("estimator", *models, "rank correlation with the truth", "right order %"),
            [
                [one, *(_seeds(parts, f"{model}: {one}") for model in models),
                 _seeds(parts, f"rank correlation of {one}"), _seeds(parts, f"right order % by {one}", 0)]
                for one in estimators
            ],
        )  # fmt: skip


# ML-1M ------------------------------------------------------------------------------------------------------------


def _ml1m(row: Row) -> Iterable[str]:
    """One table for each backbone and split: quality, its gap, and what still tells gender."""
    settings = list(row.parts)
    plain = [setting for setting in settings if " " not in setting]
    backbones = list(dict.fromkeys(setting.split(" ")[0] for setting in settings if " " in setting))
    for backbone in backbones:
        for last in (False, True):
            end = ", last event held out" if last else ""
            mine = [
                s
                for s in settings
                if s.startswith(f"{backbone} ") and s.endswith(", last event held out") == last
            ]
            base = f"{backbone} none{end}"
            if not mine:
                continue
            yield f"### {backbone}{end}\n"
            lines = [_ml1m_line(row, name, base) for name in ([] if last else plain) + mine]
            yield from _table(
                ("method", "NDCG@10", "change %", "", "gap men - women", "gap's change", "", "gender from vectors",
                 "gender from lists", "Gini", "coverage", "training s", "ms per user", "seeds"),
                lines,
            )  # fmt: skip


def _ml1m_line(row: Row, setting: str, base: str) -> list[str]:
    parts, frames = row.finished(setting), row.per_user(setting)
    name = setting.partition(" ")[2].removesuffix(", last event held out") or setting
    if not parts:
        return [name, _MISSING]
    own = _per_user(frames)
    change, gap_change = None, None
    reference = row.per_user(base) if base in row.parts else []
    if setting != base and reference and own is not None and " " in setting:
        n = min(len(frames), len(reference))
        mine, its = _per_user(frames[:n]), _per_user(reference[:n])
        assert mine is not None
        assert its is not None
        both = mine.join(its.select("user_id", other="NDCG@10"), on="user_id").sort("user_id")
        compared = paired_difference(both["NDCG@10"].to_numpy(), both["other"].to_numpy())[0].interval
        whole = float(both["other"].to_numpy().mean())
        change = compared.through(lambda value: 100 * value / whole)
        moved = both.with_columns((pl.col("NDCG@10") - pl.col("other")).alias("moved"))
        men, women = (moved.filter(pl.col("gender") == sex)["moved"].to_numpy() for sex in ("M", "F"))
        gap_change = bootstrap_difference(men, women)[0]
    gap = None
    if own is not None:
        gap = bootstrap_difference(
            *(own.filter(pl.col("gender") == sex)["NDCG@10"].to_numpy() for sex in ("M", "F"))
        )[0]
    wider = (
        gap is not None and gap.value is not None and gap_change is not None and gap_change.value is not None
    )
    favoured = wider and gap.value - gap_change.value >= 0  # type: ignore[operator,union-attr]
    return [
        name,
        _interval(bootstrap_means(own["NDCG@10"].to_numpy())[0], 4)
        if own is not None
        else _seeds(parts, "NDCG@10", 4),
        _interval(change, 1),
        _verdict(change) if change else "",
        _interval(gap, 4) if gap else _seeds(parts, "gap", 4),
        _interval(gap_change, 4),
        _verdict(gap_change, not favoured) if gap_change else "",
        _seeds(parts, "vectors balanced_accuracy"),
        _seeds(parts, "lists balanced_accuracy"),
        _seeds(parts, "gini@10"),
        _seeds(parts, "coverage@10"),
        _seeds(parts, "training s", 0),
        _seeds(parts, "ms/user"),
        str(len(parts)),
    ]


def _per_user(frames: Sequence[pl.DataFrame]) -> pl.DataFrame | None:
    """Means over seeds of each user, with gender."""
    if not frames or "gender" not in frames[0].columns:
        return None
    return (
        pl.concat(frames)
        .group_by("user_id")
        .agg(pl.col("NDCG@10").mean(), pl.col("gender").first())
        .sort("user_id")
    )


# Words and numbers ------------------------------------------------------------------------------------------------


def _verdict(interval: Interval | None, rising: bool = True) -> str:
    """What an interval of a difference says, where more (or less) is better."""
    if interval is None or interval.value is None:
        return ""
    if interval.low is None or interval.high is None:
        return "too few to say"
    better, worse = interval.low > 0, interval.high < 0
    if not rising:
        better, worse = worse, better
    return _HELPS if better else _HURTS if worse else _NEITHER


def _interval(interval: Interval | None, digits: int) -> str:
    if interval is None or interval.value is None:
        return ""
    value = _number(interval.value, digits)
    if interval.low is None or interval.high is None:
        return value
    return f"{value} [{_number(interval.low, digits)}, {_number(interval.high, digits)}]"


def _seeds(parts: Mapping[int, Mapping[str, Any]], name: str, digits: int = 3) -> str:
    """Mean over seeds."""
    values = [part["values"][name] for part in parts.values() if part["values"].get(name) is not None]
    return _number(float(np.mean(values)), digits) if values else ""


def _number(value: float | None, digits: int) -> str:
    if value is None or not np.isfinite(value):
        return ""
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _table(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterable[str]:
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for line in lines:
        yield f"| {' | '.join([*line, *[''] * (len(columns) - len(line))])} |"
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(PAGE)
