"""`python -m benchmarks.coverage`: draws the maps of coverage from what the rows have measured, into COVERAGE.md."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.registry import ROWS

COVERAGE = Path(__file__).parent / "COVERAGE.md"

_HEAD = """# Coverage of 95 % intervals

Each cell is 500 planted worlds (`make bench ROW=policy-coverage`, `ROW=effect-coverage`; this page:
`python -m benchmarks.coverage`). A number is the share, in per cent, of believed intervals that cover the truth; in
brackets how many worlds were believed, where not all were. *Doubt* says that fewer than 30 worlds were believed, and
how often the others would have covered had one believed them anyway; refused worlds give no interval. **Bold** lies
outside 93-97 by more than two Monte-Carlo standard errors.
"""


@dataclass(frozen=True)
class Cell:
    """What was measured in one cell, in worlds and shares; None where nothing was."""

    believed: int
    covers: float | None
    doubted: float | None
    refused: float

    def __str__(self) -> str:
        if self.believed >= 30 and self.covers is not None:
            error = math.sqrt(0.95 * 0.05 / self.believed)
            inside = 0.93 - 2 * error <= self.covers <= 0.97 + 2 * error
            number = f"{100 * self.covers:.1f}" if inside else f"**{100 * self.covers:.1f}**"
            return number if self.believed >= 495 else f"{number} ({self.believed})"
        if self.doubted is None or self.refused > 0.9:
            return "refused"
        return f"*doubt, {100 * self.doubted:.0f}*"


def effect_cells() -> dict[str, dict[tuple[str, str], dict[str, Cell]]]:
    """By method, by overlap and n, by rate."""
    found: dict[str, dict[tuple[str, str], dict[str, Cell]]] = {}
    for setting, part in _parts("effect-coverage"):
        method, overlap = setting.split(", ", 1)
        for place, told in part["notes"].items():
            n, rate = re.fullmatch(r"n (\d+) at ([\d.]+)%", place).groups()  # type: ignore[union-attr]
            covers = part["values"].get(f"{place}: covers %")
            cell = Cell(
                told["believed"],
                None if covers is None else covers / 100,
                told["covers where in doubt"],
                told["refused"] / told["worlds"],
            )
            found.setdefault(method, {}).setdefault((overlap, n), {})[f"{float(rate):g} %"] = cell
    return found


def policy_cells() -> dict[str, dict[tuple[str, str], dict[str, Cell]]]:
    """By estimator, by overlap and n, by rate."""
    found: dict[str, dict[tuple[str, str], dict[str, Cell]]] = {}
    for setting, part in _parts("policy-coverage"):
        overlap, _, n = setting.partition(", n ")
        values = part["values"]
        for name in values:
            if told := re.fullmatch(r"(\w+) at (.+) reliable", name):
                estimator, rate = told.groups()
                key = f"{estimator} at {rate}"
                cell = Cell(
                    int(values[name]),
                    values.get(f"{key} covers"),
                    values.get(f"{key} flagged covers"),
                    values.get(f"refused at {rate}", 0) / 500,
                )
                found.setdefault(estimator, {}).setdefault((overlap, n), {})[rate] = cell
    return found


def _parts(row: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for setting in ROWS[row].parts:
        for part in ROWS[row].finished(setting).values():
            yield setting, part


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for title, maps in (("Effects", effect_cells()), ("Policy values", policy_cells())):
        for method, cells in maps.items():
            rates = sorted(
                {rate for row in cells.values() for rate in row}, key=lambda r: float(r.split()[0])
            )
            parts.append(f"\n## {title}: {method}\n")
            parts.append(f"| overlap | n | {' | '.join(f'rate {rate}' for rate in rates)} |")
            parts.append(f"|---|---|{'---|' * len(rates)}")
            for (overlap, n), row in cells.items():
                told = " | ".join(str(row.get(rate, "")) for rate in rates)
                parts.append(f"| {overlap} | {n} | {told} |")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    COVERAGE.write_text(page(), "utf-8")
    print(COVERAGE)
