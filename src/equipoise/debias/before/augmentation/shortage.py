"""How many profiles a group lacks beside the largest one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from equipoise.debias.before.augmentation.profiles import Ints, Profiles

Counted = Literal["events", "users"]


@dataclass(frozen=True)
class Shortage:
    """What groups have, and what is to be made for them.

    Attributes:
        users: Real users of each group.
        events: Items in their profiles together.
        lacking: How many profiles of the group's mean length would bring it to its target.
        making: How many of these are made.
    """

    users: Ints
    events: Ints
    lacking: Ints
    making: Ints


def shortage(profiles: Profiles, counted: Counted, share: float, most: float) -> Shortage:
    """What groups lack until each has `share` of what the largest has.

    Args:
        profiles: Of the real users.
        counted: What is compared: pairs of users and items, or users.
        share: Of the largest group's number, above 0.
        most: Made profiles per real one of the group at most.
    """
    n = len(profiles.names)
    users = np.bincount(profiles.group, minlength=n).astype(np.int64)
    events = np.bincount(profiles.group, profiles.lengths, minlength=n).astype(np.int64)
    have = events if counted == "events" else users
    missing = np.maximum(share * have.max() - have, 0.0)
    lacking = np.floor(missing * users / np.maximum(have, 1) + 1e-9).astype(np.int64)
    return Shortage(users, events, lacking, np.minimum(lacking, np.floor(most * users)).astype(np.int64))
