"""The words of every table: one name for one thing, in all of Equipoise."""

from __future__ import annotations

from typing import Final

USER: Final = "user_id"
ITEM: Final = "item_id"
"""Null exactly for `event = "search"`, where `query` stands instead."""
TIMESTAMP: Final = "timestamp"
"""Time of an event: a datetime, or a number of seconds since 1970."""
ORDER: Final = "order"
"""Position within a user's history, oldest first, where no absolute time is known."""
EVENT: Final = "event"
VALUE: Final = "value"
"""A rating, a price, a dwell time: what the event carried."""
QUERY: Final = "query"
REQUEST: Final = "request_id"
SLATE: Final = "slate_id"
POSITION: Final = "position"
"""Place in a shown slate, from 1."""
PROPENSITY: Final = "propensity"
"""Probability with which the logger showed this, in (0, 1]."""
POLICY: Final = "policy"
REWARD: Final = "reward"
SAMPLE_WEIGHT: Final = "sample_weight"
"""How much an event counts in training, at least 0; 1 where the column is missing."""
SYNTHETIC: Final = "synthetic"
"""True for events that a correction made up, of users who do not exist; false where the column is missing."""
RANK: Final = "rank"
"""Place in a recommended list, from 1."""
SCORE: Final = "score"
PROBABILITY: Final = "probability"
"""Calibrated probability; null when it was not calibrated."""
STAGE: Final = "stage"
COLD: Final = "cold"
"""True when the user or the item was never seen in training."""
GROUP: Final = "group"

IMPRESSION: Final = "impression"
CLICK: Final = "click"
PURCHASE: Final = "purchase"
SEARCH: Final = "search"
RATING: Final = "rating"
VIEW: Final = "view"

NOT_POSITIVE: Final = frozenset({IMPRESSION, SEARCH})
"""Events that say nothing of taste by themselves: being shown an item, and asking for one."""

BASELINE: Final = "baseline"
CORRECTED: Final = "corrected"

UNKNOWN: Final = "unknown"
"""Group of users whose attribute is missing, and of users missing from the users table."""
