"""The network of ESMM, and the impressions that it is trained on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.models.factors import Floats, Ints
from equipoise.models.histories import Catalogue, locate
from equipoise.models.training import Step

if TYPE_CHECKING:
    from equipoise.models.disentangled.esmm import ESMM

TOWERS = ("click", "conversion")


@dataclass(frozen=True)
class Impressions:
    """One row per impression: user, item, weight, whether it was clicked and whether bought, each of shape (n,)."""

    users: Ints
    items: Ints
    weights: Floats
    clicked: Floats
    bought: Floats

    @property
    def identity(self) -> NDArray[np.float64]:
        """All columns in one array, by which a training is known."""
        return np.column_stack([self.users, self.items, self.weights, self.clicked, self.bought]).astype(
            float
        )

    def batches(self, size: int, rng: np.random.Generator) -> list[Impressions]:
        """All rows in a random order, `size` at a time."""
        order = rng.permutation(len(self.users))
        return [self._take(order[start : start + size]) for start in range(0, len(order), size)]

    def _take(self, rows: Ints) -> Impressions:
        return Impressions(
            self.users[rows], self.items[rows], self.weights[rows], self.clicked[rows], self.bought[rows]
        )


def impressions(data: Dataset, catalogue: Catalogue) -> Impressions:
    """What was shown and what came of it, sorted so that the order of the rows does not matter.

    Where the log names requests, an answer belongs to the impression of its user, item and request; one that names none
    is taken to have come about without being shown, and is left out. Where it does not, an answer counts for every
    impression of its user and item, so that rates of what is shown to somebody again and again come out too high. What
    was bought counts as clicked.

    Args:
        data: Events, the column `sample_weight` of impressions among them where there is one.
        catalogue: Ids to index by.
    """
    events = data.events
    if v.EVENT not in events.columns:
        events = events.clear().with_columns(pl.lit(None, dtype=pl.String).alias(v.EVENT))
    key = [v.USER, v.ITEM, *([v.REQUEST] if v.REQUEST in events.columns else [])]
    weight = pl.col(v.SAMPLE_WEIGHT) if v.SAMPLE_WEIGHT in events.columns else pl.lit(1.0)
    shown = events.filter((pl.col(v.EVENT) == v.IMPRESSION) & pl.col(v.ITEM).is_not_null())
    shown = shown.select(*key, weight.cast(pl.Float32).alias("_weight"))
    for name, kinds in (("_bought", [v.PURCHASE]), ("_clicked", [v.CLICK, v.VIEW, v.PURCHASE])):
        answers = events.filter(pl.col(v.EVENT).is_in(kinds)).select(key).unique()
        answers = answers.with_columns(pl.lit(1.0, dtype=pl.Float32).alias(name))
        shown = shown.join(answers, on=key, how="left", nulls_equal=True)
    shown = shown.with_columns(
        pl.Series("_user", locate(catalogue.users, shown[v.USER])),
        pl.Series("_item", locate(catalogue.items, shown[v.ITEM])),
        pl.col("_clicked", "_bought").fill_null(0.0),
    ).sort("_user", "_item", "_clicked", "_bought", "_weight")
    return Impressions(
        *(shown[name].to_numpy().copy() for name in ("_user", "_item", "_weight", "_clicked", "_bought"))
    )


class Funnel(nn.Module):
    """Parameters of ESMM.

    Args:
        config: Sizes.
        catalogue: Users and items; those that no impression names keep vectors of zero.
        rows: Training impressions, for rates to begin with.
    """

    def __init__(self, config: ESMM, catalogue: Catalogue, rows: Impressions) -> None:
        super().__init__()
        self.config, self.width = config, config.width
        spread = 0.1 / math.sqrt(config.width)
        sizes = len(catalogue.users), len(catalogue.items)
        there = [
            torch.from_numpy(np.bincount(ids, minlength=size) > 0)
            for ids, size in zip((rows.users, rows.items), sizes, strict=True)
        ]
        self.users, self.items = (
            nn.Parameter(torch.randn(size, config.width) * spread * known[:, None])
            for size, known in zip(sizes, there, strict=True)
        )
        clicks, purchases = float(rows.clicked.mean()), float(rows.bought.mean())
        rates = (clicks, purchases / clicks)
        self.emphasis = nn.Parameter(torch.ones(len(TOWERS), config.width))
        self.user_bias = nn.Parameter(torch.zeros(sizes[0], len(TOWERS)))
        self.item_bias = nn.Parameter(torch.zeros(sizes[1], len(TOWERS)))
        self.mean = nn.Parameter(torch.tensor([_log_odds(rate) for rate in rates]))

    def vectors(self) -> dict[str, tuple[Floats, Floats]]:
        """Vectors of users and items of each tower, such that their products are log-odds."""
        found = {}
        with torch.no_grad():
            for place, name in enumerate(TOWERS):
                bias = self.user_bias[:, place] + self.mean[place]
                users = [self.users * self.emphasis[place], torch.ones(len(bias), 1), bias[:, None]]
                items = [self.items, self.item_bias[:, [place]], torch.ones(len(self.items), 1)]
                found[name] = torch.cat(users, 1).numpy().copy(), torch.cat(items, 1).numpy().copy()
        return found

    def step(self, batch: Impressions, rng: np.random.Generator) -> tuple[Tensor, Step]:
        """The loss on a batch, shrinkage included."""
        rows, columns = torch.from_numpy(batch.users), torch.from_numpy(batch.items)
        weights = torch.from_numpy(batch.weights)
        users, items = self.users[rows], self.items[columns]
        odds = (users * items) @ self.emphasis.T + self.user_bias[rows] + self.item_bias[columns] + self.mean
        clicked, bought = torch.from_numpy(batch.clicked), torch.from_numpy(batch.bought)
        losses = entire_space(odds[:, 0], odds[:, 1], clicked, bought)
        factors = users.square().sum() + items.square().sum()
        biases = self.user_bias[rows].square().sum() + self.item_bias[columns].square().sum()
        shrinkage = (self.config.shrinkage * factors + self.config.bias_shrinkage * biases) / len(rows)
        step = Step(rows, columns, weights, users, self.items, dict(self.named_parameters()))
        return (losses * weights).mean() + shrinkage, step


def entire_space(click: Tensor, conversion: Tensor, clicked: Tensor, bought: Tensor) -> Tensor:
    """Loss of each impression: cross-entropy of the click, and of click and purchase together (Ma et al. 2018,
    equation 5).

    Args:
        click: Log-odds of a click, shape (n,).
        conversion: Log-odds of a purchase once clicked, shape (n,).
        clicked: 1 or 0, shape (n,).
        bought: 1 or 0, shape (n,).
    """
    both = functional.logsigmoid(click) + functional.logsigmoid(conversion)
    # 1 - pCTR pCVR, from the log of the product; a product of 1 would have no finite logarithm
    neither = torch.log(-torch.expm1(both.clamp_max(-1e-6)))
    first = functional.binary_cross_entropy_with_logits(click, clicked, reduction="none")
    return first - bought * both - (1 - bought) * neither


def _log_odds(rate: float) -> float:
    kept = min(max(rate, 1e-6), 1 - 1e-6)
    return math.log(kept / (1 - kept))
