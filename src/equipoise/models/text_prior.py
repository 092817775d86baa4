"""What items' texts say of the scores that a model gives them: a ridge regression over the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from equipoise.models.ranking import products

Floats = NDArray[np.float32]

PENALTIES = tuple(float(10.0**power) for power in np.arange(-3.0, 3.5, 0.5))


@dataclass(frozen=True)
class Centred:
    """Texts of a catalogue around their weighted mean.

    Attributes:
        weights: Weight of each item, float64 of shape (items,), summing to 1.
        directions: Text vectors less their mean, float32 of shape (items, width).
        middle: That mean, shape (width,).
    """

    weights: NDArray[np.float64]
    directions: Floats
    middle: NDArray[np.float64]

    @classmethod
    def of(cls, texts: Floats, weights: NDArray[Any], middle: NDArray[np.float64] | None = None) -> Self:
        """Texts around a point.

        Args:
            texts: Text vectors, shape (items, width).
            weights: At least 0, not all of them 0.
            middle: Where zero was when the regression was made: were it taken again, one item's new text would move
                all others. None: the weighted mean of the texts.
        """
        share = weights.astype(np.float64) / weights.sum()
        zero: NDArray[np.float64] = share @ texts if middle is None else middle
        return cls(share, (texts - zero).astype(np.float32), zero)


@dataclass(frozen=True)
class TextPrior:
    """Scores predicted from texts, by one regression per user over the items with a record.

    The regression is the same linear map for every user, so that it equals a regression of the model's item
    factors, or of its columns of links, on the texts (Gantner et al. 2010, "Learning Attribute-to-Feature
    Mappings for Cold-Start Recommendations", section 3): whatever scores a model gives can be extended.

    Attributes:
        fit: From centred scores to coefficients, float32 of shape (items, width); zero rows for items that do not
            take part.
        texts: What is regressed on.
        penalty: The ridge penalty, in units of the mean variance of a direction.
        explained: Share of the variance of scores that texts predict for items left out, at this penalty; below 0
            where they predict worse than the mean.
    """

    fit: Floats
    texts: Centred
    penalty: float
    explained: float

    @classmethod
    def of(cls, texts: Centred, sample: Floats, penalties: tuple[float, ...] = PENALTIES) -> Self:
        """The regression, with the penalty that best predicts each item from all others.

        Args:
            texts: Of all items; the weight says how far an item's scores count, 0 for one that is only predicted.
            sample: Scores of some users by the model, shape (users, items).
            penalties: What to choose from, by the leave-one-out error in closed form (Allen 1974, PRESS).
        """
        there = texts.weights > 0
        rows, weight = texts.directions[there].astype(np.float64), texts.weights[there]
        values, basis = np.linalg.eigh((rows * weight[:, None]).T @ rows)
        unit = max(float(values.clip(0).mean()), 1e-12)
        turned = rows @ basis
        scores = sample[:, there].astype(np.float64)
        scores -= (scores @ weight)[:, None]
        scores /= np.maximum(np.sqrt((scores**2) @ weight), 1e-12)[:, None]  # every user counts the same
        product = (scores * weight) @ turned

        def error(shrunk: NDArray[np.float64]) -> float:
            leverage = weight * (1 + (turned**2) @ shrunk)  # 1: the mean is fitted too
            residual = (scores - (product * shrunk) @ turned.T) / (1 - leverage).clip(1e-9)
            return float((residual**2 @ weight).mean())

        shrunk = [1 / (values.clip(0) + penalty * unit) for penalty in penalties]
        errors = [error(one) for one in shrunk]
        best, nothing = int(np.argmin(errors)), error(np.zeros(len(values)))
        fit = np.zeros_like(texts.directions)
        fit[there] = (turned * weight[:, None] * shrunk[best]) @ basis.T
        return cls(fit, texts, penalties[best], 1 - errors[best] / nothing if nothing > 0 else 0.0)

    def predicted(self, scores: Floats) -> Floats:
        """Scores that texts alone predict for all items, of the shape (users, items) of the model's own."""
        middle = (scores @ self.texts.weights)[:, None]
        taste = products((scores - middle).astype(np.float32), self.fit.T)
        return (products(taste, self.texts.directions) + middle).astype(np.float32)
