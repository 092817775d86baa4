"""`RESULTS.md`: one line per row and setting, each written by its own row only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.row import Row
from equipoise.statistics import bootstrap_means

RESULTS = Path(__file__).parent / "RESULTS.md"

_HEAD = """# Results

Written by `make bench ROW=name`, one line per setting. Values of several seeds are means over the seeds; intervals
are 95 % bootstrap intervals over users of the seed mean. Seconds, processor seconds, load
and memory are the largest of a setting; load is the mean number of busy processes, ours among them, when it ended.

| row | setting | protocol | value | seeds | seconds | CPU s | load | peak MiB | machine | versions | date |
|---|---|---|---|---|---|---|---|---|---|---|---|
"""


def write(row: Row, path: Path | None = None) -> list[str]:
    """Replace the row's lines by what is finished; all others stay as they are."""
    path = path or RESULTS
    own = [line for setting in row.parts if (line := _line(row, setting))]
    present = path.read_text("utf-8").splitlines() if path.exists() else []
    others = [
        line
        for line in present
        if line.startswith("| ") and not line.startswith(("| row |", f"| {row.name} |"))
    ]
    draft = path.with_suffix(".draft")
    draft.write_text(_HEAD + "".join(f"{line}\n" for line in sorted([*others, *own])), "utf-8")
    draft.replace(path)
    return own


def _line(row: Row, setting: str) -> str:
    parts = row.finished(setting)
    if not parts:
        return ""
    last: dict[str, Any] = max(parts.values(), key=lambda part: part["date"])
    values = "; ".join(_value(row, setting, name, parts) for name in last["values"])
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
    frames = [frame for frame in row.per_user(setting) if name in frame.columns]
    if frames:
        mean = np.mean([frame.sort("user_id")[name].to_numpy() for frame in frames], axis=0)
        interval = bootstrap_means(mean)[0]
        text = f"{name} {interval.value:.4f} [{interval.low:.4f}, {interval.high:.4f}]"
    if len(each) > 1:
        text += f" (per seed {', '.join(map(_number, each))})"
    return text


def _number(value: float) -> str:
    """Four digits; counts whole, with their thousands apart."""
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e9 else f"{value:.4g}"
