"""How well fresh attackers read the judged attribute from what a row shows and holds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from scipy import sparse

from equipoise.audit.attackers import infer_attribute, views
from equipoise.audit.attackers.suite import AUC, BALANCED_ACCURACY
from equipoise.data import vocabulary as v
from equipoise.debias.corrected import Corrected
from equipoise.errors import DataError
from equipoise.pipeline.debias.ground import FEWEST, Ground

MOST_USERS = 1500
"""Users that attackers are trained on; more cost time and narrow the intervals little."""
TRAININGS = 2
"""Trainings of each row that are attacked: intervals come from users, and attackers take most of the time."""


@dataclass
class Attack:
    """Attackers, trained once for all rows that show or hold the same.

    Attributes:
        ground: What all rows stand on.
        known: What was found for features met before, by their content.
    """

    ground: Ground
    known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __call__(self, lists: pl.DataFrame, corrected: Corrected | None) -> dict[str, dict[str, Any]]:
        """View to what the strongest attacker of each measure reaches; empty where there is no attribute.

        Args:
            lists: The row's lists of test time.
            corrected: What made them; None for a row without a model, and so without vectors.

        Returns:
            For `lists`, and `vectors` where the model has them, `auc` and `balanced_accuracy` with `value`, `low`,
            `high`, then `chance` of the latter and `users`; or `reason` why nobody could be attacked. Of two classes,
            an attacker below chance counts turned round: whoever knows that it errs reads as much.
        """
        ground = self.ground
        if not ground.leakage or ground.attribute is None:
            return {}
        members = ground.members.join(ground.served.to_frame(), on=v.USER, how="semi").sort(v.USER)
        shown = views(lists, members[v.USER], k=ground.k)
        found = {"lists": self._read(shown["lists"], members["group"])}
        held = None if corrected is None else _vectors(corrected, ground, members[v.USER])
        if held is not None:
            found["vectors"] = self._read(held, members["group"])
        return found

    def _read(self, features: Any, labels: pl.Series) -> dict[str, Any]:
        digest = _digest(features)
        if digest not in self.known:
            self.known[digest] = self._attacked(features, labels)
        return self.known[digest]

    def _attacked(self, features: Any, labels: pl.Series) -> dict[str, Any]:
        audit, seed = self.ground.config.audit, self.ground.config.seed
        try:
            told = infer_attribute(
                features, labels, level=audit.level, seed=seed, max_users=MOST_USERS, min_class=FEWEST
            )
        except DataError as error:
            return {"reason": error.what}
        tried = _turned(told.filter(~pl.col("control")))
        strongest = {
            metric: tried.filter(pl.col("metric") == metric).sort("value", "attacker").row(-1, named=True)
            for metric in (AUC, BALANCED_ACCURACY)
        }
        shown = {
            metric: {name: row[name] for name in ("value", "low", "high", "attacker")}
            for metric, row in strongest.items()
        }
        return {**shown, "chance": 1 / tried["classes"][0], "users": tried["users"][0]}


def _turned(tried: pl.DataFrame) -> pl.DataFrame:
    """Attackers of two classes that stay below chance as those that answer the opposite."""
    below = (pl.col("classes") == 2) & (pl.col("value") < 0.5)
    ends = {"value": "value", "low": "high", "high": "low"}
    return tried.with_columns(
        pl.when(below).then(1 - pl.col(source)).otherwise(pl.col(name)).alias(name)
        for name, source in ends.items()
    )


def _vectors(corrected: Corrected, ground: Ground, users: pl.Series) -> Any:
    """Vectors of users as lists are made for them, one row each; None where the model has none."""
    model = corrected.model.observe(ground.prepared.valid.events)
    known = model.catalogue.users.to_frame(v.USER).with_row_index("_row")
    rows = users.to_frame().join(known, on=v.USER, how="left", maintain_order="left")["_row"]
    places = rows.cast(pl.Int64).fill_null(-1).to_numpy()
    return model.user_vectors(places, model.histories.take(places))


def _digest(features: Any) -> str:
    digest = hashlib.sha256(str(features.shape).encode())
    arrays = (features.indptr, features.indices, features.data) if sparse.issparse(features) else (features,)
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
