"""Whether explanations are faithful: delete what they cite, ask the model again, and compare with chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.component import Runtime
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.explain.counterfactual import Removal, as_rows, removal
from equipoise.explain.explainer import Explainer, listening
from equipoise.explain.interactions import Effects, effects
from equipoise.explain.question import Asker
from equipoise.models.histories import locate
from equipoise.models.ranking import top_k
from equipoise.progress import track
from equipoise.statistics import Interval, bootstrap_means

_DRAWS = 4  # random deletions that each explanation is held against

COLUMNS = {
    "rank": pl.Int64,
    "faithful": pl.Boolean,
    "learned": pl.Boolean,
    "size": pl.Int64,
    "irreducible": pl.Boolean,
    "largest": pl.Float64,
    "chance": pl.Float64,
    "change": pl.Float64,
    "change_chance": pl.Float64,
}


@dataclass(frozen=True)
class Summary:
    """How faithful the explanations of lists are; each interval is of means over users.

    Attributes:
        faithful: Share of places whose explanation is faithful.
        size: Interactions that a faithful explanation cites, on average.
        largest: Share of faithful explanations for which deleting as many of the largest contributions does as well.
        chance: Share of random deletions of the same size that take the item out of the list.
        gain: Faithful explanations (which succeed by their definition) less random deletions, paired.
        change: Share of the list's items that others replace after the deletion.
        change_gain: The same less that of random deletions, paired.
    """

    faithful: Interval
    size: Interval
    largest: Interval
    chance: Interval
    gain: Interval
    change: Interval
    change_gain: Interval


def faithfulness(explainer: Explainer, lists: Any, k: int, runtime: Runtime | None = None) -> pl.DataFrame:
    """Explain every place of lists, delete what is cited, and see whether the item leaves.

    An explanation is faithful where it cites a set of past interactions, and the model, asked again for the same user
    without them, ranks the item below k. Sets are those of `removal`; random sets of equal size are the control, and
    so are the largest contributions, as many. Where a model keeps a learned vector of a user, nothing that is left
    out of the past moves the list: whatever is said of it is not faithful.

    Args:
        explainer: The model.
        lists: Frame of `user_id`, `item_id`, `rank` of any engine, users and items that the model knows.
        k: Length of the lists; places beyond it are left out.
        runtime: Seed of the random deletions, progress.

    Returns:
        Frame of `user_id`, `item_id`, `rank`; `faithful`; `learned` (whether the model keeps such a vector); of the set
        that is cited `size` and `irreducible`; `largest` (1 where as many of the largest contributions take the item
        out too, else 0); `chance` (share of random deletions that do), `change` and `change_chance` (share of the list
        that is replaced); null where no set was found.
    """
    options, model = runtime or Runtime(), explainer.model
    shown = to_polars(lists).filter(pl.col(v.RANK) <= k).sort(v.USER, v.RANK)
    rows = locate(explainer.known, shown[v.USER])
    items = locate(model.catalogue.items, shown[v.ITEM])
    found = [
        _place(explainer, int(row), int(item), k, options)
        for row, item in track(
            list(zip(rows, items, strict=True)), "explaining places", show=options.progress
        )
    ]
    values = {name: [one[name] for one in found] for name in COLUMNS if name != v.RANK}
    return shown.select(v.USER, v.ITEM, pl.col(v.RANK).cast(pl.Int64)).with_columns(
        pl.Series(name, column, dtype=COLUMNS[name]) for name, column in values.items()
    )


def summary(table: pl.DataFrame, runtime: Runtime | None = None) -> Summary:
    """Means over users, with intervals from a bootstrap of users.

    Args:
        table: What `faithfulness` returned.
        runtime: Seed of the bootstrap.
    """
    there = pl.col("faithful")
    each = table.group_by(v.USER).agg(
        there.mean(),
        pl.col("size").filter(there).mean(),
        pl.col("largest").filter(there).mean(),
        pl.col("chance").filter(there).mean(),
        (1 - pl.col("chance")).filter(there).mean().alias("gain"),
        pl.col("change").filter(there).mean(),
        (pl.col("change") - pl.col("change_chance")).filter(there).mean().alias("change_gain"),
    )
    values = each.drop(v.USER).cast(pl.Float64)
    present = values.select(pl.all().is_not_null()).to_numpy()
    seed = 0 if runtime is None else runtime.seed
    return Summary(*bootstrap_means(values.fill_null(0.0).to_numpy(), present=present, seed=seed))


def _place(explainer: Explainer, row: int, item: int, k: int, runtime: Runtime) -> dict[str, Any]:
    """One explanation, tried."""
    model, nothing = explainer.model, {**dict.fromkeys(COLUMNS), "faithful": False, "learned": False}
    if row < 0 or item < 0:
        return nothing
    trained = row if row < len(model.catalogue.users) else -1
    asker = Asker(explainer.question(trained, model.histories.take([row]), item, k))
    if listening(asker) is not asker:
        return {**nothing, "learned": True}
    found = effects(asker)
    cited = removal(asker, found)
    if not len(cited.units):
        return nothing
    return _tried(asker, found, cited, runtime.rng("faithful", row, item))


def _tried(asker: Asker, found: Effects, cited: Removal, rng: np.random.Generator) -> dict[str, Any]:
    """What deleting the cited units does, beside deleting as many others."""
    question, size = asker.question, len(cited.units)
    count, k = len(question.units), question.k
    order = found.units[np.argsort(-found.of(question.item, question.allowed), kind="stable")]
    drawn = [rng.choice(count, size, replace=False) for _ in range(_DRAWS)]
    again = Asker(question, budget=2 + 1 + _DRAWS)  # a control of the search, and not a part of it
    scores = again.scores(as_rows([cited.units, order[:size], *drawn], count))
    out = question.ranks(scores) > k
    change = _replaced(again.whole, scores, question.allowed, k)
    return {
        "faithful": bool(out[0]),
        "learned": False,
        "size": size,
        "irreducible": cited.irreducible,
        "largest": float(out[1]),
        "chance": float(out[2:].mean()),
        "change": float(change[0]),
        "change_chance": float(change[2:].mean()),
    }


def _replaced(
    before: NDArray[np.float32], after: NDArray[np.float32], allowed: NDArray[np.bool_], k: int
) -> NDArray[np.float64]:
    """Share of the first `k` items that are not among the first `k` of each row of `after`."""
    lists = top_k(np.where(allowed, np.vstack([before, after]), -np.inf), k)
    return np.array([1 - np.isin(one, lists[0]).mean() for one in lists[1:]])
