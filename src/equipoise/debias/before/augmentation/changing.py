"""Who is to be there once more as a member of another group."""

from __future__ import annotations

from typing import Literal

import numpy as np

from equipoise.debias.before.augmentation.profiles import Ints, Profiles
from equipoise.debias.before.augmentation.shortage import Counted, shortage

Whom = Literal["balance", "everyone"]


def changed(
    profiles: Profiles, whom: Whom, counted: Counted, share: float, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Which profiles get a counterpart, and of which group it is: rows and groups of one length, rows sorted.

    With `balance` each group that has less than its share of what the largest has gets counterparts of members of
    other groups, drawn all alike, until it has: as many as are lacking by the mean length of those who are copied.
    With `everyone` each gets one, of another group drawn all alike.

    Args:
        profiles: Of real users.
        whom: Who gets a counterpart.
        counted: What is balanced: pairs of users and items, or users.
        share: As for `shortage`.
        rng: Where the draws are from.
    """
    n = len(profiles.names)
    if whom == "everyone":
        steps = rng.integers(1, n, len(profiles))
        return np.arange(len(profiles), dtype=np.int64), (profiles.group + steps) % n
    plan = shortage(profiles, counted, share, np.inf)
    have = plan.events if counted == "events" else plan.users
    each = profiles.lengths if counted == "events" else np.ones(len(profiles), dtype=np.int64)
    rows, groups = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for group in range(n):
        others = rng.permutation(np.flatnonzero(profiles.group != group))
        missing = share * have.max() - have[group]
        chosen = np.sort(others[: int((np.cumsum(each[others]) <= missing).sum())])
        rows.append(chosen)
        groups.append(np.full(len(chosen), group, dtype=np.int64))
    both, into = np.concatenate(rows), np.concatenate(groups)
    order = np.argsort(both, kind="stable")
    return both[order], into[order]
