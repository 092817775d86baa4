"""Names of the working columns that every step adds to the log, and what makes a column of numbers."""

from __future__ import annotations

from typing import Any, Final

import narwhals as nw

from equipoise.errors import DataError

ROW: Final = "_row"
"""Number of the row in the user's log, from 0; eager logs have it."""
CLUSTER: Final = "_cluster"
REWARD_: Final = "_reward"
PROPENSITY_: Final = "_propensity"
TARGET: Final = "_target"
"""The target policy's probability of the logged item."""
WEIGHT: Final = "_weight"
"""Target probability over propensity, or what an estimator makes of it."""
LOGGED_VALUE: Final = "_logged_value"
"""The outcome model's reward of the logged item."""
TARGET_VALUE: Final = "_target_value"
"""The outcome model's mean reward under the target policy."""

ITEM_: Final = "_item_rank"
"""Place of the item among the log's items in order; eager logs have it."""

WORKING: Final = (ROW, CLUSTER, REWARD_, PROPENSITY_, TARGET, WEIGHT, LOGGED_VALUE, TARGET_VALUE, ITEM_)

Frame = Any  # nw.DataFrame[Any] over Polars, or nw.LazyFrame[Any] of any engine


def number(frame: Frame, column: str, what: str) -> nw.Expr:
    """Expression that reads a column as float64; booleans are 0 and 1.

    Raises:
        DataError: if the column holds no numbers.
    """
    kind = frame.collect_schema()[column]
    if not (kind.is_numeric() or kind == nw.Boolean):
        raise DataError(
            f"The {what} is no number", where=f"column '{column}', {kind}", todo="Give a column of numbers."
        )
    return nw.col(column).cast(nw.Float64)
