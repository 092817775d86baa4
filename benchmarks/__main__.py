"""`python -m benchmarks [ROW[:SETTING[:SEED]] ...]`: measure rows, or list them."""

from __future__ import annotations

import sys

from benchmarks import results
from benchmarks.registry import ROWS
from benchmarks.row import Row


def main(asked: list[str]) -> int:
    """Measure the rows of these names, part by part; what is finished already is not done again.

    Args:
        asked: Names of rows, each with a setting and a seed where only these are wanted: `ROW:SETTING:SEED`.
    """
    if not asked:
        for row in ROWS.values():
            done = sum(len(row.finished(setting)) for setting in row.parts)
            total = sum(len(seeds) for seeds in row.parts.values())
            print(f"{row.name:20} {done}/{total} parts  {row.protocol}")
        return 0
    for wish in asked:
        name, *only = wish.split(":")
        if name not in ROWS:
            print(f"There is no row called {name}. Known: {', '.join(ROWS)}.", file=sys.stderr)
            return 2
        for setting, seed in _parts(ROWS[name], *only):
            ROWS[name].run(setting, seed)
            results.write(ROWS[name])
        print("\n".join(results.write(ROWS[name])))
    return 0


def _parts(row: Row, setting: str | None = None, seed: str | None = None) -> list[tuple[str, int]]:
    """What to measure: every setting's first seed before anyone's second."""
    found = [
        (place, name, one)
        for name, seeds in row.parts.items()
        for place, one in enumerate(seeds)
        if setting in (None, name) and seed in (None, str(one))
    ]
    return [(name, one) for _, name, one in sorted(found, key=lambda part: part[0])]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
