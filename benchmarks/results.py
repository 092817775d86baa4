"""`RESULTS.md`: one line per row and setting, each written by its own row only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs

from benchmarks.row import Row
from equipoise.statistics import Interval, bootstrap_means, minimum_detectable_difference

RESULTS = Path(__file__).parent / "RESULTS.md"

_HEAD = """# Results

Written by `make bench ROW=name`, one line per setting. Values of several seeds are means over the seeds; intervals
are 95 % bootstrap intervals over users of the seed mean; a gain is paired by user, and "detectable" is what a test of
5 % finds four times in five. Seconds, processor seconds, load
and memory are the largest of a setting; load is the mean number of busy processes, ours among them, when it ended.

| row | setting | protocol | value | seeds | seconds | CPU s | load | peak MiB | machine | versions | date |
|---|---|---|---|---|---|---|---|---|---|---|---|
"""


def write(row: Row, path: Path | None = None) -> list[str]:
    """Replace the lines of what is finished here.

    Other rows stay as they are, and so do settings of this row that were measured elsewhere by the same protocol.
    """
    path = path or RESULTS
    made = {setting: line for setting in row.parts if (line := _line(row, setting))}
    elsewhere = {f"| {row.name} | {name} | {row.protocol} |" for name in row.parts.keys() - made.keys()}
    replaced = (f"| {row.name} |", "| row |")
    present = path.read_text("utf-8").splitlines() if path.exists() else []
    others = [
        line
        for line in present
        if line.startswith("| ") and (not line.startswith(replaced) or line.startswith(tuple(elsewhere)))
    ]
    own = list(made.values())
    draft = path.with_suffix(".draft")
    draft.write_text(_HEAD + "".join(f"{line}\n" for line in sorted([*others, *own])), "utf-8")
    draft.replace(path)
    return own


def _line(row: Row, setting: str) -> str:
    parts = row.finished(setting)
    if not parts:
        return ""
    last: dict[str, Any] = max(parts.values(), key=lambda part: part["date"])
    values = "; ".join(
        [*(_value(row, setting, name, parts) for name in last["values"]), *_gains(row, setting)]
    )
    cells = [
        row.name,
        setting,
        row.protocol,
        values,
        ", ".join(str(seed) for seed in parts),
        f"{max(part['seconds'] for part in parts.values()):.1f}",
        f"{max(part['cpu_seconds'] for part in parts.values()):.1f}",
        f"{max(part['load'] for part in parts.values()):.1f}",
        f"{max(part['peak_mib'] for part in parts.values()):.0f}",
        last["machine"],
        ", ".join(f"{name} {version}" for name, version in last["versions"].items()),
        last["date"],
    ]
    return f"| {' | '.join(cells)} |"


def _value(row: Row, setting: str, name: str, parts: dict[int, dict[str, Any]]) -> str:
    each = [part["values"][name] for part in parts.values()]
    text = f"{name} {_number(float(np.mean(each)))}"
    means = _means(row, setting)
    if name in means.columns:
        interval = bootstrap_means(means[name].drop_nulls().to_numpy())[0]
        text = f"{name} {_told(interval)}"
    if len(each) > 1:
        text += f" (per seed {', '.join(map(_number, each))})"
    return text


def _gains(row: Row, setting: str) -> list[str]:
    """What a setting has over the one it is compared with: how many users, what could be seen, what was seen."""
    base = row.against.get(setting)
    if base is None:
        return []
    own, other = _means(row, setting), _means(row, base)
    found = []
    for name in own.columns:
        if name == "user_id" or name not in other.columns:
            continue
        pairs = own.select("user_id", name).join(other.select("user_id", of=name), on="user_id").drop_nulls()
        difference = (pairs[name] - pairs["of"]).to_numpy()
        interval = bootstrap_means(difference)[0]
        deviation, n = float(difference.std(ddof=1)) if len(pairs) > 1 else 0.0, len(pairs)
        seen = minimum_detectable_difference(deviation, n, 0.0, n)
        share = f" ({interval.value / pairs['of'].mean():+.1%})" if pairs["of"].sum() else ""
        found.append(
            f"{name} over {base}: n {n:,}, detectable {'nothing' if seen is None else _number(seen)}, "
            f"gain {_told(interval, '+')}{share}"
        )
    return found


def _means(row: Row, setting: str) -> pl.DataFrame:
    """Per user, the mean over the seeds; null where a metric does not say anything of a user."""
    frames = row.per_user(setting)
    if not frames:
        return pl.DataFrame({"user_id": []})
    values = cs.numeric() & ~cs.by_name("user_id")
    return pl.concat(frames).group_by("user_id").agg(values.mean()).sort("user_id")


def _told(interval: Interval, sign: str = "") -> str:
    """A value and its bounds, which it has none of where nobody differs."""
    if interval.low is None or interval.high is None:
        return f"{interval.value:{sign}.4f}"
    return f"{interval.value:{sign}.4f} [{interval.low:{sign}.4f}, {interval.high:{sign}.4f}]"


def _number(value: float) -> str:
    """Four digits; counts whole, with their thousands apart."""
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e9 else f"{value:.4g}"
