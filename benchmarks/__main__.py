"""`python -m benchmarks [ROW ...]`: measure rows, or list them."""

from __future__ import annotations

import sys

from benchmarks import results
from benchmarks.registry import ROWS


def main(names: list[str]) -> int:
    """Measure the rows of these names, part by part; what is finished already is not done again."""
    if not names:
        for row in ROWS.values():
            done = sum(len(row.finished(setting)) for setting in row.parts)
            total = sum(len(seeds) for seeds in row.parts.values())
            print(f"{row.name:20} {done}/{total} parts  {row.protocol}")
        return 0
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        print(f"There is no row called {', '.join(unknown)}. Known: {', '.join(ROWS)}.", file=sys.stderr)
        return 2
    for name in names:
        row = ROWS[name]
        rounds = max(len(seeds) for seeds in row.parts.values())
        for place in range(rounds):  # every setting's first seed before anyone's second
            for setting, seeds in row.parts.items():
                if place < len(seeds):
                    row.run(setting, seeds[place])
                    results.write(row)
        print("\n".join(results.write(row)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
