"""The card of one metric."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Definition:
    """Meaning of one metric.

    Attributes:
        name: The name without cutoff ("ndcg").
        title: The name in words.
        formula: In plain text; `u` a user, `i` an item, `r` a rank from 1, `k` the cutoff, `rel(u)` the set
            of items in the truth of `u`, `hit(r)` 1 where the item at rank `r` is in `rel(u)` and 0
            elsewhere.
        low: Smallest possible value; None where there is no bound.
        high: Largest possible value; None where there is no bound.
        fair: The value at which this metric finds nothing unfair; None where the metric by itself says
            nothing of fairness (then its gap between groups does, and 0 is fair).
        unit: Unit of the value.
        better: Whether "high" or "low" values are better; "neither" where it depends on the purpose.
        level: "user" (a mean over users, with intervals), "list" (the same, without any truth) or "system"
            (one value of all lists together, without intervals: a bootstrap over users is biased for it).
        source: Paper that defines it.
        guard: What happens with empty lists, users without truth, and divisions by zero.
        note: What a reader should know besides.
    """

    name: str
    title: str
    formula: str
    low: float | None
    high: float | None
    fair: float | None
    unit: str
    better: str
    level: str
    source: str
    guard: str
    note: str = ""
