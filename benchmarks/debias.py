"""`python -m benchmarks.debias`: puts the corrections side by side from what the rows have measured, into DEBIAS.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.debias_page import coat, control, conversion, hidden, ml1m, multitask, schnabel, words, worlds
from benchmarks.registry import ROWS
from benchmarks.row import Row

PAGE = Path(__file__).parent / "DEBIAS.md"

_HEAD = """# Which correction helps, and what it costs

Made by `python -m benchmarks.debias` from what `make bench ROW=debias-worlds` (`debias-coat`, `debias-schnabel`,
`debias-ml1m`) has measured. The protocol of each section stands above its tables, the trivial rows first in them.

How to read it: find the bias that you fear in *Which to try first*, look up the quality that a correction costs, then
run `equipoise debias` on your own log: what helps in a world made for it need not help on your data.

Brackets hold 95 % intervals, each for itself; numbers without brackets are plain means. Words compare with the model
without the correction, on the same worlds or users:

- *helps*: better, for all lines of the column at once (Holm's adjustment over the lines of the table, 5 %);
- *may help*: better by its own interval, but so many lines are compared that one may be so by chance;
- *does not help*: its interval holds no change;
- *hurts*: its own interval lies wholly on the worse side. Harm is not adjusted: overlooking it costs more.
"""
_SECTIONS = {
    "debias-worlds": ("Worlds with one planted bias each", worlds.section),
    "debias-hidden": ("A hidden confounder", hidden.section),
    "debias-conversion": ("Purchases where clicks are plenty", conversion.section),
    "debias-multitask": ("Side tasks: ratings, sentiment, categories, entities", multitask.section),
    "debias-control": ("A controller in worlds that drift", control.section),
    "debias-coat": ("Coat: ratings that users chose to give, judged on random ones", coat.section),
    "debias-schnabel": ("Which estimator ranks models rightly", schnabel.section),
    "debias-ml1m": ("ML-1M: gender", ml1m.section),
}


def page(rows: Mapping[str, Row] = ROWS) -> str:
    """The whole page."""
    parts = [_HEAD]
    for name, (title, section) in _SECTIONS.items():
        parts.append(f"\n## {title}\n")
        if name not in rows:
            parts.append(f"{words.MISSING.capitalize()}.\n")
            continue
        row = rows[name]
        parts.append(f"{words.sentence(row.protocol)} Asked for: {(row.target or 'nothing').rstrip('.')}.\n")
        parts.extend(section(row))
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(PAGE)
