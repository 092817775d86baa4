"""All rows by name."""

from __future__ import annotations

from benchmarks.row import Row
from benchmarks.rows import audit, identification, leave_last, learners, popularity, speed

ROWS: dict[str, Row] = {
    row.name: row
    for module in (audit, identification, leave_last, learners, popularity, speed)
    for row in module.ROWS
}
