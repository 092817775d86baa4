"""Worlds whose truth is known: contexts, two policies, and what each item earns in each context."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Planted:
    logger: Floats  # (contexts, items)
    target: Floats
    reward: Floats  # expected reward

    @classmethod
    def draw(
        cls, seed: int, *, contexts: int = 6, items: int = 5, spread: float = 0.7, rate: float = 0.4
    ) -> Planted:
        rng = np.random.default_rng([seed, 1])
        logger, target = (softmax(rng.normal(0, spread, (contexts, items))) for _ in range(2))
        taste = np.exp(rng.normal(0, 0.5, (contexts, items)))
        return cls(logger, target, np.clip(rate * taste / taste.mean(), 0, 1))

    @property
    def truth(self) -> float:
        return float((self.target * self.reward).sum(axis=1).mean())

    def log(self, n: int, seed: int, *, model: Floats | None = None) -> pl.DataFrame:
        """A log with the target's column `e`, the context `x`, and the columns of a model."""
        rng = np.random.default_rng([seed, 2])
        x = rng.integers(0, len(self.logger), n)
        a = (self.logger[x].cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1)
        model = self.reward if model is None else model
        return pl.DataFrame(
            {
                "request_id": np.arange(n),
                "item_id": a,
                "x": x,
                "reward": (rng.random(n) < self.reward[x, a]).astype(float),
                "propensity": self.logger[x, a],
                "e": self.target[x, a],
                "q_logged": model[x, a],
                "q_target": (self.target * model).sum(axis=1)[x],
            }
        )

    def distributions(self, log: pl.DataFrame, policy: Floats | None = None) -> pl.DataFrame:
        """The target (or another policy) as a frame of whole distributions."""
        policy = self.target if policy is None else policy
        n, k = len(log), policy.shape[1]
        return pl.DataFrame(
            {
                "request_id": np.repeat(log["request_id"].to_numpy(), k),
                "item_id": np.tile(np.arange(k), n),
                "probability": policy[log["x"].to_numpy()].ravel(),
            }
        )


def softmax(scores: Floats) -> Floats:
    weight = np.exp(scores)
    return weight / weight.sum(axis=-1, keepdims=True)
