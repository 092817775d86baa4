"""The section of worlds that hold one bias each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.debias_page import words
from benchmarks.debias_page.words import HELPS, HURTS, MISSING, Change
from benchmarks.row import Row
from equipoise.debias import corrections
from equipoise.statistics import Estimate, Interval
from equipoise.worlds import bias_removed

Values = Mapping[str, float]
Parts = Mapping[int, Values]

_TRIVIAL = ("popular", "random", "base")
_COLUMN = {"ratings": "level"}
_AGAINST = {"ratings": "selection"}
_MEANING = {
    "popularity": "Lists favour items that are shown more than the best lists would: standard deviations over items.",
    "position": "Lists favour items that got the good places, in standard deviations.",
    "exposure": "Lists favour what the logger showed this very user, in standard deviations. Re-rankers against "
    "exposure even out the shares of groups of items, which is another thing.",
    "group gap": "Preference NDCG of men minus that of women; the best lists have none.",
    "noise": "Share of places taken by items that bots and clickbait push, beyond what the best lists give them.",
    "ratings": "The model's mean rating of all cells minus the true one, in stars.",
}
"""What the column of bias says, by world."""


@dataclass(frozen=True)
class Line:
    """A method in a world.

    Attributes:
        name: Of the method.
        parts: Values by seed.
        removed: Share of the bias removed; None where it is not judged.
        bias: Of `removed`.
        quality: Of true NDCG@10.
        variety: Of how alike the items of a list are; of methods made against that.
        calibration: Of the error of calibration; of methods made against that.
    """

    name: str
    parts: Parts
    removed: Interval | None = None
    bias: Change = field(default_factory=Change)
    quality: Change = field(default_factory=Change)
    variety: Change = field(default_factory=Change)
    calibration: Change = field(default_factory=Change)


def section(row: Row) -> Iterable[str]:
    """What to try first, then one table per world and backbone."""
    found = _found(row)
    lines = {key: _lines(key[0], methods) for key, methods in found.items()}
    yield (
        "Bias removed: 1 - |bias with it| / |bias of the base|, paired by world; below 0 the bias grew, or was turned "
        "round by more than it was. It is blank for methods that are not made against the world's bias. Difference: of "
        "true NDCG@10 to the base. Agreement: rank correlation of all scores with true preference. Same category: how "
        "likely two items of a list are of one category. The worlds' seeds are not the one on which fields were "
        "chosen (seed 0, scored nowhere here); where a method's fields are no defaults, they favour it.\n"
    )
    yield "### Which to try first\n"
    yield from words.table(
        ("bias", "backbone", "helps against it, quality not hurt", "helps, at the cost of quality",
         "made against it, not shown to help"),
        [_first(world, backbone, of_world) for (world, backbone), of_world in lines.items()
         if any(line.removed is not None for line in of_world)],
    )  # fmt: skip
    yield (
        "In brackets the share of the bias removed. Lists that are all alike and probabilities that mean nothing have "
        "columns of their own below (for variety, for calibration); gender on real data stands under ML-1M.\n"
    )
    for (world, backbone), of_world in lines.items():
        yield f"### {world}, {backbone}\n"
        yield f"{_MEANING.get(world, '')}\n"
        if not found[world, backbone].get("base"):
            yield f"{MISSING.capitalize()}.\n"
            continue
        yield from _table(world, of_world)


def _found(row: Row) -> dict[tuple[str, str], dict[str, Parts]]:
    found: dict[tuple[str, str], dict[str, Parts]] = {}
    for setting in row.parts:
        world, method, backbone = setting.split(", ")
        parts = {seed: part["values"] for seed, part in row.finished(setting).items()}
        found.setdefault((world, backbone), {})[method] = parts
    return found


def _lines(world: str, methods: Mapping[str, Parts]) -> list[Line]:
    """Trivial ones first."""
    base = methods.get("base", {})
    first = [name for name in _TRIVIAL if name in methods]
    rest = [name for name in methods if name not in _TRIVIAL]
    return [
        *(Line(name, methods[name]) for name in first),
        *(_line(n, methods[n], base, world) for n in rest),
    ]


def _line(name: str, parts: Parts, base: Parts, world: str) -> Line:
    both = [seed for seed in parts if seed in base]
    if not both:
        return Line(name, parts)
    own, its = ([values[seed] for seed in both] for values in (parts, base))
    against = corrections.build(name.split()[0], {}).against
    column, removed, bias = _COLUMN.get(world, world), None, Change()
    if _AGAINST.get(world, world) in against and column in own[0]:
        before, after = ([one[column] for one in side] for side in (its, own))
        removed = bias_removed(before, after)
        bias = Change(removed, _p_value(before, after))
    variety, calibration = Change(), Change()
    if "monotony" in against:
        variety = _difference([one["same category"] for one in own], [one["same category"] for one in its])
    if "calibration" in against and (asked := [one for one in own if "ECE" in one]):
        calibration = _difference([one["ECE"] for one in asked], [one["ECE before"] for one in asked])
    quality = _difference([one["NDCG@10"] for one in own], [one["NDCG@10"] for one in its])
    return Line(name, parts, removed, bias, quality, variety.turned(), calibration.turned())


def _difference(after: Sequence[float], before: Sequence[float]) -> Change:
    """Over worlds."""
    gaps = np.array(after) - np.array(before)
    found = Estimate(float(gaps.mean()), gaps - gaps.mean())
    return Change(found.interval(), found.p_value())


def _p_value(before: Sequence[float], after: Sequence[float]) -> float | None:
    """Of the bias being as large as it was, in either direction: the nearest of the ratios 1 and -1."""
    base, other = np.array(before), np.array(after)
    ratio = other.mean() / base.mean()
    found = Estimate(float(ratio), (other - ratio * base) / base.mean())
    p_values = [p for p in (found.p_value(1.0), found.p_value(-1.0)) if p is not None]
    return max(p_values) if p_values else None


def _first(world: str, backbone: str, lines: Sequence[Line]) -> list[str]:
    """Methods by what they do to the world's bias, the most removed first."""
    said = zip(
        lines,
        words.verdicts([line.bias for line in lines]),
        words.verdicts([line.quality for line in lines]),
        strict=True,
    )
    judged = [(line, bias, quality) for line, bias, quality in said if line.removed is not None]
    judged.sort(key=lambda one: -(one[0].removed.value or 0.0))  # type: ignore[union-attr]

    def names(wanted: list[Line]) -> str:
        return ", ".join(f"{line.name} ({_share(line)})" for line in wanted)

    return [
        world,
        backbone,
        names([line for line, bias, quality in judged if bias == HELPS and quality != HURTS]),
        names([line for line, bias, quality in judged if bias == HELPS and quality == HURTS]),
        names([line for line, bias, _ in judged if bias != HELPS]),
    ]


def _share(line: Line) -> str:
    if line.removed is None or line.removed.value is None:
        return "no bias that can be told from none"
    few = "" if line.bias.judged else ", too few worlds to say"
    return f"{words.number(line.removed.value, 2)}{few}"


def _table(world: str, lines: Sequence[Line]) -> Iterable[str]:
    bias, quality, variety, calibration = (
        words.verdicts([getattr(line, name) for line in lines])
        for name in ("bias", "quality", "variety", "calibration")
    )
    varied = any(line.variety.judged for line in lines)
    calibrated = any(line.calibration.judged for line in lines)
    cells = []
    for place, line in enumerate(lines):
        if not line.parts:
            cells.append([line.name, MISSING])
            continue
        cells.append([
            line.name,
            bias[place],
            _removed(line.removed),
            _mean(line, _COLUMN.get(world, world), brackets=True),
            _mean(line, "NDCG@10"),
            words.interval(line.quality.interval, 3),
            quality[place],
            *([_mean(line, "MSE", brackets=True)] if world == "ratings" else []),
            _mean(line, "agreement"),
            *([] if world == "group gap" else [_mean(line, "group gap")]),
            _mean(line, "same category"),
            *([words.interval(line.variety.turned().interval, 3), variety[place]] if varied else []),
            *([_mean(line, "ECE before", 4), _mean(line, "ECE", 4), calibration[place]] if calibrated else []),
            _mean(line, "Gini"),
            _mean(line, "coverage"),
            _mean(line, "training CPU s", 1),
            _mean(line, "ms per list"),
            str(len(line.parts)),
        ])  # fmt: skip
    yield from words.table(
        ("method", "against the bias", "bias removed", "bias", "true NDCG@10", "difference", "for quality",
         *(["MSE"] if world == "ratings" else []), "agreement with the do-value",
         *([] if world == "group gap" else ["group gap"]), "same category",
         *(["change", "for variety"] if varied else []),
         *(["ECE without", "ECE with", "for calibration"] if calibrated else []),
         "Gini", "coverage", "training CPU s", "ms per list", "worlds"),
        cells,
    )  # fmt: skip
    if varied:
        yield from _on_variety(lines)
    if calibrated:
        yield (
            "ECE: expected calibration error of the probabilities in pools of 100, on days lived once more that "
            "neither curve was fitted on; without: one curve for all.\n"
        )


def _on_variety(lines: Sequence[Line]) -> Iterable[str]:
    """Whether there is too little variety at all."""
    name = "same category of the best lists"
    best = [values[name] for line in lines for values in line.parts.values() if name in values]
    base = [
        values["same category"] for line in lines if line.name == "base" for values in line.parts.values()
    ]
    if best and base:
        word = "less" if np.mean(base) < np.mean(best) else "more"
        yield (
            f"For variety compares with the base's lists. The best lists by true preference have {np.mean(best):.3f} "
            f"of the same category: the base's are {word} alike than taste asks for"
            f"{', so that more variety serves no taste here' if word == 'less' else ''}.\n"
        )


def _removed(removed: Interval | None) -> str:
    if removed is None:
        return ""
    return "the base's bias cannot be told from none" if removed.value is None else words.interval(removed, 2)


def _mean(line: Line, name: str, digits: int = 3, *, brackets: bool = False) -> str:
    values = np.array([one[name] for one in line.parts.values() if name in one])
    if not len(values):
        return ""
    mean = float(values.mean())
    return (
        words.interval(Estimate(mean, values - mean).interval(), digits)
        if brackets
        else words.number(mean, digits)
    )
