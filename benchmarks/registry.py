"""All rows by name."""

from __future__ import annotations

from benchmarks.row import Row
from benchmarks.rows import (
    audit,
    discovery,
    effect_speed,
    effects,
    identification,
    lalonde,
    learners,
    leave_last,
    policy_value,
    policy_value_scale,
    popularity,
    refutation,
    speed,
)

ROWS: dict[str, Row] = {
    row.name: row
    for module in (
        audit,
        discovery,
        effect_speed,
        effects,
        identification,
        lalonde,
        learners,
        leave_last,
        policy_value,
        policy_value_scale,
        popularity,
        refutation,
        speed,
    )
    for row in module.ROWS
}
